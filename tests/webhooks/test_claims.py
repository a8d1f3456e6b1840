"""Which event a worker takes: never two of one person, and without reading them all."""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlalchemy import event
from sqlalchemy import select
from sqlalchemy import text
from sqlalchemy.orm import Session

from flask_lineconnect.models import InboxEvent
from flask_lineconnect.state import LineState
from flask_lineconnect.webhooks import claims
from flask_lineconnect.webhooks import turns
from flask_lineconnect.webhooks.claims import LEASE
from tests.conftest import DATABASES
from tests.conftest import MakeApp
from tests.webhooks.claiming import claim_one
from tests.webhooks.claiming import write

USER = "U" + "a" * 32


def _row(event_id: str, now: datetime, **values: Any) -> InboxEvent:
    times = {"occurred_at": now, "received_at": now, "next_attempt_at": now}
    given = {"line_user_id": USER, "payload": "{}"} | times | values
    return InboxEvent(webhook_event_id=event_id, **given)


@contextmanager
def _choosing(engine: Engine) -> Iterator[Session]:
    """Be the worker that chooses now, until the block ends."""
    with turns.writing(engine, is_durable=True) as connection, Session(connection) as session:
        yield session
        session.flush()


def _wait_until_somebody_waits(engine: Engine) -> None:
    waiting = text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
    with engine.connect() as connection:
        while not connection.execute(waiting).scalar():
            connection.rollback()
            threading.Event().wait(0.01)


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
@pytest.mark.parametrize("level", ["READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE"])
def test_no_two_workers_take_events_of_one_person_whatever_the_shops_isolation(
    make_app: MakeApp, level: str
) -> None:
    app = make_app(SQLALCHEMY_ENGINE_OPTIONS={"isolation_level": level})
    with app.app_context():
        line: LineState = app.extensions["lineconnect"]
        engine, now = line.db.engine, line.clock()
        line.session.add(_row("later", now))
        line.session.commit()

    def claim_elsewhere() -> object:
        with app.app_context():
            # A command's session may have looked at something before.
            line.session.scalars(select(InboxEvent)).all()
            return claim_one(line, now=now)

    with ThreadPoolExecutor(1) as pool:
        with _choosing(engine) as session:
            other = pool.submit(contextvars.Context().run, claim_elsewhere)
            _wait_until_somebody_waits(engine)
            # It came meanwhile, happened before, and is taken by the worker that chooses.
            before = {"occurred_at": now - timedelta(seconds=1), "next_attempt_at": now + LEASE}
            session.add(_row("before", now, attempts=1, **before))
        assert other.result(60) is None


@pytest.mark.parametrize("database", DATABASES, indirect=True)
def test_choosing_reads_indexes_only(line: LineState) -> None:
    plans: list[str] = []
    engine = line.db.engine
    is_sqlite = engine.dialect.name == "sqlite"

    @event.listens_for(engine, "before_cursor_execute")
    def explain(
        connection: Any, cursor: Any, statement: str, parameters: Any, *_more: object
    ) -> None:
        if InboxEvent.__tablename__ not in statement:
            return
        if not is_sqlite:
            # So few rows are read faster without an index.
            cursor.execute("SET LOCAL enable_seqscan = off")
        explain = "EXPLAIN QUERY PLAN" if is_sqlite else "EXPLAIN"
        cursor.execute(f"{explain} {statement}", parameters)
        plans.append("\n".join(str(row) for row in cursor.fetchall()))

    line.session.add(_row("one", line.clock()))
    line.session.commit()
    plans.clear()
    with engine.connect() as connection:
        assert claims.is_anything_due(connection, now=line.clock())
        assert claims.is_anything_free(connection, now=line.clock())
    claim = claim_one(line, now=line.clock())
    assert claim is not None
    assert write(line, claim, {"error": None, "next_attempt_at": None, "state": "done"})
    for plan in plans:
        assert "ix_lineconnect" in plan or "pk_" in plan or "autoindex" in plan, plan
        assert "Seq Scan" not in plan
        assert "SCAN lineconnect_inbox_event'" not in plan
        # What waits is read once, and not a second time for what may have ended processes.
        assert plan.count("ix_lineconnect_inbox_event_order") <= 1, plan
    whole = "\n".join(plans)
    assert "ix_lineconnect_inbox_event_order" in whole
    assert "ix_lineconnect_inbox_event_tried" in whole


@pytest.mark.parametrize("database", DATABASES, indirect=True)
def test_what_may_have_ended_processes_is_worked_on_alone(line: LineState) -> None:
    now = line.clock()
    for number in range(3):
        # The oldest one was there so often when a process ended that others come first; of those
        # the older one does.
        attempts = (claims.DOUBTFUL_AFTER, 4, 2)[number]
        killed = {"attempts": attempts, "occurred_at": now - timedelta(minutes=3 - number)}
        line.session.add(_row(f"killed {number}", now, line_user_id=f"killed {number}", **killed))
        line.session.add(_row(f"after {number}", now, line_user_id=f"killed {number}"))
        line.session.add(_row(f"new {number}", now, line_user_id=f"new {number}"))
    line.session.add(_row("once", now, line_user_id="once", attempts=1))
    line.session.add(_row("failed", now, line_user_id="failed", attempts=4, error="ValueError"))
    line.session.commit()
    with turns.writing(line.db.engine, is_durable=True) as connection:
        first = claims.claim(connection, now=now, limit=50)
        assert claims.claim(connection, now=now, limit=50, suspects=0) == []
        assert not claims.is_anything_free(connection, now=now, suspects=0)
        assert claims.is_anything_free(connection, now=now)
        second = claims.claim(connection, now=now, limit=50)
    told = ["failed", "new 0", "new 1", "new 2", "once"]
    assert [one.event_id for one in first] == ["killed 1", *told]
    assert [one.event_id for one in first if one.is_suspect] == ["killed 1"]
    assert [one.event_id for one in second] == ["killed 2"]
