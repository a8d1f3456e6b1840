"""Cohorts: of those who linked in the same month, how many bought in each month since."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC
from datetime import date
from datetime import datetime
from datetime import time
from typing import Any

from sqlalchemy import ColumnElement
from sqlalchemy import case
from sqlalchemy import distinct
from sqlalchemy import func
from sqlalchemy import select

from ...models import Account
from ...models import Attribution
from ...state import LineState


@dataclass(frozen=True, slots=True)
class Cohort:
    """Those who linked in one month of the shop's zone, and are linked still.

    :ivar buyers: how many of them bought in that month and in each one since; in the first month
        orders from before the link count, too.
    """

    month: date
    people: int
    buyers: Sequence[int]


def cohorts(line: LineState, months: int) -> Sequence[Cohort]:
    """Return the cohorts of the last months, this one included, the oldest first.

    :param months: at least 1.
    """
    zone = line.config.zone
    today = line.clock().astimezone(zone).date()
    firsts = [_months_before(today, number) for number in range(months - 1, -1, -1)]
    begins = [datetime.combine(first, time(), zone).astimezone(UTC) for first in firsts]
    linked_in, bought_in = _place(Account.linked_at, begins), _place(Attribution.ordered_at, begins)
    is_meant = Account.member_id.is_not(None), Account.linked_at >= begins[0]
    sizes = select(linked_in, func.count()).where(*is_meant).group_by(linked_in)
    people = {int(place): number for place, number in line.session.execute(sizes)}
    bought = (
        select(linked_in, bought_in, func.count(distinct(Attribution.member_id)))
        .join(Attribution, Attribution.member_id == Account.member_id)
        .where(*is_meant, Attribution.returned_at.is_(None), bought_in >= linked_in)
        .group_by(linked_in, bought_in)
    )
    buyers = {(int(one), int(other)): n for one, other, n in line.session.execute(bought)}
    return [
        Cohort(
            first,
            people.get(place, 0),
            [buyers.get((place, month), 0) for month in range(place, months)],
        )
        for place, first in enumerate(firsts)
    ]


def _months_before(day: date, number: int) -> date:
    years, month = divmod(day.year * 12 + day.month - 1 - number, 12)
    return date(years, month + 1, 1)


def _place(at: Any, begins: Sequence[datetime]) -> ColumnElement[int]:
    """Return in which of some months a time lies; -1 before all of them."""
    later = reversed(list(enumerate(begins)))
    return case(*((at >= begin, place) for place, begin in later), else_=-1)
