"""Store webhook events before LINE is answered, each once. Next: ``dispatch.py``."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable
from contextlib import AbstractContextManager
from contextlib import nullcontext
from datetime import datetime
from datetime import timedelta
from typing import Any
from typing import cast

from sqlalchemy import Engine
from sqlalchemy import Table
from sqlalchemy import bindparam
from sqlalchemy import case
from sqlalchemy import select
from sqlalchemy import update
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects import sqlite
from sqlalchemy.orm import Session

from ..models import InboxEvent
from .batch import RawEvent
from .batch import is_event
from .batch import is_storable
from .parsing import line_user_id
from .parsing import occurred_at

logger = logging.getLogger(__name__)

#: Ids are kept this long; an older event may be a captured body sent again.
KEPT = timedelta(days=30)
#: How long what an event says is kept after it was answered.
CONTENT_KEPT = timedelta(days=7)
#: LINE's clock and ours may differ.
CLOCK_SKEW = timedelta(minutes=5)
_TABLE = cast(Table, InboxEvent.__table__)
#: What every new event begins with.
_NEW = {"state": "queued", "attempts": 0, "reply_attempts": 0, "is_token_used": False}
_COLUMNS = (
    "webhook_event_id",
    "line_user_id",
    "payload",
    *_NEW,
    "occurred_at",
    "received_at",
    "next_attempt_at",
)
#: How long a question waits for its person to link.
QUESTION_WAITS = timedelta(hours=1)


class Inbox:
    """Stores webhook events for one app, past the session: there is one statement, and it is hot.

    :param engine: of the database in which the extension's tables are.
    """

    def __init__(self, engine: Engine):
        self._engine = engine
        dialect = engine.dialect
        insert = sqlite.insert if dialect.name == "sqlite" else postgresql.insert
        statement = insert(_TABLE).values({name: bindparam(name) for name in _COLUMNS})
        make_dialect: Any = type(dialect)
        positional = make_dialect(paramstyle="qmark" if dialect.name == "sqlite" else "format")
        compiled = statement.on_conflict_do_nothing().compile(dialect=positional)
        self._statement, self._order = str(compiled), list(compiled.positiontup or ())
        self._to_database = _TABLE.c.occurred_at.type.bind_processor(dialect) or _unchanged
        # Threads that wait for SQLite's one writer would sleep for longer than it writes.
        self._turn: AbstractContextManager[Any] = (
            threading.Lock() if dialect.name == "sqlite" else nullcontext()
        )

    def store(self, events: Iterable[RawEvent], *, now: datetime) -> int:
        """Store events, durably and each once; commits.

        Duplicates, events in standby, events older than :data:`KEPT` and events that can't be read
        are left out, the last two with a log line; none of them costs another event.

        :return: how many are new.
        :raises SQLAlchemyError: the database is not there.
        """
        now_in_database = self._to_database(now)
        times = (now - KEPT, now + CLOCK_SKEW)
        rows: dict[str, dict[str, Any]] = {}
        for event in events:
            row = self._row_of(event, now_in_database, times)
            if row is not None:
                # The first content wins, also within a batch.
                rows.setdefault(row["webhook_event_id"], row)
        return self._insert(list(rows.values())) if rows else 0

    def _row_of(
        self, event: RawEvent, now: object, times: tuple[datetime, datetime]
    ) -> dict[str, Any] | None:
        raw = event.content
        if not is_event(raw):
            return None
        event_id = raw.get("webhookEventId")
        if not isinstance(event_id, str) or not 0 < len(event_id) <= 64 or not is_storable(event):
            logger.warning("a webhook event that can't be stored was left out")
            return None
        try:
            happened = occurred_at(raw)
        except ValueError as error:
            logger.warning("webhook event %s was left out: %s", event_id, error)
            return None
        if not times[0] < happened < times[1]:
            logger.warning("webhook event %s was left out: its time is too far from now", event_id)
            return None
        return {
            **_NEW,
            "webhook_event_id": event_id,
            "line_user_id": line_user_id(raw),
            "payload": event.text,
            "occurred_at": self._to_database(happened),
            "received_at": now,
            "next_attempt_at": now,
        }

    def _insert(self, rows: list[dict[str, Any]]) -> int:
        parameters = [tuple(row[name] for name in self._order) for row in rows]
        with self._turn, self._engine.connect() as connection:
            connection.begin()
            result = connection.exec_driver_sql(self._statement, parameters)
            connection.commit()
            return result.rowcount


def _unchanged(value: object) -> object:
    return value


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
    question.attempts, question.next_attempt_at = 0, now
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
        )
        .returning(InboxEvent.webhook_event_id)
    )
    return session.execute(statement).first() is not None
