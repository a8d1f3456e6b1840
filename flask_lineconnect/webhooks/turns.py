"""Transactions in which one worker alone chooses webhook events, and writes to them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection
from sqlalchemy import Engine

#: The name of the lock under which a worker chooses; any number that nobody else uses.
_CLAIMING = int.from_bytes(b"LINEhook")

_BEGIN_DURABLY = f"SELECT pg_advisory_xact_lock({_CLAIMING})"
_BEGIN_LIGHTLY = f"{_BEGIN_DURABLY}, set_config('synchronous_commit', 'off', true)"


@contextmanager
def writing(engine: Engine, *, is_durable: bool) -> Iterator[Connection]:
    """Open a transaction in which one worker alone chooses and writes, and commit it.

    Who waited must see what the others took, so one that sees what was when it began will not do.

    :param is_durable: wait for the disk. Without, the transaction outlives this process, but not
        the machine: until a later one waits for the disk, which takes it along.
    """
    if engine.dialect.name == "sqlite":
        with _writing_sqlite(engine, is_durable=is_durable) as connection:
            yield connection
        return
    with engine.connect() as plain:
        connection = plain.execution_options(isolation_level="READ COMMITTED")
        connection.exec_driver_sql(_BEGIN_DURABLY if is_durable else _BEGIN_LIGHTLY)
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
