"""Write webhook events durably, those of all requests that wait in one statement.

In SQLite this is one call of the driver's: each one lets go of the interpreter, and waits to have
it back. How requests wait for one another: ``models/group_writer.py``.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
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
from sqlalchemy.engine.interfaces import DBAPICursor
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import PoolProxiedConnection

from ..models import InboxEvent
from ..models import WebhookForward
from ..models.databases import table_name
from ..models.group_writer import GroupWriter
from ..models.helpers import NotWritten as NotWritten
from .event_times import times_stored

#: Rows of one statement in SQLite, which took no more than 999 values before 3.32.
_MOST_ROWS = 200
#: The part of the patience that may be spent on the question which event is the newest.
_OF_PATIENCE = 0.3
#: What every new row begins with comes last.
_COLUMNS = """(
    webhook_event_id, line_user_id, payload, occurred_at, received_at, next_attempt_at,
    state, attempts, claims, reply_attempts, is_token_used
)"""


_FORWARD_COLUMNS = "(target, body, signature, received_at, next_attempt_at, attempts)"

#: A new row of the inbox: webhook event id, LINE user id, payload, time in LINE's milliseconds.
#: There are many of them at once, so they are plain tuples.
Row: TypeAlias = tuple[str, str | None, str, int]

#: What goes on to a further address: the address's key, the body, LINE's signature.
ForwardRow: TypeAlias = tuple[str, bytes, str]


class EventWriter(GroupWriter[Row | ForwardRow]):
    """Writes rows of the inbox, each webhook event id once: the first content wins.

    What goes on to further addresses is written in the same transaction.
    """

    called = "webhook events"
    name = "lineconnect-webhooks"
    #: LINE waits for two seconds.
    usual_patience = 1.5

    def __init__(self, engine: Engine, *, patience: float | None = None):
        super().__init__(engine, patience=patience)
        self._insert = _insert_into_sqlite if self._is_sqlite else _insert_into_postgresql
        self._table = table_name(engine, cast(Table, InboxEvent.__table__))
        forwards = table_name(engine, cast(Table, WebhookForward.__table__))
        values = ", ".join(["?" if self._is_sqlite else "%s"] * 5)
        self._forward = f"INSERT INTO {forwards} {_FORWARD_COLUMNS} VALUES ({values}, 0)"
        kind = InboxEvent.__table__.c.received_at.type.dialect_impl(engine.dialect)
        self._to_database = kind.bind_processor(engine.dialect) or _unchanged

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
                self._helpers.run(partial(self._look_for_times, found), deadline, is_hasty=True)
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

    def _write_group(
        self, connection: PoolProxiedConnection, cursor: DBAPICursor, group: Sequence[Any]
    ) -> None:
        handed_in = list(chain.from_iterable(one.rows for one in group))
        now = self._to_database(group[0].now)
        rows = [one for one in handed_in if len(one) == 4]
        forwards = [(*one, now, now) for one in handed_in if len(one) == 3]
        if forwards and self._is_sqlite:
            cursor.execute("BEGIN IMMEDIATE")
        if rows:
            self._insert(cursor, self._table, rows, now)
        if forwards:
            cursor.executemany(self._forward, forwards)


def _unchanged(value: object) -> object:
    return value


def _insert_into_sqlite(cursor: DBAPICursor, table: str, rows: Sequence[Row], now: object) -> None:
    if len(rows) > _MOST_ROWS and not cast(Any, cursor).connection.in_transaction:
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
