"""The shop that the benchmark sends for: members, each with a LINE account, in a database."""

from __future__ import annotations

from typing import Any

from flask import Flask
from flask_login import LoginManager
from flask_login import UserMixin
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import text
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.orm import Mapped
from sqlalchemy.orm import mapped_column

from flask_lineconnect import LineConnect
from flask_lineconnect import LineProfile
from flask_lineconnect import ShopAdapter


class Base(DeclarativeBase):
    """Base of the shop's models."""


db = SQLAlchemy(model_class=Base)


class Member(UserMixin, Base):
    """A member."""

    __tablename__ = "member"

    id: Mapped[int] = mapped_column(primary_key=True)


class Shop(ShopAdapter[Member]):
    """The adapter."""

    model = Member

    def sign_up(self, profile: LineProfile) -> Member | None:
        """Nobody registers during a benchmark."""
        return None


line = LineConnect(db=db, shop=Shop())


def create_app(database: str, platform: str, **settings: Any) -> Flask:
    """Make the shop, joined to what stands for LINE; without tables."""
    app = Flask(__name__)
    app.testing = True
    app.config.update(
        SECRET_KEY="a secret key for benchmarks",
        SQLALCHEMY_DATABASE_URI=database,
        LINECONNECT_BASE_URL="https://shop.example",
        LINECONNECT_EMULATOR_URL=platform,
        LINECONNECT_LOGIN_CHANNEL_ID="1650000001",
        LINECONNECT_LOGIN_CHANNEL_SECRET="0123456789abcdef0123456789abcdef",
        LINECONNECT_MESSAGING_CHANNEL_ID="1650000002",
        LINECONNECT_MESSAGING_CHANNEL_SECRET="8c570fa6dd201bb328f1c1eac23a96d8",
    )
    app.config.update({"LINECONNECT_ENGINE": "worker", **settings})
    db.init_app(app)
    LoginManager(app)
    line.init_app(app)
    return app


def fill(app: Flask, members: int) -> None:
    """Make the tables, and members who are linked and friends."""
    with app.app_context():
        Base.metadata.create_all(db.engine)
        db.metadata.create_all(db.engine)
        is_sqlite = db.engine.dialect.name == "sqlite"
        numbers = (
            "WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < :count)"
            if is_sqlite
            else "WITH s AS (SELECT generate_series(1, :count) AS n)"
        )
        user_id = "printf('%032x', n)" if is_sqlite else "lpad(to_hex(n), 32, '0')"
        # On SQLite WITH stands first, on PostgreSQL it may.
        db.session.execute(
            text(f"INSERT INTO member (id) {numbers} SELECT n FROM s"), {"count": members}
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
