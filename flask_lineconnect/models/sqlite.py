"""What SQLite needs to be a durable queue and a store with foreign keys."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection
from sqlalchemy import Engine
from sqlalchemy import event
from sqlalchemy.orm import Session

#: WAL lets readers and one writer work side by side; FULL makes a commit survive a power cut;
#: the busy timeout, in milliseconds, is how long a writer waits for another.
BUSY_TIMEOUT = 10_000
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
        event.listen(engine, "savepoint", _begin_before_savepoint)


def begin_writing(session: Session) -> None:
    """Begin a transaction that will write, on SQLite at once.

    Python's driver begins none before ``WITH … UPDATE``, which would be committed alone; and one
    that has read before it writes fails where another wrote meanwhile, whatever the busy timeout.
    """
    connection = session.connection()
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
