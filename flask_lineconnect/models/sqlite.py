"""What SQLite needs to be a durable queue and a store with foreign keys."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Engine
from sqlalchemy import event

#: WAL lets readers and one writer work side by side; FULL makes a commit survive a power cut;
#: the busy timeout, in milliseconds, is how long a writer waits for another.
PRAGMAS = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
    "PRAGMA busy_timeout = 10000",
)


def prepare_sqlite(engine: Engine) -> None:
    """Set :data:`PRAGMAS` on every connection that this engine opens; other databases are left.

    Source: sqlite.org, "Write-Ahead Logging" and "PRAGMA Statements".
    """
    if engine.dialect.name == "sqlite" and not event.contains(engine, "connect", _set_pragmas):
        event.listen(engine, "connect", _set_pragmas)


def _set_pragmas(connection: Any, _record: Any) -> None:
    cursor = connection.cursor()
    for pragma in PRAGMAS:
        cursor.execute(pragma)
    cursor.close()
