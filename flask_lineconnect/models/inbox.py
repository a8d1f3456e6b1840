"""Webhook events, kept from the moment they are acknowledged."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON
from sqlalchemy import Index
from sqlalchemy import String
from sqlalchemy import Text
from sqlalchemy.orm import Mapped
from sqlalchemy.orm import mapped_column

from .base import LineBase
from .base import UtcDateTime


class InboxEvent(LineBase):
    """One webhook event of LINE's.

    State: ``queued`` → ``answering`` (the hook ran, its reply is stored) → ``done``, or ``dead``
    after the last attempt.
    """

    __tablename__ = "lineconnect_inbox_event"
    __table_args__ = (Index("ix_lineconnect_inbox_event_due", "state", "next_attempt_at"),)

    webhook_event_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    line_user_id: Mapped[str | None] = mapped_column(String(33), index=True)
    payload: Mapped[dict[str, Any]] = mapped_column(JSON)
    #: The rendered messages of the reply, stored with the hook's own changes.
    reply: Mapped[list[dict[str, Any]] | None] = mapped_column(JSON)
    state: Mapped[str] = mapped_column(String(10), default="queued")
    attempts: Mapped[int] = mapped_column(default=0)
    occurred_at: Mapped[datetime] = mapped_column(UtcDateTime)
    received_at: Mapped[datetime] = mapped_column(UtcDateTime)
    next_attempt_at: Mapped[datetime] = mapped_column(UtcDateTime)
    error: Mapped[str | None] = mapped_column(Text)
