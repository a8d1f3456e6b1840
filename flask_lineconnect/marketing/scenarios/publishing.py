"""Publishes scenarios, and pauses, resumes and stops them; inside the caller's transaction."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from hashlib import sha256
from typing import Any
from typing import Literal
from typing import get_args

from sqlalchemy import Select
from sqlalchemy import select
from sqlalchemy import text
from sqlalchemy import update
from sqlalchemy.orm import Session

from ...after_commit import after_commit
from ...errors import UsageError
from ...models import OutboxMessage
from ...models import PublishedScenario
from ...models import ScenarioRun
from ...models import ScenarioVersion
from ...models.base import insert_if_absent
from ...models.scenario import IS_LIVE
from ...models.sqlite import begin_writing
from ...state import LineState
from . import ending
from .checking import World
from .checking import check_scenario
from .checking import facts_at_hand
from .deciding import STOPPED
from .declared import Scenarios
from .definition import END
from .definition import OnSegment
from .definition import Scenario
from .published import forget_read
from .published import published_of
from .reading import read_scenario
from .reading import write_scenario
from .starting import plan_start
from .starting import resume_start

#: Who of those already there goes by the new version.
Enrol = Literal["nobody", "all", "from-now"]


@dataclass(frozen=True, slots=True)
class Publication:
    """What publishing did.

    :ivar is_new: whether there is a new version; without, nothing of it had changed.
    :ivar moved: how many live runs go on by the new version.
    """

    number: int
    is_new: bool
    moved: int


def publish(line: LineState, name: str, *, enrol: Enrol | None = None) -> Publication:
    """Let a declared scenario run as it is now; one that was stopped or paused runs again.

    :param enrol: needed where a segment chooses people already, or a version is replaced. Live runs
        keep their version, but with ``all`` those go on by the new one whose step it still has.
    :raises UsageError: something is wrong with the scenario, or ``enrol`` is missing or unknown.
    """
    session, now = line.session, line.clock()
    scenario = line.part(Scenarios).get(name)
    require_sound(line, scenario, "published")
    if enrol is not None and enrol not in get_args(Enrol):
        raise UsageError(f"enrol is one of {', '.join(get_args(Enrol))}, not {enrol!r}")
    begin_writing(session)
    definition = write_scenario(scenario)
    is_first = insert_if_absent(session, PublishedScenario, name=name, state="running", version=0)
    row = _locked(session, name)
    current = _version(session, row)
    digest = digest_of(definition)
    is_new = current is None or current.digest != digest
    begins_anew = is_new or row.state == "stopped"
    chooses = begins_anew and isinstance(scenario.start, OnSegment)
    if (chooses or (is_new and not is_first)) and enrol is None:
        raise UsageError(
            f"{name}: say who of those already there goes by this version, with enrol: "
            f"{', '.join(get_args(Enrol))}"
        )
    before = None
    if current is not None and row.state == "running":
        before = read_scenario(name, current.definition).start
    if is_new:
        row.version += 1
        current = ScenarioVersion(
            scenario_id=row.id,
            number=row.version,
            definition=definition,
            digest=digest,
            published_at=now,
        )
        session.add(current)
    if begins_anew:
        plan_start(line, row, scenario.start, before=before, enrol=enrol or "nobody", now=now)
    elif row.state == "paused":
        resume_start(line, row, scenario.start, now=now)
    _go_on(line, row, now)
    moved = _enrol_all(session, row, scenario, now) if is_new and enrol == "all" else 0
    forget_read(line)
    return Publication(row.version, is_new, moved)


def pause(line: LineState, name: str) -> None:
    """Let nothing of a scenario happen, nor be sent, until it is resumed.

    :raises UsageError: it is not running.
    """
    row = _in_state(line, name, "running")
    row.state = "paused"
    _note_change(line)


def resume(line: LineState, name: str) -> None:
    """Let a paused scenario go on; what became due meanwhile is due, or too late.

    :raises UsageError: it is not paused.
    """
    row, now = _in_state(line, name, "paused"), line.clock()
    resume_start(line, row, published_of(line, row).scenario.start, now=now)
    _go_on(line, row, now)
    _note_change(line)


def stop(line: LineState, name: str) -> int:
    """End a scenario and all of its live runs; return how many ended.

    :raises UsageError: it is not published, or stopped already.
    """
    row = _in_state(line, name, "running", "paused")
    row.state, row.next_at, row.cursor = "stopped", None, None
    _note_change(line)
    theirs = ScenarioRun.scenario_id == row.id
    return ending.end_runs(line.session, theirs, STOPPED, now=line.clock())


def digest_of(definition: Mapping[str, Any]) -> str:
    """Return what tells two definitions apart; their labels may be translated."""
    said = {word: value for word, value in definition.items() if word != "label"}
    return sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


def require_sound(line: LineState, scenario: Scenario, done: str) -> None:
    """Refuse a scenario that could not run.

    :param done: what can't be done with it: ``published``.
    :raises UsageError: something is wrong with it; each thing with its place.
    """
    at_hand = facts_at_hand(line, scenario)
    problems = check_scenario(scenario, World.of(line), at_hand=at_hand).problems
    if problems:
        said = "\n".join(f"  {problem}" for problem in problems)
        raise UsageError(f"{scenario.name} can't be {done}:\n{said}")


def _locked(session: Session, name: str) -> PublishedScenario:
    statement = select(PublishedScenario).where(PublishedScenario.name == name)
    statement = statement.with_for_update().execution_options(populate_existing=True)
    return session.scalars(statement).one()


def _version(session: Session, row: PublishedScenario) -> ScenarioVersion | None:
    is_it = ScenarioVersion.scenario_id == row.id, ScenarioVersion.number == row.version
    return session.scalars(select(ScenarioVersion).where(*is_it)).one_or_none()


def _go_on(line: LineState, row: PublishedScenario, now: datetime) -> None:
    """Wake what was held while it was paused."""
    session, was_paused = line.session, row.state == "paused"
    row.state = "running"
    session.flush()
    if was_paused:
        _look_again(session, row, ScenarioRun.due_at.is_(None), now)
        session.execute(
            update(OutboxMessage)
            .where(OutboxMessage.run_id.in_(_live_runs(row)), OutboxMessage.state == "queued")
            .values(next_attempt_at=now)
            .execution_options(synchronize_session=False)
        )
        after_commit(session, partial(line.engine.wake, "delivery"))
    after_commit(session, partial(line.engine.wake, "schedule"))


def _enrol_all(session: Session, row: PublishedScenario, scenario: Scenario, now: datetime) -> int:
    """Let live runs go by the new version, those whose step it still has; they look at it anew."""
    session.flush()
    version = _version(session, row)
    names = [*(step.name for step in scenario.steps), END]
    there = ScenarioRun.step.in_(names)
    statement = (
        update(ScenarioRun)
        .where(ScenarioRun.scenario_id == row.id, text(IS_LIVE), there)
        .values(version_id=version.id if version is not None else None, due_at=now)
        .execution_options(synchronize_session=False)
    )
    return int(getattr(session.execute(statement), "rowcount", 0))


def _look_again(session: Session, row: PublishedScenario, which: Any, now: datetime) -> None:
    session.execute(
        update(ScenarioRun)
        .where(ScenarioRun.scenario_id == row.id, text(IS_LIVE), which)
        .values(due_at=now)
        .execution_options(synchronize_session=False)
    )


def _live_runs(row: PublishedScenario) -> Select[Any]:
    return select(ScenarioRun.id).where(ScenarioRun.scenario_id == row.id, text(IS_LIVE))


def _in_state(line: LineState, name: str, *states: str) -> PublishedScenario:
    """Return a published scenario's row, which is locked.

    :raises UsageError: it is in another state, or was never published.
    """
    begin_writing(line.session)
    found = line.session.scalar(select(PublishedScenario.id).where(PublishedScenario.name == name))
    if found is None:
        # Names the nearest, where nothing is declared by this name either.
        line.part(Scenarios).get(name)
        raise UsageError(f"the scenario {name} was never published")
    row = _locked(line.session, name)
    if row.state not in states:
        raise UsageError(f"the scenario {name} is {row.state}, and not {' or '.join(states)}")
    return row


def _note_change(line: LineState) -> None:
    line.session.flush()
    forget_read(line)
