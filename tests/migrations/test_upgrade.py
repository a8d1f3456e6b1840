"""``flask line db upgrade``: from the tables of every release, with rows, to those of today."""

from __future__ import annotations

import itertools
import sqlite3
import threading
import uuid
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from click.testing import CliRunner
from click.testing import Result
from flask import Flask
from flask.cli import FlaskGroup
from sqlalchemy import Column
from sqlalchemy import Engine
from sqlalchemy import Integer
from sqlalchemy import create_engine
from sqlalchemy import func
from sqlalchemy import inspect
from sqlalchemy import select
from sqlalchemy import text

from flask_lineconnect import UsageError
from flask_lineconnect.models import Account
from flask_lineconnect.models import InboxEvent
from flask_lineconnect.models import LineBase
from flask_lineconnect.models import OutboxMessage
from flask_lineconnect.setting_up import schema
from flask_lineconnect.setting_up import upgrading
from flask_lineconnect.setting_up.tables import check_tables
from flask_lineconnect.state import LineState
from tests.conftest import DATABASES
from tests.migrations import dump
from tests.migrations.shop import Kind
from tests.migrations.shop import create_app
from tests.migrations.test_releases import RELEASES
from tests.postgres import create_database

on_both = pytest.mark.parametrize("database", DATABASES)


@pytest.fixture
def database() -> str:
    """Return where the shop is, unless a test says otherwise."""
    return "postgresql"


@pytest.fixture(params=RELEASES)
def line(database: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[LineState]:
    """Return the shop of today, without Flask-Migrate, on a database as a release left it."""
    statements = (dump.FOLDER / f"{request.param}.{database}.sql").read_text("utf-8")
    if database == "sqlite":
        uri = f"sqlite:///{tmp_path / 'shop.db'}"
        with closing(sqlite3.connect(tmp_path / "shop.db")) as connection:
            connection.executescript(statements)
    else:
        uri = create_database(request.getfixturevalue("postgres_server"), uuid.uuid4().hex)
        with psycopg.connect(uri.replace("+psycopg", "")) as server:
            server.execute(statements.encode())
    app = create_app(Kind(uri=uri, folder=""))
    del app.extensions["migrate"]
    with app.app_context():
        yield app.extensions["lineconnect"]
        app.extensions["sqlalchemy"].session.remove()
        app.extensions["sqlalchemy"].engine.dispose()


def _run(app: Flask, *words: str) -> Result:
    group = FlaskGroup(create_app=lambda: app)
    return CliRunner().invoke(group, ["line", "db", *words], catch_exceptions=False)


def _differences(line: LineState) -> list[object]:
    """Return what Alembic finds, which knows nothing of us."""
    ours = set(LineBase.metadata.tables)
    options = {"include_name": lambda name, kind, _parents: kind != "table" or name in ours}
    with line.db.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts=options)
        found = compare_metadata(context, line.db.metadata)
    # The shop's own table is nobody's business here, and old indexes stay for a while. Alembic
    # can't read how a foreign key of SQLite's that came with its column treats deletions.
    beside = ["Table('member'", "remove_index"]
    if line.db.engine.dialect.name == "sqlite":
        beside += ["remove_fk", "add_fk"]
    return [one for one in found if not any(name in str(one) for name in beside)]


@on_both
def test_from_every_release(line: LineState) -> None:
    counts = [
        line.session.scalar(select(func.count()).select_from(text(name)))
        for name in ("lineconnect_account", "lineconnect_outbox_message", "lineconnect_inbox_event")
    ]
    line.session.rollback()
    assert min(count or 0 for count in counts) > 0
    assert _run(line.app, "check").exit_code == 1
    written = _run(line.app, "upgrade", "--dry-run").output
    assert "CREATE TABLE lineconnect_scenario_run" in written
    assert _run(line.app, "check").exit_code == 1, "nothing was done yet"

    done = _run(line.app, "upgrade")
    assert done.exit_code == 0, done.output
    assert _differences(line) == []
    check_tables(line)
    keys = inspect(line.db.engine).get_foreign_keys("lineconnect_outbox_message")
    found = {(*one["constrained_columns"], one["referred_table"]) for one in keys}
    assert ("run_id", "lineconnect_scenario_run") in found
    assert counts == [
        line.session.scalar(select(func.count()).select_from(model))
        for model in (Account, OutboxMessage, InboxEvent)
    ]
    line.session.rollback()
    # What an older version uses stays until nobody runs it.
    assert "ix_lineconnect_outbox_message_due" in done.output.splitlines()[-1]
    assert _run(line.app, "upgrade").output.startswith("The tables are up to date.")
    assert _run(line.app, "upgrade", "--drop-old").exit_code == 0
    assert _run(line.app, "upgrade").output == "The tables are up to date.\n"
    assert _run(line.app, "check").exit_code == 0


@on_both
def test_an_empty_database(database: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    uri = f"sqlite:///{tmp_path / 'new.db'}"
    if database == "postgresql":
        uri = create_database(request.getfixturevalue("postgres_server"), uuid.uuid4().hex)
    app = create_app(Kind(uri=uri, folder="", key="uuid"))
    line: LineState = app.extensions["lineconnect"]
    with app.app_context():
        assert "Flask-Migrate" in _run(app, "upgrade").output
        line.db.metadata.tables["member"].create(line.db.engine)
        assert _run(app, "upgrade", "--anyway").exit_code == 0
        assert _differences(line) == []
        line.db.engine.dispose()


def test_postgresql_builds_indexes_beside_the_shop(line: LineState) -> None:
    steps = upgrading.plan(line).steps
    there = set(inspect(line.db.engine).get_table_names())
    for step in steps:
        (first, *more) = step.statements
        if step.kind == "index":
            assert "INDEX CONCURRENTLY" in first
        if step.kind == "column":
            assert "NOT NULL" not in first or "DEFAULT" in first
        if step.kind == "foreign key":
            assert first.endswith("NOT VALID")
            assert "VALIDATE" in more[0]
        if step.kind == "table":
            assert step.name not in there
    assert {step.kind for step in steps} == {"table", "column", "index", "foreign key"}


def test_an_index_that_was_interrupted_is_made_again(line: LineState) -> None:
    upgrading.upgrade(line, may_drop_old=False, say=str)
    name = "ix_lineconnect_outbox_message_waiting"
    engine = create_engine(line.db.engine.url)
    with engine.begin() as connection:
        # As a process leaves it that dies while PostgreSQL builds it.
        connection.execute(
            text(
                "UPDATE pg_index SET indisvalid = false WHERE indexrelid = CAST(:name AS regclass)"
            ),
            {"name": name},
        )
    engine.dispose()
    said: list[str] = []
    upgrading.upgrade(line, may_drop_old=False, say=lambda step: said.append(step.name))
    assert said == [name, name]
    assert upgrading.plan(line).steps == []


class _KilledError(Exception):
    """Stands for a process that is gone: what it did is done."""


@on_both
def test_whatever_ends_it_the_next_one_goes_on(
    line: LineState, monkeypatch: pytest.MonkeyPatch
) -> None:
    really, calls = upgrading._patiently, itertools.count(1)

    def patiently(engine: Engine, statements: tuple[str, ...]) -> None:
        really(engine, statements)
        # Between the two statements of each foreign key, too.
        if next(calls) % 5 == 0 or statements[0].endswith("NOT VALID"):
            raise _KilledError

    monkeypatch.setattr(upgrading, "_patiently", patiently)
    killed = 0
    while upgrading.plan(line).steps:
        try:
            upgrading.upgrade(line, may_drop_old=False, say=str)
        except _KilledError:
            killed += 1
    assert killed > 5
    assert _differences(line) == []
    assert _run(line.app, "check").exit_code == 0
    if line.db.engine.dialect.name == "postgresql":
        unchecked = text("SELECT count(*) FROM pg_constraint WHERE NOT convalidated")
        assert line.session.scalar(unchecked) == 0
        line.session.rollback()


def test_who_holds_a_table_is_waited_for_and_holds_up_nobody_else(
    line: LineState, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upgrading, "LOCK_SECONDS", 1)
    monkeypatch.setattr(upgrading, "PAUSE_SECONDS", 0.1)
    engine = create_engine(line.db.engine.url)
    said: list[str] = []
    work = threading.Thread(target=_upgrade_apart, args=(line, lambda step: said.append(step.name)))
    with engine.connect() as holder, engine.connect() as other:
        holder.execute(text("LOCK TABLE lineconnect_account IN ACCESS SHARE MODE"))
        work.start()
        waits = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
        while not other.scalar(waits):
            other.rollback()
        # Whoever comes behind the upgrade has its turn once that has given up for now.
        assert other.scalar(text("SELECT count(*) FROM lineconnect_account"))
        other.rollback()
        assert work.is_alive()
        # A second upgrade does not begin.
        with pytest.raises(Exception, match="another upgrade"):
            upgrading.upgrade(line, may_drop_old=False, say=str)
        holder.rollback()
        work.join(120)
    engine.dispose()
    assert not work.is_alive()
    assert _differences(line) == []


def _upgrade_apart(line: LineState, say: object) -> None:
    with line.app.app_context():
        upgrading.upgrade(line, may_drop_old=False, say=say)  # type: ignore[arg-type]


def test_a_column_that_rows_can_not_have_is_refused(line: LineState) -> None:
    table = line.db.metadata.tables["lineconnect_account"]
    table.append_column(Column("wrong", Integer, nullable=False))
    with line.db.engine.connect() as connection, pytest.raises(UsageError, match="server_default"):
        schema.steps_for(connection, [table], None, without=())
