"""What SQLite needs to be a durable queue and a store with foreign keys."""

from __future__ import annotations

import os
import sqlite3
import sys
import weakref
from typing import Any

from sqlalchemy import Connection
from sqlalchemy import Engine
from sqlalchemy import event
from sqlalchemy.orm import Session
from sqlalchemy.pool import SingletonThreadPool
from sqlalchemy.pool import StaticPool

from ..marketing.campaigns.sides import SQLITE_FUNCTION
from ..marketing.campaigns.sides import share

#: WAL lets readers and one writer work side by side; FULL makes a commit survive a power cut;
#: the busy timeout, in milliseconds, is how long a writer waits for another.
BUSY_TIMEOUT = 10_000
#: The first version without the fault that :func:`fault_of_sqlite` tells of.
MENDED = (3, 51, 3)
_NOTED = "_lineconnect_leaves_to_parent"
_MIGRATES = "lineconnect_migrates"
PRAGMAS = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
    f"PRAGMA busy_timeout = {BUSY_TIMEOUT}",
)


def prepare_sqlite(engine: Engine) -> None:
    """Set :data:`PRAGMAS` on every connection, and keep savepoints inside a transaction.

    Other databases are left as they are.
    Source: sqlite.org, "Write-Ahead Logging" and "PRAGMA Statements"; SQLAlchemy, SQLite dialect,
    "Serializable isolation / Savepoints / Transactional DDL".
    """
    if engine.dialect.name == "sqlite" and not event.contains(engine, "connect", _set_pragmas):
        event.listen(engine, "connect", _set_pragmas)
        event.listen(engine, "checkout", _spare_rows)
        event.listen(engine, "savepoint", _begin_before_savepoint)


def fault_of_sqlite(engine: Engine, version: tuple[int, ...] | None = None) -> str | None:
    """Say which known fault SQLite's version has where several write; ``None``: none, or no SQLite.

    :param version: of the library that Python uses, by default.

    Source: sqlite.org, "Write-Ahead Logging", the WAL-reset bug.
    """
    version = version or sqlite3.sqlite_version_info
    if engine.dialect.name != "sqlite" or is_in_memory(engine) or version >= MENDED:
        return None
    return (
        f"SQLite {'.'.join(map(str, version))} can, very rarely, damage a database that several "
        f"threads or processes write to at once; install SQLite {'.'.join(map(str, MENDED))} or "
        "newer, or use PostgreSQL."
    )


def is_in_memory(engine: Engine) -> bool:
    """Tell whether the database lives in one connection, and goes with it."""
    return isinstance(engine.pool, StaticPool | SingletonThreadPool)


def leave_to_parent(engine: Engine) -> None:
    """Let a process that is forked connect anew: a connection can't be used by two.

    Servers that load the shop before they fork, such as ``gunicorn --preload``, have the
    connections that were opened until then. A second call does nothing.
    """
    if getattr(engine, _NOTED, False):
        return
    setattr(engine, _NOTED, True)
    reference = weakref.ref(engine)

    def forget() -> None:
        forked = reference()
        if forked is not None and not is_in_memory(forked):
            forked.dispose(close=False)

    os.register_at_fork(after_in_child=forget)


def begin_writing(session: Session) -> None:
    """Begin a transaction that will write, on SQLite at once.

    Python's driver begins none before ``WITH … UPDATE``, which would be committed alone; and one
    that has read before it writes fails where another wrote meanwhile, whatever the busy timeout.
    """
    begin_writing_on(session.connection())


def begin_writing_on(connection: Connection) -> None:
    """Do the same on a connection without a session; DDL, too, then is in the transaction."""
    if connection.dialect.name == "sqlite":
        _begin_before_savepoint(connection, None)


def _begin_before_savepoint(connection: Connection, _name: str | None) -> None:
    # Python's driver begins none there, so the end of the outermost savepoint would be a commit.
    driver: Any = connection.connection.dbapi_connection
    if not driver.in_transaction:
        connection.exec_driver_sql("BEGIN IMMEDIATE")


def _set_pragmas(connection: Any, _record: Any) -> None:
    cursor = connection.cursor()
    for pragma in PRAGMAS:
        cursor.execute(pragma)
    cursor.close()
    # PostgreSQL hashes by itself.
    connection.create_function(SQLITE_FUNCTION, 2, share, deterministic=True)


def _spare_rows(connection: Any, record: Any, _proxy: Any) -> None:
    """Keep no foreign keys while Alembic migrates: it makes a table anew and drops the old one.

    SQLite takes that for the deletion of all its rows, and deletes or unties whatever names them.
    Source: sqlite.org, "SQLite Foreign Key Support", 5; Alembic, "Running Batch Migrations for
    SQLite", "Dealing with Referencing Foreign Keys".
    """
    is_migrating = _is_migrating()
    if is_migrating is not record.info.get(_MIGRATES, False):
        record.info[_MIGRATES] = is_migrating
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA foreign_keys = {'OFF' if is_migrating else 'ON'}")
        cursor.close()


def _is_migrating() -> bool:
    context: Any = sys.modules.get("alembic.context")
    if context is None:
        return False
    try:
        context.is_offline_mode()
    # What Alembic raises before the first migration of a process, and what after it.
    except (NameError, AttributeError):
        return False
    return True
