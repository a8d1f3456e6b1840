"""Scenarios: a gallery with a switch for each, one as a list of steps, and its rehearsal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from collections.abc import Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from datetime import timedelta
from typing import Any
from typing import cast
from typing import get_args

from flask import abort
from flask import request
from sqlalchemy import func
from sqlalchemy import select
from sqlalchemy import text
from werkzeug.wrappers import Response

from ..errors import Refused
from ..errors import UsageError
from ..marketing.scenarios import publishing
from ..marketing.scenarios import rehearsal as rehearsing
from ..marketing.scenarios.declared import Scenarios
from ..marketing.scenarios.definition import OnSegment
from ..marketing.scenarios.definition import Scenario
from ..marketing.scenarios.playing import SENT
from ..marketing.scenarios.reading import write_scenario
from ..marketing.segments.errors import InvalidRule
from ..models import PublishedScenario
from ..models import ScenarioRun
from ..models import ScenarioVersion
from ..models.scenario import HAS_ENDED
from ..models.scenario import IS_LIVE
from ..state import LineState
from ..state import current_line
from . import scenario_words as words
from .audit import note
from .i18n import gettext as _
from .names import name_of_member
from .pages import go
from .pages import render
from .pages import say
from .why import why

#: Over how many days a rehearsal plays, and how the ends of runs are counted.
DAYS = 30
#: Messages of a rehearsal that are shown.
SHOWN = 10


@dataclass(frozen=True, slots=True)
class Listed:
    """A scenario with its state.

    :ivar state: ``draft`` (never switched on), ``running``, ``paused`` or ``stopped``.
    :ivar version: ``None`` of a draft.
    :ivar is_changed: whether the shop's program has another one by now than runs.
    :ivar standing: how many members are on their way through it.
    """

    scenario: Scenario
    state: str
    version: int | None
    is_changed: bool
    problem: str | None
    standing: int
    row_id: int | None

    @property
    def needs_enrol(self) -> bool:
        """Whether switching it on asks who of those already there goes by it."""
        is_begun_anew = self.state in {"draft", "stopped"} or self.is_changed
        chooses = is_begun_anew and isinstance(self.scenario.start, OnSegment)
        return chooses or (self.is_changed and self.version is not None)


@dataclass(frozen=True, slots=True)
class Sample:
    """One message of a rehearsal."""

    at: datetime
    name: Any
    step: str
    text: str


def scenarios() -> str:
    """Show all scenarios, each with its switch."""
    line = current_line
    rows = _all(line)
    return render("scenarios", rows=rows, words=words, line=line)


def scenario(name: str) -> str:
    """Show one scenario as a list of its steps, with who stands at each."""
    line = current_line
    one = one_of(line, name)
    return render(
        "scenario",
        one=one,
        words=words,
        line=line,
        standing=_standing(line, one.row_id),
        ends=_ends(line, one.row_id),
        versions=_versions(line, one.row_id),
        enrols=_enrols(),
        days=DAYS,
    )


def rehearsal(name: str) -> str:
    """Play a scenario over the last days: who would have got what. Nothing is sent."""
    line = current_line
    one = one_of(line, name)
    since = line.clock() - timedelta(days=DAYS)
    try:
        found = rehearsing.rehearse(line, one.scenario, since=since)
    except (UsageError, InvalidRule) as error:
        line.session.rollback()
        return render("rehearsal", one=one, words=words, line=line, problem=str(error), days=DAYS)
    steps: Counter[tuple[str, str, str | None]] = found.outcomes()
    return render(
        "rehearsal",
        one=one,
        words=words,
        line=line,
        problem="",
        found=found,
        steps=_by_step(one.scenario, steps),
        samples=_samples(line, found),
        days=DAYS,
    )


def _by_step(
    one: Scenario, counted: Counter[tuple[str, str, str | None]]
) -> list[tuple[str, list[tuple[str, str | None, int]]]]:
    """Return what came of each step, the most frequent first."""
    return [
        (
            step.name,
            [(what, why, n) for (name, what, why), n in counted.most_common() if name == step.name],
        )
        for step in one.steps
    ]


def switch_on(name: str) -> Response:
    """Let a scenario run as the shop's program has it now.

    :raises Refused: something is wrong with it, or it is not said who goes by it.
    """
    line = current_line
    enrol = request.form.get("enrol")
    chosen = cast("publishing.Enrol", enrol) if enrol in get_args(publishing.Enrol) else None
    with _refusing():
        done = publishing.publish(line, name, enrol=chosen)
    note("scenario-published", subject=f"scenario:{name}")
    line.session.commit()
    line.engine.wake("schedule")
    say(_("オンにしました（%(n)s版）。", n=done.number))
    return go("scenario", name=name)


def pause_scenario(name: str) -> Response:
    """Let nothing of a scenario happen until it is resumed."""
    with _refusing():
        publishing.pause(current_line, name)
    return _changed(name, "scenario-paused", _("一時停止しました。再開すると、続きから進みます。"))


def resume_scenario(name: str) -> Response:
    """Let a paused scenario go on."""
    with _refusing():
        publishing.resume(current_line, name)
    current_line.engine.wake("schedule")
    return _changed(name, "scenario-resumed", _("再開しました。期限が過ぎたものは送りません。"))


def stop_scenario(name: str) -> Response:
    """End a scenario and all that is under way."""
    with _refusing():
        count = publishing.stop(current_line, name)
    return _changed(
        name, "scenario-stopped", _("終了しました。途中の%(n)s人も終わりです。", n=count)
    )


def _changed(name: str, action: str, said: str) -> Response:
    note(action, subject=f"scenario:{name}")
    current_line.session.commit()
    say(said)
    return go("scenario", name=name)


@contextmanager
def _refusing() -> Iterator[None]:
    """Say as a refusal what can't be done; an unknown one is answered like a strange page."""
    try:
        yield
    except UsageError as error:
        current_line.session.rollback()
        raise Refused(
            _("いまはできません。開発者向けの説明: %(why)s", why=error), step="scenario"
        ) from None


def _all(line: LineState) -> list[Listed]:
    is_current = (ScenarioVersion.scenario_id == PublishedScenario.id) & (
        ScenarioVersion.number == PublishedScenario.version
    )
    statement = select(PublishedScenario, ScenarioVersion.digest).join(ScenarioVersion, is_current)
    rows = {row.name: (row, digest) for row, digest in line.session.execute(statement)}
    live = select(ScenarioRun.scenario_id, func.count()).where(text(IS_LIVE))
    standing = {
        key: count for key, count in line.session.execute(live.group_by(ScenarioRun.scenario_id))
    }
    return [_listed(one, rows.get(one.name), standing) for one in line.part(Scenarios)]


def _listed(
    one: Scenario, found: tuple[PublishedScenario, str] | None, standing: Mapping[int, int]
) -> Listed:
    if found is None:
        return Listed(one, "draft", None, False, None, 0, None)
    row, digest = found
    is_changed = publishing.digest_of(write_scenario(one)) != digest
    count = standing.get(row.id, 0)
    problem = None if row.problem is None else why(row.problem)
    return Listed(one, row.state, row.version, is_changed, problem, count, row.id)


def one_of(line: LineState, name: str) -> Listed:
    """Return a scenario by its name; else there is no such page."""
    return next((one for one in _all(line) if one.scenario.name == name), None) or abort(404)


def _standing(line: LineState, row_id: int | None) -> dict[str, int]:
    """Return how many members stand at each step."""
    statement = (
        select(ScenarioRun.step, func.count())
        .where(ScenarioRun.scenario_id == row_id, text(IS_LIVE))
        .group_by(ScenarioRun.step)
    )
    return {step: count for step, count in line.session.execute(statement)}


def _ends(line: LineState, row_id: int | None) -> list[tuple[str, int]]:
    """Return why runs of the last days ended, the most frequent first."""
    since = line.clock() - timedelta(days=DAYS)
    statement = (
        select(ScenarioRun.end_reason, func.count())
        .where(ScenarioRun.scenario_id == row_id, text(HAS_ENDED), ScenarioRun.ended_at > since)
        .group_by(ScenarioRun.end_reason)
        .order_by(func.count().desc())
    )
    return [
        (words.reason(line, reason), count) for reason, count in line.session.execute(statement)
    ]


def _versions(line: LineState, row_id: int | None) -> list[tuple[int, datetime]]:
    statement = (
        select(ScenarioVersion.number, ScenarioVersion.published_at)
        .where(ScenarioVersion.scenario_id == row_id)
        .order_by(ScenarioVersion.number.desc())
        .limit(20)
    )
    return [(number, at) for number, at in line.session.execute(statement)]


def _enrols() -> dict[str, str]:
    return {
        "nobody": _("これから当てはまる方だけ（おすすめ）"),
        "from-now": _("前の版で始まっていない方と、これからの方"),
        "all": _("いま当てはまる方・途中の方も、この版で"),
    }


def _samples(line: LineState, found: rehearsing.Rehearsal) -> list[Sample]:
    sent = [(s.at, run.member, s) for run in found.runs for s in run.steps if s.outcome == SENT]
    samples = []
    for at, key, step in sorted(sent, key=lambda one: one[0], reverse=True)[:SHOWN]:
        member = line.session.get(line.shop.model, key)
        if member is not None:
            said = rehearsing.words_of(step) or ""
            samples.append(Sample(at, name_of_member(line, member), step.step, said))
    return samples
