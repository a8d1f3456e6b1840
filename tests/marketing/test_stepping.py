"""What becomes of a run, said without a database: waits, lateness, quiet hours, caps, branches."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC
from datetime import datetime
from datetime import time
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from flask_lineconnect.marketing.scenarios.conditions import Asking
from flask_lineconnect.marketing.scenarios.definition import Scenario
from flask_lineconnect.marketing.scenarios.reading import read_scenario
from flask_lineconnect.marketing.scenarios.stepping import Circumstances
from flask_lineconnect.marketing.scenarios.stepping import Move
from flask_lineconnect.marketing.scenarios.stepping import Rules
from flask_lineconnect.marketing.scenarios.stepping import Standing
from flask_lineconnect.marketing.scenarios.stepping import move
from flask_lineconnect.marketing.segments.operators import Clock
from flask_lineconnect.marketing.values import ValueType

TOKYO, TAIPEI = ZoneInfo("Asia/Tokyo"), ZoneInfo("Asia/Taipei")
#: A Monday at noon in Tokyo.
NOON = datetime(2026, 11, 30, 3, tzinfo=UTC)
HOUR = timedelta(hours=1)


def _scenario(*steps: Mapping[str, Any], **more: Any) -> Scenario:
    words = {"label": "x", "starts_on": "a.b", "key": "member", "again": "never"}
    return read_scenario("s", {**words, "category": "cart", "steps": list(steps), **more})


def _seen(
    now: datetime, *, zone: ZoneInfo = TOKYO, done: Mapping[str, int] | None = None, **facts: Any
) -> Circumstances:
    types = {"total": ValueType(int), "starts_at": ValueType(datetime)}
    clock = Clock(now, TOKYO)
    asking = Asking(
        facts, types, clock, lambda event: (done or {}).get(event, 0), lambda name: name == "vip"
    )
    return Circumstances(now, zone, asking, Rules(TOKYO, None, ("cart",)))


def _look(scenario: Scenario, seen: Circumstances, *, at: str | None = None) -> Move:
    return move(scenario, Standing(at or scenario.steps[0].name, NOON, NOON), seen)


def test_a_wait_is_waited_and_counts_from_when_the_step_before_was_sent() -> None:
    scenario = _scenario(
        {"name": "one", "wait": "PT1H", "message": "a"},
        {"name": "two", "wait": "PT2H", "message": "b"},
    )
    early = _look(scenario, _seen(NOON))
    assert (early.outcome, early.due_at) == (None, NOON + HOUR)
    late = _look(scenario, _seen(NOON + 5 * HOUR))
    assert (late.outcome, late.is_sent, late.due_at) == ("queued", True, NOON + 7 * HOUR)
    assert late.standing == Standing("two", NOON, NOON + 5 * HOUR)


def test_what_is_too_late_is_dropped_and_the_next_counts_from_when_it_was_due() -> None:
    scenario = _scenario(
        {"name": "one", "wait": "PT1H", "expires": "PT2H", "message": "a"},
        {"name": "two", "wait": "PT2H", "message": "b"},
    )
    just = _look(scenario, _seen(NOON + 2 * HOUR))
    assert (just.outcome, just.expires_at) == ("queued", NOON + 3 * HOUR)
    late = _look(scenario, _seen(NOON + 3 * HOUR))
    assert (late.outcome, late.reason, late.is_sent) == ("dropped", "too late", False)
    assert (late.standing.step, late.due_at) == ("two", NOON + 3 * HOUR)


@pytest.mark.parametrize(("hours", "is_quiet"), [(8, False), (9, True), (19, True), (20, False)])
def test_quiet_hours_are_waited_for(hours: int, is_quiet: bool) -> None:
    scenario = _scenario({"name": "one", "message": "a"}, quiet_hours="21:00-08:00")
    found = _look(scenario, _seen(NOON + hours * HOUR))
    assert found.is_sent is not is_quiet
    if is_quiet:
        assert (found.outcome, found.reason) == ("waiting", "quiet hours")
        assert found.due_at == NOON + 20 * HOUR
        # Asked again then, it is as if it had been due all the time.
        again = move(scenario, found.standing, _seen(found.due_at))
        assert again.is_sent


def test_quiet_hours_are_those_of_the_member_and_the_shops_own() -> None:
    scenario = _scenario({"name": "one", "message": "a"}, quiet_hours="21:00-08:00")
    at_nine = NOON + 9 * HOUR
    assert _look(scenario, _seen(at_nine, zone=TAIPEI)).is_sent
    rules = Rules(TOKYO, (time(21), time(10)), ("cart",))
    seen = replace(_seen(at_nine, zone=TAIPEI), rules=rules)
    assert _look(scenario, seen).due_at == NOON + 22 * HOUR
    # What is no advertising keeps no quiet hours of the shop's.
    order = _scenario({"name": "one", "message": "a"}, category="order")
    assert _look(order, seen).is_sent


@pytest.mark.parametrize("word", ["in_quiet_hours", "over_cap"])
def test_a_message_is_dropped_instead_where_it_says_so(word: str) -> None:
    step = {"name": "one", "message": "a", "in_quiet_hours": "wait", "over_cap": "wait"}
    seen = _seen(NOON + 9 * HOUR)
    if word == "over_cap":
        seen = replace(_seen(NOON), capped_until=NOON + 50 * HOUR)
    for otherwise, outcome in (("wait", "waiting"), ("drop", "dropped")):
        scenario = _scenario({**step, word: otherwise}, quiet_hours="21:00-08:00")
        found = _look(scenario, seen)
        assert (found.outcome, found.is_sent) == (outcome, False)
    soon = _scenario({**step, "expires": "PT10H"}, quiet_hours="21:00-08:00")
    found = _look(soon, seen)
    assert found.outcome == "dropped"
    assert found.reason is not None
    assert found.reason.endswith("and afterwards too late")


def test_a_message_without_its_condition_is_left_out_and_the_run_goes_on() -> None:
    only = {"fact": "total", "at_least": 5000}
    scenario = _scenario(
        {"name": "one", "only": only, "message": "a"}, {"name": "two", "message": "b"}
    )
    found = _look(scenario, _seen(NOON, total=4999))
    assert (found.outcome, found.reason, found.standing.step) == ("skipped", "only", "two")
    assert _look(scenario, _seen(NOON, total=5000)).is_sent
    assert _look(scenario, _seen(NOON, total=None)).outcome == "skipped"


@pytest.mark.parametrize(
    ("when", "done", "expected"),
    [
        ({"event": "c.d"}, {}, "rest"),
        ({"event": "c.d"}, {"c.d": 1}, "aside"),
        ({"event": "c.d", "at_least": 2}, {"c.d": 1}, "rest"),
        ({"segment": "vip"}, {}, "aside"),
        ({"not": {"segment": "vip"}}, {}, "rest"),
    ],
)
def test_a_branch_goes_the_first_way_that_holds(
    when: Mapping[str, Any], done: Mapping[str, int], expected: str
) -> None:
    scenario = _scenario(
        {"name": "fork", "branch": [{"when": when, "go": "aside"}]},
        {"name": "rest", "message": "a", "then": "end"},
        {"name": "aside", "message": "b"},
    )
    found = _look(scenario, _seen(NOON, done=done))
    assert found.standing.step == expected
    assert found.outcome == ("branched" if expected == "aside" else "passed")


def test_a_wait_by_a_value_that_is_absent_is_left_out() -> None:
    step = {"name": "one", "wait": "P1D before starts_at at 18:00", "message": "a"}
    found = _look(_scenario(step), _seen(NOON, starts_at=None))
    assert (found.outcome, found.reason, found.standing.step) == ("skipped", "no starts_at", "end")
    starts_at = NOON + timedelta(days=3)
    found = _look(_scenario(step), _seen(NOON, starts_at=starts_at))
    assert found.due_at == datetime(2026, 12, 2, 9, tzinfo=UTC)


def test_a_run_that_is_too_old_ends_and_no_message_outlives_it() -> None:
    step = {"name": "one", "wait": "P2D", "message": "a"}
    scenario = _scenario(step, ends_after="P1D")
    waiting = _look(scenario, _seen(NOON))
    assert waiting.due_at == NOON + timedelta(days=1)
    assert _look(scenario, _seen(waiting.due_at)).ends == "too old"
    scenario = _scenario({"name": "one", "message": "a"}, ends_after="P1D")
    assert _look(scenario, _seen(NOON)).expires_at == NOON + timedelta(days=1)


def test_a_step_that_a_version_has_no_more_ends_the_way() -> None:
    scenario = _scenario({"name": "one", "message": "a"})
    assert _look(scenario, _seen(NOON), at="gone").standing.step == "end"


def test_a_clock_that_goes_back_does_nothing_early() -> None:
    scenario = _scenario({"name": "one", "wait": "PT1H", "message": "a"})
    found = _look(scenario, _seen(NOON - timedelta(days=400)))
    assert (found.is_sent, found.due_at) == (False, NOON + HOUR)
