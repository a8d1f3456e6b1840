"""What a person decides about messages: send again, don't send, go on after a pause."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Callable
from collections.abc import Sequence
from datetime import datetime
from typing import cast

from sqlalchemy import ColumnElement
from sqlalchemy import case
from sqlalchemy import func
from sqlalchemy import null
from sqlalchemy import select
from sqlalchemy import text
from sqlalchemy import true
from sqlalchemy import update
from sqlalchemy.orm import Session

from ..models import Campaign
from ..models import OutboxBatch
from ..models import OutboxMessage
from ..models import SendingPause
from ..models.outbox import IS_WAITING
from . import budget
from . import results
from .claims import LEASE
from .due import PRIORITIES
from .due import is_due
from .send_requests import Model

#: What may be sent again.
FAILED = ("refused", "expired")

_RECIPIENTS = func.coalesce(func.sum(OutboxBatch.recipients), 0)


def find(session: Session, model: Model, row_id: int) -> OutboxMessage | OutboxBatch | None:
    """Return a message or a batch, as it is now."""
    found = session.get(model, row_id, populate_existing=True)
    return cast(OutboxMessage | OutboxBatch | None, found)


def retry(
    session: Session, model: Model, row_id: int, *, accept_doubles: bool, now: datetime
) -> bool:
    """Send a failed row again, as if it had never been tried; inside the caller's transaction.

    A new retry key, and a new reservation of quota: what an earlier try may have cost stays spent.

    :param accept_doubles: also if LINE may have taken it before.
    :return: whether it is queued now; ``False`` if it had not failed, or is uncertain.
    """
    is_sure = true() if accept_doubles else model.is_uncertain.is_(False)
    statement = (
        update(model)
        .where(model.id == row_id, model.state.in_(FAILED), is_sure, _stands_alone(model))
        .values(
            state="queued",
            retry_key=str(uuid.uuid4()),
            attempts=0,
            is_uncertain=False,
            next_attempt_at=now,
            # A person has just said that it is worth sending.
            expires_at=case((model.expires_at > now, model.expires_at), else_=null()),
            first_tried_at=None,
            quota_month=None,
            error=None,
        )
        .returning(model.campaign_id)
        .execution_options(synchronize_session=False)
    )
    row = session.execute(statement).one_or_none()
    if row is None:
        return False
    if model is OutboxBatch:
        _take_along(session, row_id)
    _open_again(session, row.campaign_id)
    return True


def cancel(session: Session, model: Model, row_id: int, *, now: datetime) -> bool:
    """Don't send what is queued, inside the caller's transaction; return whether it was.

    What is on its way stays: LINE may have it already.
    """
    statement = (
        update(model)
        .where(model.id == row_id, model.state == "queued")
        .values(state="cancelled", next_attempt_at=None)
        .returning(model.id)
        .execution_options(synchronize_session=False)
    )
    if session.execute(statement).first() is None:
        return False
    why = "cancelled by hand"
    change = {"row_id": row_id, "to_state": "cancelled", "why": why, "again_at": None}
    results.end(session, model, [change], now=now)
    row = find(session, model, row_id)
    if row is not None and not row.is_uncertain:
        budget.give_back(session, row.quota_month, getattr(row, "recipients", 1))
    return True


def end_pauses(session: Session, *, now: datetime) -> Sequence[str]:
    """End all pauses of sending, inside the caller's transaction; return their reasons.

    Whatever stands in the way still begins a new one, of which the owner is told no second time.
    """
    statement = (
        update(SendingPause)
        .where(SendingPause.until > now)
        .values(until=now)
        .returning(SendingPause.reason)
        .execution_options(synchronize_session=False)
    )
    return session.scalars(statement).all()


def count_waiting(session: Session, *, now: datetime) -> int:
    """Return to how many recipients something is on its way or due."""
    is_near = now + LEASE
    messages = select(func.count(OutboxMessage.id)).where(*is_due(OutboxMessage, now=is_near))
    batches = select(_RECIPIENTS).where(*is_due(OutboxBatch, now=is_near))
    return (session.scalar(messages) or 0) + int(session.scalar(batches) or 0)


def count_unsent(session: Session) -> Counter[tuple[str, str]]:
    """Return to how many recipients something is still to be sent, by state and category.

    By the index of what is due, which finished messages are not in.
    """
    counts: Counter[tuple[str, str]] = Counter()
    for model, count in ((OutboxMessage, func.count()), (OutboxBatch, _RECIPIENTS)):
        statement = (
            select(model.state, model.category, count)
            .where(text(IS_WAITING))
            .group_by(model.state, model.category)
        )
        for state, category, number in session.execute(statement):
            counts[state, category] += int(number)
    return counts


def oldest_due(session: Session, *, now: datetime) -> datetime | None:
    """Return since when the message that has waited for longest is due."""
    oldest = [
        select(func.min(model.next_attempt_at))
        .where(*is_due(model, now=now, priorities=[priority]))
        .scalar_subquery()
        for model in (OutboxMessage, OutboxBatch)
        for priority in PRIORITIES
    ]
    since = session.execute(select(*oldest)).one()
    return min((one for one in since if one is not None), default=None)


def count_recipients(
    session: Session,
    is_meant: Callable[[Model], ColumnElement[bool]],
) -> Counter[str]:
    """Return to how many recipients something was or will be sent, by state.

    :param is_meant: makes the condition for messages, and for the batches of campaigns; those of
        other batches are messages.
    """
    counts: Counter[str] = Counter()
    for model, count in ((OutboxMessage, func.count()), (OutboxBatch, _RECIPIENTS)):
        statement = select(model.state, count).where(is_meant(model)).group_by(model.state)
        if model is OutboxBatch:
            statement = statement.where(OutboxBatch.campaign_id.is_not(None))
        for state, number in session.execute(statement):
            counts[state] += int(number)
    return counts


def _stands_alone(model: Model) -> ColumnElement[bool]:
    """Leave out messages that a batch carries, and batches whose recipients went on in others."""
    if model is OutboxBatch:
        return OutboxBatch.recipients > 0
    return OutboxMessage.batch_id.is_(None)


def _take_along(session: Session, batch_id: int) -> None:
    """Let a batch carry its messages again."""
    session.execute(
        update(OutboxMessage)
        .where(OutboxMessage.batch_id == batch_id, OutboxMessage.state.in_(FAILED))
        .values(state="sending", error=None)
        .execution_options(synchronize_session=False)
    )


def _open_again(session: Session, campaign_id: int | None) -> None:
    if campaign_id is not None:
        session.execute(
            update(Campaign)
            .where(Campaign.id == campaign_id, Campaign.state == "finished")
            .values(state="running", finished_at=None)
            .execution_options(synchronize_session=False)
        )
