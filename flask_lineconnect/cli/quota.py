"""``flask line quota``: how sending stands this month."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from decimal import Decimal
from typing import Any

import click
from flask.cli import with_appcontext

from ..errors import LineConnectError
from ..line_api.client import LineApi
from ..models import QuotaMonth
from ..outbox import budget
from ..outbox import by_hand
from ..outbox import pauses
from ..outbox.rules import Rules
from ..state import LineState
from ..state import current_line
from .tables import as_json
from .tables import write_json


@click.command()
@click.option("--refresh", is_flag=True, help="Ask LINE for its limit and its count now.")
@as_json
@with_appcontext
def quota(refresh: bool, is_json: bool) -> None:
    """Show the month's messages: what LINE allows and counts, the budget, pauses, the queue."""
    line = current_line
    now = line.clock()
    if refresh:
        _ask_line(line, now)
    month = line.session.get(QuotaMonth, budget.month_of(now)) or _unread(now)
    if is_json:
        write_json(_figures(line, month, now))
        return
    for name, text in (*_spending(line, month), *_queue(line), *_pauses(line, now)):
        click.echo(f"{name:<12} {text}")


def _ask_line(line: LineState, now: datetime) -> None:
    try:
        granted, line_used = line.part(LineApi).quota()
    except LineConnectError as error:
        raise click.ClickException(str(error)) from None
    month = budget.lock(line.session, now)
    budget.note_reading(month, granted=granted, line_used=line_used, now=now)
    line.session.commit()


def _unread(now: datetime) -> QuotaMonth:
    return QuotaMonth(
        month=budget.month_of(now), line_used=0, own_used=0, foreign_used=0, alerted=0.0
    )


def _figures(line: LineState, month: QuotaMonth, now: datetime) -> dict[str, Any]:
    """Return what programs may want to know, in plain numbers; none: there is no limit."""
    ours = line.part(Rules).budget
    return {
        "month": month.month,
        "granted": month.granted,
        "asked_at": month.read_at,
        "line_counts": month.line_used,
        "we_count": month.own_used,
        "used": budget.used(month),
        "allowed": ours.allowed(month.granted),
        "left": ours.room(month, is_marketing=False),
        "left_for_advertising": ours.room(month, is_marketing=True),
        "waiting": _waiting(line),
        "pauses": [
            {
                "reason": pause.reason,
                "is_for_marketing_only": pause.is_for_marketing_only,
                "until": pause.until,
                "detail": pause.detail,
            }
            for pause in pauses.current(line.session, now=now)
        ],
    }


def _spending(line: LineState, month: QuotaMonth) -> list[tuple[str, str]]:
    ours = line.part(Rules).budget
    used, allowed = budget.used(month), ours.allowed(month.granted)
    rows = [("month", month.month), ("LINE allows", _granted(line, month))]
    if month.read_at is not None:
        rows.append(("LINE counts", f"{month.line_used:,}"))
    rows.append(("we count", f"{month.own_used:,}"))
    rows.append(("used", f"{used:,}" if allowed is None else f"{used:,} of {allowed:,}"))
    if ours.plan is not None:
        rows.append(("cost", f"{_yen(ours.plan.extra_cost(used))} beyond the plan's fee"))
    if ours.plan is not None and ours.yen is not None:
        bought = ours.plan.messages_for(ours.yen)
        rows.append(("budget", f"{ours.yen:,} yen, enough for {bought:,} messages"))
    if ours.reserve:
        rows.append(("reserve", f"{ours.reserve:,}, which advertising leaves alone"))
    if allowed is not None:
        left = {kind: ours.room(month, is_marketing=kind) or 0 for kind in (True, False)}
        rows.append(("left", f"{left[False]:,}, of which advertising {left[True]:,}"))
    return rows


def _granted(line: LineState, month: QuotaMonth) -> str:
    if month.read_at is None:
        return "not asked yet; --refresh asks"
    when = month.read_at.astimezone(line.config.zone)
    count = "any number" if month.granted is None else f"{month.granted:,}"
    return f"{count} (asked {when:%Y-%m-%d %H:%M})"


def _yen(amount: Decimal | None) -> str:
    return "more than the plan sells" if amount is None else f"{amount:,.0f} yen"


def _waiting(line: LineState) -> Counter[str]:
    """Return to how many recipients something waits, by category."""
    counts: Counter[str] = Counter()
    for (_state, category), count in by_hand.count_unsent(line.session).items():
        counts[category] += count
    return counts


def _queue(line: LineState) -> list[tuple[str, str]]:
    texts = [f"{category} {count:,}" for category, count in sorted(_waiting(line).items())]
    return [("waiting", ", ".join(texts) or "nothing")]


def _pauses(line: LineState, now: datetime) -> list[tuple[str, str]]:
    rows = []
    for pause in pauses.current(line.session, now=now):
        until = pause.until.astimezone(line.config.zone)
        what = "advertising only" if pause.is_for_marketing_only else "everything"
        rows.append(
            ("paused", f"{pause.reason}, {what}, until {until:%Y-%m-%d %H:%M}: {pause.detail}")
        )
    return rows
