"""``flask line scenario …``: list scenarios, show what one does, find what is wrong with them."""

from __future__ import annotations

import json
from collections.abc import Sequence

import click
from flask.cli import AppGroup

from ..errors import LineConnectError
from ..errors import UsageError
from ..marketing.scenarios.checking import Checked
from ..marketing.scenarios.checking import Problem
from ..marketing.scenarios.checking import World
from ..marketing.scenarios.checking import check_scenario
from ..marketing.scenarios.checking import facts_at_hand
from ..marketing.scenarios.declared import Scenarios
from ..marketing.scenarios.definition import OnEvent
from ..marketing.scenarios.definition import OnSegment
from ..marketing.scenarios.definition import Scenario
from ..marketing.scenarios.definition import Step
from ..marketing.scenarios.reading import write_scenario
from ..state import LineState
from ..state import current_line
from .scenario_rehearse import rehearse
from .scenario_results import results
from .scenario_runs import register
from .scenario_runs import states_of
from .tables import Row
from .tables import as_json
from .tables import show

#: Of a scenario that was never published.
DRAFT: Row = {"state": "draft", "version": None}

scenario = AppGroup("scenario", help="Scenarios: list them, check them, let them run.")
register(scenario)
scenario.add_command(rehearse)
scenario.add_command(results)


@scenario.command("list")
@as_json
def list_scenarios(is_json: bool) -> None:
    """List scenarios: whether each runs, what it begins with, and how much is wrong with it."""
    world, states = World.of(current_line), states_of(current_line)
    names = {one.name for one in current_line.part(Scenarios)}
    rows: list[Row] = [
        {
            "name": one.name,
            "state": states.get(one.name, DRAFT)["state"],
            "version": states.get(one.name, DRAFT)["version"],
            "label": str(one.label),
            "begins": _begins(one),
            "steps": len(one.steps),
            "again": str(one.again),
            "goal": one.goal,
            "declared by": one.home,
            "problems": len(check_scenario(one, world).problems),
        }
        for one in current_line.part(Scenarios)
    ]
    rows += [_undeclared(name, state) for name, state in states.items() if name not in names]
    show(rows, is_json=is_json, empty="No scenarios are declared.")


@scenario.command("show")
@click.argument("name")
@as_json
def show_scenario(name: str, is_json: bool) -> None:
    """Show what one scenario does, step by step. JSON is its whole definition."""
    found = _named(name)
    if is_json:
        click.echo(json.dumps({found.name: write_scenario(found)}, ensure_ascii=False, indent=2))
        return
    for word, value in _about(found):
        click.echo(f"{word}: {value}")
    click.echo()
    show([_row(found, step) for step in found.steps], is_json=False, empty="")


@scenario.command("check")
@click.argument("name", required=False)
@click.option("--ask-line", is_flag=True, help="Let LINE look at the messages, too; sends none.")
@as_json
def check_scenarios(name: str | None, ask_line: bool, is_json: bool) -> None:
    """Check all scenarios, or one: events, facts, steps, messages, LINE's limits, ends.

    Ends with 1 if anything is wrong.
    """
    world = World.of(current_line)
    scenarios = [_named(name)] if name else list(current_line.part(Scenarios))
    line = current_line
    checked = [check_scenario(one, world, at_hand=facts_at_hand(line, one)) for one in scenarios]
    problems = [
        problem
        for one in checked
        for problem in (one.problems or (_asked(line, one, world) if ask_line else ()))
    ]
    rows: list[Row] = [{"place": one.place, "problem": one.message} for one in problems]
    said = (
        f"Nothing is wrong with {name}." if name else f"Nothing is wrong ({len(checked)} checked)."
    )
    show(rows, is_json=is_json, empty=said if checked else "No scenarios are declared.")
    if rows:
        raise SystemExit(1)


def _asked(line: LineState, checked: Checked, world: World) -> Sequence[Problem]:
    """Return what LINE says of the messages of a scenario."""
    # With the libraries that talk to LINE, which no other word here needs.
    from ..line_api.client import LineApi
    from ..line_api.http import LineHttp
    from ..line_api.validating import validate
    from ..marketing.scenarios.asking_line import ask_line

    http, token = line.part(LineHttp), line.part(LineApi).messaging_token
    at_hand = facts_at_hand(line, checked.scenario)
    try:
        return ask_line(
            checked, world, lambda messages: validate(http, token, messages), at_hand=at_hand
        )
    except LineConnectError as error:
        raise click.ClickException(str(error)) from None


def _named(name: str) -> Scenario:
    try:
        return current_line.part(Scenarios).get(name)
    except UsageError as error:
        raise click.ClickException(f"{error} `flask line scenario list` shows them") from None


def _undeclared(name: str, state: Row) -> Row:
    """Return the line of a scenario that runs on, though the shop declares it no more."""
    rest = ("label", "begins", "steps", "again", "goal", "declared by", "problems")
    return {"name": name, **state, **dict.fromkeys(rest)}


def _begins(one: Scenario) -> str:
    start = one.start
    if isinstance(start, OnEvent):
        return start.event
    if isinstance(start, OnSegment):
        return f"in {start.segment}"
    return str(start.at) if start.segment is None else f"{start.at}, {start.segment}"


def _about(one: Scenario) -> list[tuple[str, str]]:
    hours = one.quiet_hours
    words = {
        "name": one.name,
        "label": str(one.label),
        "begins": _begins(one),
        "one run for each": one.key,
        "again": str(one.again),
        "category": one.category,
        "goal": one.goal,
        "ends with": ", ".join(one.exits_on) or None,
        "ends after": one.ends_after,
        "quiet hours": f"{hours[0]:%H:%M}-{hours[1]:%H:%M}" if hours else None,
        "held out of a hundred": one.hold_out or None,
        "declared by": one.home or None,
    }
    return [(word, str(value)) for word, value in words.items() if value is not None]


def _row(one: Scenario, step: Step) -> Row:
    does = ["message"] if step.message is not None else []
    does += [f"to {way.go} if …" for way in step.branch]
    return {
        "step": step.name,
        "waits": None if step.wait is None else str(step.wait),
        "does": ", ".join(does) or None,
        "only if": "a condition holds" if step.only is not None else None,
        "expires": None if step.expires is None else str(step.expires),
        "in quiet hours": step.in_quiet_hours.value,
        "over cap": step.over_cap.value,
        "tracks": "links" if step.message is not None and one.tracks(step) else None,
        "then": one.after(step),
    }
