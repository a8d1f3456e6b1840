"""Mend what clocks that were wrong, and rows that went another way, have left behind.

Run by ``upkeep.py``; every step may run twice.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from datetime import datetime
from functools import partial

from sqlalchemy import func
from sqlalchemy import or_
from sqlalchemy import select
from sqlalchemy import text
from sqlalchemy.orm import Session

from ..log_fields import log_fields
from ..models import Campaign
from ..models import InboxEvent
from ..models import OutboxBatch
from ..models import OutboxMessage
from ..models.inbox import IS_STRANGE_EVENT
from ..models.outbox import IS_CLAIMED
from ..models.outbox import IS_STRANGE
from ..models.outbox import IS_STRANGE_CAMPAIGN
from ..models.outbox import IS_UNSENT
from ..models.portions import Portions
from ..models.portions import Step
from ..models.portions import updating
from .campaign_ends import end_campaigns
from .claims import LEASE
from .claims import sure_first_try
from .results import LONGEST_BACKOFF

logger = logging.getLogger(__name__)


def mend(session: Session, *, now: datetime) -> None:
    """Let go of claims that would end too late, correct first tries that are still to come, and end
    campaigns of which nothing is left.

    A campaign's last message may have been cancelled by unlinking, or erased with its person.
    Commits.
    """
    with Portions(session) as portions:
        for step in mending_steps(now=now):
            portions.run(step)


def mending_steps(*, now: datetime) -> Iterator[Step]:
    """Return what :func:`mend` does, step by step."""
    latest = now + LONGEST_BACKOFF + LEASE
    for model in (OutboxMessage, OutboxBatch):
        is_held = model.next_attempt_at > latest, text(IS_CLAIMED)
        yield updating(model.id, model.next_attempt_at, *is_held, next_attempt_at=now)
        is_to_come = model.first_tried_at > now, text(IS_CLAIMED)
        first = sure_first_try(model, now)
        yield updating(model.id, model.next_attempt_at, *is_to_come, first_tried_at=first)
    is_open = [
        select(model.id).where(model.campaign_id == Campaign.id, text(IS_UNSENT)).exists()
        for model in (OutboxBatch, OutboxMessage)
    ]
    is_written = Campaign.next_at.is_(None)
    ended = select(Campaign.id).where(text("state = 'running'"), is_written, ~or_(*is_open))
    yield Step(ended, partial(_end_campaigns, now=now))


def _end_campaigns(session: Session, ids: Sequence[int], *, now: datetime) -> None:
    end_campaigns(session, Campaign.id.in_(ids), now=now)


def report_strangers(session: Session) -> Mapping[str, int]:
    """Say how many rows are in states that this version does not know, and leave them alone.

    A newer version that runs beside this one knows them.

    :return: how many there are, by state.
    """
    found: Counter[str] = Counter()
    for model, is_strange in (
        (OutboxMessage, IS_STRANGE),
        (OutboxBatch, IS_STRANGE),
        (Campaign, IS_STRANGE_CAMPAIGN),
        (InboxEvent, IS_STRANGE_EVENT),
    ):
        counted = select(model.state, func.count()).where(text(is_strange)).group_by(model.state)
        found.update({state: count for state, count in session.execute(counted)})
    for state, count in found.items():
        logger.warning(
            "%d rows of outbox and inbox are in the state %.20r, which this version of "
            "flask-lineconnect does not know; they are left alone. Is an older worker still "
            "running beside a newer one? Restart it with the newer version.",
            count,
            state,
            extra=log_fields("strange_rows", state=state, count=count),
        )
    return found
