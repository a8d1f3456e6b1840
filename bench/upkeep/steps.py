"""What ``run.py`` lets each version do, in processes of their own; prints JSON."""

from __future__ import annotations

import json
import sys
import time
from datetime import UTC
from datetime import datetime
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from flask import Flask
from sqlalchemy import text

from tests.small_shop import create_app
from tests.small_shop import db

#: Rows in one statement.
SOME = 100_000


def make(database: str) -> Flask:
    """Make the shop of the tests; nothing of LINE's is asked for."""
    return create_app(
        {
            "SECRET_KEY": "a secret key for benchmarks",
            "TESTING": True,
            "SQLALCHEMY_DATABASE_URI": f"sqlite:///{database}",
            "LINECONNECT_BASE_URL": "https://shop.example",
            "LINECONNECT_LOGIN_CHANNEL_ID": "1650000001",
            "LINECONNECT_LOGIN_CHANNEL_SECRET": "0123456789abcdef0123456789abcdef",
            "LINECONNECT_MESSAGING_CHANNEL_ID": "1650000002",
            "LINECONNECT_MESSAGING_CHANNEL_SECRET": "8c570fa6dd201bb328f1c1eac23a96d8",
            "LINECONNECT_ENGINE": "worker",
        }
    )


_NUMBERS = "WITH RECURSIVE s(n) AS (SELECT :first UNION ALL SELECT n + 1 FROM s WHERE n < :last)"
_COLUMNS = (
    "account_id, messages, category, priority, dedupe_key, retry_key, state, attempts, claims,"
    " is_uncertain, created_at, next_attempt_at, first_tried_at, accepted_at"
)


def fill(messages: int, campaigns: int, scheduled: int) -> None:
    """Make one account, its messages, and campaigns of three years ago."""
    session = db.session
    session.execute(
        text(
            "INSERT INTO lineconnect_account (line_user_id, display_name, session_generation,"
            " created_at) VALUES ('U1', '', 0, datetime('now'))"
        )
    )
    body = json.dumps([{"type": "text", "text": "ご注文の品を発送しました。" * 8}])
    ago, later = _moment("-30 days"), _moment("+9 days")
    for kind, count, values in (
        ("old", messages // 100, f"'accepted', 1, 1, false, {_moment('-120 days')}, NULL"),
        ("sent", messages, f"'accepted', 1, 1, false, {ago}, NULL"),
        ("later", scheduled, f"'queued', 0, 0, false, {ago}, {later}"),
    ):
        ended_at = {"old": _moment("-120 days"), "sent": ago, "later": "NULL"}[kind]
        statement = text(
            f"INSERT INTO lineconnect_outbox_message ({_COLUMNS}) {_NUMBERS} SELECT 1, :body,"
            f" 'order', 0, '{kind}:' || n, '{kind}-' || n, {values}, {ended_at}, {ended_at} FROM s"
        )
        for first in range(1, count + 1, SOME):
            last = min(count, first + SOME - 1)
            session.execute(statement, {"first": first, "last": last, "body": body})
            session.commit()
    session.execute(
        text(
            "INSERT INTO lineconnect_campaign (key, category, state, is_batched, recipients,"
            f" created_at, finished_at) {_NUMBERS} SELECT 'old ' || n, 'news', 'finished', true, 0,"
            " datetime('now', '-3 years'), datetime('now', '-3 years') || '.000000' FROM s"
        ),
        {"first": 1, "last": campaigns},
    )
    session.commit()


def _moment(when: str) -> str:
    return f"strftime('%Y-%m-%d %H:%M:%f000', 'now', '{when}')"


def upkeep(app: Flask) -> dict[str, float]:
    """Look after everything until nothing is left to do now."""
    # Earlier versions had it elsewhere.
    is_earlier = find_spec("flask_lineconnect.upkeep") is not None
    look_after = import_module(
        "flask_lineconnect.upkeep" if is_earlier else "flask_lineconnect.engines.upkeep"
    ).look_after
    line: Any = app.extensions["lineconnect"]
    began = time.monotonic()
    while look_after(line):
        pass
    return {"seconds": time.monotonic() - began}


def due(app: Flask) -> dict[str, float]:
    """Ask a few times whether anything is due, as every process does every two seconds."""
    from flask_lineconnect.outbox import delivery

    line: Any = app.extensions["lineconnect"]
    times = []
    for _number in range(20):
        began = time.monotonic()
        assert not delivery._may_send_anything(line)
        times.append((time.monotonic() - began) * 1000)
    # The quickest: on a busy machine all else is waiting.
    return {"milliseconds": min(times)}


def webhooks(app: Flask, seconds: float, rate: float) -> dict[str, Any]:
    """Store an event every so often; return the milliseconds of each, and how many failed."""
    from flask_lineconnect.webhooks.writer import EventWriter
    from flask_lineconnect.webhooks.writer import NotWritten

    with app.app_context():
        writer = EventWriter(db.engine)
    times: list[float] = []
    failed = 0
    end, number = time.monotonic() + seconds, time.time_ns()
    while time.monotonic() < end:
        began = time.monotonic()
        number += 1
        event = (f"{number:026d}", "U1", "{}", int(time.time() * 1000))
        try:
            writer.write([event], now=datetime.now(UTC))
        except NotWritten:
            failed += 1
        took = time.monotonic() - began
        times.append(took * 1000)
        time.sleep(max(0.0, 1 / rate - took))
    return {"times": times, "failed": failed}


def main() -> None:
    """Do one step."""
    database, step, *arguments = sys.argv[1:]
    app = make(database)
    found: Any = {}
    with app.app_context():
        if step == "fill":
            fill(*map(int, arguments))
    if step == "upkeep":
        found = upkeep(app)
    if step == "due":
        found = due(app)
    if step == "webhooks":
        found = webhooks(app, *map(float, arguments))
    print(json.dumps(found))


if __name__ == "__main__":
    main()
