"""A scenario's own hold-out: who gets nothing, and what it did against them, by quarter."""

from __future__ import annotations

import json
from datetime import UTC
from datetime import date
from datetime import datetime
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from sqlalchemy import select

from flask_lineconnect.cli.group import line as commands
from flask_lineconnect.marketing.results.effect import Judgement
from flask_lineconnect.marketing.results.scenario_effect import BUYING
from flask_lineconnect.marketing.results.scenario_effect import judge_scenario
from flask_lineconnect.models import Attribution
from flask_lineconnect.models import MemberEvent
from flask_lineconnect.models import ScenarioRun
from flask_lineconnect.models import ScenarioVersion
from flask_lineconnect.state import LineState
from tests.conftest import DATABASES
from tests.marketing.results.conftest import Past

pytestmark = pytest.mark.parametrize("database", DATABASES, indirect=True)

TOKYO = ZoneInfo("Asia/Tokyo")
DAY = timedelta(days=1)


class Quarter:
    """Members who began a scenario in a quarter, and bought."""

    def __init__(self, line: LineState, past: Past):
        self.line, self.past = line, past
        self.scenario = past.scenario("cart")
        version = ScenarioVersion(
            scenario_id=self.scenario, number=1, definition={}, digest="", published_at=line.clock()
        )
        line.session.add(version)
        line.session.flush()
        self.version = version.id

    def begin(self, member: int, at: datetime, *, is_held_out: bool, key: str = "") -> None:
        """Let a member begin, or be held out."""
        run = ScenarioRun(
            scenario_id=self.scenario,
            version_id=self.version,
            member_id=member,
            key=key,
            step="remind",
            began_at=at,
            moved_at=at,
            facts={},
            ended_at=at,
            end_reason="held out" if is_held_out else "finished",
        )
        self.line.session.add(run)

    def buy(self, member: int, at: datetime, value: int) -> None:
        """Let a member buy."""
        event = self.past.event("order.placed", member, at)
        order = Attribution(
            order_event_id=event, member_id=member, ordered_at=at, value=value, kind="none"
        )
        self.line.session.add(order)

    def judge(self, now: datetime) -> Judgement:
        """Look at the third quarter."""
        self.line.session.flush()
        first = date(2026, 7, 1)
        return judge_scenario(
            self.line.session, self.scenario, first, TOKYO, worthwhile=0.005, now=now
        )


def test_the_effect_is_judged_once_the_quarter_is_over(line: LineState, past: Past) -> None:
    pytest.importorskip("scipy")
    quarter, began = Quarter(line, past), datetime(2026, 8, 1, tzinfo=UTC)
    members = past.members(102)
    for number, member in enumerate(members[:100]):
        is_held_out = number % 2 == 0
        quarter.begin(member, began, is_held_out=is_held_out)
        if not is_held_out and number < 80:
            quarter.buy(member, began + 5 * DAY, 1_000)
    # Too late, too early, on both sides, and in another quarter.
    quarter.buy(members[0], began + 31 * DAY, 9_000)
    quarter.buy(members[2], began - DAY, 9_000)
    quarter.begin(members[100], began, is_held_out=True, key="1")
    quarter.begin(members[100], began + DAY, is_held_out=False, key="2")
    quarter.begin(members[101], datetime(2026, 9, 30, 15, tzinfo=UTC), is_held_out=False)
    end = datetime(2026, 9, 30, 15, tzinfo=UTC) + BUYING
    assert quarter.judge(end - DAY).kind == "early"
    found = quarter.judge(end)
    assert (found.kind, found.people, found.treated.buyers) == ("better", 100, 40)
    assert found.buyers is not None
    assert found.buyers.value == pytest.approx(0.8)


def test_the_command(app: Flask, line: LineState, past: Past) -> None:
    quarter = Quarter(line, past)
    line.session.commit()
    run = app.test_cli_runner().invoke
    answer = run(commands, ["scenario", "results", "cart", "--json"])
    assert answer.exit_code == 0, answer.output
    assert json.loads(answer.output)["steps"] == []
    assert run(commands, ["scenario", "results", "none"]).exit_code == 1
    answer = run(commands, ["scenario", "results", "cart", "--quarter", "2026-Q5"])
    assert "a quarter is written such as 2026-Q3" in answer.output
    assert line.session.scalars(select(MemberEvent)).all() == []
    assert quarter.scenario
