"""A scenario's hold-out: the same members get nothing of it, whatever its version."""

from __future__ import annotations

from datetime import timedelta

import pytest

from flask_lineconnect.marketing.campaigns.sides import is_below
from flask_lineconnect.marketing.campaigns.sides import scenario_hold_out
from flask_lineconnect.marketing.scenarios.declared import Scenarios
from flask_lineconnect.marketing.scenarios.rehearsal import rehearse
from tests.conftest import DATABASES
from tests.marketing.scenario_shop import NOON
from tests.marketing.scenario_shop import Stage
from tests.people import add_member
from tests.people import link

pytestmark = pytest.mark.parametrize("database", DATABASES, indirect=True)


def test_whoever_is_held_out_gets_nothing_in_all_versions(stage: Stage) -> None:
    members = [add_member(stage.line, f"会員{number}") for number in range(12)]
    for number, member in enumerate(members):
        link(stage.line, member, f"{number:x}")
    stage.publish(hold_out=50)
    for member in members:
        stage.tell("cart.changed", member, version="1")
    held_out = {run.member_id for run in stage.runs() if run.end_reason == "held out"}
    experiment = scenario_hold_out("cart")
    assert held_out == {one.id for one in members if is_below(experiment, one.id, 50)}
    assert 0 < len(held_out) < 12
    stage.play(hours=1)
    assert len(stage.messages()) == 12 - len(held_out)
    stage.publish(hold_out=50, label="別の版", enrol="nobody", ends_after="P9D")
    for member in members:
        stage.tell("cart.changed", member, version="2")
    again = {run.member_id for run in stage.runs() if run.end_reason == "held out"}
    assert again == held_out
    # A rehearsal of what they did holds the same ones out.
    scenario = stage.line.part(Scenarios).get("cart")
    found = rehearse(stage.line, scenario, since=NOON - timedelta(days=1))
    played = {run.member for run in found.runs if run.end_reason == "held out"}
    assert played == held_out
