"""What messages brought, read from the counts: of variants, of scenarios' steps, of links.

All of these are ours: what LINE counts stands beside them, never among them.
"""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field
from decimal import Decimal
from statistics import median
from typing import NamedTuple

from sqlalchemy import func
from sqlalchemy import select
from sqlalchemy.orm import Session

from ...models import Campaign
from ...models import LineInsight
from ...models import ResultCount
from .counts import FIGURES

#: Campaigns of fewer people are no yardstick.
FEWEST_ACCEPTED = 20


class Place(NamedTuple):
    """Where something happened: a step of a scenario, a variant, a link of it."""

    step: str = ""
    variant: str = ""
    link_id: int = 0


@dataclass(frozen=True, slots=True)
class Figures:
    """What was counted; sales in the smallest unit of the shop's currency.

    :ivar numbers: by the names of the figures; what is missing is 0.
    """

    numbers: Mapping[str, int] = field(default_factory=dict)

    def __getitem__(self, figure: str) -> int:
        """Return one of them."""
        if figure not in FIGURES:
            raise KeyError(figure)
        return self.numbers.get(figure, 0)

    @property
    def orders(self) -> int:
        """Orders of both kinds."""
        return self["orders_direct"] + self["orders_indirect"]

    @property
    def sales(self) -> int:
        """Sales of both kinds."""
        return self["sales_direct"] + self["sales_indirect"]

    def rate(self, figure: str, of: str = "accepted") -> float | None:
        """Return a share, such as taps per accepted message; ``None`` where there is nothing."""
        return self[figure] / self[of] if self[of] else None

    def sales_per_yen(self, cost: Decimal | None, places: int) -> Decimal | None:
        """Return the attributed sales for each unit of money spent; ``None`` where it cost nothing.

        Attributed sales are no proof: some would have come anyway.
        """
        return Decimal(self.sales).scaleb(-places) / cost if cost else None


def figures_of(
    session: Session, *, campaign_id: int = 0, scenario_id: int = 0, by_link: bool = False
) -> dict[Place, Figures]:
    """Return the figures of one campaign or scenario, by step and variant, perhaps by link."""
    link_id = ResultCount.link_id if by_link else func.min(0)
    keys = [ResultCount.step, ResultCount.variant, *([ResultCount.link_id] if by_link else [])]
    statement = (
        select(
            ResultCount.step,
            ResultCount.variant,
            link_id,
            ResultCount.figure,
            func.sum(ResultCount.number),
        )
        .where(ResultCount.campaign_id == campaign_id, ResultCount.scenario_id == scenario_id)
        .group_by(*keys, ResultCount.figure)
    )
    found: dict[Place, dict[str, int]] = {}
    for step, variant, link, figure, number in session.execute(statement):
        found.setdefault(Place(step, variant, link), {})[figure] = int(number)
    return {place: Figures(numbers) for place, numbers in sorted(found.items())}


def total_of(figures: Mapping[Place, Figures]) -> Figures:
    """Return all of them together."""
    total: dict[str, int] = {}
    for one in figures.values():
        for figure, number in one.numbers.items():
            total[figure] = total.get(figure, 0) + number
    return Figures(total)


@dataclass(frozen=True, slots=True)
class Yardsticks:
    """What is usual in this shop, per accepted message; ``None`` without any campaign to tell it.

    :ivar median: of its campaigns, each counted once.
    :ivar blasts: of all messages that went to all friends, together.
    """

    median: float | None
    blasts: float | None


def yardsticks_of(session: Session, figure: str) -> Yardsticks:
    """Return what is usual of a figure, over campaigns for :data:`FEWEST_ACCEPTED` and more."""
    rows = session.execute(
        select(ResultCount.campaign_id, ResultCount.figure, func.sum(ResultCount.number))
        .where(ResultCount.campaign_id != 0, ResultCount.figure.in_(("accepted", figure)))
        .group_by(ResultCount.campaign_id, ResultCount.figure)
    )
    by_campaign: dict[int, dict[str, int]] = {}
    for campaign_id, name, number in rows:
        by_campaign.setdefault(campaign_id, {})[name] = int(number)
    fit = {
        campaign_id: one
        for campaign_id, one in by_campaign.items()
        if one.get("accepted", 0) >= FEWEST_ACCEPTED
    }
    rates = [one.get(figure, 0) / one["accepted"] for one in fit.values()]
    blasts = [fit[campaign_id] for campaign_id in _blasts(session) if campaign_id in fit]
    accepted = sum(one["accepted"] for one in blasts)
    found = sum(one.get(figure, 0) for one in blasts)
    return Yardsticks(median(rates) if rates else None, found / accepted if accepted else None)


def _blasts(session: Session) -> Iterator[int]:
    """Return the campaigns that went to all friends."""
    rows = session.execute(
        select(Campaign.id, Campaign.definition).where(Campaign.definition.is_not(None))
    )
    return (campaign_id for campaign_id, said in rows if (said or {}).get("to") == "friends")


def insight_of_campaign(session: Session, campaign_id: int) -> LineInsight | None:
    """Return what LINE said of a campaign."""
    statement = select(LineInsight).where(LineInsight.campaign_id == campaign_id)
    return session.scalars(statement.order_by(LineInsight.fetched_at.desc()).limit(1)).first()
