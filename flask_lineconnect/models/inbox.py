"""Webhook events, kept from the moment they are acknowledged; dialogues that they are part of."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON
from sqlalchemy import String
from sqlalchemy import Text
from sqlalchemy.orm import Mapped
from sqlalchemy.orm import mapped_column

from .base import LineBase
from .base import UtcDateTime
from .base import partial_index

#: In a state that this version does not know: a newer one's, which runs beside it.
IS_STRANGE_EVENT = "state NOT IN ('queued', 'answering', 'done', 'cleared', 'dead')"
#: Of events on which somebody is to work.
OPEN_STATES = ("queued", "answering")


class InboxEvent(LineBase):
    """One webhook event of LINE's.

    State: ``queued`` → ``answering`` (the hook ran, its reply is stored) → ``done``, or ``dead``
    after the last attempt → ``cleared`` (who said what is forgotten, its id is known).

    Storing is hot, so a new row meets only the key and one index that grows at its end. Those of a
    person, for whom only erasure asks, are in an index from when they are finished.
    """

    __tablename__ = "lineconnect_inbox_event"
    __table_args__ = (
        partial_index(
            "inbox_event_order",
            "occurred_at",
            "webhook_event_id",
            where="next_attempt_at IS NOT NULL",
        ),
        partial_index(
            "inbox_event_tried",
            "next_attempt_at",
            where="next_attempt_at IS NOT NULL AND attempts > 0",
        ),
        partial_index("inbox_event_ended", "state", "occurred_at", where="finished_at IS NOT NULL"),
        partial_index(
            "inbox_event_person",
            "line_user_id",
            where="finished_at IS NOT NULL AND line_user_id IS NOT NULL",
        ),
        partial_index("inbox_event_strange", "state", where=IS_STRANGE_EVENT),
        partial_index("inbox_event_question", "line_user_id", where="waits_until IS NOT NULL"),
    )

    webhook_event_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    line_user_id: Mapped[str | None] = mapped_column(String(33))
    #: LINE's JSON; empty when it was cleared away.
    payload: Mapped[str] = mapped_column(Text)
    #: The rendered messages of the reply, stored with the hook's own changes.
    reply: Mapped[list[dict[str, Any]] | None] = mapped_column(JSON(none_as_null=True))
    state: Mapped[str] = mapped_column(String(10), default="queued")
    #: Counted before each attempt; a replay begins again.
    attempts: Mapped[int] = mapped_column(default=0)
    #: Counted with the attempts, and never back: the number by which a worker knows its own claim.
    claims: Mapped[int] = mapped_column(default=0)
    #: How often LINE was given the reply; counted before each try.
    reply_attempts: Mapped[int] = mapped_column(default=0)
    #: Whether LINE's reply token was used for something else, such as an invitation to link.
    is_token_used: Mapped[bool] = mapped_column(default=False)
    #: Until when the question waits for its person to link.
    waits_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    occurred_at: Mapped[datetime] = mapped_column(UtcDateTime)
    received_at: Mapped[datetime] = mapped_column(UtcDateTime)
    #: From when a worker may take it; ``None`` when it is finished.
    next_attempt_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    error: Mapped[str | None] = mapped_column(Text)


class OpenDialogue(LineBase):
    """The dialogue in which a person is; at most one, and not for long."""

    __tablename__ = "lineconnect_dialogue"

    line_user_id: Mapped[str] = mapped_column(String(33), primary_key=True)
    name: Mapped[str] = mapped_column(String(100))
    step: Mapped[str] = mapped_column(String(100), default="")
    data: Mapped[dict[str, Any]] = mapped_column(JSON)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)


#: In the words of the index of events on which nobody works any more.
ENDED = InboxEvent.finished_at.is_not(None)
