"""Reports: what LINE brought in a month, to read and to print, and files of all reports."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from babel import Locale
from flask import abort
from flask import request
from markupsafe import Markup
from sqlalchemy import select
from werkzeug.wrappers import Response

from ..i18n import speaking
from ..marketing.results import words
from ..marketing.results.figures import Figures
from ..marketing.results.month import MonthReport
from ..marketing.results.month import month_report
from ..marketing.results.month_table import month_rows
from ..marketing.results.orders import orders_of
from ..marketing.scenarios.declared import Scenarios
from ..models import Campaign
from ..models import CampaignPlan
from ..state import LineState
from ..state import current_line
from . import buyer_reports
from . import writing
from .audit import note
from .chart_grids import Bar
from .chart_grids import bar_chart
from .csv_files import csv_answer
from .i18n import gettext as _
from .i18n import spoken
from .pages import render

#: So many months can be looked back to.
MONTHS = 36
#: How the verdict of each kind looks.
LOOKS = {"better": "good", "worse": "bad", "alone": "warn", "missing": "warn"}


@dataclass(frozen=True, slots=True)
class Verdict:
    """The month's verdict.

    :ivar first: its first sentence, to stand out.
    :ivar caution: why linked members can't be held against others.
    """

    look: str
    first: str
    text: str
    sales: str
    caution: str


def reports() -> str:
    """Show what LINE brought in a month, the last one by default."""
    line, first = current_line, _month_asked()
    found = month_report(line, first)
    this_month = writing.today().replace(day=1)
    following = _months_from(first, 1)
    return render(
        "reports",
        report=found,
        month=writing.month(first),
        is_open=first == this_month,
        days_left=(_months_from(this_month, 1) - writing.today()).days,
        before=_key(_months_from(first, -1)) if _is_kept(_months_from(first, -1)) else None,
        after=_key(following) if following <= this_month else None,
        key=_key(first),
        verdict=_verdict(line, found),
        chart=_chart(found),
        groups=[(_("連携会員"), found.linked), (_("連携していない会員"), found.unlinked)],
        sources=_sources(line, found.sources),
        has_orders=orders_of(line) is not None,
        among=words.AMONG,
    )


def report_csv(name: str) -> Response:
    """Return a report as a file."""
    line = current_line
    if name == "month":
        named, table = _month_file(line, _month_asked())
    elif name == "rfm":
        named, table = _("RFM"), buyer_reports.rfm_rows(line)
    elif name == "cohorts":
        named, table = _("コホート"), buyer_reports.cohort_rows(line)
    else:
        abort(404)
    note("exported", subject=f"report:{name}")
    line.session.commit()
    return csv_answer(named, *table)


def _month_file(line: LineState, first: date) -> tuple[str, buyer_reports.Table]:
    with speaking(spoken()):
        rows = month_rows(line, month_report(line, first), Locale.parse(spoken()))
    return _("月のレポート_%(month)s", month=_key(first)), (rows[0], rows[1:])


def _month_asked() -> date:
    """Return the first day of the month that the address names; of the last one by default."""
    asked = request.args.get("month")
    if asked is None:
        return _months_from(writing.today(), -1)
    try:
        first = date.fromisoformat(f"{asked}-01")
    except ValueError:
        abort(404)
    if not _is_kept(first):
        abort(404)
    return first


def _is_kept(first: date) -> bool:
    today = writing.today()
    return _months_from(today, -MONTHS) <= first <= today


def _months_from(day: date, number: int) -> date:
    years, month = divmod(day.year * 12 + day.month - 1 + number, 12)
    return date(years, month + 1, 1)


def _key(first: date) -> str:
    return f"{first:%Y-%m}"


def _verdict(line: LineState, found: MonthReport) -> Verdict:
    orders, judgement = orders_of(line), found.judgement
    with speaking(spoken()):
        text = words.tell(judgement)
        sales = ""
        if orders is not None:
            sales = words.tell_sales(judgement, orders, Locale.parse(spoken()))
        caution = words.caution_of_linking()
    end = "。" if spoken() == "ja" else ". "
    first, _end, rest = text.partition(end)
    look = LOOKS.get(judgement.kind, "info")
    return Verdict(look, first.rstrip("."), rest, sales, caution)


def _chart(found: MonthReport) -> Markup:
    bars = [
        Bar(name, group.arm.rate, writing.people_among(group.arm.rate * words.AMONG), fill)
        for name, group, fill in (
            (_("連携会員"), found.linked, 1),
            (_("連携していない会員"), found.unlinked, 3),
        )
    ]
    label = _(
        "1,000人あたりの購入者。連携会員 %(linked)s、連携していない会員 %(others)s",
        linked=bars[0].text,
        others=bars[1].text,
    )
    return bar_chart(bars, label=label)


def _sources(
    line: LineState, sources: Sequence[tuple[str, Figures]]
) -> Sequence[tuple[str, Figures]]:
    """Return what was sent by the names that the shop gave it, what sold most first."""
    labels = {one.name: str(one.label) for one in line.part(Scenarios)}
    plans = (
        select(Campaign.key, CampaignPlan.label)
        .join(CampaignPlan, CampaignPlan.id == Campaign.plan_id)
        .where(Campaign.key.in_([name for name, _figures in sources]))
    )
    labels |= {key: label for key, label in line.session.execute(plans)}
    named = [(labels.get(name, name), figures) for name, figures in sources]
    return sorted(named, key=lambda one: (-one[1].sales, -one[1]["accepted"], one[0]))
