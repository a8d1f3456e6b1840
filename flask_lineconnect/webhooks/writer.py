"""Write webhook events durably: one commit for all the requests that wait for one.

A commit costs more than everything else about a webhook. The request whose turn it is writes what
the others handed in meanwhile, and their turn is over before it begins (group commit). In SQLite
this is one call of the driver's: each one lets go of the interpreter, and waits to have it back.
"""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from functools import partial
from itertools import chain
from typing import Any
from typing import TypeAlias
from typing import cast

from msgspec.json import encode
from sqlalchemy import Engine
from sqlalchemy import Table
from sqlalchemy import event
from sqlalchemy.engine.interfaces import DBAPICursor
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import Pool
from sqlalchemy.pool import PoolProxiedConnection
from sqlalchemy.pool import SingletonThreadPool
from sqlalchemy.pool import StaticPool

from ..models import InboxEvent
from ..models.base import hide_values
from ..models.databases import table_name
from .event_times import times_stored
from .helpers import Helpers
from .helpers import NotWritten as NotWritten

#: Rows of one statement in SQLite, which took no more than 999 values before 3.32.
_MOST_ROWS = 200
#: Who has less than this part of the patience left tells SQLite so, which costs.
_LATE = 0.8
#: The part of the patience that may be spent on the question which event is the newest.
_OF_PATIENCE = 0.3
#: How long before the request gives up PostgreSQL does.
ANSWER_MILLISECONDS = 150
#: What every new row begins with comes last.
_COLUMNS = """(
    webhook_event_id, line_user_id, payload, occurred_at, received_at, next_attempt_at,
    state, attempts, claims, reply_attempts, is_token_used
)"""


#: A new row of the inbox: webhook event id, LINE user id, payload, time in LINE's milliseconds.
#: There are many of them at once, so they are plain tuples.
Row: TypeAlias = tuple[str, str | None, str, int]


@dataclass(slots=True)
class _HandedIn:
    rows: Sequence[Row]
    now: datetime
    is_written: bool = False
    error: BaseException | None = None


class EventWriter:
    """Writes rows of the inbox, past SQLAlchemy's session: there is one statement, and it is hot.

    It has connections of its own, so that slow pages of the shop's, which may hold all of its, keep
    no webhook waiting.

    :param engine: of the database in which the extension's tables are.
    :param patience: seconds after which a request gives up.
    """

    def __init__(self, engine: Engine, *, patience: float = 1.5):
        self._engine = engine
        self._is_sqlite = engine.dialect.name == "sqlite"
        self._is_in_memory = isinstance(engine.pool, StaticPool | SingletonThreadPool)
        self._insert = _insert_into_sqlite if self._is_sqlite else _insert_into_postgresql
        self._table = table_name(engine, cast(Table, InboxEvent.__table__))
        self._patience = patience
        self._milliseconds = int(patience * 1000)
        self._waiting: deque[_HandedIn] = deque()
        self._turn = threading.Lock()
        self._helpers = Helpers("lineconnect-webhooks")
        self._pool: Pool | None = None
        self._pid: int | None = None
        kind = InboxEvent.__table__.c.received_at.type.dialect_impl(engine.dialect)
        self._to_database = kind.bind_processor(engine.dialect) or _unchanged
        event.listen(engine, "engine_disposed", self._dispose)

    def write(self, rows: Sequence[Row], *, now: datetime) -> None:
        """Write rows durably, each webhook event id once: the first content wins.

        :raises NotWritten: the database is not there, or is busy for too long. The rows may be
            written nevertheless.
        """
        mine = _HandedIn(rows, now)
        deadline = time.monotonic() + self._patience
        self._waiting.append(mine)
        if not self._turn.acquire(timeout=self._patience):
            raise NotWritten("other webhook events are still being written")
        try:
            if not mine.is_written and mine.error is None:
                self._write_all(deadline)
        finally:
            self._turn.release()
        if not mine.is_written:
            raise NotWritten("the database took no webhook events") from mine.error

    def times_stored(self) -> Sequence[datetime]:
        """Return the times of the newest events with known ids, if the database says them."""
        found: list[datetime] = []
        deadline = time.monotonic() + self._patience * _OF_PATIENCE
        if not self._turn.acquire(timeout=self._patience * _OF_PATIENCE):
            return ()
        try:
            if self._is_sqlite:
                self._look_for_times(found)
            else:
                self._helpers.run(partial(self._look_for_times, found), deadline)
        except (SQLAlchemyError, NotWritten):
            # Whether it is there will be seen when the events are written.
            return ()
        finally:
            self._turn.release()
        return found

    def _look_for_times(self, found: list[datetime]) -> None:
        engine = Engine(self._connections(), self._engine.dialect, self._engine.url)
        with engine.execution_options(**self._engine.get_execution_options()).connect() as one:
            found += times_stored(one)

    def _write_all(self, deadline: float) -> None:
        group: list[_HandedIn] = []
        while self._waiting:
            group.append(self._waiting.popleft())
        try:
            if self._is_sqlite:
                self._commit(group, deadline)
            else:
                self._helpers.run(partial(self._commit, group, deadline), deadline)
        except BaseException as error:  # nobody may take what was not written for written
            hide_values(error)
            for handed_in in group:
                handed_in.error = error
            if not isinstance(error, Exception):
                raise
        else:
            for handed_in in group:
                handed_in.is_written = True

    def _commit(self, group: Sequence[_HandedIn], deadline: float) -> None:
        rows = list(chain.from_iterable(one.rows for one in group))
        now = self._to_database(group[0].now)
        # What was not committed is rolled back when the connection is closed.
        with closing(self._connections().connect()) as connection:
            cursor = connection.cursor()
            self._hurry(connection, cursor, max(1, int((deadline - time.monotonic()) * 1000)))
            self._insert(cursor, self._table, rows, now)
            connection.commit()

    def _hurry(self, connection: PoolProxiedConnection, cursor: DBAPICursor, left: int) -> None:
        """Let the database answer before the request gives up, in so many milliseconds."""
        if not self._is_sqlite:
            # A server that lives says so before it is left alone.
            cursor.execute(f"SET LOCAL statement_timeout = {max(1, left - ANSWER_MILLISECONDS)}")
        elif left < self._milliseconds * _LATE and not self._is_in_memory:
            connection.detach()  # the next one has all the patience again
            cursor.execute(f"PRAGMA busy_timeout = {left}")

    def _connections(self) -> Pool:
        """Return the pool of this process; a database in memory has one connection, the shop's."""
        if self._is_in_memory:
            return self._engine.pool
        if self._pool is None or self._pid != os.getpid():
            self._pool, self._pid = self._engine.pool.recreate(), os.getpid()
            if self._is_sqlite:
                event.listen(self._pool, "connect", self._prepare)
        return self._pool

    def _prepare(self, connection: Any, _record: object) -> None:
        """Let a statement be a transaction, and SQLite answer in time."""
        connection.isolation_level = None
        connection.execute(f"PRAGMA busy_timeout = {self._milliseconds}")

    def _dispose(self, _engine: Engine) -> None:
        if self._pool is not None and self._pid == os.getpid():
            self._pool.dispose()
        self._pool = None


def _unchanged(value: object) -> object:
    return value


def _insert_into_sqlite(cursor: DBAPICursor, table: str, rows: Sequence[Row], now: object) -> None:
    if len(rows) > _MOST_ROWS:
        cursor.execute("BEGIN IMMEDIATE")
    for start in range(0, len(rows), _MOST_ROWS):
        some = rows[start : start + _MOST_ROWS]
        cursor.execute(_sqlite_statement(table, len(some)), (now, *chain.from_iterable(some)))


# As many as Python's driver keeps prepared.
@lru_cache(maxsize=128)
def _sqlite_statement(table: str, rows: int) -> str:
    values = ", ".join(["(?, ?, ?, ?)"] * rows)
    return f"""INSERT INTO {table} {_COLUMNS}
        SELECT column1, column2, column3,
            strftime('%Y-%m-%d %H:%M:%f000', column4 / 1000.0, 'unixepoch'), now, now,
            'queued', 0, 0, 0, false
        FROM (SELECT ? AS now), (VALUES {values}) WHERE true
        ON CONFLICT DO NOTHING"""


def _insert_into_postgresql(
    cursor: DBAPICursor, table: str, rows: Sequence[Row], now: object
) -> None:
    # One value: drivers take far longer to make PostgreSQL's own arrays.
    cursor.execute(_postgresql_statement(table), (encode(rows).decode(), now))


@lru_cache(maxsize=16)
def _postgresql_statement(table: str) -> str:
    return f"""INSERT INTO {table} {_COLUMNS}
    SELECT event->>0, event->>1, event->>2, to_timestamp((event->>3)::bigint / 1000.0), now, now,
        'queued', 0, 0, 0, false
    FROM jsonb_array_elements(%s::jsonb) AS event, (SELECT %s::timestamptz AS now) AS here
    ON CONFLICT DO NOTHING"""
