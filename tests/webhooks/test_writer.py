"""How events reach the database: together, at once or not at all."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from contextlib import closing
from contextlib import contextmanager
from datetime import UTC
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import Connection
from sqlalchemy import Engine
from sqlalchemy import create_engine
from sqlalchemy import func
from sqlalchemy import inspect
from sqlalchemy import select
from sqlalchemy import text
from sqlalchemy.orm import Session
from sqlalchemy.pool import QueuePool
from sqlalchemy.pool import StaticPool

from flask_lineconnect.models import InboxEvent
from flask_lineconnect.models import LineBase
from flask_lineconnect.state import LineState
from flask_lineconnect.webhooks.writer import EventWriter
from flask_lineconnect.webhooks.writer import NotWritten
from flask_lineconnect.webhooks.writer import Row
from tests.conftest import BUSY_MACHINE
from tests.conftest import DATABASES

pytestmark = pytest.mark.parametrize("database", DATABASES, indirect=True)

NOW = datetime(2026, 11, 23, 1, 2, 3, 456_789, UTC)
#: In LINE's milliseconds.
HAPPENED_AT = 1_795_395_723_042


@pytest.fixture
def engine(line: LineState) -> Engine:
    bind = line.session.get_bind()
    assert isinstance(bind, Engine)
    return bind


def _rows(*numbers: int) -> list[Row]:
    return [(f"01KAXW{number:020d}", "U" + "a" * 32, "{}", HAPPENED_AT) for number in numbers]


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


def _write_soon(writer: EventWriter) -> None:
    """Write a row as soon as the database is known to answer again."""
    deadline = time.monotonic() + BUSY_MACHINE
    while True:
        try:
            return writer.write(_rows(1), now=NOW)
        except NotWritten:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)


def test_a_batch_may_be_larger_than_one_statement(engine: Engine, line: LineState) -> None:
    EventWriter(engine).write(_rows(*range(450)), now=NOW)
    assert _stored(line) == 450
    EventWriter(engine).write(_rows(*range(400, 460)), now=NOW)
    assert _stored(line) == 460


def test_times_are_stored_as_the_models_own(engine: Engine, line: LineState) -> None:
    EventWriter(engine).write(_rows(1), now=NOW)
    row = line.session.scalars(select(InboxEvent)).one()
    assert row.occurred_at == datetime.fromtimestamp(HAPPENED_AT / 1000, UTC)
    assert (row.received_at, row.next_attempt_at) == (NOW, NOW)
    # Databases compare what they keep, so the same time must be kept in the same form.
    same = select(InboxEvent.webhook_event_id).where(
        InboxEvent.occurred_at == row.occurred_at, InboxEvent.received_at == NOW
    )
    assert line.session.scalars(same).one() == row.webhook_event_id


def test_a_new_row_has_the_models_own_defaults(engine: Engine, line: LineState) -> None:
    EventWriter(engine).write(_rows(1), now=NOW)
    written = line.session.scalars(select(InboxEvent)).one()
    made = InboxEvent(
        webhook_event_id="made", payload="{}", occurred_at=NOW, received_at=NOW, next_attempt_at=NOW
    )
    line.session.add(made)
    line.session.flush()
    own = {"webhook_event_id", "line_user_id", "occurred_at"}
    for column in set(inspect(InboxEvent).columns.keys()) - own:
        assert getattr(written, column) == getattr(made, column), column


def test_requests_that_wait_share_one_commit(
    engine: Engine, line: LineState, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = EventWriter(engine, patience=30)
    commits: list[int] = []
    commit = writer._commit

    def count(group: Sequence[Any], deadline: float) -> None:
        commits.append(len(group))
        commit(group, deadline)

    monkeypatch.setattr(writer, "_commit", count)
    with ThreadPoolExecutor(8) as pool:
        with writer._turn:
            results = [pool.submit(writer.write, _rows(number, 99), now=NOW) for number in range(8)]
            while len(writer._waiting) < len(results):
                threading.Event().wait(0.01)
        for result in results:
            result.result()
    assert commits == [8]
    assert _stored(line) == 9


def test_S7_2_nobody_waits_long_for_a_busy_database(engine: Engine, line: LineState) -> None:
    writer = EventWriter(engine, patience=0.2)
    with _busy(engine), pytest.raises(NotWritten):
        writer.write(_rows(1), now=NOW)
    assert _stored(line) == 0
    _write_soon(writer)
    assert _stored(line) == 1


def test_S7_2_who_waited_for_a_turn_has_less_patience_with_the_database(engine: Engine) -> None:
    writer = EventWriter(engine, patience=3)

    def wait() -> float:
        began = time.monotonic()
        with pytest.raises(NotWritten):
            writer.write(_rows(1), now=NOW)
        return time.monotonic() - began

    with _busy(engine), ThreadPoolExecutor(2) as pool:
        first = pool.submit(wait)
        time.sleep(1.5)
        # Half the time for its turn, and not the whole for the database.
        assert pool.submit(wait).result() < 4.2
        assert first.result() < 4.2
    _write_soon(writer)
    if engine.dialect.name == "sqlite":
        with closing(writer._connections().connect()) as connection:
            cursor = connection.cursor()
            cursor.execute("PRAGMA busy_timeout")
            assert cursor.fetchone() == (3000,)


def test_S7_2_its_connections_are_as_durable_as_the_shops(engine: Engine) -> None:
    is_sqlite = engine.dialect.name == "sqlite"
    questions = ["synchronous", "journal_mode"] if is_sqlite else ["synchronous_commit"]
    ask = "PRAGMA" if is_sqlite else "SHOW"
    answers = []
    with closing(EventWriter(engine)._connections().connect()) as connection:
        for question in questions:
            cursor = connection.cursor()
            cursor.execute(f"{ask} {question}")
            row = cursor.fetchone()
            answers.append(row and row[0])
    assert answers == ([2, "wal"] if is_sqlite else ["on"])


def test_a_database_in_memory_is_the_shops_own(database: str) -> None:
    if database != "sqlite":
        pytest.skip("PostgreSQL keeps none in memory")
    engine = create_engine("sqlite://", poolclass=StaticPool)
    LineBase.metadata.create_all(engine)
    EventWriter(engine).write(_rows(*range(250)), now=NOW)
    with Session(engine) as session:
        assert session.scalar(select(func.count()).select_from(InboxEvent)) == 250
    engine.dispose()


def test_S7_2_nobody_takes_what_failed_for_stored(engine: Engine, line: LineState) -> None:
    writer = EventWriter(engine, patience=1)
    with _busy(engine), ThreadPoolExecutor(4) as pool:
        results = [pool.submit(writer.write, _rows(number), now=NOW) for number in range(4)]
        failures = [result.exception() for result in results]
    assert all(isinstance(failure, NotWritten) for failure in failures)
    # Who had given up before its turn may be written with the next one, which does no harm.
    writer.write(_rows(4), now=NOW)
    assert 1 <= _stored(line) <= 5


def test_a_question_that_was_given_up_costs_no_event(
    engine: Engine, line: LineState, monkeypatch: pytest.MonkeyPatch
) -> None:
    if engine.dialect.name == "sqlite":
        pytest.skip("SQLite has no server that is slow to connect")
    go_on = threading.Event()

    def answer_late(_connection: Connection) -> list[datetime]:
        go_on.wait(60)
        return []

    monkeypatch.setattr("flask_lineconnect.webhooks.writer.times_stored", answer_late)
    hasty = EventWriter(engine, patience=1)
    assert hasty.times_stored() == ()
    # The server is there for what counts.
    monkeypatch.setattr(hasty, "_patience", 60.0)
    hasty.write(_rows(1), now=NOW)
    assert _stored(line) == 1
    go_on.set()
    # Its connection goes back before the pool is given up.
    for thread in hasty._helpers._left:
        thread.join(60)


def test_S7_2_nobody_waits_for_the_shops_own_connections(engine: Engine) -> None:
    pool = engine.pool
    assert isinstance(pool, QueuePool)
    with ExitStack() as stack:
        while pool.overflow() < pool._max_overflow:
            stack.enter_context(engine.connect())
        EventWriter(engine).write(_rows(1), now=NOW)


def test_S9_3_no_connection_survives_a_fork(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = EventWriter(engine)
    writer.write(_rows(1), now=NOW)
    before = writer._connections()
    assert writer._connections() is before
    monkeypatch.setattr(os, "getpid", lambda: -1)
    assert writer._connections() is not before
    writer.write(_rows(2), now=NOW)
    writer._dispose(engine)
    before.dispose()


def test_its_connections_close_with_the_shops(engine: Engine) -> None:
    writer = EventWriter(engine)
    writer.write(_rows(1), now=NOW)
    pool = writer._connections()
    assert isinstance(pool, QueuePool)
    assert pool.checkedin() == 1
    engine.dispose()
    assert pool.checkedin() == 0
    writer.write(_rows(2), now=NOW)


def test_S7_2_other_work_waits_as_long_as_before(engine: Engine) -> None:
    def patience() -> object:
        is_sqlite = engine.dialect.name == "sqlite"
        with engine.connect() as connection:
            query = "PRAGMA busy_timeout" if is_sqlite else "SHOW statement_timeout"
            return connection.exec_driver_sql(query).scalar()

    before = patience()
    EventWriter(engine, patience=5.0).write(_rows(1), now=NOW)
    assert patience() == before
