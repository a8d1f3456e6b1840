"""``flask line campaign plan …``: plan campaigns, check and begin them, stop and copy them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click
from flask.cli import AppGroup
from flask.cli import with_appcontext
from sqlalchemy import select

from ..marketing.campaigns import planning
from ..marketing.campaigns.checking import check_campaign
from ..marketing.campaigns.declared import Campaigns
from ..marketing.campaigns.definition import Definition
from ..marketing.campaigns.estimating import Estimation
from ..marketing.campaigns.estimating import estimate_campaign
from ..marketing.campaigns.reading import campaigns_of_file
from ..marketing.campaigns.testing import send_test
from ..models import CampaignPlan
from ..state import LineState
from ..state import current_line
from .member_keys import member_key_of
from .pausing import changing
from .pausing import said
from .tables import Row
from .tables import as_json
from .tables import show
from .tables import write_json

_name = click.argument("name")
pause = changing(
    "pause",
    planning.pause,
    told="is paused",
    help="Let nothing of a campaign begin or be sent, until it is resumed. NAME may be a KEY.",
)
resume = changing(
    "resume",
    planning.resume,
    told="goes on",
    help="Let a paused campaign go on. Of times that passed meanwhile none is made good.",
)


def register(group: AppGroup) -> None:
    """Add the commands."""
    for command in (plans, plan, check, begin, pause, resume, copy, test):
        group.add_command(command)


@click.command()
@as_json
@with_appcontext
def plans(is_json: bool) -> None:
    """List planned and declared campaigns: state, when each begins, what is wrong."""
    line = current_line
    rows = line.session.scalars(select(CampaignPlan).order_by(CampaignPlan.id.desc())).all()
    found: list[Row] = [
        {
            "name": row.name,
            "state": row.state,
            "begins": row.next_at and row.next_at.astimezone(line.config.zone),
            "version": row.version,
            "label": row.label,
            "problem": row.problem,
        }
        for row in rows
    ]
    there = {row.name for row in rows}
    blank = {"begins": None, "version": None}
    found += [
        {"name": one.name, "state": "declared", **blank, "label": str(one.label), "problem": None}
        for one in line.part(Campaigns)
        if one.name not in there
    ]
    show(found, is_json=is_json, empty="No campaign is planned.")


@click.command()
@_name
@click.option(
    "--file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A TOML or JSON file with a table for it; otherwise the shop's code declares it.",
)
@with_appcontext
def plan(name: str, file: Path | None) -> None:
    """Write a campaign down as a draft, or change one that has not begun; say what is wrong."""
    line = current_line
    with said():
        definition = _declared(line, name) if file is None else _of_file(file, name)
        row = planning.save_plan(line, definition)
    line.session.commit()
    click.echo(f"{name} is planned, version {row.version}: {row.state}.")
    for problem in check_campaign(line, definition):
        click.echo(str(problem), err=True)


@click.command()
@_name
@as_json
@with_appcontext
def check(name: str, is_json: bool) -> None:
    """Check a campaign, and say whom it would reach now, who falls out and why, and its cost.

    Ends with 1 if anything is wrong.
    """
    line = current_line
    with said():
        definition = _planned(line, name)
    problems = check_campaign(line, definition)
    if problems:
        rows: list[Row] = [{"place": one.place, "problem": one.message} for one in problems]
        show(rows, is_json=is_json, empty="")
        raise SystemExit(1)
    with said():
        found = estimate_campaign(line, definition)
    if is_json:
        write_json(_as_data(found))
        return
    show(_rows(found), is_json=False, empty="")
    click.echo(_cost(found))


@click.command()
@_name
@click.option("--yes", is_flag=True, help="Ask nothing.")
@with_appcontext
def begin(name: str, yes: bool) -> None:
    """Let a campaign begin: at its time, or now if it has none. Begun again, nothing changes."""
    line = current_line
    with said():
        definition = _planned(line, name)
        if not yes:
            found = estimate_campaign(line, definition)
            click.echo(f"{found.messages:,} people are sent it. {_cost(found)}")
            click.confirm("Begin?", abort=True)
        row = planning.let_go(line, name)
    line.session.commit()
    if row.next_at is not None:
        at = row.next_at.astimezone(line.config.zone)
        click.echo(f"{name} begins at {at:%Y-%m-%d %H:%M} ({at.tzname()}).")
    else:
        click.echo(f"{name} has begun: {row.state}.")


@click.command()
@_name
@click.argument("new_name")
@with_appcontext
def copy(name: str, new_name: str) -> None:
    """Write a campaign down once more, as a draft under another name, without its moment."""
    with said():
        planning.copy_plan(current_line, name, new_name)
    current_line.session.commit()
    click.echo(f"{new_name} is a draft like {name}.")


@click.command()
@_name
@click.argument("members", nargs=-1, required=True)
@with_appcontext
def test(name: str, members: Sequence[str]) -> None:
    """Send all variants of a campaign to these members alone, such as staff; it costs as always."""
    line = current_line
    keys = [member_key_of(one) for one in members]
    with said():
        count = send_test(line, _planned(line, name), keys)
    line.session.commit()
    click.echo(f"{count:,} messages are on their way.")


def _declared(line: LineState, name: str) -> Definition:
    return line.part(Campaigns).get(name)


def _planned(line: LineState, name: str) -> Definition:
    """Return what a plan says, or what the shop declares of a campaign that is not planned yet."""
    row = planning.find_plan(line.session, name)
    return _declared(line, name) if row is None else planning.definition_of(row)


def _of_file(file: Path, name: str) -> Definition:
    found = {one.name: one for one in campaigns_of_file(file)}
    if name not in found:
        there = ", ".join(found) or "none"
        raise click.ClickException(f"{file} has no campaign {name}; there are {there}")
    return found[name]


def _rows(found: Estimation) -> list[Row]:
    counts = {"chosen": found.chosen, "sent to": found.messages, "held out": found.held_out}
    counts |= {f"not: {reason}": number for reason, number in found.fallen.items()}
    return [{"who": who, "people": number} for who, number in counts.items()]


def _cost(found: Estimation) -> str:
    yen = "" if found.cost.yen is None else f" It adds {found.cost.yen:,} yen to LINE's bill."
    left = "" if found.cost.left is None else f" {found.cost.left:,} messages are left this month."
    late = "" if found.cost.fits else " That is not enough: the others wait."
    seconds = round(found.takes.total_seconds())
    if found.is_broadcast:
        how = "One request to LINE, for all friends, also those who declined such messages."
    elif found.is_personal:
        how = f"Each message is another one: {seconds:,} seconds at LINE's highest rate."
    else:
        how = f"Equal messages, in batches: {seconds:,} seconds at LINE's highest rate."
    return f"{how}{yen}{left}{late}"


def _as_data(found: Estimation) -> Row:
    return {
        "chosen": found.chosen,
        "messages": found.messages,
        "held_out": found.held_out,
        "fallen": found.fallen,
        "yen": None if found.cost.yen is None else float(found.cost.yen),
        "left": found.cost.left,
        "fits": found.cost.fits,
        "is_personal": found.is_personal,
        "is_broadcast": found.is_broadcast,
        "seconds": found.takes.total_seconds(),
    }
