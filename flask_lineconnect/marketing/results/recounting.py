"""Count orders anew: when a window changes, and for orders from before there was any counting.

One statement finds the messages of all orders of a time; then each day's counts are made of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC
from datetime import date
from datetime import datetime
from datetime import time
from datetime import timedelta
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Select
from sqlalchemy import func
from sqlalchemy import literal
from sqlalchemy import select
from sqlalchemy import union_all
from sqlalchemy import update

from ...errors import UsageError
from ...models import Attribution
from ...models import MemberEvent
from ...models import ResultCount
from ...models.portions import Step
from ...models.sqlite import begin_writing
from ...state import LineState
from .attribution import Attributing
from .attribution import rules_of
from .counts import KEY
from .counts import TABLE
from .counts import adding
from .following import attribute_orders
from .people import settle_buyers

OF_ORDERS = ("orders_direct", "orders_indirect", "sales_direct", "sales_indirect")
#: How far upkeep looks back for orders that found no message yet: the adapter was wrong.
LATE = timedelta(days=1)


def bounds_of(day: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Return when a day of the shop's begins and ends."""
    starts = (datetime.combine(one, time(), zone) for one in (day, day + timedelta(days=1)))
    first, end = (one.astimezone(UTC) for one in starts)
    return first, end


def recount_orders(line: LineState, rules: Attributing, first: date, last: date) -> None:
    """Let the orders of days find their messages anew, and count them; commits.

    :param last: belongs to them.
    """
    session, zone = line.session, line.config.zone
    begin_writing(session)
    rules.attribute_time(session, bounds_of(first, zone)[0], bounds_of(last, zone)[1])
    # What was erased stays counted.
    is_theirs = ResultCount.day.between(first, last), ResultCount.figure.in_(OF_ORDERS)
    session.execute(
        update(ResultCount)
        .where(*is_theirs)
        .values(number=ResultCount.forgotten)
        .execution_options(synchronize_session=False)
    )
    names = (*KEY, "number", "forgotten")
    statement = adding(rules.dialect)
    for number in range((last - first).days + 1):
        day = first + timedelta(days=number)
        session.execute(statement.from_select(names, orders_on(day, zone)))
    is_recounted = Attribution.ordered_at.between(
        bounds_of(first, zone)[0], bounds_of(last, zone)[1]
    )
    settle_buyers(session, select(Attribution.member_id).where(is_recounted), zone)
    session.commit()


def orders_on(day: date, zone: ZoneInfo) -> Select[Any]:
    """Return what the orders of a day count for, as the counts have it."""
    first, end = bounds_of(day, zone)
    found = union_all(
        *(
            select(
                func.coalesce(Attribution.campaign_id, 0).label("campaign_id"),
                func.coalesce(Attribution.scenario_id, 0).label("scenario_id"),
                Attribution.step,
                Attribution.variant,
                func.coalesce(Attribution.link_id, 0).label("link_id"),
                literal(day, TABLE.c.day.type).label("day"),
                (literal(f"{figure}_") + Attribution.kind).label("figure"),
                number.label("number"),
            ).where(
                Attribution.ordered_at >= first,
                Attribution.ordered_at < end,
                Attribution.kind != "none",
                Attribution.returned_at.is_(None),
            )
            for figure, number in (("orders", literal(1)), ("sales", Attribution.value))
        )
    ).subquery("counted")
    keys = [found.c[name] for name in KEY]
    # The condition: SQLite would take ON CONFLICT for that of a join.
    return (
        select(*keys, func.sum(found.c.number), literal(0))
        .where(found.c.number.is_not(None))
        .group_by(*keys)
    )


def late_steps(line: LineState, *, now: datetime) -> Iterator[Step]:
    """Return what lets late orders find their messages; for ``upkeep.py``."""
    try:
        rules = rules_of(line)
    except UsageError:
        return
    if rules is None:
        return
    has_found = select(Attribution.order_event_id).where(
        Attribution.order_event_id == MemberEvent.id
    )
    find = (
        select(MemberEvent.id)
        .where(
            MemberEvent.name == rules.orders.placed,
            MemberEvent.occurred_at >= now - LATE,
            MemberEvent.member_id.is_not(None),
            MemberEvent.next_attempt_at.is_(None),
            ~has_found.exists(),
        )
        .order_by(MemberEvent.occurred_at)
    )
    yield Step(find, partial(_attribute, line, rules))


def _attribute(line: LineState, rules: Attributing, _session: Any, ids: Any) -> None:
    attribute_orders(line, rules, ids)
