"""The first page, and what stands beside others: checks, the rest of the menu, languages."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import timedelta

from flask import request
from flask import session
from werkzeug.wrappers import Response

from ..doctor.examination import examine
from ..doctor.findings import Finding
from ..i18n import LANGUAGE_KEY
from ..outbox import by_hand
from ..outbox import pauses
from ..state import current_line
from . import charts
from . import figures
from . import writing
from .attention import tasks
from .audit import note
from .i18n import LANGUAGES
from .i18n import gettext as _
from .pages import go
from .pages import render
from .pages import say

#: The states of a check, the worst first, and the badge of each.
STATES = {"wrong": "bad", "unasked": "warn", "doubtful": "warn", "untold": "info", "fine": "good"}


@dataclass(frozen=True, slots=True)
class Week:
    """The figures of a week, for the table beside the chart."""

    days: str
    linked: int
    blocked: int


def home() -> str:
    """Show how the shop stands on LINE, and what is to be done."""
    line = current_line
    grown, month = figures.growth(line), figures.month_now(line)
    linked, blocked = sum(grown.linked), sum(grown.blocked)
    label = _(
        "%(days)s日間の連携とブロック。連携は%(linked)s人、ブロックは%(blocked)s人。",
        days=figures.DAYS,
        linked=linked,
        blocked=blocked,
    )
    series = [
        charts.Series(_("連携"), grown.linked),
        charts.Series(_("ブロック"), grown.blocked),
    ]
    yesterday = writing.today() - timedelta(days=1)
    return render(
        "home",
        tasks=tasks(line),
        people=figures.people_now(line),
        month=month,
        meter=_meter(month),
        chart=charts.line_chart(grown.days, series, label=label),
        weeks=_weeks(grown),
        linked=linked,
        blocked=blocked,
        yesterday=yesterday,
        accepted=figures.accepted_on(line, yesterday),
        now=line.clock(),
    )


def _meter(month: figures.Month) -> object:
    if not month.allowed:
        return ""
    label = _(
        "%(allowed)s通のうち%(used)s通を使いました",
        allowed=writing.number(month.allowed),
        used=writing.number(month.used),
    )
    return charts.meter([month.used], month.allowed, label=label)


def _weeks(grown: figures.Growth) -> list[Week]:
    """Add days up to weeks, the last of which ends today."""
    found = []
    for end in range(len(grown.days), 0, -7):
        some = slice(max(0, end - 7), end)
        first, last = grown.days[some][0], grown.days[some][-1]
        days = _(
            "%(first)s〜%(last)s", first=writing.short_day(first), last=writing.short_day(last)
        )
        found.append(Week(days, sum(grown.linked[some]), sum(grown.blocked[some])))
    return found


def more() -> str:
    """Show what the bar at the bottom of a phone has no room for."""
    return render("more")


def language() -> Response:
    """Let the console, and all our pages, speak another language in this browser."""
    chosen = request.form.get("language")
    if chosen in LANGUAGES:
        session[LANGUAGE_KEY] = chosen
    return go("more" if request.form.get("from") == "more" else "home")


def checks() -> str:
    """Show what ``flask line doctor`` finds without asking LINE, and how sending stands."""
    line, now = current_line, current_line.clock()
    found = list(examine(line, may_ask=False))
    by_state = sorted(found, key=_badness)
    waiting: Counter[str] = Counter()
    for (_state, category), count in by_hand.count_unsent(line.session).items():
        waiting[category] += count
    names = {one.name: str(one.label) for one in line.shop.categories}
    return render(
        "checks",
        findings=by_state,
        badges=STATES,
        words=_words(),
        counts=Counter(one.state for one in found),
        waiting=[(names.get(name, name), count) for name, count in waiting.items()],
        pauses=pauses.current(line.session, now=now),
    )


def resume_sending() -> Response:
    """End the pauses of sending; whatever still stands in the way begins a new one."""
    line = current_line
    reasons = by_hand.end_pauses(line.session, now=line.clock())
    if reasons:
        note("sending-resumed", subject=", ".join(sorted(reasons)))
    line.session.commit()
    line.engine.wake("delivery")
    say(_("配信の停止を解きました。原因が残っていれば、また止まります。"))
    return go("checks")


def _words() -> dict[str, str]:
    return {
        "wrong": _("直してください"),
        "unasked": _("確かめられません"),
        "doubtful": _("ご確認ください"),
        "untold": _("目で見てください"),
        "fine": _("問題なし"),
    }


def _badness(finding: Finding) -> int:
    return list(STATES).index(finding.state)
