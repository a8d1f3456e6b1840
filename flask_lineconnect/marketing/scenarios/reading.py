"""Reads scenarios from what TOML, JSON or Python wrote; every refusal names the place.

::

    [cart]
    label = "お買い忘れのお知らせ"
    starts_on = "cart.changed"
    where = {fact = "count", at_least = 1}
    key = "version"
    again = "per key"
    goal = "order.placed"
    exits_on = ["cart.emptied"]
    category = "cart"

    [[cart.steps]]
    name = "remind"
    wait = "PT1H"
    expires = "PT6H"
    message = "お買い忘れはありませんか？"

Reading looks at the form alone. Whether there are such events, facts and steps: ``checking.py``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from collections.abc import Sequence
from datetime import time
from typing import Any

from ...config import values
from ..calendar.times import Near
from ..calendar.times import Recurring
from ..said import Said
from .conditions import Condition
from .conditions import InvalidCondition
from .conditions import read_condition
from .conditions import write_condition
from .definition import END
from .definition import OF_DAY
from .definition import OF_MEMBER
from .definition import Again
from .definition import InvalidScenario
from .definition import OnEvent
from .definition import OnSegment
from .definition import OnTime
from .definition import Otherwise
from .definition import ReEntry
from .definition import Scenario
from .definition import Start
from .definition import Step
from .definition import Track
from .definition import Way

NAME = re.compile(r"[a-z][a-z0-9_]{0,59}")
MAX_STEPS = 100
#: Of a hundred members.
MAX_HOLD_OUT = 50
_STARTS = ("starts_on", "starts_at", "starts_in")
_WORDS = (
    *("label", *_STARTS, "where", "segment", "key", "again", "steps", "category"),
    *("goal", "exits_on", "quiet_hours", "ends_after", "track", "hold_out"),
)
_STEP_WORDS = (
    *("name", "wait", "only", "message", "branch", "then", "category", "expires"),
    *("in_quiet_hours", "over_cap", "track"),
)


def read_scenarios(data: Mapping[str, Any], *, home: str = "") -> tuple[Scenario, ...]:
    """Read the scenarios of a TOML file, a table for each.

    :raises InvalidScenario: one can't be read; names the place.
    """
    return tuple(read_scenario(name, one, home=home) for name, one in data.items())


def read_scenario(name: str, data: object, *, home: str = "") -> Scenario:
    """Read one scenario.

    :raises InvalidScenario: it can't be read; names the place.
    """
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise InvalidScenario("a name has small letters, digits and underscores", place=str(name))
    said = _Said(data, name, _WORDS)
    start = _start(said)
    usual = {OnTime: OF_DAY, OnSegment: OF_MEMBER}
    return Scenario(
        name=name,
        label=said.label(),
        start=start,
        key=said.text("key", usual.get(type(start))),
        again=_again(said),
        steps=_steps(said),
        category=said.text("category"),
        goal=said.text_or_none("goal"),
        exits_on=said.texts("exits_on"),
        quiet_hours=_hours(said),
        ends_after=said.duration("ends_after"),
        track=_track(said),
        hold_out=said.number("hold_out", 0, MAX_HOLD_OUT) or 0,
        home=home,
    )


def write_scenario(scenario: Scenario) -> dict[str, Any]:
    """Return a scenario as JSON has it; reading it gives the same one."""
    hours = scenario.quiet_hours
    return {"label": str(scenario.label)} | _given(
        **_write_start(scenario.start),
        key=scenario.key,
        again=str(scenario.again),
        category=scenario.category,
        goal=scenario.goal,
        exits_on=list(scenario.exits_on) or None,
        quiet_hours=f"{hours[0]:%H:%M}-{hours[1]:%H:%M}" if hours else None,
        ends_after=_text(scenario.ends_after),
        track=_write_track(scenario.track),
        hold_out=scenario.hold_out or None,
        steps=[_write_step(step) for step in scenario.steps],
    )


def _write_start(start: Start) -> dict[str, Any]:
    match start:
        case OnEvent(event, where):
            return {"starts_on": event, "where": where and write_condition(where)}
        case OnTime(at, segment):
            return {"starts_at": str(at), "segment": segment}
        case OnSegment(segment):
            return {"starts_in": segment}


def _write_step(step: Step) -> dict[str, Any]:
    branch = [{"when": write_condition(way.when), "go": way.go} for way in step.branch]
    is_waiting, is_dropped = Otherwise.WAIT, Otherwise.DROP
    return {"name": step.name} | _given(
        wait=_text(step.wait),
        only=step.only and write_condition(step.only),
        message=None if step.message is None else json.loads(step.message),
        branch=branch or None,
        then=step.then,
        category=step.category,
        expires=_text(step.expires),
        in_quiet_hours=step.in_quiet_hours.value if step.in_quiet_hours is not is_waiting else None,
        over_cap=step.over_cap.value if step.over_cap is not is_dropped else None,
        track=_write_track(step.track),
    )


class _Said(Said):
    """A table of a scenario's."""

    def __init__(self, data: object, place: str, words: Sequence[str]):
        super().__init__(data, place, words, InvalidScenario)

    def condition(self, word: str) -> Condition | None:
        """Return a condition that may be there."""
        if self.data.get(word) is None:
            return None
        try:
            return read_condition(self.data[word])
        except InvalidCondition as error:
            inside = f"{word}.{error.place}" if error.place else word
            self.fail(str(error), inside)


def _start(said: _Said) -> Start:
    given = [word for word in _STARTS if said.data.get(word) is not None]
    if len(given) != 1:
        said.fail(f"exactly one of {', '.join(_STARTS)} says how it begins")
    [word] = given
    if word != "starts_on" and said.data.get("where") is not None:
        said.fail("only an event has facts; ask for a segment instead", "where")
    if word != "starts_at" and said.data.get("segment") is not None:
        said.fail("is for starts_at alone", "segment")
    if word == "starts_on":
        return OnEvent(said.text(word), said.condition("where"))
    if word == "starts_in":
        return OnSegment(said.text(word))
    at, segment = said.when(word), said.text_or_none("segment")
    if not isinstance(at, Recurring | Near):
        said.fail("a time that comes by itself is needed", word)
    if isinstance(at, Recurring) and segment is None:
        said.fail("says whom a recurring time is for", "segment")
    if isinstance(at, Near) and at.at is None:
        said.fail("a time of day is needed, such as P1D before expires_on at 10:00", word)
    return OnTime(at, segment)


def _again(said: _Said) -> ReEntry:
    found = said.data.get("again")
    rules = [rule.value for rule in Again if rule is not Again.AFTER]
    if found in rules:
        return ReEntry(Again(found))
    if isinstance(found, str) and found.startswith("after "):
        inside = _Said({"again": found.removeprefix("after ")}, said.place, ("again",))
        return ReEntry(Again.AFTER, inside.duration("again"))
    said.fail(f"says whether it begins again: {', '.join(rules)}, or such as after P90D", "again")


def _hours(said: _Said) -> tuple[time, time] | None:
    found = said.data.get("quiet_hours")
    try:
        return None if found is None else values.hours(found)
    except ValueError as error:
        said.fail(str(error), "quiet_hours")


def _steps(said: _Said) -> tuple[Step, ...]:
    found = said.data.get("steps")
    if not isinstance(found, list | tuple) or not 1 <= len(found) <= MAX_STEPS:
        said.fail(f"a list of 1 to {MAX_STEPS} steps is needed", "steps")
    return tuple(
        _step(one, f"{said.place}.steps[{number}]", f"{said.place}.steps")
        for number, one in enumerate(found or ())
    )


def _step(data: object, place: str, steps: str) -> Step:
    said = _Said(data, place, _STEP_WORDS)
    name = said.text("name")
    if not NAME.fullmatch(name) or name == END:
        said.fail(f"{name!r} can't be the name of a step", "name")
    said.place = f"{steps}.{name}"
    message = said.data.get("message")
    return Step(
        name=name,
        wait=said.when("wait"),
        only=said.condition("only"),
        message=None if message is None else said.as_json("message"),
        branch=_branch(said),
        then=said.text_or_none("then"),
        category=said.text_or_none("category"),
        expires=said.duration("expires"),
        in_quiet_hours=said.choice("in_quiet_hours", Otherwise.WAIT),
        over_cap=said.choice("over_cap", Otherwise.DROP),
        track=_track(said),
    )


def _branch(said: _Said) -> tuple[Way, ...]:
    found = said.data.get("branch") or ()
    if not isinstance(found, list | tuple):
        said.fail("a list of ways is needed, such as [{when = {…}, go = …}]", "branch")
    ways = []
    for number, one in enumerate(found):
        way = _Said(one, f"{said.place}.branch[{number}]", ("when", "go"))
        when = way.condition("when")
        if when is None:
            way.fail("must be said", "when")
        ways.append(Way(when, way.text("go")))
    return tuple(ways)


def _track(said: _Said) -> Track | None:
    found = said.data.get("track")
    if found is None or isinstance(found, bool):
        return None if found is None else Track(found)
    is_utm = isinstance(found, Mapping) and all(
        str(name).startswith("utm_") and isinstance(one, str) for name, one in found.items()
    )
    if not is_utm or not found:
        said.fail('true or false is needed, or such as {utm_source = "line"}', "track")
    return Track(utm=tuple(sorted(found.items())))


def _write_track(track: Track | None) -> bool | dict[str, str] | None:
    return None if track is None else dict(track.utm) or track.is_on


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _given(**said: Any) -> dict[str, Any]:
    return {name: value for name, value in said.items() if value is not None}
