"""What LINE brought in a month: linked and unlinked members side by side, and what is proven.

The first shows a difference that was there before anybody was linked, and says so. Proof is the
second: members whom the shop's own hold-out left without advertising, against all others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC
from datetime import date
from datetime import datetime
from datetime import time
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement
from sqlalchemy import false
from sqlalchemy import func
from sqlalchemy import inspect
from sqlalchemy import select

from ...models import Account
from ...models import Attribution
from ...models import Campaign
from ...models import PublishedScenario
from ...models import QuotaMonth
from ...models import ResultCount
from ...outbox import budget
from ...state import LineState
from ..campaigns.sides import below
from ..campaigns.sides import hold_out_experiment
from ..campaigns.sides import quarter_of
from .effect import Judgement
from .effect import judge
from .figures import Figures
from .orders import orders_of
from .spending import cost_of
from .statistics import Arm
from .words import AMONG


@dataclass(frozen=True, slots=True)
class Group:
    """Members, what they bought in the month, and in how many orders."""

    arm: Arm
    orders: int

    @property
    def sales(self) -> int:
        """All that they spent."""
        return sum(self.arm.amounts)


@dataclass(frozen=True, slots=True)
class MonthReport:
    """One month of the shop's.

    :ivar linked: members who were linked before its end; ``unlinked``: all others.
    :ivar messages: that LINE counts for the month, or we, with their cost in yen.
    :ivar sources: figures of campaigns and scenarios by their names.
    :ivar judgement: all linked members against those of them who get no advertising.
    """

    first: date
    linked: Group
    unlinked: Group
    messages: int
    cost: Decimal | None
    sources: Sequence[tuple[str, Figures]]
    judgement: Judgement

    @property
    def orders_after_messages(self) -> int:
        """Orders that came along with a message; not all of them because of it."""
        return sum(figures.orders for _name, figures in self.sources)

    @property
    def cost_per_order(self) -> Decimal | None:
        """Yen for each of these; ``None`` without a cost, or without an order."""
        orders = self.orders_after_messages
        return None if self.cost is None or not orders else round(self.cost / orders, 1)


def month_report(line: LineState, first: date) -> MonthReport:
    """Report a month.

    :param first: its first day.
    :raises UsageError: the adapter's ``order_events`` name what nobody declared.
    """
    orders_of(line)
    zone, session = line.config.zone, line.session
    following = date(first.year + first.month // 12, first.month % 12 + 1, 1)
    begins, ends = (
        datetime.combine(day, time(), zone).astimezone(UTC) for day in (first, following)
    )
    percent = line.config.hold_out_percent
    experiment = hold_out_experiment(quarter_of(begins, zone))
    groups = _groups(line, begins, ends, experiment, percent)
    treated, alone, unlinked = groups
    month = session.get(QuotaMonth, budget.month_of(begins))
    messages = 0 if month is None else budget.used(month)
    worthwhile = line.config.worthwhile_buyers / AMONG
    return MonthReport(
        first=first,
        linked=Group(
            Arm(treated.arm.people + alone.arm.people, [*treated.arm.amounts, *alone.arm.amounts]),
            treated.orders + alone.orders,
        ),
        unlinked=unlinked,
        messages=messages,
        cost=cost_of(line, messages, begins),
        sources=_sources(line, first, following),
        judgement=judge(
            treated.arm, alone.arm, is_over=line.clock() >= ends, worthwhile=worthwhile
        ),
    )


def _groups(
    line: LineState, begins: datetime, ends: datetime, experiment: str, percent: int
) -> tuple[Group, Group, Group]:
    """Return the linked members who get advertising, those who get none, and all others."""
    session, key = line.session, inspect(line.shop.model).primary_key[0]
    is_linked = Account.member_id.is_not(None), Account.linked_at < ends

    def is_alone(member_id: Any) -> ColumnElement[bool]:
        return below(experiment, member_id, percent) if percent else false()

    sides = select(is_alone(Account.member_id).label("is_alone")).where(*is_linked).subquery()
    counted = select(sides.c.is_alone, func.count()).group_by(sides.c.is_alone)
    people = {bool(alone): number for alone, number in session.execute(counted)}
    everybody = session.scalar(select(func.count()).select_from(key.table)) or 0
    spent = (
        select(
            Account.member_id.is_not(None).label("is_linked"),
            is_alone(Attribution.member_id).label("is_alone"),
            func.sum(Attribution.value),
            func.count(),
        )
        .select_from(Attribution)
        .outerjoin(Account, (Account.member_id == Attribution.member_id) & is_linked[1])
        .where(
            Attribution.ordered_at >= begins,
            Attribution.ordered_at < ends,
            Attribution.returned_at.is_(None),
        )
        .group_by(Attribution.member_id, Account.member_id)
    )
    amounts: dict[str, list[int]] = {"treated": [], "alone": [], "unlinked": []}
    orders = dict.fromkeys(amounts, 0)
    for linked_member, alone, amount, number in session.execute(spent):
        group = ("alone" if alone else "treated") if linked_member else "unlinked"
        amounts[group].append(int(amount))
        orders[group] += number
    sizes = {
        "treated": people.get(False, 0),
        "alone": people.get(True, 0),
        "unlinked": everybody - sum(people.values()),
    }
    # Who bought and is no member of the table any more still bought.
    made = [
        Group(Arm(max(sizes[name], len(some)), some), orders[name])
        for name, some in amounts.items()
    ]
    return made[0], made[1], made[2]


def _sources(line: LineState, first: date, following: date) -> list[tuple[str, Figures]]:
    """Return the figures of the month's days by campaign and scenario."""
    rows = line.session.execute(
        select(
            Campaign.key,
            PublishedScenario.name,
            ResultCount.figure,
            func.sum(ResultCount.number),
        )
        .select_from(ResultCount)
        .outerjoin(Campaign, Campaign.id == ResultCount.campaign_id)
        .outerjoin(PublishedScenario, PublishedScenario.id == ResultCount.scenario_id)
        .where(ResultCount.day >= first, ResultCount.day < following)
        .group_by(Campaign.key, PublishedScenario.name, ResultCount.figure)
    )
    found: dict[str, dict[str, int]] = {}
    for campaign, scenario, figure, number in rows:
        name = campaign or scenario
        if name is not None:
            found.setdefault(name, {})[figure] = int(number)
    return [(name, Figures(numbers)) for name, numbers in sorted(found.items())]
