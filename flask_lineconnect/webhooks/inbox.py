"""Store webhook events before LINE is answered, each once. Next: ``dispatch.py``."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from datetime import datetime
from datetime import timedelta
from typing import Any

from sqlalchemy import case
from sqlalchemy import select
from sqlalchemy import update
from sqlalchemy.orm import Session

from ..models import InboxEvent
from ..models.base import insert_many_if_absent
from .parsing import line_user_id
from .parsing import occurred_at

logger = logging.getLogger(__name__)

#: Ids are kept this long; an older event may be a captured body sent again.
KEPT = timedelta(days=30)
#: How long what an event says is kept after it was answered.
CONTENT_KEPT = timedelta(days=7)
#: LINE's clock and ours may differ.
CLOCK_SKEW = timedelta(minutes=5)
#: How long a question waits for its person to link.
QUESTION_WAITS = timedelta(hours=1)


class NotABatch(ValueError):
    """The body is signed, but is not what LINE's reference describes."""


def parse_batch(body: bytes) -> Mapping[str, Any]:
    """Return the webhook's JSON object.

    :raises NotABatch: no JSON object with a list of events.
    """
    try:
        batch = json.loads(body)
    except (ValueError, RecursionError):
        raise NotABatch("the body is not JSON") from None
    if not isinstance(batch, dict) or not isinstance(batch.get("events"), list):
        raise NotABatch("the body has no list of events")
    return batch


def store(session: Session, batch: Mapping[str, Any], *, now: datetime) -> int:
    """Store the batch's events in the caller's transaction, in one statement.

    Duplicates, events in standby, events older than :data:`KEPT` and events that can't be read are
    left out, the last two with a log line; none of them costs another event.

    :return: how many are new.
    """
    rows: dict[str, dict[str, Any]] = {}
    for raw in batch["events"]:
        row = _row_of(raw, now)
        if row is not None:
            # The first content wins, also within a batch.
            rows.setdefault(row["webhook_event_id"], row)
    return insert_many_if_absent(session, InboxEvent, list(rows.values()))


def _row_of(raw: object, now: datetime) -> dict[str, Any] | None:
    if not isinstance(raw, dict) or raw.get("mode") == "standby":
        return None
    event_id, payload = raw.get("webhookEventId"), _storable(raw)
    if not isinstance(event_id, str) or not 0 < len(event_id) <= 64 or payload is None:
        logger.warning("a webhook event that can't be stored was left out")
        return None
    try:
        happened = occurred_at(raw)
    except ValueError as error:
        logger.warning("webhook event %s was left out: %s", event_id, error)
        return None
    if not now - KEPT < happened < now + CLOCK_SKEW:
        logger.warning("webhook event %s was left out: its time is too far from now", event_id)
        return None
    return {
        "webhook_event_id": event_id,
        "line_user_id": line_user_id(raw),
        "payload": payload,
        "state": "queued",
        "attempts": 0,
        "reply_attempts": 0,
        "is_token_used": False,
        "occurred_at": happened,
        "received_at": now,
        "next_attempt_at": now,
    }


def _storable(raw: Mapping[str, Any]) -> str | None:
    """Return the event as text that both databases can hold: without NUL and lone surrogates."""
    try:
        text = json.dumps(raw, ensure_ascii=False, allow_nan=False)
        text.encode()
    except (ValueError, RecursionError):
        return None
    return None if "\\u0000" in text else text


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
