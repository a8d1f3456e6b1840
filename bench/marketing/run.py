"""Segments beside SQL written by hand, and `line.emit` beside a bare INSERT.

``pip install -e '.[bench,demo]' && python bench/marketing/run.py``; the size is that of
``--members``, ``--orders`` and ``--events``. SQLite in a temporary folder; ``--database URI`` names
another, empty one: ``postgresql+psycopg://…``. Each pair is measured in turns in the same run; the
best of the turns counts. ``--explain`` shows what the database does for each segment and its pair.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import datetime
from datetime import timedelta
from pathlib import Path
from typing import Any

from flask import Flask
from sqlalchemy import Connection
from sqlalchemy import bindparam
from sqlalchemy import func
from sqlalchemy import insert
from sqlalchemy import select
from sqlalchemy import text

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(Path(__file__).parent)]

from data import fill  # noqa: E402  # beside this file
from questions import BY_HAND  # noqa: E402

from demo_shop import create_app  # noqa: E402
from demo_shop.extensions import db  # noqa: E402
from demo_shop.line.extension import line as extension  # noqa: E402
from demo_shop.models import User  # noqa: E402
from demo_shop.models import UtcDateTime  # noqa: E402
from flask_lineconnect.marketing.segments import audience  # noqa: E402
from flask_lineconnect.models import MemberEvent  # noqa: E402
from flask_lineconnect.state import LineState  # noqa: E402

SETTINGS = {
    "SECRET_KEY": "a secret key for measuring",
    "TESTING": True,
    "LINECONNECT_BASE_URL": "https://shop.example",
    "LINECONNECT_LOGIN_CHANNEL_ID": "1650000001",
    "LINECONNECT_LOGIN_CHANNEL_SECRET": "0123456789abcdef0123456789abcdef",
    "LINECONNECT_MESSAGING_CHANNEL_ID": "1650000002",
    "LINECONNECT_MESSAGING_CHANNEL_SECRET": "8c570fa6dd201bb328f1c1eac23a96d8",
    "LINECONNECT_ENGINE": "worker",
}
#: Events that are told in one transaction.
TOLD = 300


def main() -> None:
    """Fill the shop, measure, print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--members", type=int, default=50_000)
    parser.add_argument("--orders", type=int, default=250_000)
    parser.add_argument("--events", type=int, default=500_000)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--database")
    parser.add_argument("--only", choices=sorted(BY_HAND), help="measure one segment")
    parser.add_argument("--explain", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        uri = options.database or f"sqlite:///{folder}/shop.db"
        app = create_app({**SETTINGS, "SQLALCHEMY_DATABASE_URI": uri, "PICTURES_FOLDER": folder})
        with app.app_context():
            db.metadata.create_all(db.engine)
            _measure(app, options)
            db.session.remove()
            db.engine.dispose()


def _measure(app: Flask, options: argparse.Namespace) -> None:
    line: LineState = app.extensions["lineconnect"]
    now = line.clock()
    line.clock = lambda: now
    sizes = {"members": options.members, "orders": options.orders, "events": options.events}
    with db.engine.connect() as connection:
        fill(connection, now, **sizes)
    is_sqlite = db.engine.dialect.name == "sqlite"
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("ANALYZE" if is_sqlite else "VACUUM ANALYZE"))
    print(db.engine.dialect.name, ", ".join(f"{count:,} {name}" for name, count in sizes.items()))
    print(f"{'segment':20}{'people':>9}{'count ms':>10}{'by hand':>9}{'ratio':>7}", end="")
    print(f"{'list ms':>10}{'by hand':>9}{'ratio':>7}")
    for name in [options.only] if options.only else BY_HAND:
        _measure_segment(line, name, now, options)
    _measure_emit(line, options.turns)


def _measure_segment(
    line: LineState, name: str, now: datetime, options: argparse.Namespace
) -> None:
    ours = audience.members_in(line, name)
    hand = BY_HAND[name]
    asked = set(re.findall(r":d(\d+)", hand))
    limits = {f"d{days}": now - timedelta(days=int(days)) for days in asked}
    typed = [bindparam(key, value, type_=UtcDateTime()) for key, value in limits.items()]
    if ":tea" in hand:
        typed.append(bindparam("tea", "tea"))
    by_hand = text(hand).bindparams(*typed)
    count_by_hand = text(f"SELECT count(*) FROM ({hand}) t").bindparams(*typed)
    count_ours = select(func.count()).select_from(ours.subquery())
    with db.engine.connect() as connection:
        assert set(connection.scalars(ours)) == set(connection.scalars(by_hand)), name
        if options.explain:
            _explain(connection, ours)
            _explain(connection, by_hand)
        counts = _in_turns(
            options.turns,
            lambda: connection.scalar(count_ours),
            lambda: connection.scalar(count_by_hand),
        )
        lists = _in_turns(
            options.turns,
            lambda: connection.scalars(ours).all(),
            lambda: connection.scalars(by_hand).all(),
        )
        people = connection.scalar(count_ours)
    columns = "".join(
        f"{own * 1_000:{width}.1f}{other * 1_000:9.1f}{own / other:7.2f}"
        for width, (own, other) in ((10, counts), (10, lists))
    )
    print(f"{name:20}{people:9,}{columns}", flush=True)


def _explain(connection: Connection, statement: Any) -> None:
    word = "EXPLAIN QUERY PLAN" if db.engine.dialect.name == "sqlite" else "EXPLAIN (ANALYZE)"
    sql = str(statement.compile(db.engine, compile_kwargs={"literal_binds": True}))
    for row in connection.exec_driver_sql(f"{word} {sql}".replace("%", "%%")):
        print("   ", row[-1])


def _measure_emit(line: LineState, turns: int) -> None:
    member = db.session.get_one(User, 1)
    facts = {"amount": 9, "balance": 90}
    now = line.clock()
    row = {
        "name": "points.booked",
        "member_id": member.id,
        "account_id": None,
        "subject": "order:1",
        "facts": facts,
        "occurred_at": now,
        "next_attempt_at": now,
        "attempts": 0,
    }

    def emit() -> None:
        for _ in range(TOLD):
            extension.emit("points.booked", member, subject="order:1", **facts)
        db.session.rollback()

    # Made once, as ours is: making it anew costs more than the database does.
    statement = insert(MemberEvent.__table__).inline()

    def bare() -> None:
        for _ in range(TOLD):
            db.session.execute(statement, row)
        db.session.rollback()

    def by_orm() -> None:
        for _ in range(TOLD):
            db.session.add(MemberEvent(**row))
            db.session.flush()
        db.session.rollback()

    own, other = _in_turns(turns * 3, emit, bare)
    own_again, orm = _in_turns(turns * 3, emit, by_orm)
    each = 1e6 / TOLD
    print(f"emit {own * each:.0f} µs, bare INSERT {other * each:.0f} µs, ratio {own / other:.2f}")
    print(f"emit {own_again * each:.0f} µs, add and flush {orm * each:.0f} µs, ", end="")
    print(f"ratio {own_again / orm:.2f}")


def _in_turns(turns: int, *acts: Callable[[], object]) -> list[float]:
    """Return the best seconds of each act, which take turns."""
    best = [float("inf")] * len(acts)
    for _ in range(turns):
        for number, act in enumerate(acts):
            began = time.perf_counter()
            act()
            best[number] = min(best[number], time.perf_counter() - began)
    return best


if __name__ == "__main__":
    main()
