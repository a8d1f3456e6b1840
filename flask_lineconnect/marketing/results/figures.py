"""What messages brought, read from the counts: of variants, of scenarios' steps, of links.

All of these are ours: what LINE counts stands beside them, never among them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field
from decimal import Decimal
from statistics import median
from typing import NamedTuple

from sqlalchemy import func
from sqlalchemy import select
from sqlalchemy.orm import Session

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


def median_rate(session: Session, figure: str) -> float | None:
    """Return the shop's own median of a figure per accepted message, over its campaigns.

    ``None`` without any that was accepted for :data:`FEWEST_ACCEPTED` people or more.
    """
    rows = session.execute(
        select(ResultCount.campaign_id, ResultCount.figure, func.sum(ResultCount.number))
        .where(ResultCount.campaign_id != 0, ResultCount.figure.in_(("accepted", figure)))
        .group_by(ResultCount.campaign_id, ResultCount.figure)
    )
    by_campaign: dict[int, dict[str, int]] = {}
    for campaign_id, name, number in rows:
        by_campaign.setdefault(campaign_id, {})[name] = int(number)
    rates = [
        one.get(figure, 0) / one["accepted"]
        for one in by_campaign.values()
        if one.get("accepted", 0) >= FEWEST_ACCEPTED
    ]
    return median(rates) if rates else None
