"""Begins scenarios at their times, and for whom a segment chooses for the first time.

Run by the engines after events and due steps. Many members are begun a portion at a time, each in a
transaction that also says how far it came: whoever dies begins nobody twice and misses nobody. Two
schedulers take turns at the scenario's row. ``occasions.py`` says when it is time, and for whom.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from datetime import datetime
from datetime import timedelta
from typing import Any

from sqlalchemy import Select
from sqlalchemy import func
from sqlalchemy import select
from sqlalchemy.orm import Session

from ...log_fields import log_fields
from ...models import Account
from ...models import PublishedScenario
from ...models.sqlite import begin_writing
from ...state import LineState
from ..calendar.times import Near
from ..segments.attributes import Attributes
from ..segments.audience import members_in
from ..segments.audience import members_where
from ..segments.errors import InvalidRule
from ..trying import Work
from ..trying import do_or_say
from . import choosing
from .beginning import Beginning
from .beginning import begin_runs
from .definition import OF_DAY
from .definition import OnSegment
from .definition import OnTime
from .definition import Start
from .occasions import due_occurrence
from .occasions import first_occurrence
from .occasions import next_occurrence
from .occasions import people_of
from .published import Published
from .published import published_of

logger = logging.getLogger(__name__)

#: Members who are read with one question, and who begin in one transaction.
AT_A_TIME, PORTION = 10_000, 500
#: How often a segment is looked at; and looking takes at most one part in so many of the time.
LOOK_EVERY, LOOK_PART = timedelta(minutes=1), 20
_DAY = timedelta(days=1)


def plan_start(
    line: LineState,
    row: PublishedScenario,
    start: Start,
    *,
    before: Start | None,
    enrol: str,
    now: datetime,
) -> None:
    """Note when a scenario begins that is published, inside the caller's transaction.

    :param before: how the version began that it replaces, if that one runs: a time that has come
        goes on with the new one.
    :param enrol: ``all`` begins it also for those whom its segment chooses already; ``from-now``
        leaves it at whom it chose for the version before.
    :raises InvalidRule: its segment asks for what there is not.
    """
    is_same = before == start
    if isinstance(start, OnTime):
        if not is_same:
            row.cursor = None
            _from_now(line, row, start, now)
    elif isinstance(start, OnSegment):
        row.next_day = row.cursor = None
        row.next_at = now
        chosen = chosen_now(line, start)
        if not is_same or enrol != "from-now":
            choosing.remember(line.session, row.id, chosen, is_begun=enrol == "all", now=now)
    else:
        row.next_at = row.next_day = row.cursor = None


def resume_start(line: LineState, row: PublishedScenario, start: Start, *, now: datetime) -> None:
    """Note when a scenario begins that was paused: times that passed meanwhile are left out.

    A beginning for many members that was interrupted goes on, if that was within a day.
    """
    if isinstance(start, OnSegment):
        row.next_at = now
    elif isinstance(start, OnTime):
        is_going_on = row.cursor is not None and row.next_at is not None
        if not is_going_on or (row.next_at or now) <= now - _DAY:
            row.cursor = None
            _from_now(line, row, start, now)


def start_due(line: LineState) -> int:
    """Begin every scenario whose time it is; return how many members were looked at."""
    with line.work_context():
        statement = _due(line.clock()).with_only_columns(PublishedScenario.id)
        ids = line.session.scalars(statement).all()
    total = 0
    for scenario_id in ids:
        if not line.stopping.is_set():
            with line.work_context():
                total += do_or_say(line, _BEGINNING, scenario_id)
    return total


def _due(now: datetime) -> Select[PublishedScenario]:
    return (
        select(PublishedScenario)
        .where(
            PublishedScenario.next_at.is_not(None),
            PublishedScenario.next_at <= now,
            PublishedScenario.state == "running",
        )
        .order_by(PublishedScenario.next_at)
    )


def _from_now(line: LineState, row: PublishedScenario, start: OnTime, now: datetime) -> None:
    first = first_occurrence(start, now, line.config.zone)
    row.next_at, row.next_day = first.at, first.day


def _start(line: LineState, scenario_id: int) -> int:
    session, now = line.session, line.clock()
    row = session.scalars(_due(now).where(PublishedScenario.id == scenario_id)).one_or_none()
    if row is None:
        session.rollback()
        return 0
    turn = _Turn(line, published_of(line, row), now)
    start = turn.published.scenario.start
    if isinstance(start, OnTime):
        return _fire(turn, row, start)
    if isinstance(start, OnSegment):
        return _look(turn, start)
    turn.put_off(None)
    return 0


_BEGINNING = Work(
    model=PublishedScenario,
    do=_start,
    plain=InvalidRule,
    subject="scenario",
    name="name",
    failed="the scenario %s could not begin for anybody",
    event="scenario_not_begun",
)


@dataclass(frozen=True, slots=True)
class _Turn:
    """One process's turn at one scenario."""

    line: LineState
    published: Published
    now: datetime

    def take(self, next_day: date | None, cursor: Any) -> PublishedScenario | None:
        """Begin a transaction that nobody else has for this scenario.

        :param next_day: the day for which it was to begin when it was read.
        :param cursor: how far it had come.
        :return: ``None``: it has changed meanwhile, by another scheduler or by the owner.
        """
        row = self._locked()
        if row is not None and (row.next_day, row.cursor) == (next_day, cursor):
            return row
        self.line.session.rollback()
        return None

    def put_off(self, at: datetime | None) -> None:
        """Let it be looked at again at a time, or never."""
        self.line.session.rollback()
        row = self._locked()
        if row is not None:
            row.next_at, row.problem = at, None
        self.line.session.commit()

    def _locked(self) -> PublishedScenario | None:
        """Return the scenario's row, if it is still to begin."""
        session = self.line.session
        begin_writing(session)
        statement = _due(self.now).where(
            PublishedScenario.id == self.published.id,
            PublishedScenario.version == self.published.number,
        )
        return session.scalars(
            statement.with_for_update().execution_options(populate_existing=True)
        ).one_or_none()

    def begin(self, keys: Sequence[Any], at: datetime, key: str) -> None:
        """Begin for some members."""
        beginnings = [Beginning(member_id=one, began_at=at, key=key) for one in keys]
        begin_runs(self.line, self.published, beginnings, now=self.now)


def _fire(turn: _Turn, row: PublishedScenario, start: OnTime) -> int:
    """Begin for some members whose time it is."""
    line, session, zone = turn.line, turn.line.session, turn.line.config.zone
    assert row.next_day is not None
    next_day, cursor = row.next_day, row.cursor
    occurrence = due_occurrence(start, next_day - _DAY, turn.now, zone)
    if occurrence is None:
        # The shop has moved to another zone meanwhile.
        turn.put_off(next_occurrence(start, next_day - _DAY, zone).at)
        return 0
    day, is_later = occurrence.day, occurrence.day != next_day
    if is_later:
        _say_missed(turn, next_day, day)
    members = people_now(line, start, day)
    keys = _read(line, members, after=None if is_later else cursor)
    session.rollback()
    about = day.isoformat() if turn.published.scenario.key == OF_DAY else ""
    for some in _portions(keys):
        found = turn.take(next_day, cursor)
        if found is None:
            return 0
        turn.begin(some, occurrence.at, about)
        if some[-1:] == keys[-1:] and len(keys) < AT_A_TIME:
            coming = next_occurrence(start, day, zone)
            found.next_day, found.next_at, found.cursor = coming.day, coming.at, None
        else:
            found.next_day, found.cursor = day, some[-1]
        next_day, cursor, found.problem = day, found.cursor, None
        session.commit()
        if line.stopping.is_set():
            break
    return max(1, len(keys))


def _say_missed(turn: _Turn, first: date, day: date) -> None:
    """Say in the log that times were missed for which it no longer begins."""
    logger.warning(
        "the scenario %s begins for %s; that it should have begun from %s on is too long ago",
        turn.published.name,
        day,
        first,
        extra=log_fields("scenario_missed", scenario=turn.published.name),
    )


def people_now(line: LineState, start: OnTime, day: date) -> Select[Any]:
    """Return the keys of the linked members for whom a scenario begins on a day.

    :raises InvalidRule: a segment or an attribute is gone.
    """
    value = start.at.value if isinstance(start.at, Near) else None
    kind = None if value is None else line.part(Attributes).get(value, place="starts_at").type
    is_moment = kind is not None and kind.python is datetime
    rule = people_of(start, day, line.config.zone, is_moment=is_moment)
    return linked(members_where(line, rule))


def _read(line: LineState, members: Select[Any], *, after: Any) -> Sequence[Any]:
    """Return some keys of members in their order."""
    chosen = members.subquery()
    key = chosen.c[0]
    statement = select(key).order_by(key).limit(AT_A_TIME)
    if after is not None:
        statement = statement.where(key > after)
    return line.session.scalars(statement).all()


def _look(turn: _Turn, start: OnSegment) -> int:
    """Begin for whom a segment chooses now and did not choose before; forget who left it."""
    line, session, began = turn.line, turn.line.session, time.monotonic()
    chosen, scenario_id = chosen_now(line, start), turn.published.id
    new = session.scalars(choosing.new_ones(scenario_id, chosen).limit(AT_A_TIME)).all()
    gone = session.scalars(choosing.gone_ones(scenario_id, chosen).limit(AT_A_TIME)).all()
    took = time.monotonic() - began
    session.rollback()
    is_all = max(len(new), len(gone)) < AT_A_TIME
    for keys, is_new in ((new, True), (gone, False)):
        for some in _portions(keys) if keys else ():
            if line.stopping.is_set() or turn.take(None, None) is None:
                return 0
            if is_new:
                turn.begin(choosing.note(session, scenario_id, some, now=turn.now), turn.now, "")
            else:
                choosing.forget(session, scenario_id, some)
            session.commit()
    if is_all:
        turn.put_off(turn.now + max(LOOK_EVERY, timedelta(seconds=took * LOOK_PART)))
    return len(new) + len(gone)


def chosen_now(line: LineState, start: OnSegment) -> Select[Any]:
    """Return the keys of the linked members whom a scenario's segment chooses.

    :raises InvalidRule: it asks for what there is not.
    """
    return linked(members_in(line, start.segment))


def linked(members: Select[Any]) -> Select[Any]:
    """Return those of some members who are linked, to whom alone something can be sent."""
    chosen = members.subquery("chosen")
    return select(chosen.c[0].label("member_key")).where(
        select(Account.id).where(Account.member_id == chosen.c[0]).exists()
    )


def _portions(keys: Sequence[Any]) -> Sequence[Sequence[Any]]:
    """Return keys in portions, one at least."""
    starts = range(0, max(1, len(keys)), PORTION)
    return [keys[start : start + PORTION] for start in starts]


def next_start_at(session: Session) -> datetime | None:
    """Return when a scenario is to be looked at next, if any is, which may be past."""
    is_running = PublishedScenario.state == "running"
    return session.scalar(select(func.min(PublishedScenario.next_at)).where(is_running))
