"""Begins runs, as far as the scenario's re-entry rule allows; whatever asks for it.

An event begins one (``following.py``); a day or a segment begins many.
"""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field
from datetime import datetime
from typing import Any
from typing import cast
from zoneinfo import ZoneInfo

from sqlalchemy import Table
from sqlalchemy import case
from sqlalchemy import func
from sqlalchemy import select
from sqlalchemy import text
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects import sqlite
from sqlalchemy.orm import Session

from ...models import Account
from ...models import ScenarioRun
from ...models.scenario import IS_LIVE
from ...state import LineState
from ..campaigns.sides import is_below
from ..campaigns.sides import scenario_hold_out
from ..event_kinds import EventKinds
from ..segments.operators import Clock
from .conditions import Asking
from .deciding import HELD_OUT
from .deciding import RESTARTED
from .deciding import Earlier
from .deciding import may_begin
from .definition import END
from .definition import Again
from .definition import OnEvent
from .definition import ReEntry
from .definition import Scenario
from .ending import end_runs
from .ending import finish_settled
from .knowing import rules_of
from .knowing import zones_of
from .published import Published
from .stepping import Circumstances
from .stepping import Standing
from .stepping import next_due

#: Runs that begin with one statement; SQLite takes 32,766 values.
AT_ONCE = 500
#: What says of a run when it goes on, or that it is over.
_END = ("due_at", "ended_at", "end_reason")
_RUN = cast(Table, ScenarioRun.__table__)


@dataclass(frozen=True, slots=True)
class Beginning:
    """A run that is to begin.

    :ivar key: what it is about; nothing where it is the member alone.
    :ivar began_at: from when its waits count; aware.
    :ivar facts: of the event, in their written form.
    :ivar subject: what the event was about.
    """

    member_id: Any
    began_at: datetime
    key: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)
    subject: str | None = None
    event_id: int | None = None


def begin_runs(
    line: LineState, published: Published, beginnings: Sequence[Beginning], *, now: datetime
) -> int:
    """Begin runs, inside the caller's transaction; return how many began.

    Whoever is not linked is left out, and so is whom the re-entry rule forbids. Two schedulers must
    not begin for the same members at once: the caller holds the event or the scenario's row.
    """
    once = list({(one.member_id, one.key): one for one in beginnings}.values())
    return sum(_begin(line, published, some, now) for some in _portions(once))


def _portions(beginnings: Sequence[Beginning]) -> Iterator[Sequence[Beginning]]:
    for start in range(0, len(beginnings), AT_ONCE):
        yield beginnings[start : start + AT_ONCE]


def _begin(
    line: LineState, published: Published, beginnings: Sequence[Beginning], now: datetime
) -> int:
    session = line.session
    ids = [one.member_id for one in beginnings]
    statement = select(Account.member_id).where(Account.member_id.in_(ids))
    linked = set(session.scalars(statement))
    wanted = [one for one in beginnings if one.member_id in linked]
    if not wanted:
        return 0
    earlier = _earlier(line, published, wanted, now)
    again, zone = published.scenario.again, line.config.zone
    wanted = [
        one
        for one in wanted
        if may_begin(again, earlier.get(_slot(again, one)), max(one.began_at, now), zone)
    ]
    return _insert(session, _rows(line, published, wanted, now)) if wanted else 0


def _slot(again: ReEntry, one: Beginning) -> tuple[Any, ...]:
    """Return what there are runs of: the member and the key, or for ``never`` the member alone."""
    return (one.member_id,) if again.rule is Again.NEVER else (one.member_id, one.key)


def _earlier(
    line: LineState, published: Published, beginnings: Sequence[Beginning], now: datetime
) -> dict[tuple[Any, ...], Earlier]:
    """Return the runs that there were; those that are to begin anew end, and so do settled ones."""
    session, again = line.session, published.scenario.again
    members = [one.member_id for one in beginnings]
    is_theirs = ScenarioRun.scenario_id == published.id, ScenarioRun.member_id.in_(members)
    if again.rule in (Again.RESTART, Again.WHEN_ENDED, Again.AFTER):
        live = _live(session, is_theirs, {_slot(again, one) for one in beginnings})
        if again.rule is Again.RESTART:
            if live:
                end_runs(session, ScenarioRun.id.in_(live), RESTARTED, now=now)
            return {}
        behind = [run_id for run_id, step in live.items() if step == END]
        if behind:
            finish_settled(session, ScenarioRun.id.in_(behind), now=now)
    is_live = func.sum(case((ScenarioRun.ended_at.is_(None), 1), else_=0))
    slot = [ScenarioRun.member_id, *([] if again.rule is Again.NEVER else [ScenarioRun.key])]
    statement = select(func.max(ScenarioRun.began_at), is_live, *slot).where(*is_theirs)
    if again.rule is not Again.NEVER:
        statement = statement.where(ScenarioRun.key.in_({one.key for one in beginnings}))
    return {
        tuple(key): Earlier(began_at, bool(count))
        for began_at, count, *key in session.execute(statement.group_by(*slot))
    }


def _live(
    session: Session, is_theirs: Sequence[Any], slots: set[tuple[Any, ...]]
) -> dict[int, str]:
    """Return the steps of live runs of these members and keys, by their ids."""
    columns = ScenarioRun.id, ScenarioRun.step, ScenarioRun.member_id, ScenarioRun.key
    rows = session.execute(select(*columns).where(*is_theirs, text(IS_LIVE)))
    return {run_id: step for run_id, step, *slot in rows if tuple(slot) in slots}


def _rows(
    line: LineState, published: Published, beginnings: Sequence[Beginning], now: datetime
) -> list[dict[str, Any]]:
    zone_of = zones_of(line, [one.member_id for one in beginnings])
    scenario = published.scenario
    first, experiment = scenario.steps[0].name, scenario_hold_out(scenario.name)
    rows = []
    for one in beginnings:
        due_at = _first_due(line, scenario, one, zone_of(one.member_id), now)
        # Whoever gets nothing has a run, too, which is over: there is whom to compare with.
        is_held_out = is_below(experiment, one.member_id, scenario.hold_out)
        ended = (None, now, HELD_OUT) if is_held_out else (due_at, None, None)
        rows.append(_row(published, one, first) | dict(zip(_END, ended, strict=True)))
    return rows


def _row(published: Published, one: Beginning, first: str) -> dict[str, Any]:
    return {
        "scenario_id": published.id,
        "version_id": published.version_id,
        "member_id": one.member_id,
        "key": one.key,
        "step": first,
        "began_at": one.began_at,
        "moved_at": one.began_at,
        "facts": dict(one.facts),
        "subject": one.subject,
        "event_id": one.event_id,
        "attempts": 0,
    }


def _first_due(
    line: LineState, scenario: Scenario, one: Beginning, zone: ZoneInfo, now: datetime
) -> datetime:
    standing = Standing(scenario.steps[0].name, one.began_at, one.began_at)
    asking = asking_of_facts(line, scenario, one.facts, now)
    return next_due(scenario, standing, Circumstances(now, zone, asking, rules_of(line)))


def asking_of_facts(
    line: LineState, scenario: Scenario, facts: Mapping[str, Any], now: datetime
) -> Asking:
    """Return what a run knows at once: what the event said, and nothing of the member."""
    kinds, start, values, types = line.part(EventKinds), scenario.start, {}, {}
    if isinstance(start, OnEvent) and start.event in kinds:
        values, types = kinds.get(start.event).read(facts), dict(kinds.get(start.event).types)
    clock = Clock(now, line.config.zone)
    return Asking(values, types, clock, lambda _event: 0, lambda _segment: False)


def _insert(session: Session, rows: list[dict[str, Any]]) -> int:
    is_sqlite = session.get_bind().dialect.name == "sqlite"
    insert = sqlite.insert(_RUN) if is_sqlite else postgresql.insert(_RUN)
    # Another process may have begun the same run since it was asked.
    statement = insert.on_conflict_do_nothing().returning(_RUN.c.id)
    return len(session.execute(statement, rows).all())
