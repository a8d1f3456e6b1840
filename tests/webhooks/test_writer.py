"""How events reach the database: together, at once or not at all."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from sqlalchemy import Engine
from sqlalchemy import event
from sqlalchemy import func
from sqlalchemy import select
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from flask_lineconnect.models import InboxEvent
from flask_lineconnect.state import LineState
from flask_lineconnect.webhooks.writer import EventWriter
from flask_lineconnect.webhooks.writer import Row
from tests.conftest import DATABASES

pytestmark = pytest.mark.parametrize("database", DATABASES, indirect=True)


@pytest.fixture
def engine(line: LineState) -> Engine:
    bind = line.session.get_bind()
    assert isinstance(bind, Engine)
    return bind


def _rows(*numbers: int) -> list[Row]:
    now = "2026-11-23 00:00:00.000000"
    return [Row(f"01KAXW{number:020d}", "U" + "a" * 32, "{}", now, now, now) for number in numbers]


def _stored(line: LineState) -> int:
    line.session.rollback()
    return line.session.scalar(select(func.count()).select_from(InboxEvent)) or 0


@contextmanager
def _busy(engine: Engine) -> Iterator[None]:
    """Hold what a writer needs, as a long transaction of the shop's may."""
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        else:
            connection.execute(text("LOCK TABLE lineconnect_inbox_event IN EXCLUSIVE MODE"))
        yield
        connection.rollback()


def test_a_batch_may_be_larger_than_one_statement(engine: Engine, line: LineState) -> None:
    assert EventWriter(engine).write(_rows(*range(250))) == 250
    assert EventWriter(engine).write(_rows(*range(200, 260))) == 10
    assert _stored(line) == 260


def test_requests_that_wait_share_one_commit(engine: Engine, line: LineState) -> None:
    writer = EventWriter(engine, patience=30)
    commits: list[str] = []
    event.listen(engine, "commit", lambda _connection: commits.append("commit"))
    with ThreadPoolExecutor(8) as pool:
        with writer._turn:
            results = [pool.submit(writer.write, _rows(number, 99)) for number in range(8)]
            while len(writer._waiting) < len(results):
                threading.Event().wait(0.01)
        new = [result.result() for result in results]
    assert sorted(new) == [1, 1, 1, 1, 1, 1, 1, 2]  # number 99 is new once
    assert commits == ["commit"]
    assert _stored(line) == 9


def test_S7_2_nobody_waits_long_for_a_busy_database(engine: Engine, line: LineState) -> None:
    writer = EventWriter(engine, patience=0.2)
    with _busy(engine), pytest.raises(SQLAlchemyError):
        writer.write(_rows(1))
    assert _stored(line) == 0
    assert writer.write(_rows(1)) == 1


def test_S7_2_nobody_takes_what_failed_for_stored(engine: Engine, line: LineState) -> None:
    writer = EventWriter(engine, patience=1)
    with _busy(engine), ThreadPoolExecutor(4) as pool:
        results = [pool.submit(writer.write, _rows(number)) for number in range(4)]
        failures = [result.exception() for result in results]
    assert all(isinstance(failure, SQLAlchemyError) for failure in failures)
    # Who had given up before its turn may be written with the next one, which does no harm.
    writer.write(_rows(4))
    assert 1 <= _stored(line) <= 5


def test_S7_2_other_work_waits_as_long_as_before(engine: Engine) -> None:
    def patience() -> object:
        is_sqlite = engine.dialect.name == "sqlite"
        with engine.connect() as connection:
            query = "PRAGMA busy_timeout" if is_sqlite else "SHOW statement_timeout"
            return connection.exec_driver_sql(query).scalar()

    before = patience()
    EventWriter(engine, patience=0.2).write(_rows(1))
    assert patience() == before
