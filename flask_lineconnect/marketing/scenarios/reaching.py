"""Where a scenario's steps lead, and which of them can never come.

Of a wait only what is sure counts: the shortest that it can be, in any zone and month.
"""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping
from datetime import time
from datetime import timedelta

from ..calendar.times import After
from ..calendar.times import Duration
from ..calendar.times import Wait
from .definition import END
from .definition import Scenario

_DAY = timedelta(days=1)
#: The shortest month, and by how much clocks may be moved within a wait of days.
_MONTH, _MOVED = timedelta(days=28), timedelta(hours=1)
#: The longest of both, for what must not be too short.
_LONG_MONTH = timedelta(days=31)
#: From when until when, on any day.
Hours = tuple[time, time]


def steps_reached(scenario: Scenario) -> set[str]:
    """Return the names of the steps to which some way leads, and ``end``."""
    waiting, reached = [scenario.steps[0].name], set[str]()
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached.add(name)
            waiting += _following(scenario, name)
    return reached


def loop_of(scenario: Scenario) -> list[str]:
    """Return the steps of a way that comes back to where it began, if there is one."""
    done: set[str] = set()
    ways = (_walk(scenario, step.name, [], done) for step in scenario.steps)
    return next(filter(None, ways), [])


def never_done(scenario: Scenario) -> Iterator[tuple[str, str]]:
    """Say of steps, by their places, that a run is over before it comes to them."""
    if scenario.ends_after is None:
        return
    longest = _longest(scenario.ends_after)
    for name, earliest in _earliest(scenario).items():
        if earliest >= longest:
            yield (
                f"steps.{name}",
                f"is never done: a run ends after {scenario.ends_after}, and comes here later",
            )


def no_time_left(*hours: Hours | None) -> bool:
    """Tell whether quiet hours leave no time of the day."""
    minutes = [False] * (24 * 60)
    for start, end in (one for one in hours if one is not None):
        first, last = (one.hour * 60 + one.minute for one in (start, end))
        quiet = range(first, last) if first < last else (*range(first, 24 * 60), *range(last))
        for minute in quiet:
            minutes[minute] = True
    return all(minutes)


def _following(scenario: Scenario, name: str) -> list[str]:
    step = scenario.step(name)
    return [] if step is None else list(dict.fromkeys(scenario.leads_to(step)))


def _walk(scenario: Scenario, name: str, path: list[str], done: set[str]) -> list[str]:
    """Go all ways on from a step; ``done`` are steps from which no way comes back."""
    if name in path:
        return [*path[path.index(name) :], name]
    if name not in done:
        for following in _following(scenario, name):
            if loop := _walk(scenario, following, [*path, name], done):
                return loop
        done.add(name)
    return []


def _earliest(scenario: Scenario) -> Mapping[str, timedelta]:
    """Return how long after its beginning a run comes to the end of each step's wait, at least.

    For scenarios in which no way leads back.
    """
    found: dict[str, timedelta] = {}
    waiting = [(scenario.steps[0].name, timedelta(0))]
    while waiting:
        name, before = waiting.pop()
        step = scenario.step(name)
        if name == END or step is None:
            continue
        earliest = before + _shortest(step.wait)
        if name not in found or earliest < found[name]:
            found[name] = earliest
            waiting += [(following, earliest) for following in scenario.leads_to(step)]
    return found


def _shortest(wait: Wait | None) -> timedelta:
    if not isinstance(wait, After):
        return timedelta(0)
    length = wait.duration
    days = length.months * _MONTH + length.days * _DAY
    if wait.at is not None:
        # Until a time of the day on which it ends.
        days -= _DAY
    moved = _MOVED if days else timedelta(0)
    return max(timedelta(0), days - moved) + timedelta(seconds=length.seconds)


def _longest(length: Duration) -> timedelta:
    days = length.months * _LONG_MONTH + length.days * _DAY
    moved = _MOVED if days else timedelta(0)
    return days + moved + timedelta(seconds=length.seconds)
