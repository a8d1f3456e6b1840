"""Shops whose tables are in a schema of PostgreSQL's: everything of ours finds its own there."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import create_engine
from sqlalchemy import func
from sqlalchemy import select
from sqlalchemy import text

from flask_lineconnect import LineConnect
from flask_lineconnect.cli.group import line as commands
from flask_lineconnect.engines import upkeep
from flask_lineconnect.engines.work import work_until_idle
from flask_lineconnect.models import Account
from flask_lineconnect.models import AuditEntry
from flask_lineconnect.models import InboxEvent
from flask_lineconnect.models import OutboxMessage
from flask_lineconnect.outbox.numbers import reserve_numbers
from flask_lineconnect.setting_up.tables import check_tables
from flask_lineconnect.state import LineState
from flask_lineconnect.testing.plugin import Emulator
from flask_lineconnect.testing.plugin import LineBrowser
from tests.engines.celery_fleet import follow
from tests.migrations.shop import Kind
from tests.migrations.shop import create_app
from tests.people import BASE_URL
from tests.people import sign_up
from tests.postgres import create_database

#: Schema of the metadata, SQLAlchemy's schema_translate_map, and where the tables are.
SCHEMAS: dict[str, tuple[str | None, dict[str | None, str], str]] = {
    "metadata": ("shop", {}, "shop"),
    "quoted": ("My Shop", {}, "My Shop"),
    "translated": (None, {None: "tenant"}, "tenant"),
    "both": ("shop", {"shop": "tenant"}, "tenant"),
}


@pytest.fixture(params=SCHEMAS)
def app(
    request: pytest.FixtureRequest, postgres_server: str, line_emulator: Emulator
) -> Iterator[Flask]:
    """Return a shop whose tables are in one schema; no other has any."""
    schema, translated, place = SCHEMAS[request.param]
    line_emulator.set_up(base_url=BASE_URL)
    kind = Kind(uri=create_database(postgres_server, uuid.uuid4().hex), folder="", schema=schema)
    engine = create_engine(kind.uri)
    with engine.begin() as connection:
        connection.execute(text(f'CREATE SCHEMA "{place}"'))
    settings: dict[str, Any] = line_emulator.settings(BASE_URL)
    if translated:
        options = {"execution_options": {"schema_translate_map": translated}}
        settings["SQLALCHEMY_ENGINE_OPTIONS"] = options
    app = create_app(kind, **settings)
    with app.app_context():
        db = app.extensions["sqlalchemy"]
        db.create_all()
        found = text("SELECT DISTINCT schemaname FROM pg_tables WHERE tablename ~ 'lineconnect_'")
        assert db.session.scalars(found).all() == [place]
        db.session.rollback()
        yield app
        db.session.remove()
        db.engine.dispose()
    engine.dispose()


def _count(line: LineState, model: Any, **wanted: Any) -> int:
    line.session.rollback()
    statement = select(func.count()).select_from(model).filter_by(**wanted)
    return line.session.scalar(statement) or 0


def test_the_whole_journey(app: Flask, sakura: LineBrowser, line_emulator: Emulator) -> None:
    line: LineState = app.extensions["lineconnect"]
    extension: LineConnect = app.extensions["extension"]
    check_tables(line)

    sign_up(app.test_client(), sakura)
    account = line.session.scalars(select(Account)).one()
    assert account.member_id is not None
    member = line.session.get(line.shop.model, account.member_id)

    follow(app, sakura.user_id)
    assert _count(line, InboxEvent) == 1
    work_until_idle(line)
    assert _count(line, InboxEvent, state="done") == 1

    extension.send(member, "hello", key="hello")
    extension.begin_campaign("news", "news", members=select(line.shop.model.id))
    line.session.commit()
    work_until_idle(line)
    said = [message["text"] for message in line_emulator.received(sakura.user_id)]
    assert {"hello", "news"} <= set(said)
    assert _count(line, OutboxMessage, state="accepted")

    runner = app.test_cli_runner()
    for command in ("links", "outbox list", "quota", "inbox list", "campaign list"):
        answer = runner.invoke(commands, command.split())
        assert answer.exit_code == 0, answer.output
    line.session.rollback()
    line.clock = lambda: account_time + timedelta(days=100)
    account_time = line.session.scalars(select(Account.created_at)).one()
    upkeep.look_after(line)
    upkeep.check_consents(line)
    # Its id stays until newer events tell that the time has passed.
    assert _count(line, InboxEvent, line_user_id=None, payload="") == 1

    line.clock = lambda: account_time + timedelta(hours=1)
    extension.unlink(member)
    line.session.commit()
    work_until_idle(line)
    assert _count(line, AuditEntry) == 2
    assert line.session.scalars(select(Account.member_id)).one() is None


def test_deleting_a_member_forgets_the_account(app: Flask, sakura: LineBrowser) -> None:
    line: LineState = app.extensions["lineconnect"]
    sign_up(app.test_client(), sakura)
    member = line.session.scalars(select(line.shop.model)).one()
    line.session.delete(member)
    line.session.commit()
    assert not _count(line, Account)


def test_numbers_of_messages_are_those_of_the_table_there(app: Flask) -> None:
    line: LineState = app.extensions["lineconnect"]
    first = reserve_numbers(line.session, 3)
    assert len(first) == 3
    assert min(reserve_numbers(line.session, 2)) > max(first)
