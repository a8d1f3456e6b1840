"""What members did, as the shop and LINE told it."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON
from sqlalchemy import BigInteger
from sqlalchemy import ForeignKey
from sqlalchemy import Index
from sqlalchemy import Integer
from sqlalchemy import String
from sqlalchemy import Text
from sqlalchemy.orm import Mapped
from sqlalchemy.orm import mapped_column

from .account import Account
from .base import LineBase
from .base import MemberKey
from .base import UtcDateTime
from .base import partial_index

#: Of an event from which nothing has followed yet.
IS_UNHANDLED = "next_attempt_at IS NOT NULL"


class MemberEvent(LineBase):
    """One thing that a member did. What it says never changes.

    It is handled or not, never behind a mark: on PostgreSQL rows become visible out of order.
    """

    __tablename__ = "lineconnect_member_event"
    __table_args__ = (
        # One person's, for conditions and erasure; and one kind's, for conditions about many.
        Index("ix_lineconnect_member_event_member", "member_id", "name", "occurred_at"),
        Index("ix_lineconnect_member_event_name", "name", "occurred_at", "member_id"),
        partial_index("member_event_account", "account_id", where="account_id IS NOT NULL"),
        partial_index("member_event_due", "next_attempt_at", "id", where=IS_UNHANDLED),
        partial_index("member_event_turn", "member_id", "id", where=IS_UNHANDLED),
        # Runs name what began them by the id, which must never come again.
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(
        BigInteger().with_variant(Integer(), "sqlite"), primary_key=True
    )
    #: ``order.placed``; LINE's own begin with ``line.``.
    name: Mapped[str] = mapped_column(String(100))
    #: Whose it is; absent for people on LINE of whom no member is known yet.
    member_id: Mapped[Any | None] = mapped_column(MemberKey, info={"ondelete": "CASCADE"})
    #: Of LINE's own events: the account.
    account_id: Mapped[int | None] = mapped_column(ForeignKey(Account.id, ondelete="CASCADE"))
    #: What it is about, ``order:1001``: the table and the key of a row of the shop's, or a text.
    subject: Mapped[str | None] = mapped_column(String(255))
    #: By name, in the written form of each one's type; see ``marketing/values.py``.
    facts: Mapped[dict[str, Any]] = mapped_column(JSON)
    occurred_at: Mapped[datetime] = mapped_column(UtcDateTime)
    #: From when an engine may handle it; ``None`` when it is handled, or given up.
    next_attempt_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    #: Counted after attempts that failed.
    attempts: Mapped[int] = mapped_column(default=0)
    error: Mapped[str | None] = mapped_column(Text)
