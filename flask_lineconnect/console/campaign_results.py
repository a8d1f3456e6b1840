"""What one campaign brought: a verdict in a sentence, then figures, by text, and as a file."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from babel import Locale
from flask import Response
from flask import abort

from ..errors import UsageError
from ..marketing.results import words
from ..marketing.results.attribution import Windows
from ..marketing.results.effect import Judgement
from ..marketing.results.effect import Sides
from ..marketing.results.effect import sides_of
from ..marketing.results.figures import Figures
from ..marketing.results.figures import figures_of
from ..marketing.results.figures import total_of
from ..marketing.results.figures import yardsticks_of
from ..marketing.results.orders import Orders
from ..marketing.results.orders import orders_of
from ..marketing.results.spending import cost_of
from ..marketing.results.statistics import Arm
from ..marketing.results.statistics import Difference
from ..models import Campaign
from ..models import CampaignPlan
from ..shop.money import write_money
from ..state import LineState
from ..state import current_line
from . import writing
from .audit import note
from .campaign_messages import title
from .csv_files import csv_answer
from .i18n import gettext as _
from .i18n import spoken
from .interval_charts import Interval
from .interval_charts import interval_chart
from .line_figures import line_figures
from .pages import render
from .segment_figures import segment_figures

#: How a verdict is coloured.
KINDS = {"better": "good", "worse": "bad", "missing": "warn"}
#: The end of a first sentence.
_SENTENCE = re.compile(r"(?<=。)|(?<=[.:])\s+")


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table: a text, or the people held out.

    :ivar arm: everybody of that side and what they bought, with or without a tap.
    """

    label: str
    figures: Figures | None
    arm: Arm

    def blocks(self) -> int:
        """How many blocked the shop within a week."""
        return 0 if self.figures is None else self.figures["blocks_week"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What to think of it.

    :ivar title: its first sentence.
    """

    kind: str
    title: str
    text: str


def campaign_results(number: int) -> str:
    """Show what a campaign brought."""
    line = current_line
    campaign, plan = _campaign(line, number)
    orders = _orders(line)
    rows, total, sides = _read(line, campaign)
    worthwhile = line.config.worthwhile_buyers / words.AMONG
    judgement, pairs = sides.judge(worthwhile), sides.judge_variants(worthwhile)
    names = _names(sides)
    return render(
        "campaign_results",
        campaign=campaign,
        plan=plan,
        label=campaign.key if plan is None else plan.label,
        total=total,
        verdict=_verdict(line, judgement, orders),
        compared=[
            _split(words.tell_variants(names[one], names[other], found), found)
            for one, other, found in pairs
        ],
        rows=rows,
        usual=yardsticks_of(line.session, "clickers").median,
        by_line=line_figures(line, campaign),
        by_segment=segment_figures(line, campaign, names),
        chart=_chart(judgement, [(names[a], names[b], found) for a, b, found in pairs]),
        cost=cost_of(line, total["accepted"], campaign.created_at),
        per_yen=_per_yen(line, campaign, total, orders),
        money=lambda units: _money(units, orders),
        has_orders=orders is not None,
        order_days=round((campaign.direct_hours or line.config.direct_order_hours) / 24),
        among=words.AMONG,
    )


def campaign_results_csv(number: int) -> Response:
    """Return the same as a file, a line for each text."""
    line = current_line
    campaign, plan = _campaign(line, number)
    orders, (rows, _total, _all) = _orders(line), _read(line, campaign)
    header = [
        *(_("くらべる人"), _("人数"), _("届いた"), _("反応した人"), _("反応の回数")),
        *(_("購入（反応から）"), _("売上（反応から）"), _("購入した人"), _("売上")),
        _("ブロック（7日）"),
    ]
    note("exported", subject=f"campaign:{campaign.key}")
    line.session.commit()
    lines = (
        [
            *(one.label, one.arm.people),
            *(_of(one, name) for name in ("accepted", "clickers", "clicks", "orders_direct")),
            _amount(_of(one, "sales_direct"), orders),
            *(one.arm.buyers, _amount(sum(one.arm.amounts), orders), one.blocks()),
        ]
        for one in rows
    )
    label = campaign.key if plan is None else plan.label
    return csv_answer(re.sub(r'[\\/:*?"<>|\s]+', "_", label), header, lines)


def _campaign(line: LineState, number: int) -> tuple[Campaign, CampaignPlan | None]:
    campaign = line.session.get(Campaign, number) if number < 2**31 else None
    if campaign is None:
        abort(404)
    plan_id = campaign.plan_id
    return campaign, None if plan_id is None else line.session.get(CampaignPlan, plan_id)


def _orders(line: LineState) -> Orders | None:
    try:
        return orders_of(line)
    except UsageError:
        # The doctor tells whoever can mend it.
        return None


def _read(line: LineState, campaign: Campaign) -> tuple[Sequence[Row], Figures, Sides]:
    """Return the lines of the table, all figures together, and the sides."""
    windows = Windows(line.config.direct_order_hours, line.config.indirect_order_hours)
    sides = sides_of(line.session, campaign, windows, now=line.clock())
    figures = figures_of(line.session, campaign_id=campaign.id)
    counted = {place.variant: one for place, one in figures.items()}
    names = _names(sides)
    rows = [Row(names[name], counted.get(name), arm) for name, arm in sorted(sides.treated.items())]
    if sides.held_out.people:
        rows.append(Row(_("送らない人"), None, sides.held_out))
    return rows, total_of(figures), sides


def _names(sides: Sides) -> dict[str, str]:
    """Return what each text is called; there is only one without a name."""
    found = enumerate(sorted(sides.treated))
    return {name: title(at) if name else _("送った人") for at, name in found}


def _verdict(line: LineState, judgement: Judgement, orders: Orders | None) -> Verdict:
    text = words.tell(judgement)
    if orders is not None:
        more = words.tell_sales(judgement, orders, Locale.parse(spoken()))
        text = f"{text} {more}" if more else text
    return _split(text, judgement)


def _split(text: str, judgement: Judgement) -> Verdict:
    title, *more = _SENTENCE.split(text, maxsplit=1)
    return Verdict(KINDS.get(judgement.kind, "info"), title.rstrip("。:"), "".join(more))


def _chart(judgement: Judgement, pairs: Sequence[tuple[str, str, Judgement]]) -> str | None:
    """Draw the differences that there are, in buyers among 1,000 people."""
    found = [(_("送った効果"), judgement.buyers)]
    found += [(f"{one} − {other}", two.buyers) for one, other, two in pairs]
    drawn = [_interval(label, one) for label, one in found if one is not None]
    return interval_chart(drawn) if drawn else None


def _interval(label: str, found: Difference) -> Interval:
    return Interval(label, *(words.AMONG * one for one in (found.value, found.low, found.high)))


def _per_yen(
    line: LineState, campaign: Campaign, total: Figures, orders: Orders | None
) -> float | None:
    cost = cost_of(line, total["accepted"], campaign.created_at)
    found = None if orders is None else total.sales_per_yen(cost, orders.places)
    return None if found is None else float(found)


def _money(units: int, orders: Orders | None) -> str:
    if orders is None:
        return writing.number(units)
    return str(write_money(orders.amount(units), orders.currency, Locale.parse(spoken())))


def _amount(units: int | str, orders: Orders | None) -> str | int | float:
    if isinstance(units, str) or orders is None:
        return units
    amount = orders.amount(units)
    return float(amount) if orders.places else int(amount)


def _of(row: Row, figure: str) -> int | str:
    return "" if row.figures is None else row.figures[figure]
