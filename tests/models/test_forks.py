"""No connection is used by two processes, and SQLite's faults are named."""

from __future__ import annotations

import os

import pytest
from sqlalchemy import create_engine
from sqlalchemy import text

from flask_lineconnect.models.sqlite import fault_of_sqlite
from flask_lineconnect.models.sqlite import leave_to_parent
from flask_lineconnect.state import LineState
from tests.small_shop import db


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_S9_3_a_connection_from_before_a_fork_is_not_shared(line: LineState, database: str) -> None:
    """As with ``gunicorn --preload``: the parent has asked something before it forks."""

    def server_process() -> int:
        with db.engine.connect() as connection:
            return int(connection.scalar(text("SELECT pg_backend_pid()")) or 0)

    db.session.remove()
    before = server_process()
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(write, str(server_process()).encode())
        os._exit(0)
    os.waitpid(child, 0)
    assert int(os.read(read, 20)) != before
    # The parent's still works.
    assert server_process() == before
    os.close(read)
    os.close(write)


def test_an_engine_is_noted_once() -> None:
    engine = create_engine("sqlite://")
    leave_to_parent(engine)
    leave_to_parent(engine)


@pytest.mark.parametrize(
    ("version", "is_faulty"),
    [((3, 40, 1), True), ((3, 51, 2), True), ((3, 51, 3), False), ((3, 52, 0), False)],
)
def test_versions_of_sqlite_with_a_fault_are_named(
    version: tuple[int, ...], is_faulty: bool
) -> None:
    fault = fault_of_sqlite(create_engine("sqlite:///shop.db"), version)
    assert (fault is not None) == is_faulty
    if fault:
        assert "install SQLite 3.51.3 or newer" in fault
    assert fault_of_sqlite(create_engine("sqlite://"), version) is None
