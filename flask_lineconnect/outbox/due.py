"""What of the outbox is due: the one question that every process asks every two seconds."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement
from sqlalchemy import TextClause
from sqlalchemy import or_
from sqlalchemy import select
from sqlalchemy import text
from sqlalchemy.orm import Session

from ..models import OutboxBatch
from ..models import OutboxMessage
from ..models.outbox import IS_WAITING
from .policy import MARKETING
from .policy import TRANSACTIONAL
from .send_requests import Model

#: All there are; an index begins with them, so that what is scheduled for later is not looked at.
PRIORITIES = (TRANSACTIONAL, MARKETING)


def is_due(
    model: Model, *, now: datetime, priorities: Sequence[int] = PRIORITIES
) -> tuple[ColumnElement[bool] | TextClause, ...]:
    """Return the conditions for rows of one table, in the words of its index.

    Rows in states that this version does not know are left out.
    """
    return model.priority.in_(priorities), model.next_attempt_at <= now, text(IS_WAITING)


def is_anything_due(
    session: Session, *, now: datetime, models: Sequence[Model] = (OutboxMessage, OutboxBatch)
) -> bool:
    """Ask whether a worker would find anything."""
    found = [select(model.id).where(*is_due(model, now=now)).exists() for model in models]
    return bool(session.scalar(select(or_(*found))))
