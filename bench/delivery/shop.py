"""The shop that the benchmark sends for: the tests' small one, with many members."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from flask import Flask
from sqlalchemy import text

sys.path.insert(0, str(Path(__file__).parents[2]))
from tests import small_shop  # the shop is found by the path above
from tests.small_shop import db as db
from tests.small_shop import line as line


def create_app(database: str, platform: str, **settings: Any) -> Flask:
    """Make the shop, joined to what stands for LINE."""
    own = {"SQLALCHEMY_DATABASE_URI": database, "LINECONNECT_EMULATOR_URL": platform}
    return small_shop.create_app({**small_shop.SETTINGS, **own, **settings})


def fill(app: Flask, members: int) -> None:
    """Make members who are linked and friends."""
    with app.app_context():
        is_sqlite = db.engine.dialect.name == "sqlite"
        numbers = (
            "WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < :count)"
            if is_sqlite
            else "WITH s AS (SELECT generate_series(1, :count) AS n)"
        )
        user_id = "printf('%032x', n)" if is_sqlite else "lpad(to_hex(n), 32, '0')"
        # On SQLite WITH stands first, on PostgreSQL it may.
        db.session.execute(
            text(
                f'INSERT INTO "user" (id, name, is_locked) {numbers}'
                f" SELECT n, {user_id}, false FROM s"
            ),
            {"count": members},
        )
        db.session.execute(
            text(
                "INSERT INTO lineconnect_account (line_user_id, display_name, is_friend, member_id,"
                f" linked_at, session_generation, created_at) {numbers} SELECT 'U' ||"
                f" {user_id}, '', true, n, CURRENT_TIMESTAMP, 0, CURRENT_TIMESTAMP FROM s"
            ),
            {"count": members},
        )
        db.session.commit()
        db.session.execute(text("ANALYZE"))
        db.session.commit()


def fill_outbox(app: Flask, messages: int) -> None:
    """Queue a message of its own for each of the first so many members."""
    from sqlalchemy import insert

    from flask_lineconnect.models import OutboxMessage
    from flask_lineconnect.outbox.queue import to_json
    from flask_lineconnect.state import current_line

    with app.app_context():
        now = current_line.clock()
        common = {
            "category": "order",
            "priority": 0,
            "state": "queued",
            "attempts": 0,
            "claims": 0,
            "is_uncertain": False,
            "created_at": now,
            "next_attempt_at": now,
        }
        for start in range(0, messages, 5_000):
            rows = [
                {
                    "account_id": number,
                    "messages": to_json(
                        [{"type": "text", "text": f"ご注文 {number} を発送しました"}]
                    ),
                    "dedupe_key": f"order-{number}:shipped",
                    "retry_key": f"00000000-0000-4000-8000-{number:012d}",
                    **common,
                }
                for number in range(start + 1, min(start + 5_000, messages) + 1)
            ]
            db.session.execute(insert(OutboxMessage), rows)
        db.session.commit()
