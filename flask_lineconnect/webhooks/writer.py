"""Write webhook events durably: one commit for all the requests that wait for one.

A commit costs more than everything else about a webhook. The request whose turn it is writes what
the others handed in meanwhile, and their turn is over before it begins (group commit). What can be
left to the database is left to it: other threads have the interpreter then.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from itertools import chain
from typing import Any
from typing import NamedTuple

from sqlalchemy import Engine
from sqlalchemy import event
from sqlalchemy.engine.interfaces import DBAPICursor
from sqlalchemy.pool import Pool
from sqlalchemy.pool import SingletonThreadPool
from sqlalchemy.pool import StaticPool

from ..models import InboxEvent

#: Rows of one statement in SQLite, which takes so many values and no list.
_MOST_ROWS = 100
#: What every new row begins with comes last.
_INTO = f"""INSERT INTO {InboxEvent.__tablename__} (
    webhook_event_id, line_user_id, payload, occurred_at, received_at, next_attempt_at,
    state, attempts, claims, reply_attempts, is_token_used
)"""


class NotWritten(Exception):
    """The database is not there, or is busy for too long; or the rows are written nevertheless."""


class Row(NamedTuple):
    """A new row of the inbox.

    :ivar timestamp: when it happened, in LINE's milliseconds.
    """

    webhook_event_id: str
    line_user_id: str | None
    payload: str
    timestamp: int


@dataclass(slots=True)
class _HandedIn:
    rows: Sequence[Row]
    now: datetime
    new: int | None = None
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
        self._patience = patience
        self._waiting: deque[_HandedIn] = deque()
        self._turn = threading.Lock()
        self._pool: Pool | None = None
        self._pid: int | None = None
        time = InboxEvent.__table__.c.received_at.type.dialect_impl(engine.dialect)
        self._to_database = time.bind_processor(engine.dialect) or _unchanged
        milliseconds = int(patience * 1000)
        if engine.dialect.name == "sqlite":
            self._insert = _insert_into_sqlite
            self._hurry = f"PRAGMA busy_timeout = {milliseconds}"
        else:
            self._insert = _insert_into_postgresql
            self._hurry = f"SET LOCAL statement_timeout = {milliseconds}"
        event.listen(engine, "engine_disposed", self._dispose)

    def write(self, rows: Sequence[Row], *, now: datetime) -> int:
        """Write rows durably, each webhook event id once.

        :return: how many are new.
        :raises NotWritten: the database is not there, or is busy for too long. The rows may be
            written nevertheless.
        """
        mine = _HandedIn(rows, now)
        self._waiting.append(mine)
        if not self._turn.acquire(timeout=self._patience):
            raise NotWritten("other webhook events are still being written")
        try:
            if mine.new is None and mine.error is None:
                self._write_all()
        finally:
            self._turn.release()
        if mine.new is None:
            raise NotWritten("the database took no webhook events") from mine.error
        return mine.new

    def _write_all(self) -> None:
        group: list[_HandedIn] = []
        while self._waiting:
            group.append(self._waiting.popleft())
        try:
            counts = self._commit(group)
        except BaseException as error:  # nobody may take what was not written for written
            for handed_in in group:
                handed_in.error = error
            if not isinstance(error, Exception):
                raise
        else:
            for handed_in, count in zip(group, counts, strict=True):
                handed_in.new = count

    def _commit(self, group: Sequence[_HandedIn]) -> list[int]:
        # What was not committed is rolled back when the connection is closed.
        with closing(self._connections().connect()) as connection:
            cursor = connection.cursor()
            cursor.execute(self._hurry)
            counts = [self._insert(cursor, one.rows, self._to_database(one.now)) for one in group]
            connection.commit()
            return counts

    def _connections(self) -> Pool:
        """Return the pool of this process; a database in memory has one connection, the shop's."""
        if isinstance(self._engine.pool, StaticPool | SingletonThreadPool):
            return self._engine.pool
        if self._pool is None or self._pid != os.getpid():
            self._pool, self._pid = self._engine.pool.recreate(), os.getpid()
        return self._pool

    def _dispose(self, _engine: Engine) -> None:
        if self._pool is not None and self._pid == os.getpid():
            self._pool.dispose()
        self._pool = None


def _unchanged(value: object) -> object:
    return value


def _insert_into_sqlite(cursor: DBAPICursor, rows: Sequence[Row], now: object) -> int:
    new = 0
    for start in range(0, len(rows), _MOST_ROWS):
        some = rows[start : start + _MOST_ROWS]
        cursor.execute(_sqlite_statement(len(some)), (now, *chain.from_iterable(some)))
        new += cursor.rowcount
    return new


@cache
def _sqlite_statement(rows: int) -> str:
    values = ", ".join(["(?, ?, ?, ?)"] * rows)
    return f"""{_INTO}
        SELECT column1, column2, column3,
            strftime('%Y-%m-%d %H:%M:%f000', column4 / 1000.0, 'unixepoch'), ?1, ?1,
            'queued', 0, 0, 0, false
        FROM (VALUES {values}) WHERE true
        ON CONFLICT DO NOTHING"""


_POSTGRESQL_STATEMENT = f"""{_INTO}
    SELECT event_id, user_id, payload, to_timestamp(timestamp / 1000.0), now, now,
        'queued', 0, 0, 0, false
    FROM unnest(%s::text[], %s::text[], %s::text[], %s::bigint[])
            AS events (event_id, user_id, payload, timestamp),
        (SELECT %s::timestamptz AS now) AS here
    ON CONFLICT DO NOTHING"""


def _insert_into_postgresql(cursor: DBAPICursor, rows: Sequence[Row], now: Any) -> int:
    columns = [list(column) for column in zip(*rows, strict=True)]
    cursor.execute(_POSTGRESQL_STATEMENT, (*columns, now))
    return cursor.rowcount
