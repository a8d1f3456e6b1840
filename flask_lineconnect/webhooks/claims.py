"""Which webhook events this worker works on, and what it writes to them: many in one statement.

Each claim has a lease and a number. The lease says until when nobody else takes the event, and who
writes asks for the number: a worker that was overtaken writes nothing. Next: ``hook_runs.py``.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable
from collections.abc import Collection
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from dataclasses import replace
from datetime import datetime
from datetime import timedelta
from typing import Any
from typing import NamedTuple
from typing import cast

from sqlalchemy import BindParameter
from sqlalchemy import ColumnElement
from sqlalchemy import Connection
from sqlalchemy import Engine
from sqlalchemy import Integer
from sqlalchemy import Select
from sqlalchemy import Table
from sqlalchemy import and_
from sqlalchemy import bindparam
from sqlalchemy import case
from sqlalchemy import exists
from sqlalchemy import func
from sqlalchemy import literal_column
from sqlalchemy import or_
from sqlalchemy import select
from sqlalchemy import update
from sqlalchemy.sql.dml import ReturningUpdate

from ..models import InboxEvent
from ..models.inbox import OPEN_STATES

#: How long a hook may take before another worker takes its event over, and what it did is undone.
#: Short enough for LINE's reply token, which lives about a minute, to outlive a killed process.
#: Each further one is twice as long: a server that keeps falling over costs no innocent event.
LEASE = timedelta(seconds=20)
MAX_ATTEMPTS = 5
#: Rows that are looked at for each one that is taken: a person may have written many in a row.
_LOOKED_AT = 4

#: The name of the lock under which a worker chooses; any number that nobody else uses.
_CLAIMING = int.from_bytes(b"LINEhook")

_table = cast(Table, InboxEvent.__table__)
_columns = _table.c


@dataclass(frozen=True, slots=True, eq=False)
class Claim:
    """An event that this worker works on, the number by which it may write, and what stands there.

    :ivar attempt: of the hook, from 1.
    :ivar reply: what the hook said at an earlier attempt, if it ran to its end.
    :ivar reply_attempts: how often LINE was given the reply, with the time that may follow now.
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
    ends_at: float = 0.0


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


@contextmanager
def writing(engine: Engine, *, is_durable: bool) -> Iterator[Connection]:
    """Open a transaction in which one worker alone chooses and writes, and commit it.

    Who waited must see what the others took, so a transaction that sees what was when it began
    won't do, whatever the shop's others are.

    :param is_durable: wait for the disk. Without, the transaction outlives this process, but not
        the machine: until a later one waits for the disk, which takes it along.
    """
    if engine.dialect.name == "sqlite":
        with _writing_sqlite(engine, is_durable=is_durable) as connection:
            yield connection
        return
    with engine.connect() as plain:
        connection = plain.execution_options(isolation_level="READ COMMITTED")
        if not is_durable:
            connection.exec_driver_sql("SET LOCAL synchronous_commit = off")
        connection.execute(select(func.pg_advisory_xact_lock(_CLAIMING)))
        yield connection
        connection.commit()


@contextmanager
def _writing_sqlite(engine: Engine, *, is_durable: bool) -> Iterator[Connection]:
    with engine.connect() as connection:
        driver: Any = connection.connection.dbapi_connection
        if not is_durable:
            driver.execute("PRAGMA synchronous = NORMAL")
        try:
            # Python's driver begins none before reading, and one that has read may not write then.
            if not driver.in_transaction:
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            yield connection
            connection.commit()
        finally:
            connection.rollback()
            if not is_durable:
                driver.execute("PRAGMA synchronous = FULL")


def is_anything_due(connection: Connection, *, now: datetime) -> bool:
    """Look whether there is anything to claim, without the lock that claiming takes."""
    return bool(connection.scalar(_ANYTHING_DUE, _times(now)))


def is_anything_free(connection: Connection, *, now: datetime) -> bool:
    """The same, but for events of persons of whom no other event is being worked on."""
    return bool(connection.scalar(_ANYTHING_FREE, {**_times(now), **_limits(1)}))


def claim(connection: Connection, *, now: datetime, limit: int) -> list[Claim]:
    """Take the oldest due events, one of each person at the most, in one statement.

    Events wait while another one of the same person is worked on or waits for its next attempt.
    The attempt is counted here, so that an event that kills the process is given up in the end.

    :return: the oldest first; fewer than ``limit`` although more is due where a person wrote many.
    """
    leases = {f"lease_{attempt}": now + lease_of(attempt) for attempt in _ATTEMPTS}
    began = time.monotonic()
    rows = connection.execute(_CLAIM, {**_times(now), **_limits(limit), **leases}).all()
    claims = []
    for row in rows:
        lease = lease_of(row.attempts) if row.state == "queued" else LEASE
        claims.append(replace(Claim(*row), ends_at=began + lease.total_seconds()))
    return sorted(claims, key=lambda one: (one.occurred_at, one.event_id))


def _times(now: datetime) -> dict[str, datetime]:
    # What is put off for longer was put off by a clock that was wrong.
    return {"now": now, "too_far": now + LEASE * (1 << MAX_ATTEMPTS)}


def _limits(limit: int) -> dict[str, int]:
    return {"most": limit, "looked_at": limit * _LOOKED_AT}


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


def _chosen() -> Select[tuple[str]]:
    other = _table.alias()
    # Only what was tried is put off; a number in the statement itself lets the index be used.
    busy = select(other.c.line_user_id).where(
        other.c.next_attempt_at > _moment("now"),
        other.c.next_attempt_at <= _moment("too_far"),
        other.c.attempts > literal_column("0"),
        other.c.line_user_id.is_not(None),
    )
    order = _columns.occurred_at, _columns.webhook_event_id
    person = func.coalesce(_columns.line_user_id, _columns.webhook_event_id)
    looked_at = (
        select(*order, person.label("person"))
        .where(_is_due(), or_(_columns.line_user_id.is_(None), _columns.line_user_id.not_in(busy)))
        .order_by(*order)
        .limit(bindparam("looked_at", type_=Integer()))
        .subquery()
    )
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


def _claiming() -> ReturningUpdate[Any]:
    is_queued = _columns.state == "queued"
    leases = {attempt - 1: _moment(f"lease_{attempt}") for attempt in _ATTEMPTS}
    shortest = _moment("lease_1")
    return (
        update(_table)
        .where(_columns.webhook_event_id.in_(_chosen()), _is_due())
        .values(
            attempts=_columns.attempts + case((is_queued, 1), else_=0),
            reply_attempts=_columns.reply_attempts + case((is_queued, 0), else_=1),
            claims=_columns.claims + 1,
            next_attempt_at=case(
                (is_queued, case(leases, value=_columns.attempts, else_=shortest)), else_=shortest
            ),
        )
        .returning(*_CLAIMED)
    )


_ATTEMPTS = range(1, MAX_ATTEMPTS + 1)
# Made once: making them takes longer than the database does.
_ANYTHING_DUE = select(exists().where(_is_due()))
_ANYTHING_FREE = select(_chosen().exists())
_CLAIM = _claiming()


def write(connection: Connection, outcomes: Sequence[Outcome]) -> set[str]:
    """Write to claimed events, unless other workers have taken them over meanwhile.

    :return: the ids of those that were still ours.
    """
    ours = _still_ours(connection, [outcome.claim for outcome in outcomes])
    alike: dict[tuple[str, ...], list[dict[str, Any]]] = defaultdict(list)
    for one, change, _then in outcomes:
        if one.event_id in ours:
            alike[tuple(sorted(change))].append({"of_event": one.event_id, **change})
    for names, rows in alike.items():
        values = {name: bindparam(name, type_=_columns[name].type) for name in names}
        connection.execute(
            update(_table)
            .where(_columns.webhook_event_id == bindparam("of_event"))
            .values({_columns[name]: value for name, value in values.items()}),
            rows,
        )
    return ours


def _still_ours(connection: Connection, claims: Collection[Claim]) -> set[str]:
    """Return which events nobody took over; they stay so until the transaction ends."""
    if not claims:
        return set()
    numbers = {one.event_id: one.number for one in claims}
    found = select(_columns.webhook_event_id, _columns.claims).where(
        _columns.webhook_event_id.in_(numbers)
    )
    rows = connection.execute(found.with_for_update()).all()
    return {event_id for event_id, number in rows if numbers[event_id] == number}


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
