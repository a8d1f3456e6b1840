"""Forget runs that ended long ago. Run by ``upkeep.py``; every step may run twice.

A run is also how a scenario knows that it must not begin again: for ``never`` it stays as long as
its member, for the other rules as long as member events do, or as ``after`` says.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from datetime import timedelta

from sqlalchemy import text

from ...models import ScenarioRun
from ...models.portions import Step
from ...models.portions import deleting
from ...models.scenario import HAS_ENDED
from ...state import LineState
from .definition import Again
from .published import all_published


def pruning_steps(line: LineState, *, now: datetime) -> Iterator[Step]:
    """Return what deletes runs, each with what its steps did; one step for each scenario."""
    published = all_published(line)
    line.session.rollback()
    until = now - timedelta(days=line.config.member_event_days)
    for one in published:
        again = one.scenario.again
        if again.rule is Again.NEVER:
            continue
        began = until
        if again.after is not None:
            began = min(until, again.after.of_moment(now, line.config.zone, -1))
        yield deleting(
            ScenarioRun.id,
            ScenarioRun.ended_at,
            ScenarioRun.scenario_id == one.id,
            ScenarioRun.ended_at <= until,
            ScenarioRun.began_at <= began,
            text(HAS_ENDED),
        )
