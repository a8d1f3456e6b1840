"""Messages that the shop decided to send, from that moment on."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON
from sqlalchemy import ForeignKey
from sqlalchemy import Index
from sqlalchemy import String
from sqlalchemy import Text
from sqlalchemy.orm import Mapped
from sqlalchemy.orm import mapped_column

from .account import Account
from .base import LineBase
from .base import UtcDateTime


class OutboxMessage(LineBase):
    """One to five message objects for one LINE account.

    State: ``queued`` → ``sending`` → ``accepted``, ``refused`` (LINE said no), ``expired`` (no
    answer within the life of the retry key) or ``cancelled`` (the account is no longer linked).
    """

    __tablename__ = "lineconnect_outbox_message"
    __table_args__ = (Index("ix_lineconnect_outbox_message_due", "state", "next_attempt_at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey(Account.id, ondelete="CASCADE"), index=True)
    messages: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    #: Names the message; enqueuing the same key again changes nothing.
    dedupe_key: Mapped[str | None] = mapped_column(String(255), unique=True)
    #: ``X-Line-Retry-Key``: fixed before the first try, so that a repeated call is sent once.
    retry_key: Mapped[str] = mapped_column(String(36), unique=True)
    state: Mapped[str] = mapped_column(String(10), default="queued")
    attempts: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    next_attempt_at: Mapped[datetime] = mapped_column(UtcDateTime)
    first_tried_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    accepted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    #: ``x-line-request-id`` of the request that LINE accepted.
    line_request_id: Mapped[str | None] = mapped_column(String(100))
    error: Mapped[str | None] = mapped_column(Text)
