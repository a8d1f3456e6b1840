"""Store webhook events before LINE is answered, each once. Next: ``dispatch.py``."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from datetime import datetime
from datetime import timedelta
from typing import Any

from sqlalchemy.orm import Session

from ..models import InboxEvent
from ..models.base import insert_if_absent
from .events import line_user_id
from .events import occurred_at

logger = logging.getLogger(__name__)

#: Ids are kept this long; an older event may be a captured body sent again.
KEPT = timedelta(days=30)
#: LINE's clock and ours may differ.
CLOCK_SKEW = timedelta(minutes=5)


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
    """Store the batch's events in the caller's transaction.

    Duplicates, events in standby, events older than :data:`KEPT` and events that can't be read are
    left out, the last two with a log line; none of them costs another event.

    :return: how many are new.
    """
    return sum(_store_one(session, raw, now) for raw in batch["events"])


def _store_one(session: Session, raw: object, now: datetime) -> bool:
    if not isinstance(raw, dict) or raw.get("mode") == "standby":
        return False
    event_id = raw.get("webhookEventId")
    if not isinstance(event_id, str) or not 0 < len(event_id) <= 64 or not _is_storable(raw):
        logger.warning("a webhook event that can't be stored was left out")
        return False
    try:
        happened = occurred_at(raw)
    except ValueError as error:
        logger.warning("webhook event %s was left out: %s", event_id, error)
        return False
    if not now - KEPT < happened < now + CLOCK_SKEW:
        logger.warning("webhook event %s was left out: its time is too far from now", event_id)
        return False
    return insert_if_absent(
        session,
        InboxEvent,
        webhook_event_id=event_id,
        line_user_id=line_user_id(raw),
        payload=raw,
        state="queued",
        attempts=0,
        occurred_at=happened,
        received_at=now,
        next_attempt_at=now,
    )


def _is_storable(raw: Mapping[str, Any]) -> bool:
    """Tell whether both databases can hold the event: PostgreSQL refuses NUL and surrogates."""
    try:
        text = json.dumps(raw, ensure_ascii=False, allow_nan=False)
        text.encode()
    except (ValueError, RecursionError):
        return False
    return "\\u0000" not in text
