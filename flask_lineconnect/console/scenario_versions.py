"""Versions of a scenario, held against each other: what changed from one to the next."""

from __future__ import annotations

from datetime import datetime

from flask import abort
from flask import request
from sqlalchemy import select

from ..errors import UsageError
from ..marketing.scenarios.definition import Scenario
from ..marketing.scenarios.reading import read_scenario
from ..models import ScenarioVersion
from ..state import LineState
from ..state import current_line
from .pages import render
from .scenario_changes import compare
from .scenarios import Listed
from .scenarios import one_of


def scenario_changes(name: str) -> str:
    """Show what a version changed; without its number, what the shop's program has now would."""
    line = current_line
    one, number = one_of(line, name), request.args.get("version", type=int)
    if one.version is None:
        abort(404)
    if number is None:
        ((old, _at),) = _versions(line, one, one.version)
        new, at, before = one.scenario, None, one.version
    else:
        (old, _at), (new, at) = _versions(line, one, number - 1, number)
        before = number - 1
    return render(
        "scenario_changes",
        one=one,
        found=compare(line, old, new),
        number=number,
        at=at,
        before=before,
    )


def _versions(line: LineState, one: Listed, *numbers: int) -> list[tuple[Scenario, datetime]]:
    """Return versions in the order of their numbers; else there is no such page."""
    statement = (
        select(ScenarioVersion.definition, ScenarioVersion.published_at)
        .where(ScenarioVersion.scenario_id == one.row_id, ScenarioVersion.number.in_(numbers))
        .order_by(ScenarioVersion.number)
    )
    rows = line.session.execute(statement).all()
    if len(rows) != len(numbers):
        abort(404)
    try:
        return [(read_scenario(one.scenario.name, written), at) for written, at in rows]
    except UsageError:
        # A later version of ours may not read what an older one wrote.
        abort(404)
