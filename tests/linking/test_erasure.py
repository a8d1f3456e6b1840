"""Of a person who is erased nothing is left, in no table and no log."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event
from sqlalchemy import select

from flask_lineconnect.cli.group import line as commands
from flask_lineconnect.engines.upkeep import STRANGERS_KEPT
from flask_lineconnect.engines.upkeep import sweep
from flask_lineconnect.linking import accounts
from flask_lineconnect.linking import unlinking
from flask_lineconnect.models import Account
from flask_lineconnect.models import InboxEvent
from flask_lineconnect.models import LineBase
from flask_lineconnect.state import LineState
from flask_lineconnect.testing.plugin import Emulator
from flask_lineconnect.testing.plugin import LineBrowser
from tests.conftest import DATABASES
from tests.conftest import MakeApp
from tests.people import BASE_URL
from tests.people import log_in
from tests.people import press
from tests.people import sign_up
from tests.small_shop import User
from tests.small_shop import line as extension

pytestmark = pytest.mark.parametrize("database", DATABASES, indirect=True)

NAME, MAIL, TEXT = "消去 まるこ", "marked@mail.example", "わたしの秘密の文"


@pytest.fixture
def app(make_app: MakeApp, line_emulator: Emulator) -> Flask:
    """Return the small shop, joined to the emulator."""
    line_emulator.set_up(base_url=BASE_URL)
    return make_app(
        **line_emulator.settings(BASE_URL), LINECONNECT_LOGIN_SCOPE="openid profile email"
    )


@pytest.fixture
def marked(line_emulator: Emulator) -> LineBrowser:
    """Return the browser of a person whose traces can be found."""
    return line_emulator.browser(line_emulator.add_user(NAME, email=MAIL))


def _traces(line: LineState, person: str) -> list[str]:
    """Return where in our tables a person is still found, by name, mail, text or LINE's id."""
    line.session.rollback()
    found = []
    for table in LineBase.metadata.sorted_tables:
        for row in line.session.execute(select(table)):
            said = " ".join(map(repr, row))
            found += [table.name for mark in (NAME, MAIL, TEXT, person) if mark in said]
    return found


def _write(line: LineState, person: str) -> None:
    """Let an event of the person be in the inbox, and a message to them in the outbox."""
    now = line.clock()
    line.session.add(
        InboxEvent(
            webhook_event_id="01MARKED",
            line_user_id=person,
            occurred_at=now,
            received_at=now,
            state="done",
            finished_at=now,
            payload=f'{{"text": "{TEXT}"}}',
        )
    )
    member = line.session.scalars(select(User)).first()
    if member is not None:
        extension.send(member, f"{NAME}さま、{TEXT}")
    line.session.commit()


def _account(line: LineState) -> Account:
    line.session.rollback()
    return line.session.scalars(select(Account)).one()


@pytest.mark.parametrize("how", ["delete", "command", "line user", "unlinked before"])
def test_S11_3_nothing_of_a_member_is_left(
    app: Flask, line: LineState, marked: LineBrowser, how: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    sign_up(app.test_client(), marked, display_name=NAME, email=MAIL)
    _write(line, marked.user_id)
    assert _traces(line, marked.user_id)
    member = line.session.scalars(select(User)).one()
    runner = app.test_cli_runner()
    if how == "unlinked before":
        unlinking.unlink(line, _account(line), actor="member", now=line.clock())
        line.session.commit()
    if how == "line user":
        answer = runner.invoke(commands, ["erase", "--line-user", marked.user_id])
    elif how == "delete":
        line.session.delete(line.session.get_one(User, member.id))
        line.session.commit()
        answer = runner.invoke(commands, ["unlink", "0"])
    else:
        answer = runner.invoke(commands, ["erase", str(member.id)])
        assert answer.exit_code == 0, answer.output
    # LINE is told of it, and the task goes with its answer.
    from flask_lineconnect.engines.work import run_due

    while run_due(line):
        pass
    assert _traces(line, marked.user_id) == []
    logged = "\n".join(record.getMessage() for record in caplog.records)
    ours = [mark for mark in (MAIL, TEXT, marked.user_id) if mark in logged]
    assert ours == []


@pytest.mark.parametrize("is_friend", [True, False])
def test_S11_3_who_stopped_at_the_form_is_forgotten_in_time(
    app: Flask, line: LineState, marked: LineBrowser, is_friend: bool
) -> None:
    log_in(app.test_client(), marked)
    _account(line).is_friend = is_friend
    line.session.commit()
    now = line.clock()
    line.clock = lambda: now + STRANGERS_KEPT - timedelta(days=1)
    assert sweep(line, seconds=60)
    assert _account(line).display_name == NAME
    line.clock = lambda: now + STRANGERS_KEPT + timedelta(days=1)
    assert sweep(line, seconds=60)
    line.session.rollback()
    left = line.session.scalars(select(Account)).all()
    assert [(one.display_name, one.picture_url) for one in left] == [("", None)] * is_friend


def test_members_and_who_may_return_are_no_strangers(
    app: Flask, line: LineState, marked: LineBrowser
) -> None:
    client = app.test_client()
    sign_up(client, marked, display_name=NAME, email=MAIL)
    now = line.clock()
    line.clock = lambda: now + 2 * STRANGERS_KEPT
    sweep(line, seconds=60)
    assert _account(line).display_name == NAME
    line.clock = lambda: now
    press(client, "/line/unlink")
    line.clock = lambda: now + 2 * STRANGERS_KEPT
    sweep(line, seconds=60)
    assert _account(line).display_name == NAME


def test_erase_says_what_is_wrong(app: Flask, line: LineState) -> None:
    runner = app.test_cli_runner()
    assert runner.invoke(commands, ["erase"]).exit_code == 2
    assert runner.invoke(commands, ["erase", "1", "--line-user", "U1"]).exit_code == 2
    for arguments in (["erase", "7"], ["erase", "--line-user", "U1"]):
        answer = runner.invoke(commands, arguments)
        assert (answer.exit_code, "nothing is kept" in answer.output) == (1, True)


def test_a_key_that_is_none_is_named(app: Flask) -> None:
    answer = app.test_cli_runner().invoke(commands, ["erase", "hanako"])
    assert "can't be the key of a member" in answer.output


def test_S11_3_events_of_everybody_else_are_not_looked_at(line: LineState) -> None:
    account = accounts.ensure_account(line.session, "U" + "a" * 32, now=line.clock())
    now, asked = line.clock(), []
    for number, (finished_at, waits) in enumerate([(now, None), (None, now)]):
        for person in (account.line_user_id, "U" + "b" * 32):
            line.session.add(
                InboxEvent(
                    webhook_event_id=f"01{person[1]}{number}",
                    line_user_id=person,
                    occurred_at=now,
                    received_at=now,
                    finished_at=finished_at,
                    next_attempt_at=waits,
                    payload="{}",
                )
            )
    line.session.commit()

    def note(_c: object, _cursor: object, sql: str, values: Any, _x: object, _m: object) -> None:
        if "inbox_event" in sql:
            asked.append((sql, values))

    bind = line.session.get_bind()
    event.listen(bind, "before_cursor_execute", note)
    unlinking.erase(line, account, now=now)
    event.remove(bind, "before_cursor_execute", note)
    line.session.commit()
    left = line.session.scalars(select(InboxEvent.line_user_id)).all()
    assert set(left) == {"U" + "b" * 32}
    assert len(left) == 2
    assert asked
    connection = line.session.connection()
    if bind.dialect.name == "postgresql":
        # Of a few rows it would look at all.
        connection.exec_driver_sql("SET enable_seqscan = off")
    word = "EXPLAIN QUERY PLAN" if bind.dialect.name == "sqlite" else "EXPLAIN"
    for sql, values in asked:
        plan = str(connection.exec_driver_sql(f"{word} {sql}", values).all())
        assert "Index" in plan or "USING INDEX" in plan, plan
