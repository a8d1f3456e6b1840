"""Write rows durably: one commit for all the requests that wait for one.

A commit costs more than everything else about a small request. The request whose turn it is writes
what the others handed in meanwhile, and their turn is over before it begins (group commit).
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
from functools import partial
from typing import Any
from typing import ClassVar
from typing import Generic
from typing import TypeVar

from sqlalchemy import Engine
from sqlalchemy import event
from sqlalchemy.engine.interfaces import DBAPICursor
from sqlalchemy.pool import Pool
from sqlalchemy.pool import PoolProxiedConnection

from .base import hide_values
from .helpers import Helpers
from .helpers import NotWritten
from .sqlite import is_in_memory

Item = TypeVar("Item")

#: Who has less than this part of the patience left tells SQLite so, which costs.
_LATE = 0.8
#: How long before the request gives up PostgreSQL does.
ANSWER_MILLISECONDS = 150


@dataclass(slots=True)
class HandedIn(Generic[Item]):
    """What one request wants to have written."""

    rows: Sequence[Item]
    now: datetime
    is_written: bool = False
    error: BaseException | None = None


class GroupWriter(Generic[Item]):
    """Writes rows past SQLAlchemy's session, those of all requests that wait together.

    It has connections of its own, so that slow pages of the shop's, which may hold all of its, keep
    nobody waiting.

    :param engine: of the database in which the extension's tables are.
    :param patience: seconds after which a request gives up, if not the usual ones.
    :cvar called: the rows, in errors.
    :cvar name: of the thread that waits for the database.
    :cvar usual_patience: seconds after which a request gives up.
    """

    called: ClassVar[str]
    name: ClassVar[str]
    usual_patience: ClassVar[float]

    def __init__(self, engine: Engine, *, patience: float | None = None):
        if patience is None:
            patience = self.usual_patience
        self._engine = engine
        self._is_sqlite = engine.dialect.name == "sqlite"
        self._is_in_memory = is_in_memory(engine)
        self._patience = patience
        self._milliseconds = int(patience * 1000)
        self._waiting: deque[HandedIn[Item]] = deque()
        self._turn = threading.Lock()
        self._helpers = Helpers(self.name)
        self._pool: Pool | None = None
        self._pid: int | None = None
        event.listen(engine, "engine_disposed", self._dispose)

    def write(self, rows: Sequence[Item], *, now: datetime) -> None:
        """Write rows durably.

        :raises NotWritten: the database is not there, or is busy for too long. The rows may be
            written nevertheless.
        """
        mine = HandedIn(rows, now)
        deadline = time.monotonic() + self._patience
        self._waiting.append(mine)
        if not self._turn.acquire(timeout=self._patience):
            raise NotWritten(f"other {self.called} are still being written")
        try:
            if not mine.is_written and mine.error is None:
                self._write_all(deadline)
        finally:
            self._turn.release()
        if not mine.is_written:
            raise NotWritten(f"the database took no {self.called}") from mine.error

    def _write_group(
        self, connection: PoolProxiedConnection, cursor: DBAPICursor, group: Sequence[Any]
    ) -> None:
        """Write what some requests handed in; the transaction is committed afterwards."""
        raise NotImplementedError

    def _write_all(self, deadline: float) -> None:
        group: list[HandedIn[Item]] = []
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

    def _commit(self, group: Sequence[HandedIn[Item]], deadline: float) -> None:
        # What was not committed is rolled back when the connection is closed.
        with closing(self._connections().connect()) as connection:
            cursor = connection.cursor()
            self._hurry(connection, cursor, max(1, int((deadline - time.monotonic()) * 1000)))
            self._write_group(connection, cursor, group)
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
