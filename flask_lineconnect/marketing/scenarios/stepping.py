"""What happens next to a run: a pure function of the scenario, the run, the facts and the clock.

Nothing here knows the database: the engine, a rehearsal and a test in fast time ask the same.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from dataclasses import replace
from datetime import datetime
from datetime import time
from zoneinfo import ZoneInfo

from ..calendar.times import in_quiet_hours
from .conditions import Asking
from .conditions import holds
from .definition import END
from .definition import Otherwise
from .definition import Scenario
from .definition import Step

TOO_LATE, TOO_OLD = "too late", "too old"
QUIET, CAPPED = "quiet hours", "frequency cap"


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a run stands.

    :ivar step: the one that comes next, or ``end``.
    :ivar moved_at: when the run came to it; from then on its wait counts.
    """

    step: str
    began_at: datetime
    moved_at: datetime


@dataclass(frozen=True, slots=True)
class Rules:
    """The shop's own rules that a step asks for.

    :ivar quiet_hours: of advertising, in the shop's zone.
    :ivar advertising: the names of the categories that are.
    """

    zone: ZoneInfo
    quiet_hours: tuple[time, time] | None = None
    advertising: Collection[str] = ()


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What a step looks at.

    :ivar zone: the member's own, or the shop's.
    :ivar capped_until: when the member may be sent another advertisement; ``None``: now.
    """

    now: datetime
    zone: ZoneInfo
    asking: Asking
    rules: Rules
    capped_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Move:
    """What becomes of a run.

    :ivar outcome: of the step it stood at; ``None``: nothing is to be noted.
    :ivar reason: why.
    :ivar is_sent: whether the step's message goes into the outbox.
    :ivar expires_at: of the message.
    :ivar due_at: when it is looked at next.
    :ivar ends: why the run ends, if it does.
    """

    standing: Standing
    due_at: datetime
    outcome: str | None = None
    reason: str | None = None
    is_sent: bool = False
    expires_at: datetime | None = None
    ends: str | None = None


def move(scenario: Scenario, standing: Standing, seen: Circumstances) -> Move:
    """Say what becomes of a run that is looked at now."""
    ends_at = ends_of(scenario, standing, seen.zone)
    if ends_at is not None and ends_at <= seen.now:
        return Move(standing, seen.now, ends=TOO_OLD)
    step = scenario.step(standing.step)
    if step is None:
        return Move(replace(standing, step=END), seen.now)
    due_at = due_of(step, standing, seen)
    if due_at is None:
        return _on(scenario, step, standing, seen, outcome="skipped", reason=f"no {_value(step)}")
    if due_at > seen.now:
        return Move(standing, due_at if ends_at is None else min(due_at, ends_at))
    if step.message is not None:
        return _message(scenario, step, standing, seen, due_at)
    return _on(scenario, step, _reached(standing, due_at), seen, outcome="passed")


def _reached(standing: Standing, due_at: datetime) -> Standing:
    """Return from when what follows counts: from when it was due, also if that was missed."""
    return Standing(standing.step, standing.began_at, max(standing.moved_at, due_at))


def due_of(step: Step, standing: Standing, seen: Circumstances) -> datetime | None:
    """Return when a step is due, which may be past; ``None``: the value it waits by is absent."""
    if step.wait is None:
        return standing.moved_at
    return step.wait.until(standing.moved_at, seen.zone, seen.asking.facts)


def ends_of(scenario: Scenario, standing: Standing, zone: ZoneInfo) -> datetime | None:
    """Return when a run is too old."""
    if scenario.ends_after is None:
        return None
    return scenario.ends_after.of_moment(standing.began_at, zone)


def _message(
    scenario: Scenario, step: Step, standing: Standing, seen: Circumstances, due_at: datetime
) -> Move:
    """Say what becomes of a message that is due."""
    ends_at = ends_of(scenario, standing, seen.zone)
    expires_at = None if step.expires is None else step.expires.of_moment(due_at, seen.zone)
    if ends_at is not None:
        expires_at = ends_at if expires_at is None else min(expires_at, ends_at)
    if expires_at is not None and expires_at <= seen.now:
        return _without(scenario, step, standing, seen, due_at, "dropped", TOO_LATE)
    if step.only is not None and not holds(step.only, seen.asking):
        return _without(scenario, step, standing, seen, due_at, "skipped", "only")
    for otherwise, until, why in (
        (step.in_quiet_hours, _quiet_until(scenario, step, seen), QUIET),
        (step.over_cap, _capped_until(scenario, step, seen), CAPPED),
    ):
        if until is None:
            continue
        if otherwise is Otherwise.DROP:
            return _without(scenario, step, standing, seen, due_at, "dropped", why)
        if expires_at is not None and until >= expires_at:
            reason = f"{why}, and afterwards {TOO_LATE}"
            return _without(scenario, step, standing, seen, due_at, "dropped", reason)
        return Move(standing, until, outcome="waiting", reason=why)
    # What follows counts from when it was sent, however late that was.
    moved_at = max(standing.moved_at, seen.now)
    sent = Standing(standing.step, standing.began_at, moved_at)
    return _on(scenario, step, sent, seen, outcome="queued", is_sent=True, expires_at=expires_at)


def _without(
    scenario: Scenario,
    step: Step,
    standing: Standing,
    seen: Circumstances,
    due_at: datetime,
    outcome: str,
    reason: str,
) -> Move:
    """Go on behind a step whose message is not sent."""
    reached = _reached(standing, due_at)
    return _on(scenario, step, reached, seen, outcome=outcome, reason=reason)


def _on(
    scenario: Scenario,
    step: Step,
    standing: Standing,
    seen: Circumstances,
    *,
    outcome: str,
    reason: str | None = None,
    is_sent: bool = False,
    expires_at: datetime | None = None,
) -> Move:
    """Go on behind a step: the first way of its branch whose condition holds, or what follows."""
    ways = (way.go for way in step.branch if holds(way.when, seen.asking))
    name = next(ways, None)
    if name is not None and outcome == "passed":
        outcome, reason = "branched", f"to {name}"
    moved = Standing(name or scenario.after(step), standing.began_at, standing.moved_at)
    due_at = next_due(scenario, moved, seen)
    return Move(moved, due_at, outcome, reason, is_sent, expires_at)


def next_due(scenario: Scenario, standing: Standing, seen: Circumstances) -> datetime:
    """Return when a run is to be looked at next; by a value that is unknown yet: at once."""
    step = scenario.step(standing.step)
    due_at = None if step is None else due_of(step, standing, seen)
    ends_at = ends_of(scenario, standing, seen.zone)
    due_at = seen.now if due_at is None else due_at
    return due_at if ends_at is None else min(due_at, ends_at)


def category_of(scenario: Scenario, step: Step) -> str:
    """Return the name of the category of a step's message."""
    return step.category or scenario.category


def _quiet_until(scenario: Scenario, step: Step, seen: Circumstances) -> datetime | None:
    """Return when the scenario's own quiet hours and, for advertising, the shop's are over."""
    rules, ends = seen.rules, []
    if scenario.quiet_hours is not None:
        ends.append(in_quiet_hours(scenario.quiet_hours, seen.now, seen.zone))
    if rules.quiet_hours is not None and category_of(scenario, step) in rules.advertising:
        ends.append(in_quiet_hours(rules.quiet_hours, seen.now, rules.zone))
    return max((one for one in ends if one is not None), default=None)


def _capped_until(scenario: Scenario, step: Step, seen: Circumstances) -> datetime | None:
    is_advertising = category_of(scenario, step) in seen.rules.advertising
    return seen.capped_until if is_advertising else None


def _value(step: Step) -> str:
    return str(getattr(step.wait, "value", "value"))
