"""Recency, frequency, money: how buyers are spread, in one statement."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func
from sqlalchemy import select

from ...state import LineState
from ..segments.attributes import buyers


@dataclass(frozen=True, slots=True)
class RfmGroup:
    """Buyers with the same scores of recency and frequency, 1 to 5, 5 the best.

    :ivar money: their mean score of money.
    :ivar sales: in the smallest unit of the currency.
    """

    recency: int
    frequency: int
    people: int
    money: float
    orders: int
    sales: int


def rfm_groups(line: LineState) -> Sequence[RfmGroup]:
    """Return the groups in which there is anybody, the best first."""
    found = buyers().c
    scores = found.recency, found.frequency
    sums = func.count(), func.avg(found.money), func.sum(found.orders), func.sum(found.spent)
    statement = select(*scores, *sums).group_by(*scores)
    groups = [
        RfmGroup(recency, frequency, people, round(float(money), 1), int(orders), int(sales))
        for recency, frequency, people, money, orders, sales in line.session.execute(statement)
    ]
    return sorted(groups, key=lambda group: (-group.recency, -group.frequency))
