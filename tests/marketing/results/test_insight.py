"""LINE's own figures: asked for once a day, kept when LINE forgets, none where LINE says none."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
import requests
from flask import Flask
from sqlalchemy import select

from flask_lineconnect.cli.group import line as commands
from flask_lineconnect.engines import upkeep
from flask_lineconnect.marketing.results.counts import count
from flask_lineconnect.marketing.results.insight import fetch_insight
from flask_lineconnect.models import Account
from flask_lineconnect.models import LineInsight
from flask_lineconnect.models import PublishedScenario
from flask_lineconnect.outbox.delivery import deliver_due
from flask_lineconnect.outbox.units import step_unit
from flask_lineconnect.state import LineState
from flask_lineconnect.testing.plugin import Emulator
from tests.conftest import DATABASES
from tests.marketing.campaigns.conftest import Begin
from tests.marketing.campaigns.conftest import begin as begin
from tests.marketing.campaigns.conftest import line as line
from tests.outbox.conftest import Join
from tests.outbox.conftest import StoppedClock
from tests.outbox.conftest import app as app
from tests.outbox.conftest import clock as clock
from tests.outbox.conftest import join as join

pytestmark = pytest.mark.parametrize("database", DATABASES, indirect=True)


@pytest.fixture
def settings() -> dict[str, object]:
    """Return the settings of a shop that asks LINE."""
    return {"LINECONNECT_LINE_INSIGHT": True}


@pytest.fixture
def moving(clock: StoppedClock, line_emulator: Emulator) -> StoppedClock:
    """Let LINE's clock show what the shop's does, and LINE tell of two people."""
    line_emulator.freeze(clock.now)
    return clock


def tell_of(emulator: Emulator, people: int) -> None:
    """Let LINE tell of no fewer people."""
    emulator.set_up(messaging_channel={"minimum_figure": people})


def read(line: LineState, emulator: Emulator) -> None:
    """Let everybody look at their chat."""
    for user_id in line.session.scalars(select(Account.line_user_id)).all():
        answer = requests.post(
            f"{emulator.url}/phone/{user_id}/read",
            json={},
            headers={"Origin": emulator.url},
            timeout=60,
        )
        assert answer.ok, answer.text


def told(line: LineState) -> list[tuple[str, int | None, int | None]]:
    """Return what is kept: unit, seen, tapped."""
    line.session.rollback()
    rows = line.session.scalars(select(LineInsight).order_by(LineInsight.unit))
    return [(row.unit, row.seen, row.tapped) for row in rows]


def test_a_campaigns_figures(
    app: Flask,
    line: LineState,
    line_emulator: Emulator,
    join: Join,
    begin: Begin,
    moving: StoppedClock,
) -> None:
    join(3)
    begin()
    deliver_due(line)
    assert fetch_insight(line) == 1
    assert told(line) == [("campaign_1", None, None)]
    tell_of(line_emulator, 2)
    read(line, line_emulator)
    # Once a day, however often upkeep looks.
    upkeep.look_after(line)
    assert told(line) == [("campaign_1", None, None)]
    moving.advance(days=1)
    line_emulator.freeze(moving.now)
    line.next_sweep_at = None
    upkeep.look_after(line)
    assert told(line) == [("campaign_1", 3, None)]
    # What LINE no longer says is kept.
    tell_of(line_emulator, 20)
    moving.advance(days=1)
    fetch_insight(line)
    assert told(line) == [("campaign_1", 3, None)]
    answer = app.test_cli_runner().invoke(commands, ["campaign", "results", "autumn", "--json"])
    [by_line] = json.loads(answer.output)["line"]
    assert (by_line["seen"], by_line["tapped"]) == (3, None)
    answer = app.test_cli_runner().invoke(commands, ["results", "line"])
    assert "autumn" in answer.output
    moving.advance(days=60)
    assert fetch_insight(line) == 0


def test_a_broadcast_is_known_by_its_request(
    line: LineState, line_emulator: Emulator, join: Join, begin: Begin, moving: StoppedClock
) -> None:
    join(3)
    tell_of(line_emulator, 2)
    begin(to="friends")
    assert fetch_insight(line) == 0
    deliver_due(line)
    read(line, line_emulator)
    assert fetch_insight(line) == 1
    assert told(line) == [("campaign_1", 3, None)]
    row = line.session.scalars(select(LineInsight)).one()
    assert row.answer["overview"]["delivered"] == 3


def test_a_failure_is_made_good_after_an_hour(
    line: LineState, line_emulator: Emulator, join: Join, begin: Begin, moving: StoppedClock
) -> None:
    join(2)
    tell_of(line_emulator, 2)
    begin()
    deliver_due(line)
    read(line, line_emulator)
    line_emulator.fault(path="/v2/bot/insight/message/event/aggregation", status=429)
    assert fetch_insight(line) == 0
    line_emulator.clear_faults()
    assert fetch_insight(line) == 0
    moving.advance(hours=1)
    assert fetch_insight(line) == 1
    assert told(line) == [("campaign_1", 2, None)]


def test_a_scenarios_steps_by_month(line: LineState, moving: StoppedClock) -> None:
    scenario = PublishedScenario(name="cart")
    line.session.add(scenario)
    line.session.flush()
    for days in (0, 1, 30):
        day = (moving.now - timedelta(days=days)).date()
        count(line.session, "accepted", day=day, scenario_id=scenario.id, step="remind")
    line.session.commit()
    # October's figures: its last day is more than two weeks ago.
    assert fetch_insight(line) == 1
    [(unit, _seen, _tapped)] = told(line)
    assert unit == step_unit(scenario.id, "remind", "2026-11")
    assert len(unit) <= 30
