"""``flask line scenario publish …``: let scenarios run, rest and end, and look at their runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import get_args

import click
from flask.cli import AppGroup
from flask.cli import with_appcontext
from sqlalchemy import select

from ..marketing.scenarios import publishing
from ..marketing.scenarios.declared import Scenarios
from ..marketing.scenarios.reading import write_scenario
from ..models import PublishedScenario
from ..models import ScenarioRun
from ..models import ScenarioStep
from ..models import ScenarioVersion
from ..state import LineState
from ..state import current_line
from .member_keys import member_key_of
from .pausing import changing
from .pausing import said
from .tables import Row
from .tables import as_json
from .tables import limited
from .tables import show

_name = click.argument("name")
pause = changing(
    "pause",
    publishing.pause,
    told="is paused",
    help="Let nothing of a scenario happen, nor be sent, until it is resumed.",
)
resume = changing(
    "resume",
    publishing.resume,
    told="goes on",
    help="Let a paused scenario go on. What became due meanwhile is done now, unless it is too "
    "late.",
)


def register(group: AppGroup) -> None:
    """Add the commands."""
    for command in (publish, pause, resume, stop, runs):
        group.add_command(command)


@click.command()
@_name
@click.option(
    "--enrol",
    type=click.Choice(get_args(publishing.Enrol)),
    help="Who of those already there goes by this version; needed where it replaces one, or where "
    "a segment begins it.",
)
@with_appcontext
def publish(name: str, enrol: publishing.Enrol | None) -> None:
    """Let a declared scenario run as it is now. One that was paused or stopped runs again."""
    with said():
        done = publishing.publish(current_line, name, enrol=enrol)
    current_line.session.commit()
    if not done.is_new:
        click.echo(f"{name} runs; nothing has changed since version {done.number}.")
        return
    moved = f" {done.moved:,} runs that are under way go by it." if enrol == "all" else ""
    click.echo(f"{name} runs as version {done.number}.{moved}")


@click.command()
@_name
@with_appcontext
def stop(name: str) -> None:
    """End a scenario and its runs. What is on its way to LINE can't be called back."""
    with said():
        count = publishing.stop(current_line, name)
    current_line.session.commit()
    click.echo(f"{name} is stopped; {count:,} runs ended.")


@click.command()
@_name
@click.option("--member", "member_id", help="Only runs of the member with this key.")
@click.option("--live", is_flag=True, help="Only runs that have not ended.")
@click.option("--failed", is_flag=True, help="Only runs with a step that failed.")
@click.option(
    "--run",
    "run_id",
    type=click.IntRange(1, 2**53),
    help="Show instead what each step of this run did, and why.",
)
@limited
@as_json
@with_appcontext
def runs(
    name: str,
    member_id: str | None,
    live: bool,
    failed: bool,
    run_id: int | None,
    limit: int,
    is_json: bool,
) -> None:
    """List a scenario's runs, the latest first: whose, where each stands, and why it ended."""
    line = current_line
    found = line.session.scalar(select(PublishedScenario.id).where(PublishedScenario.name == name))
    if found is None:
        with said():
            line.part(Scenarios).get(name)
        raise click.ClickException(f"the scenario {name} was never published")
    if run_id is not None:
        rows = _steps(line, found, run_id)
        show(rows, is_json=is_json, empty=f"No step of run {run_id} of {name} is done.")
        return
    statement = select(ScenarioRun, ScenarioVersion.number)
    statement = statement.join(ScenarioVersion, ScenarioVersion.id == ScenarioRun.version_id)
    statement = statement.where(ScenarioRun.scenario_id == found)
    if member_id is not None:
        statement = statement.where(ScenarioRun.member_id == member_key_of(member_id))
    if live:
        statement = statement.where(ScenarioRun.ended_at.is_(None))
    if failed:
        statement = statement.where(ScenarioRun.error.is_not(None))
    latest = statement.order_by(ScenarioRun.id.desc()).limit(limit)
    listed = [_run(line, run, number) for run, number in line.session.execute(latest)]
    show(listed, is_json=is_json, empty="There are no runs that fit.")


def states_of(line: LineState) -> Mapping[str, Row]:
    """Return of each published scenario its state, version, and what keeps it from beginning."""
    is_current = (ScenarioVersion.scenario_id == PublishedScenario.id) & (
        ScenarioVersion.number == PublishedScenario.version
    )
    statement = select(PublishedScenario, ScenarioVersion.digest).join(ScenarioVersion, is_current)
    declared = {one.name: one for one in line.part(Scenarios)}
    states = {}
    for row, digest in line.session.execute(statement):
        one = declared.get(row.name)
        is_same = one is not None and publishing.digest_of(write_scenario(one)) == digest
        state = row.state if row.problem is None else f"{row.state}, but: {row.problem}"
        if one is None:
            state += ", no longer declared"
        elif not is_same:
            state += f", changed since version {row.version}"
        states[row.name] = {"state": state, "version": row.version}
    return states


def _run(line: LineState, run: ScenarioRun, number: int) -> Row:
    zone = line.config.zone
    return {
        "run": str(run.id),
        "member": str(run.member_id),
        "about": run.key or None,
        "version": number,
        "began": run.began_at.astimezone(zone),
        "step": run.step,
        "due": None if run.due_at is None else run.due_at.astimezone(zone),
        "ended": None if run.ended_at is None else run.ended_at.astimezone(zone),
        "reason": run.end_reason,
        "error": run.error,
    }


def _steps(line: LineState, scenario_id: int, run_id: int) -> list[Row]:
    statement = (
        select(ScenarioStep)
        .join(ScenarioRun, ScenarioRun.id == ScenarioStep.run_id)
        .where(ScenarioRun.id == run_id, ScenarioRun.scenario_id == scenario_id)
        .order_by(ScenarioStep.at)
    )
    return [
        {
            "at": step.at.astimezone(line.config.zone),
            "step": step.step,
            "outcome": step.outcome,
            "reason": step.reason,
        }
        for step in line.session.scalars(statement)
    ]
