"""Write webhook events durably: one commit for all the requests that wait for one.

A commit costs more than everything else about a webhook. The request whose turn it is writes what
the others handed in meanwhile, and their turn is over before it begins (group commit).
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from collections.abc import Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from typing import Any
from typing import NamedTuple
from typing import cast

from sqlalchemy import ColumnElement
from sqlalchemy import Connection
from sqlalchemy import Dialect
from sqlalchemy import Engine
from sqlalchemy import Table
from sqlalchemy import bindparam
from sqlalchemy import literal_column
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects import sqlite
from sqlalchemy.exc import TimeoutError as Timeout

from ..models import InboxEvent
from ..models.sqlite import BUSY_TIMEOUT

_TABLE = cast(Table, InboxEvent.__table__)
#: What every new row begins with.
_NEW: dict[str, ColumnElement[Any]] = {
    "state": literal_column("'queued'"),
    "attempts": literal_column("0"),
    "claims": literal_column("0"),
    "reply_attempts": literal_column("0"),
    "is_token_used": literal_column("false"),
}
#: Rows of one statement.
_MOST_ROWS = 100


class Row(NamedTuple):
    """A new row of the inbox; times are the database driver's values."""

    webhook_event_id: str
    line_user_id: str | None
    payload: str
    occurred_at: object
    received_at: object
    #: When it is due; at first at once.
    next_attempt_at: object


@dataclass(slots=True)
class _HandedIn:
    rows: Sequence[Row]
    new: int | None = None
    error: BaseException | None = None


class EventWriter:
    """Writes rows of the inbox, past SQLAlchemy's session: there is one statement, and it is hot.

    :param engine: of the database in which the extension's tables are.
    :param patience: seconds after which a request gives up.
    """

    def __init__(self, engine: Engine, *, patience: float = 1.5):
        self._engine = engine
        self._patience = patience
        self._waiting: deque[_HandedIn] = deque()
        self._turn = threading.Lock()
        self._statements: dict[int, str] = {}

    def write(self, rows: Sequence[Row]) -> int:
        """Write rows durably, each webhook event id once.

        :return: how many are new.
        :raises SQLAlchemyError: the database is not there, or is busy for too long. The rows may
            be written nevertheless.
        """
        mine = _HandedIn(rows)
        self._waiting.append(mine)
        if not self._turn.acquire(timeout=self._patience):
            raise Timeout("other webhook events are still being written")
        try:
            if mine.new is None and mine.error is None:
                self._write_all()
        finally:
            self._turn.release()
        if mine.error is not None:
            raise mine.error
        assert mine.new is not None
        return mine.new

    def _write_all(self) -> None:
        group: list[_HandedIn] = []
        while self._waiting:
            group.append(self._waiting.popleft())
        try:
            with self._engine.connect() as connection, self._hurried(connection):
                counts = [self._insert(connection, handed_in.rows) for handed_in in group]
                connection.commit()
        except BaseException as error:  # nobody may take what was not written for written
            for handed_in in group:
                handed_in.error = error
        else:
            for handed_in, count in zip(group, counts, strict=True):
                handed_in.new = count

    def _insert(self, connection: Connection, rows: Sequence[Row]) -> int:
        count = 0
        for start in range(0, len(rows), _MOST_ROWS):
            some = rows[start : start + _MOST_ROWS]
            if len(some) not in self._statements:
                self._statements[len(some)] = _statement(self._engine.dialect, len(some))
            values = tuple(chain.from_iterable(some))
            count += connection.exec_driver_sql(self._statements[len(some)], values).rowcount
        return count

    @contextmanager
    def _hurried(self, connection: Connection) -> Iterator[None]:
        """Let the database answer within :attr:`patience`, for as long as the block lasts."""
        milliseconds = int(self._patience * 1000)
        if self._engine.dialect.name != "sqlite":
            connection.exec_driver_sql(f"SET LOCAL statement_timeout = {milliseconds}")
            yield
            return
        driver: Any = connection.connection.dbapi_connection
        driver.execute(f"PRAGMA busy_timeout = {milliseconds}")
        try:
            yield
        finally:
            driver.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT}")


def _statement(dialect: Dialect, rows: int) -> str:
    """Return the SQL that inserts so many rows: one call of the driver's, without the GIL."""
    values = [
        {**{name: bindparam(f"{name}_{number}") for name in Row._fields}, **_NEW}
        for number in range(rows)
    ]
    is_sqlite = dialect.name == "sqlite"
    make_insert = sqlite.insert if is_sqlite else postgresql.insert
    make_dialect: Any = type(dialect)
    compiled = (
        make_insert(_TABLE)
        .values(values)
        .on_conflict_do_nothing()
        .compile(dialect=make_dialect(paramstyle="qmark" if is_sqlite else "format"))
    )
    assert compiled.positiontup == [f"{name}_{n}" for n in range(rows) for name in Row._fields]
    return str(compiled)
