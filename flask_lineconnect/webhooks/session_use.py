"""What a hook does with the shop's database sessions: which connections, and commits of its own."""

from __future__ import annotations

import os
import socket
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextlib import suppress
from contextvars import ContextVar
from dataclasses import dataclass
from dataclasses import field
from typing import Any

from sqlalchemy import Connection
from sqlalchemy import event
from sqlalchemy.orm import Session
from sqlalchemy.orm import SessionTransaction
from sqlalchemy.orm import scoped_session


@dataclass(slots=True)
class SessionUse:
    """What sessions were used for.

    :ivar connections: those of the transactions that are open now, with their sessions.
    :ivar commits: how often one was committed.
    """

    connections: list[tuple[Session, Connection]] = field(default_factory=list)
    commits: int = 0

    def has_written(self) -> bool:
        """Ask the databases whether an open transaction has changed anything."""
        return any(_has_written(connection) for _session, connection in self.connections)


#: So long breaking a statement off may take: SQLite sleeps a tenth of a second at the most between
#: two looks at a lock.
BREAK_OFF_SECONDS = 0.2

#: The connections of SQLite that are rolled back from outside and not yet closed by their threads.
_still_open: set[int] = set()
_closing = threading.Lock()

#: Of the hook that runs here. Most hooks ask the database nothing, so that their session is not
#: even made; what is noted is noted when one begins something.
_use: ContextVar[SessionUse | None] = ContextVar("lineconnect_session_use", default=None)


def watch(session: scoped_session[Any]) -> None:
    """Let :func:`noted_use` work with a shop's sessions; a second call does nothing."""
    if not event.contains(session, "after_begin", _note_begin):
        event.listen(session, "after_begin", _note_begin)
        event.listen(session, "after_commit", _note_commit)
        event.listen(session, "after_transaction_end", _note_end)


@contextmanager
def noted_use() -> Iterator[SessionUse]:
    """Note what the shop's sessions are used for until the block ends."""
    use = SessionUse()
    token = _use.set(use)
    try:
        yield use
    finally:
        _use.reset(token)


def _note_begin(session: Session, _transaction: SessionTransaction, connection: Connection) -> None:
    use = _use.get()
    if use is not None and (session, connection) not in use.connections:
        use.connections.append((session, connection))


def _note_commit(session: Session) -> None:
    use = _use.get()
    # A savepoint's end is no commit yet.
    if use is not None and not session.in_nested_transaction():
        use.commits += 1


def _note_end(session: Session, transaction: SessionTransaction) -> None:
    use = _use.get()
    if use is not None and transaction.parent is None:
        use.connections[:] = [one for one in use.connections if one[0] is not session]


def undo_elsewhere(connection: Connection) -> None:
    """Undo what another thread's transaction has done, which may be in the middle of anything.

    Its connection is never closed under its feet: SQLite's driver would end the process, and of
    PostgreSQL's the number of the socket would be another connection's next, on which that thread
    would go on reading. The statement is broken off instead. The pool forgets the connection; its
    thread closes it, if it ever comes back.
    """
    driver: Any = connection.connection.dbapi_connection
    if connection.dialect.name != "sqlite":
        connection.detach()
        _hang_up(driver)
        return
    pool = connection.engine.pool
    if not event.contains(pool, "close_detached", _note_close):
        event.listen(pool, "close_detached", _note_close)
    with _closing:
        _still_open.add(id(driver))
    connection.detach()
    _roll_back_elsewhere(driver)


def _roll_back_elsewhere(driver: Any) -> None:
    """Break a statement of SQLite's off; its thread has a moment to roll back before we do."""
    # Its thread may roll back or close it at any moment, which is all that is wanted.
    with suppress(sqlite3.ProgrammingError, sqlite3.OperationalError):
        driver.interrupt()
        deadline = time.monotonic() + BREAK_OFF_SECONDS
        while driver.in_transaction and time.monotonic() < deadline:
            time.sleep(0.01)
        with _closing:
            if id(driver) in _still_open and driver.in_transaction:
                driver.rollback()
    with _closing:
        _still_open.discard(id(driver))


def _note_close(driver: Any) -> None:
    """Let a connection be closed by its own thread when nobody rolls it back, nor will."""
    with _closing:
        _still_open.discard(id(driver))


def _hang_up(driver: Any) -> None:
    """Break a statement off and end the conversation, whereupon the server undoes everything.

    A server that hangs does not take the first, so it gets a moment only.
    """
    breaking_off = threading.Thread(target=_cancel, args=[driver], daemon=True)
    breaking_off.start()
    breaking_off.join(BREAK_OFF_SECONDS)
    with socket.socket(fileno=os.dup(driver.fileno())) as line_to_server:
        line_to_server.shutdown(socket.SHUT_RDWR)


def _cancel(driver: Any) -> None:
    # Whatever a driver says: the conversation ends anyway.
    with suppress(Exception):
        driver.cancel()


def _has_written(connection: Connection) -> bool:
    match connection.dialect.name:
        case "sqlite":
            driver: Any = connection.connection.dbapi_connection
            return bool(driver.in_transaction)
        case "postgresql":
            asked = connection.exec_driver_sql("SELECT txid_current_if_assigned()")
            return asked.scalar() is not None
    return True
