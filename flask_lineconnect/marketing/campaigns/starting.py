"""Begins planned campaigns when their time has come; run by the engines.

Two schedulers take turns at the plan's row, and the campaign's key says which time it is: whoever
dies begins none twice. Of times that were missed the latest is made good.
"""

from __future__ import annotations

import logging
from datetime import date
from datetime import datetime
from datetime import timedelta
from itertools import takewhile
from typing import Any

from sqlalchemy import func
from sqlalchemy import select
from sqlalchemy import text
from sqlalchemy.orm import Session

from ...errors import LineConnectError
from ...models import CampaignPlan
from ...models.plan import IS_PLANNED
from ...models.sqlite import begin_writing
from ...state import LineState
from ..calendar.times import Occurrence
from ..calendar.times import Recurring
from ..calendar.times import named_zone
from ..trying import Work
from ..trying import do_or_say
from .beginning import begin_now
from .checking import refuse_problems
from .definition import Definition
from .planning import definition_of
from .planning import start

logger = logging.getLogger(__name__)

_DAY = timedelta(days=1)


def start_campaigns(line: LineState) -> int:
    """Begin every campaign whose time it is; return how many there were."""
    with line.work_context():
        statement = _due(line.clock()).with_only_columns(CampaignPlan.id)
        ids = line.session.scalars(statement).all()
    total = 0
    for plan_id in ids:
        if not line.stopping.is_set():
            with line.work_context():
                total += do_or_say(line, _BEGINNING, plan_id)
    return total


def next_campaign_at(session: Session) -> datetime | None:
    """Return when a campaign begins next, if any does, which may be past."""
    return session.scalar(select(func.min(CampaignPlan.next_at)).where(text(IS_PLANNED)))


def _due(now: datetime) -> Any:
    is_due = text(IS_PLANNED), CampaignPlan.next_at <= now
    return select(CampaignPlan).where(*is_due).order_by(CampaignPlan.next_at)


def _start(line: LineState, plan_id: int) -> int:
    session, now = line.session, line.clock()
    begin_writing(session)
    statement = _due(now).where(CampaignPlan.id == plan_id).with_for_update()
    plan = session.scalars(statement.execution_options(populate_existing=True)).one_or_none()
    if plan is None:
        session.rollback()
        return 0
    definition = definition_of(plan)
    if isinstance(definition.at, Recurring):
        _start_again(line, plan, definition, definition.at, now)
    else:
        refuse_problems(line, definition)
        start(line, plan, definition, now)
    plan.problem, plan.updated_at = None, now
    session.commit()
    return 1


_BEGINNING = Work(
    model=CampaignPlan,
    do=_start,
    plain=LineConnectError,
    subject="campaign",
    name="name",
    failed="the campaign %s could not begin",
    event="campaign_not_begun",
)


def _start_again(
    line: LineState, plan: CampaignPlan, definition: Definition, at: Recurring, now: datetime
) -> None:
    """Begin for the latest time that has come, and note the next."""
    zone = line.config.zone
    before = (plan.next_day or now.date()) - _DAY
    coming = at.from_day(before, named_zone(at.zone, zone))
    missed: list[Occurrence] = list(takewhile(lambda one: one.at <= now, coming))
    day: date = before
    if missed:
        refuse_problems(line, definition)
        day = missed[-1].day
        begin_now(line, plan, definition, day=day, now=now)
        plan.state = "running"
    following = at.next(day, zone)
    plan.next_at, plan.next_day = following.at, following.day
