"""Reports of buyers: how they are spread by recency and frequency, and cohorts of linking."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from typing import TypeAlias

from markupsafe import Markup

from ..marketing.results.cohorts import Cohort
from ..marketing.results.cohorts import cohorts as cohorts_of
from ..marketing.results.month_table import money_of
from ..marketing.results.rfm import RfmGroup
from ..marketing.results.rfm import rfm_groups
from ..state import LineState
from ..state import current_line
from . import writing
from .chart_grids import Cell
from .chart_grids import cell_chart
from .chart_grids import depth_of
from .i18n import gettext as _
from .pages import render

#: Of fewer buyers fifths say little.
FEWEST_BUYERS = 100
#: A cohort's share is told of so many people or more.
FEWEST_PEOPLE = 10
#: Months of cohorts.
MONTHS = 12
_COHORT_WIDTH = 940

Table: TypeAlias = tuple[Sequence[str], Sequence[Sequence[Any]]]


@dataclass(frozen=True, slots=True)
class Some:
    """Buyers with certain scores.

    :ivar share: of all sales, in words.
    """

    people: int
    share: str


def rfm() -> str:
    """Show how buyers are spread."""
    groups = rfm_groups(current_line)
    return render(
        "report_rfm",
        groups=groups,
        buyers=sum(group.people for group in groups),
        fewest=FEWEST_BUYERS,
        best=_some(groups, [one for one in groups if one.recency >= 4 and one.frequency >= 4]),
        leaving=_some(groups, [one for one in groups if one.recency <= 2 and one.frequency >= 4]),
        chart=_rfm_chart(groups) if groups else "",
    )


def cohorts() -> str:
    """Show of those who linked in a month how many bought in each month since."""
    found = [one for one in cohorts_of(current_line, MONTHS) if one.people]
    most = max((share for one in found for share in _shares(one)), default=0.0)
    return render(
        "report_cohorts",
        cohorts=[(one, _row(one, most)) for one in found],
        chart=_cohort_chart(found, most) if found else "",
        months=MONTHS,
        fewest=FEWEST_PEOPLE,
    )


def rfm_rows(line: LineState) -> Table:
    """Return the groups as a table."""
    header = [
        _("新しさ（1〜5）"),
        _("多さ（1〜5）"),
        _("人数"),
        _("金額の平均（1〜5）"),
        _("購入"),
        _("売上"),
    ]
    return header, [
        [
            group.recency,
            group.frequency,
            group.people,
            group.money,
            group.orders,
            money_of(line, group.sales),
        ]
        for group in rfm_groups(line)
    ]


def cohort_rows(line: LineState) -> Table:
    """Return the cohorts as a table of people."""
    months = [_("%(n)sか月後", n=number) if number else _("その月") for number in range(MONTHS)]
    rows = [
        [f"{one.month:%Y-%m}", one.people, *one.buyers, *[None] * (MONTHS - len(one.buyers))]
        for one in cohorts_of(line, MONTHS)
    ]
    return [_("連携した月"), _("人数"), *months], rows


def _some(groups: Sequence[RfmGroup], chosen: Sequence[RfmGroup]) -> Some:
    sales = sum(group.sales for group in groups)
    people = sum(group.people for group in chosen)
    return Some(people, writing.share(sum(group.sales for group in chosen), sales))


def _rfm_chart(groups: Sequence[RfmGroup]) -> Markup:
    people = {(group.recency, group.frequency): group.people for group in groups}
    most = max(people.values())
    scores = range(1, 6)
    rows = [
        (
            _("新しさ %(n)s", n=recency),
            [
                Cell(writing.number(number), depth_of(number, most))
                for number in (people.get((recency, frequency), 0) for frequency in scores)
            ],
        )
        for recency in reversed(scores)
    ]
    columns = [_("多さ %(n)s", n=frequency) for frequency in scores]
    label = _("購入した方を新しさと多さの5段階で分けた人数。数字は表にあります。")
    return cell_chart(columns, rows, label=label)


def _cohort_chart(found: Sequence[Cohort], most: float) -> Markup:
    rows = [(writing.month_key(one.month), _row(one, most)) for one in found]
    columns = [_("その月"), *(_("+%(n)s", n=number) for number in range(1, MONTHS))]
    label = _("連携した月ごとに、その後の月に購入した方の割合。数字は表にあります。")
    longest = max(len(one.buyers) for one in found)
    return cell_chart(columns[:longest], rows, label=label, width=_COHORT_WIDTH)


def _shares(one: Cohort) -> Sequence[float]:
    """Return the shares of buyers, month by month; of too few people none."""
    if one.people < FEWEST_PEOPLE:
        return []
    return [buyers / one.people for buyers in one.buyers]


def _row(one: Cohort, most: float) -> Sequence[Cell]:
    """Return a cohort's months; the last one is not over."""
    last, shares = len(one.buyers) - 1, _shares(one)
    if not shares:
        return [Cell("—", is_open=place == last) for place in range(last + 1)]
    return [
        Cell(f"{100 * share:.0f}%", depth_of(share, most), place == last)
        for place, share in enumerate(shares)
    ]
