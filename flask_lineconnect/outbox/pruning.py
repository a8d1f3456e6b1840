"""Forget messages that ended long ago. Run by ``upkeep.py``; every step may run twice."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from datetime import timedelta

from sqlalchemy import or_
from sqlalchemy import select
from sqlalchemy import text
from sqlalchemy.orm import Session

from ..models import Campaign
from ..models import OutboxBatch
from ..models import OutboxMessage
from ..models.outbox import ENDS
from ..models.portions import Portions
from ..models.portions import Step
from ..models.portions import deleting
from .policy import Policy

#: How long messages are kept after their end: for questions of customers, and so that the same key
#: is sent once. Longer where the frequency cap counts longer.
MESSAGES_KEPT = timedelta(days=90)
#: How long campaigns are, which hold nothing of anybody.
CAMPAIGNS_KEPT = timedelta(days=730)


def prune(session: Session, policy: Policy, *, now: datetime) -> int:
    """Delete what is older than it is kept for; commits; return how many rows went."""
    with Portions(session) as portions:
        return sum(portions.run(step) for step in pruning_steps(policy, now=now))


def pruning_steps(policy: Policy, *, now: datetime) -> Iterator[Step]:
    """Return what deletes messages, their batches, and campaigns of which none is left."""
    until = now - max(MESSAGES_KEPT, policy.cap_period)
    for model in (OutboxMessage, OutboxBatch):
        for column, is_meant in ENDS.items():
            ended_at = getattr(model, column)
            yield deleting(model.id, ended_at, ended_at <= until, text(is_meant))
    is_carried_out = [
        select(model.id).where(model.campaign_id == Campaign.id).exists()
        for model in (OutboxBatch, OutboxMessage)
    ]
    is_old = Campaign.finished_at <= now - CAMPAIGNS_KEPT
    yield deleting(Campaign.id, Campaign.finished_at, is_old, ~or_(*is_carried_out))
