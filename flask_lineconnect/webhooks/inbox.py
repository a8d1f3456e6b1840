"""Choose the webhook events to store before LINE is answered.

Next: ``writer.py``, then ``dispatch.py``.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sequence
from datetime import datetime
from datetime import timedelta
from typing import NamedTuple

from msgspec import Raw
from sqlalchemy import Engine
from sqlalchemy import case
from sqlalchemy import select
from sqlalchemy import update
from sqlalchemy.orm import Session

from ..log_fields import log_fields
from ..models import InboxEvent
from .batch import EventHead
from .batch import read_event
from .event_times import EventTimes
from .event_times import moment_of
from .parsing import line_user_id
from .writer import EventWriter
from .writer import ForwardRow
from .writer import Row

logger = logging.getLogger(__name__)

#: How long what an event says is kept after it was answered.
CONTENT_KEPT = timedelta(days=7)
#: How long a question waits for its person to link.
QUESTION_WAITS = timedelta(hours=1)


class Inbox:
    """Stores webhook events for one app.

    :param engine: of the database in which the extension's tables are.
    """

    def __init__(self, engine: Engine):
        self._writer = EventWriter(engine)
        self._times = EventTimes()

    def store(
        self, events: Iterable[Raw], *, now: datetime, forwards: Sequence[ForwardRow] = ()
    ) -> bool:
        """Store events, durably and each once; commits.

        Duplicates, events in standby, events that are older than the newest one by more than ids
        are kept, and events that can't be read are left out, the last two with a log line; none of
        them costs another event. A clock that is wrong costs none either.

        :param forwards: what goes on to further addresses, stored in the same transaction.
        :return: whether anything is stored now, be it from an earlier delivery.
        :raises NotWritten: the database is not there, or is busy for too long.
        """
        read = list(_read_all(events))
        if read:
            self._look_at_times(read, now=now)
        rows: dict[str, Row] = {}
        for one in read:
            event_id = one.head.webhook_event_id
            if self._times.is_too_old(one.at):
                logger.warning(
                    "webhook event %s was left out: it is older than the ids that are kept",
                    event_id,
                    extra=log_fields("event_too_old", webhook_event_id=event_id),
                )
            elif one.head.mode != "standby" and event_id not in rows:
                user_id = line_user_id(one.head.source)
                rows[event_id] = (event_id, user_id, one.text, one.head.timestamp)
        if rows or forwards:
            self._writer.write([*rows.values(), *forwards], now=now)
        return bool(rows)

    def _look_at_times(self, read: Sequence[_Read], *, now: datetime) -> None:
        """Find out which event is the newest, these included, and check the clock by them."""
        times = [one.at for one in read]
        stored: Sequence[datetime] = ()
        if self._times.should_look(min(times)):
            stored = self._writer.times_stored()
        self._times.note([*stored, *times], now=now)
        newest = max(read, key=lambda one: one.at)
        is_redelivery = newest.head.delivery_context != {"isRedelivery": False}
        self._times.check_clock(newest.at, is_redelivery=is_redelivery, now=now)


class _Read(NamedTuple):
    """An event that can be stored."""

    head: EventHead
    text: str
    at: datetime


def _read_all(events: Iterable[Raw]) -> Iterator[_Read]:
    for event in events:
        try:
            head, text = read_event(event)
            yield _Read(head, text, moment_of(head.timestamp))
        except ValueError as error:
            logger.warning("a webhook event that can't be stored was left out: %s", error)


def take_question(session: Session, line_user_id: str, *, now: datetime) -> InboxEvent | None:
    """Return what a person asked last before they were invited to link, once."""
    waiting = (
        select(InboxEvent)
        .where(InboxEvent.line_user_id == line_user_id, InboxEvent.waits_until > now)
        .order_by(InboxEvent.occurred_at.desc())
        .limit(1)
        .with_for_update()
    )
    question = session.scalars(waiting).one_or_none()
    if question is not None:
        session.execute(
            update(InboxEvent)
            .where(InboxEvent.line_user_id == line_user_id)
            .values(waits_until=None)
        )
    return question


def ask_again(session: Session, line_user_id: str, *, now: datetime) -> bool:
    """Let the hook of a waiting question run again, because its person is linked now.

    Its reply token went into the invitation, so the answer can only be pushed.

    :return: whether a question waited.
    """
    question = take_question(session, line_user_id, now=now)
    if question is None:
        return False
    question.state, question.reply, question.is_token_used = "queued", None, True
    question.attempts, question.next_attempt_at, question.finished_at = 0, now, None
    session.flush()
    return True


def replay(session: Session, event_id: str, *, now: datetime) -> bool:
    """Let a dead event run again, in the caller's transaction; a stored reply is only sent again.

    :return: whether there was such a dead event.
    """
    statement = (
        update(InboxEvent)
        .where(InboxEvent.webhook_event_id == event_id, InboxEvent.state == "dead")
        .values(
            state=case((InboxEvent.reply.is_(None), "queued"), else_="answering"),
            attempts=0,
            next_attempt_at=now,
            finished_at=None,
        )
        .returning(InboxEvent.webhook_event_id)
    )
    return session.execute(statement).first() is not None
