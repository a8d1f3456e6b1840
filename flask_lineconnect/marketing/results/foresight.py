"""What is known before a campaign begins: how many people buy anyway."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import func
from sqlalchemy import select

from ...models import Account
from ...models import Attribution
from ...state import LineState

#: Where a shop's orders say nothing: two of a hundred.
USUAL_RATE = 0.02
#: How far back the shop's own orders are looked at.
LOOK_BACK = timedelta(days=28)


def usual_rate(line: LineState) -> float:
    """Return how many linked members buy within a message's window, per member.

    By the orders of the last four weeks, spread evenly over them; without any, a usual shop's.
    """
    now = line.clock()
    linked = select(func.count()).where(Account.member_id.is_not(None)).scalar_subquery()
    orders = (
        select(func.count())
        .where(Attribution.ordered_at >= now - LOOK_BACK, Attribution.returned_at.is_(None))
        .scalar_subquery()
    )
    people, placed = line.session.execute(select(linked, orders)).one()
    if not people or not placed:
        return USUAL_RATE
    window = timedelta(hours=line.config.direct_order_hours)
    return min(float(placed / people * (window / LOOK_BACK)), 1.0)
