"""Which webhook events this worker works on, and what it writes to them: many in one statement.

Each claim has a lease and a number. The lease says until when nobody else takes the event, and who
writes asks for the number: a worker that was overtaken writes nothing. Next: ``hook_runs.py``.
"""

from __future__ import annotations

import json
import time
from collections import defaultdict
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from datetime import timedelta
from typing import Any
from typing import NamedTuple
from typing import cast

from sqlalchemy import BindParameter
from sqlalchemy import ColumnElement
from sqlalchemy import CompoundSelect
from sqlalchemy import Connection
from sqlalchemy import Integer
from sqlalchemy import Select
from sqlalchemy import Table
from sqlalchemy import Update
from sqlalchemy import and_
from sqlalchemy import bindparam
from sqlalchemy import case
from sqlalchemy import exists
from sqlalchemy import func
from sqlalchemy import literal_column
from sqlalchemy import or_
from sqlalchemy import select
from sqlalchemy import union
from sqlalchemy import union_all
from sqlalchemy import update

from ..models import InboxEvent
from ..models.inbox import OPEN_STATES
from . import json_rows

#: How long a hook may take before another worker takes its event over, and what it did is undone.
#: Short enough for LINE's reply token, which lives about a minute, to outlive a killed process.
#: Each further one is twice as long: a server that keeps falling over costs no innocent event.
LEASE = timedelta(seconds=20)
MAX_ATTEMPTS = 5
#: After so many, whose process ended each time, the event is taken for the cause of it.
MAX_KILLS = 10
#: Attempts of which nobody knows how they ended, after which an event is suspected of ending the
#: process. It is worked on alone then, so that no other event is counted as often as it is.
SUSPECTED_AFTER = 2
#: After so many, all those that saw fewer ended processes are worked on before it; up to then the
#: oldest is first, as its reply token ends first.
DOUBTFUL_AFTER = 5
#: Rows that are looked at for each one that is taken: a person may have written many in a row.
_LOOKED_AT = 4

_table = cast(Table, InboxEvent.__table__)
_columns = _table.c


@dataclass(frozen=True, slots=True, eq=False)
class Claim:
    """An event that this worker works on, the number by which it may write, and what stands there.

    :ivar attempt: of the hook, from 1.
    :ivar reply: what the hook said at an earlier attempt, if it ran to its end.
    :ivar reply_attempts: how often LINE was given the reply, with the time that may follow now.
    :ivar is_unexplained: whether no attempt has told of an error: its processes were killed.
    :ivar ends_at: when the lease ends, by this machine's monotonic clock.
    """

    event_id: str
    number: int
    attempt: int
    state: str
    payload: str
    reply: Sequence[Mapping[str, Any]] | None
    reply_attempts: int
    is_token_used: bool
    occurred_at: datetime
    received_at: datetime
    is_unexplained: bool = False
    ends_at: float = 0.0

    @property
    def is_suspect(self) -> bool:
        """Tell whether the event may be what ends the processes that work on it."""
        is_hook_due = self.state == "queued" and self.is_unexplained
        return is_hook_due and self.attempt > SUSPECTED_AFTER

    @property
    def is_last_passed(self) -> bool:
        """Tell whether the event has had all its attempts."""
        return self.attempt > (MAX_KILLS if self.is_unexplained else MAX_ATTEMPTS)


#: What a claim gives back, in the order of :class:`Claim`.
_CLAIMED = (
    _columns.webhook_event_id,
    _columns.claims,
    _columns.attempts,
    _columns.state,
    _columns.payload,
    _columns.reply,
    _columns.reply_attempts,
    _columns.is_token_used,
    _columns.occurred_at,
    _columns.received_at,
    _columns.error.is_(None).label("is_unexplained"),
)

#: New values of columns, by their names.
Changes = Mapping[str, Any]


class Outcome(NamedTuple):
    """What is to be written to an event, unless others took it over, and what follows then."""

    claim: Claim
    changes: Changes
    then: Callable[[], None] | None = None


def lease_of(attempt: int) -> timedelta:
    """Return how long a hook may take at an attempt."""
    return LEASE * (1 << min(max(attempt, 1), MAX_ATTEMPTS) - 1)


def is_anything_due(connection: Connection, *, now: datetime) -> bool:
    """Look whether there is anything to claim, without the lock that claiming takes."""
    return bool(connection.scalar(_ANYTHING_DUE, _times(now)))


def is_anything_free(connection: Connection, *, now: datetime, suspects: int = 1) -> bool:
    """The same, but for events of persons of whom no other event is being worked on."""
    return bool(connection.scalar(_ANYTHING_FREE, {**_times(now), **_limits(1, suspects)}))


def claim(connection: Connection, *, now: datetime, limit: int, suspects: int = 1) -> list[Claim]:
    """Take the oldest due events, one of each person at the most.

    Events wait while another one of the same person is worked on or waits for its next attempt.
    The attempt is counted here, so that an event that kills the process is given up in the end.

    :param suspects: how many of them may have ended processes.
    :return: the oldest first; fewer than ``limit`` although more is due where a person wrote many.
    """
    take = _claim_in_sqlite if connection.dialect.name == "sqlite" else _claim_in_postgresql
    given = {**_times(now), **_limits(limit, suspects)}
    found = take(connection, given, _leases(now))
    return sorted(found, key=lambda one: (one.occurred_at, one.event_id))


_Given = Mapping[str, Any]


def _claim_in_postgresql(connection: Connection, given: _Given, leases: _Given) -> Iterator[Claim]:
    began = time.monotonic()
    for row in connection.execute(_CLAIM, {**given, **leases}).all():
        fields: list[Any] = [*row, _ends_at(began, row.state, row.attempts)]
        yield Claim(*fields)


def _claim_in_sqlite(connection: Connection, given: _Given, leases: _Given) -> Iterator[Claim]:
    """Look first and write then: nobody else writes meanwhile."""
    began = time.monotonic()
    found = connection.scalar(_LOOK_IN_SQLITE, given)
    rows: list[list[Any]] = json.loads(found) if isinstance(found, str) else []
    if rows:
        ids = json.dumps([row[0] for row in rows])
        connection.execute(_CLAIM_IN_SQLITE, {"ids": ids, **leases})
    for event_id, number, attempts, state, payload, reply, tries, is_used, *more in rows:
        occurred_at, received_at, is_unexplained = more
        is_queued = state == "queued"
        yield Claim(
            event_id,
            number + 1,
            attempts + is_queued,
            state,
            payload,
            None if reply is None else json.loads(reply),
            tries + (not is_queued),
            bool(is_used),
            json_rows.time_of(occurred_at),
            json_rows.time_of(received_at),
            bool(is_unexplained),
            _ends_at(began, state, attempts + 1),
        )


def _ends_at(began: float, state: str, attempt: int) -> float:
    lease = lease_of(attempt) if state == "queued" else LEASE
    return began + lease.total_seconds()


def _leases(now: datetime) -> dict[str, datetime]:
    return {f"lease_{attempt}": now + lease_of(attempt) for attempt in _ATTEMPTS}


def _times(now: datetime) -> dict[str, datetime]:
    # What is put off for longer was put off by a clock that was wrong.
    return {"now": now, "too_far": now + LEASE * (1 << MAX_ATTEMPTS)}


def _limits(limit: int, suspects: int) -> dict[str, int]:
    return {"most": limit, "looked_at": limit * _LOOKED_AT, "suspects": suspects}


def _moment(name: str) -> BindParameter[datetime]:
    return bindparam(name, type_=_columns.next_attempt_at.type)


def _is_due() -> ColumnElement[bool]:
    """Ask whether an event may be taken: new, its time has come, or a wrong clock put it off."""
    return and_(
        _columns.next_attempt_at.is_not(None),
        _columns.state.in_(OPEN_STATES),
        or_(
            _columns.attempts == literal_column("0"),
            _columns.next_attempt_at <= _moment("now"),
            _columns.next_attempt_at > _moment("too_far"),
        ),
    )


def _is_suspect(columns: Any) -> ColumnElement[bool]:
    return and_(
        columns.state == "queued",
        columns.attempts >= SUSPECTED_AFTER,
        columns.error.is_(None),
    )


def _chosen() -> Select[tuple[str]]:
    other = _table.alias().c
    # Only what was tried is put off; a number in the statement itself lets the index be used.
    tried = and_(other.next_attempt_at.is_not(None), other.attempts > literal_column("0"))
    is_somebodys = other.line_user_id.is_not(None)
    is_put_off = and_(
        other.next_attempt_at > _moment("now"), other.next_attempt_at <= _moment("too_far")
    )
    busy = select(other.line_user_id).where(tried, is_somebodys, is_put_off)
    suspected = select(other.line_user_id).where(tried, is_somebodys, _is_suspect(other))
    # By their keys: all that wait would be read in their order otherwise, to find the few.
    keys = select(other.webhook_event_id).where(tried, _is_suspect(other))
    suspects = _oldest(
        "suspects",
        _columns.webhook_event_id.in_(keys),
        _is_nobody_or_not_in(busy),
        # Of many, no innocent one is there each time that the process is ended by something else;
        # nor does one wait for ever behind those that the next ended process adds.
        first=case((_columns.attempts >= literal_column(str(DOUBTFUL_AFTER)), 1), else_=0),
    )
    others = _oldest(
        "looked_at", ~_is_suspect(_columns), _is_nobody_or_not_in(union(busy, suspected))
    )
    looked_at = union_all(select(suspects.subquery()), select(others.subquery())).subquery()
    here = looked_at.c
    place = func.row_number().over(
        partition_by=here.person, order_by=(here.occurred_at, here.webhook_event_id)
    )
    ranked = select(here.webhook_event_id, here.occurred_at, place.label("place")).subquery()
    return (
        select(ranked.c.webhook_event_id)
        .where(ranked.c.place == 1)
        .order_by(ranked.c.occurred_at, ranked.c.webhook_event_id)
        .limit(bindparam("most", type_=Integer()))
    )


def _is_nobody_or_not_in(people: Select[Any] | CompoundSelect[Any]) -> ColumnElement[bool]:
    return or_(_columns.line_user_id.is_(None), _columns.line_user_id.not_in(people))


def _oldest(
    most: str, *conditions: ColumnElement[bool], first: ColumnElement[Any] | None = None
) -> Select[Any]:
    """Ask for the oldest due events of some kind.

    :param most: the name of the parameter that says how many.
    :param first: what they are sorted by before their age.
    """
    order = _columns.occurred_at, _columns.webhook_event_id
    person = func.coalesce(_columns.line_user_id, _columns.webhook_event_id)
    return (
        select(*order, person.label("person"))
        .where(_is_due(), *conditions)
        .order_by(*(() if first is None else (first,)), *order)
        .limit(bindparam(most, type_=Integer()))
    )


def _claiming(which: ColumnElement[bool]) -> Update:
    is_queued = _columns.state == "queued"
    leases = {attempt - 1: _moment(f"lease_{attempt}") for attempt in _ATTEMPTS}
    shortest = _moment("lease_1")
    return (
        update(_table)
        .where(which)
        .values(
            attempts=_columns.attempts + case((is_queued, 1), else_=0),
            reply_attempts=_columns.reply_attempts + case((is_queued, 0), else_=1),
            claims=_columns.claims + 1,
            next_attempt_at=case(
                (is_queued, case(leases, value=_columns.attempts, else_=shortest)), else_=shortest
            ),
        )
    )


_ATTEMPTS = range(1, MAX_KILLS + 1)
# Made once: making them takes longer than the database does.
_ANYTHING_DUE = select(exists().where(_is_due()))
_ANYTHING_FREE = select(_chosen().exists())
_CLAIM = _claiming(and_(_columns.webhook_event_id.in_(_chosen()), _is_due())).returning(*_CLAIMED)
_LOOK_IN_SQLITE = json_rows.as_one(
    select(*_CLAIMED).where(_columns.webhook_event_id.in_(_chosen()))
)
_CLAIM_IN_SQLITE = _claiming(json_rows.are_in("ids"))


def write(connection: Connection, outcomes: Sequence[Outcome]) -> set[str]:
    """Write to claimed events, unless other workers have taken them over meanwhile.

    :return: the ids of those that were still ours.
    """
    alike: dict[tuple[str, ...], list[json_rows.Change]] = defaultdict(list)
    for one, changes, _then in outcomes:
        alike[tuple(sorted(changes))].append((one.event_id, one.number, changes))
    written = {outcome.claim.event_id for outcome in outcomes}
    for names, rows in alike.items():
        if json_rows.change(connection, names, rows) < len(rows):
            written -= _overtaken(connection, rows)
    return written


def _overtaken(connection: Connection, rows: Sequence[json_rows.Change]) -> set[str]:
    """Return which events others took over; what is ours stays so until the transaction ends."""
    numbers = {event_id: number for event_id, number, _changes in rows}
    columns = _columns.webhook_event_id, _columns.claims
    found = connection.execute(select(*columns).where(columns[0].in_(numbers)))
    return numbers.keys() - {event_id for event_id, number in found if numbers[event_id] == number}


def write_one(connection: Connection, one: Claim, changes: Changes) -> bool:
    """Write to a claimed event, inside the caller's own transaction; return whether it is ours."""
    statement = (
        update(_table)
        .where(_columns.webhook_event_id == one.event_id, _columns.claims == one.number)
        .values(**changes)
        .returning(_columns.webhook_event_id)
    )
    return connection.execute(statement).first() is not None


def finished(state: str, *, now: datetime) -> dict[str, Any]:
    """Return what is written to an event that comes to its end."""
    return {"state": state, "next_attempt_at": None, "finished_at": now}
