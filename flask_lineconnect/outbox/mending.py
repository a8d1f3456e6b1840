"""Mend what clocks that were wrong, and rows that went another way, have left behind.

Run by ``upkeep.py``; every step may run twice.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import true
from sqlalchemy import update
from sqlalchemy.orm import Session

from ..models import OutboxBatch
from ..models import OutboxMessage
from .claims import LEASE
from .results import LONGEST_BACKOFF
from .results import end_campaigns


def mend(session: Session, *, now: datetime) -> None:
    """Let go of claims that would end too late, and end campaigns of which nothing is left.

    A campaign's last message may have been cancelled by unlinking, or erased with its person.
    """
    for model in (OutboxMessage, OutboxBatch):
        session.execute(
            update(model)
            .where(model.state == "sending", model.next_attempt_at > now + LONGEST_BACKOFF + LEASE)
            .values(next_attempt_at=now)
            .execution_options(synchronize_session=False)
        )
    end_campaigns(session, true(), now=now)
