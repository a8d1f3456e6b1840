"""Forget messages that ended long ago. Run by ``upkeep.py``; every step may run twice."""

from __future__ import annotations

from datetime import datetime
from datetime import timedelta

from sqlalchemy import delete
from sqlalchemy import func
from sqlalchemy import or_
from sqlalchemy import select
from sqlalchemy.orm import Session

from ..models import Campaign
from ..models import OutboxBatch
from ..models import OutboxMessage
from ..models.outbox import UNSENT
from .policy import Policy
from .requests import Model

#: How long messages are kept after their end: for questions of customers, and so that the same key
#: is sent once. Longer where the frequency cap counts longer.
MESSAGES_KEPT = timedelta(days=90)
#: How long campaigns are, which hold nothing of anybody.
CAMPAIGNS_KEPT = timedelta(days=730)
#: Rows of one transaction: nobody waits for long.
AT_ONCE = 1_000
#: Transactions of one sweep.
ROUNDS = 50


def prune(session: Session, policy: Policy, *, now: datetime) -> int:
    """Delete what is older than it is kept for; commits; return how many rows went."""
    until = now - max(MESSAGES_KEPT, policy.cap_period)
    total = 0
    for model in (OutboxMessage, OutboxBatch):
        for _round in range(ROUNDS):
            count = _prune_some(session, model, until)
            session.commit()
            total += count
            if count < AT_ONCE:
                break
    _prune_campaigns(session, now - CAMPAIGNS_KEPT)
    session.commit()
    return total


def _prune_some(session: Session, model: Model, until: datetime) -> int:
    """Look at the oldest rows only, by their key: nothing else is read when nothing is to go."""
    oldest = (
        select(model.id).where(model.state.not_in(UNSENT)).order_by(model.id).limit(AT_ONCE)
    ).subquery()
    ended_at = func.coalesce(model.accepted_at, model.first_tried_at, model.created_at)
    statement = (
        delete(model)
        .where(model.id.in_(select(oldest.c.id)), ended_at <= until)
        .returning(model.id)
        .execution_options(synchronize_session=False)
    )
    return len(session.scalars(statement).all())


def _prune_campaigns(session: Session, until: datetime) -> None:
    is_carried_out = [
        select(model.id).where(model.campaign_id == Campaign.id).exists()
        for model in (OutboxBatch, OutboxMessage)
    ]
    session.execute(
        delete(Campaign)
        .where(Campaign.finished_at <= until, ~or_(*is_carried_out))
        .execution_options(synchronize_session=False)
    )
