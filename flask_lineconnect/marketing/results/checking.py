"""Holds the counts against a full count of the facts, day by day.

What was erased or is no longer kept is told apart: a count says how much of it has no facts any
more. What LINE refused is not compared, for the messages themselves are forgotten first.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from datetime import timedelta
from typing import Any

from sqlalchemy import Select
from sqlalchemy import func
from sqlalchemy import literal
from sqlalchemy import or_
from sqlalchemy import select

from ...models import Click
from ...models import MemberEvent
from ...models import ResultCount
from ...models import Touch
from ...models import TrackedLink
from ...state import LineState
from .counts import KEY
from .counts import day_of
from .losses import losses
from .people import people_on
from .recounting import bounds_of
from .recounting import orders_on

#: What is compared.
COMPARED = (
    *("accepted", "clicks", "orders_direct", "orders_indirect"),
    *("sales_direct", "sales_indirect", "blocks_day", "blocks_week", "declined"),
    *("clickers", "buyers"),
)
Key = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Mismatch:
    """One count that is not what the facts say.

    :ivar key: its parts by their names.
    """

    key: Mapping[str, Any]
    counted: int
    facts: int


def compare(line: LineState) -> Iterator[Mismatch]:
    """Compare each count that has facts with them; return those that differ.

    Beside other writers a day of today may differ for a moment: facts and counts are read in turn.
    """
    kept = timedelta(days=line.config.member_event_days - 1)
    today = day_of(line.clock(), line.config.zone)
    day = _first_day(line, today - kept)
    while day <= today:
        facts, counted = _facts(line, day), _counted(line, day)
        for key in sorted(facts.keys() | counted.keys()):
            if facts[key] != counted[key]:
                yield Mismatch(dict(zip(KEY, key, strict=True)), counted[key], facts[key])
        line.session.rollback()
        day += timedelta(days=1)


def _first_day(line: LineState, earliest: date) -> date:
    oldest = line.session.scalar(select(func.min(ResultCount.day)))
    moments = [
        line.session.scalar(select(func.min(column)))
        for column in (Touch.accepted_at, Click.clicked_at)
    ]
    days = [day_of(one, line.config.zone) for one in moments if one is not None]
    return max(earliest, min([day for day in (*days, oldest) if day], default=earliest))


def _counted(line: LineState, day: date) -> Counter[Key]:
    columns = [getattr(ResultCount, name) for name in KEY]
    rows = line.session.execute(
        select(*columns, ResultCount.number - ResultCount.forgotten).where(
            ResultCount.day == day, ResultCount.figure.in_(COMPARED)
        )
    )
    return Counter({tuple(key): int(number) for *key, number in rows})


def _facts(line: LineState, day: date) -> Counter[Key]:
    zone, found = line.config.zone, Counter[Key]()
    statements = (
        *(_accepted(line, day), _clicks(line, day)),
        *(orders_on(day, zone), people_on(day)),
    )
    for statement in statements:
        for row in line.session.execute(statement):
            found[tuple(row[: len(KEY)])] += int(row[len(KEY)])
    first, end = bounds_of(day, zone)
    is_handled = MemberEvent.next_attempt_at.is_(None)
    is_of_day = MemberEvent.occurred_at >= first, MemberEvent.occurred_at < end
    for loss in losses(line, is_handled, *is_of_day):
        owner = loss["campaign_id"] or 0, loss["scenario_id"] or 0, loss["step"], loss["variant"]
        found[(*owner, 0, day, loss["figure"])] += 1
    return found


def _accepted(line: LineState, day: date) -> Select[Any]:
    first, end = bounds_of(day, line.config.zone)
    owner = _owner(Touch)
    return (
        select(*owner, literal(0), literal(day, ResultCount.day.type), literal("accepted"))
        .add_columns(func.count())
        .where(
            Touch.accepted_at >= first,
            Touch.accepted_at < end,
            or_(Touch.campaign_id.is_not(None), Touch.scenario_id.is_not(None)),
        )
        .group_by(Touch.campaign_id, Touch.scenario_id, Touch.step, Touch.variant)
    )


def _clicks(line: LineState, day: date) -> Select[Any]:
    first, end = bounds_of(day, line.config.zone)
    return (
        select(*_owner(TrackedLink), TrackedLink.id, literal(day, ResultCount.day.type))
        .add_columns(literal("clicks"), func.count())
        .join(Click, Click.link_id == TrackedLink.id)
        .where(Click.clicked_at >= first, Click.clicked_at < end, Click.kind == "person")
        .group_by(TrackedLink.id)
    )


def _owner(model: Any) -> list[Any]:
    return [
        func.coalesce(model.campaign_id, 0),
        func.coalesce(model.scenario_id, 0),
        model.step,
        model.variant,
    ]
