"""Brings a database's tables to this version, while the shop goes on; may be repeated.

For shops without Flask-Migrate: ``flask line db upgrade``.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import Connection
from sqlalchemy import Engine
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from ..errors import ConfigError
from ..models.databases import MIN_POSTGRESQL
from ..models.databases import check_version
from ..models.databases import effective_schema
from ..models.sqlite import begin_writing_on
from ..state import LineState
from .schema import Step
from .schema import broken_indexes
from .schema import old_indexes
from .schema import steps_for
from .schema import tables_in
from .schema import unchecked_keys

#: Of PostgreSQL: that a lock was not to be had in time.
_NO_LOCK = "55P03"
#: Seconds that a statement waits for a lock, while others wait behind it; how often it is tried.
LOCK_SECONDS, TRIES, PAUSE_SECONDS = 2, 30, 1.0
#: By which upgrades at the same time know each other; chosen at random.
_ADVISORY = 4_137_920_551


@dataclass(frozen=True, slots=True)
class Plan:
    """What a database lacks, and what it has from before."""

    broken: list[Step]
    steps: list[Step]
    old: list[Step]


def plan(line: LineState) -> Plan:
    """Compare the database with the tables of this version; nothing is changed.

    :raises ConfigError: the database is too old, or its schema can't be known.
    """
    with line.db.engine.connect() as connection:
        return _plan(line, connection)


def upgrade(line: LineState, *, may_drop_old: bool, say: Callable[[Step], object]) -> int:
    """Do all that is to be done, one step after the other; return how many steps.

    :param may_drop_old: take away what only older versions use.
    :raises ConfigError: another upgrade runs, or a table is locked all the time.
    """
    count = 0
    engine = line.db.engine
    with _alone(engine):
        # What has looked at the tables has ended: PostgreSQL's CONCURRENTLY waits for it.
        work = plan(line)
        for step in (*work.broken, *work.steps, *(work.old if may_drop_old else ())):
            say(step)
            _do(engine, step)
            count += 1
    return count


def _plan(line: LineState, connection: Connection) -> Plan:
    if connection.dialect.name == "postgresql":
        check_version("PostgreSQL", connection.dialect.server_version_info, MIN_POSTGRESQL)
    if line.db.engine.get_execution_options().get("schema_translate_map"):
        raise ConfigError(
            "the engine has a schema_translate_map, with which the tables of several schemas can't "
            "be told apart here; use Flask-Migrate, or an engine without one for the upgrade"
        )
    schema = effective_schema(line.db.engine, line.db.metadata)
    tables = tables_in(line.db.metadata)
    broken = broken_indexes(connection, schema)
    gone = {step.name for step in broken}
    steps = steps_for(connection, tables, schema, without=gone)
    steps += unchecked_keys(connection, schema)
    old = old_indexes(connection, tables, schema)
    return Plan(broken, steps, [step for step in old if step.name not in gone])


@contextmanager
def _alone(engine: Engine) -> Iterator[None]:
    """Let no second upgrade run meanwhile; on SQLite each statement is alone anyway."""
    if engine.dialect.name != "postgresql":
        yield
        return
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        key = {"key": _ADVISORY}
        if not connection.scalar(text("SELECT pg_try_advisory_lock(:key)"), key):
            raise ConfigError("another upgrade of this database runs; wait until it has ended")
        try:
            yield
        finally:
            connection.execute(text("SELECT pg_advisory_unlock(:key)"), key)


def _do(engine: Engine, step: Step) -> None:
    if step.is_online:
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            for statement in step.statements:
                connection.exec_driver_sql(statement)
        return
    if step.kind == "foreign key":
        # The look at the old rows has a transaction of its own: it holds no lock that matters.
        for statement in step.statements:
            _patiently(engine, (statement,))
        return
    _patiently(engine, step.statements)


def _patiently(engine: Engine, statements: tuple[str, ...]) -> None:
    """Do statements in one transaction, and again while others hold the table.

    Who waits for a lock makes all behind it wait, too; so it waits for seconds, and tries anew.
    """
    for attempt in range(1, TRIES + 1):
        try:
            with engine.begin() as connection:
                if engine.dialect.name == "postgresql":
                    connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{LOCK_SECONDS}s'")
                begin_writing_on(connection)
                for statement in statements:
                    connection.exec_driver_sql(statement)
            return
        except DBAPIError as error:
            if getattr(error.orig, "sqlstate", getattr(error.orig, "pgcode", None)) != _NO_LOCK:
                raise
            if attempt == TRIES:
                raise ConfigError(
                    "a transaction of the shop's held a table all the time; end it, and run the "
                    "upgrade again: what was done is done"
                ) from None
        time.sleep(PAUSE_SECONDS)
