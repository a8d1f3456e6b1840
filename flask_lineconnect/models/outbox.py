"""Messages that the shop decided to send, from that moment on."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey
from sqlalchemy import Index
from sqlalchemy import String
from sqlalchemy import Text
from sqlalchemy import text
from sqlalchemy.orm import Mapped
from sqlalchemy.orm import mapped_column

from .account import Account
from .base import LineBase
from .base import UtcDateTime

#: States in which a row is on its way.
UNSENT = ("queued", "sending")
STATES = ("queued", "sending", "accepted", "refused", "expired", "cancelled")


def _index(name: str, *columns: str, where: str) -> Index:
    condition = text(where)
    return Index(
        f"ix_lineconnect_{name}", *columns, sqlite_where=condition, postgresql_where=condition
    )


class Deliverable:
    """What a message to one account and a batch to many have in common.

    State: ``queued`` → ``sending`` → ``accepted``, ``refused`` (LINE said no), ``expired`` (too
    late, or no answer within the life of the retry key) or ``cancelled`` (nobody may be sent it).
    """

    category: Mapped[str] = mapped_column(String(40))
    #: 0 for what the customer waits for, 1 for advertising.
    priority: Mapped[int]
    #: LINE's message objects as JSON; never changed, so that a repeated request is the same.
    messages: Mapped[str] = mapped_column(Text)
    #: ``X-Line-Retry-Key``: fixed before the first try, so that a repeated call is sent once.
    retry_key: Mapped[str | None] = mapped_column(String(36), unique=True)
    state: Mapped[str] = mapped_column(String(10), default="queued")
    attempts: Mapped[int] = mapped_column(default=0)
    #: Counted with the attempts, and never back: the number by which a worker knows its own claim.
    claims: Mapped[int] = mapped_column(default=0)
    #: Whether LINE may have taken an earlier try of which nobody knows the answer.
    is_uncertain: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    #: From when a worker may take it; ``None`` when it is finished.
    next_attempt_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    #: After which it is no longer worth sending.
    expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    first_tried_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    accepted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    #: ``x-line-request-id`` of the request that LINE accepted.
    line_request_id: Mapped[str | None] = mapped_column(String(100))
    #: The month whose quota was reserved for it.
    quota_month: Mapped[str | None] = mapped_column(String(7))
    error: Mapped[str | None] = mapped_column(Text)


class Campaign(LineBase):
    """One message to many members; its batches carry it out.

    State: ``running`` → ``finished`` or ``cancelled``.
    """

    __tablename__ = "lineconnect_campaign"

    id: Mapped[int] = mapped_column(primary_key=True)
    #: Names it: beginning the same campaign again changes nothing.
    key: Mapped[str] = mapped_column(String(255), unique=True)
    category: Mapped[str] = mapped_column(String(40))
    state: Mapped[str] = mapped_column(String(10), default="running")
    #: How many accounts it was meant for when it began.
    recipients: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class OutboxBatch(Deliverable, LineBase):
    """The same message objects for up to 500 LINE accounts: one multicast request."""

    __tablename__ = "lineconnect_outbox_batch"
    __table_args__ = (
        _index(
            "outbox_batch_due", "priority", "next_attempt_at", where="next_attempt_at IS NOT NULL"
        ),
        Index("ix_lineconnect_outbox_batch_accounts", "first_account_id", "last_account_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    campaign_id: Mapped[int | None] = mapped_column(
        ForeignKey(Campaign.id, ondelete="CASCADE"), index=True
    )
    #: JSON list: for whom it is; from the first try on, to whom it went.
    account_ids: Mapped[str] = mapped_column(Text)
    first_account_id: Mapped[int]
    last_account_id: Mapped[int]
    recipients: Mapped[int]
    #: JSON list, fixed before the first try and forgotten when LINE has answered.
    line_user_ids: Mapped[str | None] = mapped_column(Text)


class OutboxMessage(Deliverable, LineBase):
    """One to five message objects for one LINE account: a push, or one recipient of a batch."""

    __tablename__ = "lineconnect_outbox_message"
    __table_args__ = (
        _index(
            "outbox_message_due", "priority", "next_attempt_at", where="next_attempt_at IS NOT NULL"
        ),
        _index("outbox_message_batch", "batch_id", where="batch_id IS NOT NULL"),
        _index("outbox_message_campaign", "campaign_id", where="campaign_id IS NOT NULL"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey(Account.id, ondelete="CASCADE"), index=True)
    #: Names the message; enqueuing the same key again changes nothing.
    dedupe_key: Mapped[str | None] = mapped_column(String(255), unique=True)
    campaign_id: Mapped[int | None] = mapped_column(ForeignKey(Campaign.id, ondelete="SET NULL"))
    #: The batch that carries it, if others say the same.
    batch_id: Mapped[int | None] = mapped_column(ForeignKey(OutboxBatch.id, ondelete="SET NULL"))
