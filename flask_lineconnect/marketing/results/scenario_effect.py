"""What a scenario truly brought: who went through it held against who was held out, by quarter.

Looked at once, when the quarter is over and everybody had the same time to buy: of a scenario that
goes on for ever each further look would find luck sooner or later.
"""

from __future__ import annotations

from datetime import UTC
from datetime import date
from datetime import datetime
from datetime import time
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Integer
from sqlalchemy import case
from sqlalchemy import cast
from sqlalchemy import func
from sqlalchemy import literal_column
from sqlalchemy import select
from sqlalchemy.orm import Session

from ...models import Attribution
from ...models import ScenarioRun
from ..scenarios.deciding import HELD_OUT
from .effect import Judgement
from .effect import judge
from .spans import seconds_between
from .statistics import Arm

#: For how long after somebody's first run in the quarter their orders count.
BUYING = timedelta(days=30)


def judge_scenario(
    session: Session,
    scenario_id: int,
    first: date,
    zone: ZoneInfo,
    *,
    worthwhile: float,
    now: datetime,
) -> Judgement:
    """Say what can be said of those who began in a quarter; each member counts once.

    :param first: the quarter's first day, in the shop's zone.
    :param worthwhile: the smallest difference that matters, in buyers per person.
    """
    begins, ends = (
        datetime.combine(day, time(), zone).astimezone(UTC) for day in (first, _next_quarter(first))
    )
    treated, held_out = _arms(session, scenario_id, begins, ends)
    return judge(treated, held_out, is_over=now >= ends + BUYING, worthwhile=worthwhile)


def _next_quarter(first: date) -> date:
    months = first.year * 12 + first.month + 2
    return date(months // 12, months % 12 + 1, 1)


def _arms(session: Session, scenario_id: int, begins: datetime, ends: datetime) -> tuple[Arm, Arm]:
    is_alone = cast(case((ScenarioRun.end_reason == HELD_OUT, 1), else_=0), Integer)
    people = (
        select(
            ScenarioRun.member_id.label("member_id"),
            func.min(ScenarioRun.began_at).label("began_at"),
            func.min(is_alone).label("is_alone"),
        )
        .where(
            ScenarioRun.scenario_id == scenario_id,
            ScenarioRun.began_at >= begins,
            ScenarioRun.began_at < ends,
        )
        .group_by(ScenarioRun.member_id)
        # Whoever was on both sides, since the share was changed, is on none.
        .having(func.min(is_alone) == func.max(is_alone))
        .subquery("people")
    )
    counted = select(people.c.is_alone, func.count()).group_by(people.c.is_alone)
    numbers = {bool(alone): number for alone, number in session.execute(counted)}
    dialect = session.get_bind().dialect.name
    seconds = seconds_between(people.c.began_at, Attribution.ordered_at, dialect)
    spent = (
        select(people.c.is_alone, func.sum(Attribution.value))
        .join(Attribution, Attribution.member_id == people.c.member_id)
        .where(
            Attribution.ordered_at >= people.c.began_at,
            seconds <= literal_column(str(int(BUYING.total_seconds()))),
            Attribution.returned_at.is_(None),
        )
        .group_by(people.c.member_id, people.c.is_alone)
    )
    amounts: dict[bool, list[Any]] = {True: [], False: []}
    for alone, amount in session.execute(spent):
        amounts[bool(alone)].append(int(amount))
    return (
        Arm(numbers.get(False, 0), amounts[False]),
        Arm(numbers.get(True, 0), amounts[True]),
    )
