"""A shop with rows of an earlier release: one migration, and all of it goes on."""

from __future__ import annotations

import re
import sqlite3
import uuid
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest
from click.testing import CliRunner
from flask import Flask
from flask.cli import FlaskGroup
from sqlalchemy import create_engine
from sqlalchemy import func
from sqlalchemy import inspect
from sqlalchemy import select

from flask_lineconnect import Emulator
from flask_lineconnect import LineConnect
from flask_lineconnect.engines import upkeep
from flask_lineconnect.engines.work import work_until_idle
from flask_lineconnect.models import Account
from flask_lineconnect.models import InboxEvent
from flask_lineconnect.models import OutboxMessage
from flask_lineconnect.setting_up.tables import check_tables
from flask_lineconnect.state import LineState
from flask_lineconnect.testing.plugin import LineBrowser
from tests.conftest import DATABASES
from tests.migrations import dump
from tests.migrations.shop import Kind
from tests.migrations.shop import create_app
from tests.migrations.steps import take
from tests.people import BASE_URL
from tests.people import log_in
from tests.postgres import create_database

RELEASES = sorted(
    {path.name.removesuffix(".sqlite.sql") for path in dump.FOLDER.glob("*.sqlite.sql")}
)
pytestmark = [
    pytest.mark.parametrize("release", RELEASES),
    pytest.mark.parametrize("database", DATABASES),
]


@pytest.fixture
def uri(release: str, database: str, tmp_path: Path, request: pytest.FixtureRequest) -> str:
    """Return the address of a database as the release left it."""
    statements = (dump.FOLDER / f"{release}.{database}.sql").read_text("utf-8")
    if database == "sqlite":
        with closing(sqlite3.connect(tmp_path / "shop.db")) as connection:
            connection.executescript(statements)
        return f"sqlite:///{tmp_path / 'shop.db'}"
    uri = create_database(request.getfixturevalue("postgres_server"), uuid.uuid4().hex)
    with psycopg.connect(uri.replace("+psycopg", "")) as connection:
        connection.execute(statements.encode())
    return uri


@pytest.fixture(params=["flask db", "flask line db"])
def migrated(uri: str, tmp_path: Path, request: pytest.FixtureRequest) -> str:
    """Return its address after one migration, which Alembic wrote, or after ours."""
    if request.param == "flask line db":
        app = create_app(Kind(uri=uri, folder=""))
        del app.extensions["migrate"]
        group = FlaskGroup(create_app=lambda: app)
        done = CliRunner().invoke(group, ["line", "db", "upgrade"], catch_exceptions=False)
        assert done.exit_code == 0, done.output
        with app.app_context():
            app.extensions["sqlalchemy"].engine.dispose()
        return uri
    kind = Kind(uri=uri, folder=str(tmp_path / "migrations"))
    said = take(kind, "init", "migrate", "upgrade", "check")
    assert "No new upgrade operations detected" in said
    return uri


@pytest.fixture
def app(migrated: str, line_emulator: Emulator) -> Iterator[Flask]:
    """Return the shop of today on it."""
    line_emulator.set_up(base_url=BASE_URL, users=dump.people())
    app = create_app(Kind(uri=migrated, folder=""), **line_emulator.settings(BASE_URL))
    with app.app_context():
        yield app
        app.extensions["sqlalchemy"].session.remove()
        app.extensions["sqlalchemy"].engine.dispose()


def test_the_old_rows_go_on(app: Flask, line_emulator: Emulator) -> None:
    line: LineState = app.extensions["lineconnect"]
    extension: LineConnect = app.extensions["extension"]
    check_tables(line)

    # Whoever was linked is logged in; whoever was a friend registers.
    known = log_in(app.test_client(), LineBrowser(line_emulator.url, dump.SAKURA))
    assert known.location == "/"
    new = log_in(app.test_client(), LineBrowser(line_emulator.url, dump.ICHIRO))
    assert new.location == "/line/sign-up"

    account = line.session.scalars(select(Account).filter_by(line_user_id=dump.SAKURA)).one()
    assert account.is_linked
    member = line.session.get(line.shop.model, account.member_id)
    assert extension.send(member, "again", key="accepted") is not None, "told once already"
    extension.send(member, "new", key="new")
    line.session.commit()
    work_until_idle(line)
    assert _texts(line_emulator) == ["new"]

    # What waited goes when its time has come.
    due = line.session.scalars(select(OutboxMessage.next_attempt_at).filter_by(dedupe_key="later"))
    at: Any = due.one()
    line.clock = lambda: at
    work_until_idle(line)
    assert sorted(_texts(line_emulator)) == ["later", "later too", "new"]

    states = dict(
        line.session.execute(
            select(InboxEvent.state, func.count()).group_by(InboxEvent.state)
        ).all()
    )
    assert set(states) <= {"done", "cleared"}
    upkeep.look_after(line)
    extension.unlink(member)
    line.session.commit()
    work_until_idle(line)
    line.session.delete(line.session.get_one(line.shop.model, account.member_id or 1))
    line.session.commit()


#: Docs and tests say the same: a foreign key of a table that is there.
ADDED = re.compile(r"    op.create_foreign_key\(([^,]*), '(lineconnect_\w+)', (.*)\)\n")
IN_BATCH = r"""    with op.batch_alter_table('\2') as table:
        table.create_foreign_key(\1, \3)
"""


def test_without_batch_mode_a_foreign_key_needs_one_on_sqlite(
    uri: str, database: str, tmp_path: Path
) -> None:
    kind = Kind(uri=uri, folder=str(tmp_path / "migrations"), is_batch=False)
    take(kind, "init", "migrate")
    (written,) = Path(kind.folder, "versions").glob("*.py")
    if database == "sqlite":
        text, count = ADDED.subn(IN_BATCH, written.read_text("utf-8"))
        assert count
        written.write_text(text, "utf-8")
    said = take(kind, "upgrade", "check")
    assert "No new upgrade operations detected" in said
    engine = create_engine(uri)
    with engine.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(Account)) == 2
    engine.dispose()


def _texts(emulator: Emulator) -> list[str]:
    return [message["text"] for message in emulator.received(dump.SAKURA)]


def test_an_index_with_another_condition_has_another_name(
    uri: str, database: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """Alembic compares no conditions: under the same name the old one would stay for ever."""
    fresh = f"sqlite:///{tmp_path / 'fresh.db'}"
    if database == "postgresql":
        fresh = create_database(request.getfixturevalue("postgres_server"), uuid.uuid4().hex)
    app = create_app(Kind(uri=fresh, folder=""))
    with app.app_context():
        app.extensions["sqlalchemy"].create_all()
        app.extensions["sqlalchemy"].engine.dispose()
    old, new = _conditions(uri), _conditions(fresh)
    assert old
    assert new
    assert not {name for name in old.keys() & new.keys() if old[name] != new[name]}


#: PostgreSQL writes the same condition in another way once it has been dumped and read.
_CASTS = re.compile(r"::[a-z ]+(\[\])?|[()\s]")


def _conditions(uri: str) -> dict[str, str]:
    """Return the conditions of our partial indexes, in the words of the database, by name."""
    engine = create_engine(uri)
    try:
        found = inspect(engine).get_multi_indexes()
    finally:
        engine.dispose()
    return {
        str(index["name"]): _CASTS.sub("", str(condition))
        for (_schema, table), indexes in found.items()
        for index in indexes
        for name, condition in index.get("dialect_options", {}).items()
        if table.startswith("lineconnect_") and name.endswith("_where")
    }
