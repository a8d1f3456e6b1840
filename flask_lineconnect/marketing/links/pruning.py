"""Forget who clicked what; the counts stay. Run by ``upkeep.py``, and may run twice."""

from __future__ import annotations

from datetime import datetime
from datetime import timedelta

from ...models import Click
from ...models.portions import Step
from ...models.portions import deleting


def pruning_step(kept: timedelta, *, now: datetime) -> Step:
    """Return what deletes clicks that are older than they are kept."""
    return deleting(Click.id, Click.clicked_at, Click.clicked_at <= now - kept)
