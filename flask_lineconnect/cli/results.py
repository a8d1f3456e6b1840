"""``flask line results …``: hold the counts against the facts, and count orders anew."""

from __future__ import annotations

from datetime import timedelta

import click
from flask.cli import AppGroup
from sqlalchemy import select

from ..errors import UsageError
from ..marketing.results.attribution import Attributing
from ..marketing.results.attribution import rules_of
from ..marketing.results.checking import compare
from ..marketing.results.counts import day_of
from ..marketing.results.recounting import recount_orders
from ..models import Campaign
from ..models import LineInsight
from ..models import PublishedScenario
from ..state import LineState
from ..state import current_line
from .tables import Row
from .tables import as_json
from .tables import limited
from .tables import show

results = AppGroup("results", help="Results: check the counts, count anew, see LINE's own.")

_hours = click.IntRange(1, 24 * 90)


@results.command("check")
@as_json
def check(is_json: bool) -> None:
    """Compare all counts with the facts; fails if one differs."""
    rows = [
        {**one.key, "counted": one.counted, "facts": one.facts} for one in compare(current_line)
    ]
    show(rows, is_json=is_json, empty="Every count is what the facts say.")
    if rows:
        raise click.exceptions.Exit(1)


@results.command("recount")
@click.option("--days", type=click.IntRange(1, 400), default=30, show_default=True)
def recount(days: int) -> None:
    """Let orders find their messages anew: after a change of a window, or of the adapter."""
    line = current_line
    _recount(line, _rules(line), days)
    click.echo(f"The orders of {days:,} days have found their messages.")


@results.command("windows")
@click.argument("key")
@click.option("--direct-hours", type=_hours, help="After a tap; as the settings say by default.")
@click.option("--indirect-hours", type=_hours, help="After LINE accepted it, without a tap.")
def windows(key: str, direct_hours: int | None, indirect_hours: int | None) -> None:
    """Give a campaign windows of its own, and count its orders anew."""
    line = current_line
    row = line.session.scalars(select(Campaign).where(Campaign.key == key)).one_or_none()
    if row is None:
        raise click.ClickException(f"there is no campaign {key}")
    rules = _rules(line)
    row.direct_hours, row.indirect_hours = direct_hours, indirect_hours
    days = (line.clock() - row.created_at) // timedelta(days=1) + 2
    line.session.commit()
    _recount(line, rules, min(days, line.config.member_event_days))
    direct = direct_hours or rules.windows.direct_hours
    indirect = indirect_hours or rules.windows.indirect_hours
    click.echo(
        f"Campaign {key} gets orders for {direct:,} hours after a tap, {indirect:,} without."
    )


@results.command("line")
@limited
@as_json
def line_counts(limit: int, is_json: bool) -> None:
    """Show what LINE itself counts: people who saw and tapped messages; none below 20 people."""
    zone = current_line.config.zone
    statement = (
        select(LineInsight, Campaign.key, PublishedScenario.name)
        .outerjoin(Campaign, Campaign.id == LineInsight.campaign_id)
        .outerjoin(PublishedScenario, PublishedScenario.id == LineInsight.scenario_id)
        .order_by(LineInsight.first_day.desc(), LineInsight.unit)
        .limit(limit)
    )
    rows: list[Row] = [
        {
            "campaign or scenario": campaign or scenario,
            "step": found.step or None,
            "first day": found.first_day,
            "last day": found.last_day,
            "seen by LINE's count": found.seen,
            "tapped by LINE's count": found.tapped,
            "asked": found.fetched_at.astimezone(zone),
        }
        for found, campaign, scenario in current_line.session.execute(statement)
    ]
    show(rows, is_json=is_json, empty="LINE was not asked yet: see LINECONNECT_LINE_INSIGHT.")


def _rules(line: LineState) -> Attributing:
    try:
        rules = rules_of(line)
    except UsageError as error:
        raise click.ClickException(str(error)) from None
    if rules is None:
        raise click.ClickException("the shop does not say what an order is: order_events is unset")
    return rules


def _recount(line: LineState, rules: Attributing, days: int) -> None:
    today = day_of(line.clock(), line.config.zone)
    recount_orders(line, rules, today - timedelta(days=days - 1), today)
