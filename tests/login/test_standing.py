"""What a session that LINE gave rests on: looked at wherever its user is loaded, by both doors."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_login import current_user
from sqlalchemy import event
from sqlalchemy import select
from sqlalchemy import text

from flask_lineconnect.models import Account
from flask_lineconnect.state import LineState
from flask_lineconnect.testing.plugin import Emulator
from flask_lineconnect.testing.plugin import LineBrowser
from tests.conftest import DATABASES
from tests.people import sign_up
from tests.small_shop import SmallShop
from tests.small_shop import User
from tests.small_shop import db
from tests.small_shop import line as extension

from .doors import DOORS
from .doors import Door
from .doors import who_is

pytestmark = pytest.mark.parametrize("database", DATABASES, indirect=True)


@pytest.fixture
def app(joined_app: Flask) -> Flask:
    """Return the small shop, joined to the emulator, with error pages that know their visitor."""

    def show(_error: Exception) -> tuple[str, int]:
        name = current_user.name if current_user.is_authenticated else "nobody"
        return f"sorry, {name}", 404

    joined_app.register_error_handler(404, show)
    return joined_app


@pytest.fixture(params=DOORS)
def door(request: pytest.FixtureRequest) -> Door:
    """Return one of the doors."""
    return DOORS[request.param]


@pytest.fixture
def phone(
    app: Flask,
    client: FlaskClient,
    line: LineState,
    sakura: LineBrowser,
    line_emulator: Emulator,
    door: Door,
) -> FlaskClient:
    """Return a browser in which LINE has logged in a linked member."""
    sign_up(client, sakura)
    phone = app.test_client()
    door(phone, sakura, line_emulator)
    assert who_is(phone) == "佐藤 さくら"
    return phone


def _change(app: Flask, **values: Any) -> None:
    with app.app_context():
        member = db.session.scalars(select(User)).one()
        for name, value in values.items():
            setattr(member, name, value)
        db.session.commit()


def _unlink(app: Flask) -> None:
    with app.app_context():
        extension.unlink(db.session.scalars(select(User)).one())
        db.session.commit()


@contextmanager
def _statements(line: LineState) -> Iterator[list[str]]:
    """Collect what the database is asked."""
    heard: list[str] = []

    def hear(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        heard.append(statement)

    event.listen(line.db.engine, "before_cursor_execute", hear)
    try:
        yield heard
    finally:
        event.remove(line.db.engine, "before_cursor_execute", hear)


@pytest.mark.parametrize("moment", [1, 2])
def test_S3_9_a_login_beside_an_unlinking_does_not_stay(
    app: Flask,
    client: FlaskClient,
    line: LineState,
    sakura: LineBrowser,
    line_emulator: Emulator,
    door: Door,
    moment: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sign_up(client, sakura)
    phone = app.test_client()
    unlinking = threading.Thread(target=_unlink, args=(app,))
    asked: list[User] = []

    def may_log_in(_shop: SmallShop, member: User) -> bool:
        asked.append(member)
        if len(asked) == moment:
            unlinking.start()
            # The web login has the account's row; there the unlinking waits for its end.
            unlinking.join(timeout=0.5)
        return True

    monkeypatch.setattr(SmallShop, "may_log_in", may_log_in)

    door(phone, sakura, line_emulator)

    unlinking.join()
    line.session.rollback()
    assert not line.session.scalars(select(Account)).one().is_linked
    assert who_is(phone) is None


def test_S2_8_a_member_who_becomes_one_without_line_is_out_at_the_next_request(
    app: Flask, phone: FlaskClient
) -> None:
    _change(app, is_locked=True)
    assert who_is(phone) is None
    # The session has ended for good.
    _change(app, is_locked=False)
    assert who_is(phone) is None


def test_S2_8_the_shops_answer_may_ask_who_is_logged_in(
    phone: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def may_log_in(_shop: SmallShop, member: User) -> bool:
        return bool(current_user.is_authenticated and current_user.id == member.id)

    monkeypatch.setattr(SmallShop, "may_log_in", may_log_in)
    assert who_is(phone) == "佐藤 さくら"


def test_S3_9_an_ended_session_is_nobodys_on_pages_that_do_not_exist(
    app: Flask, phone: FlaskClient
) -> None:
    assert phone.get("/nowhere").text == "sorry, 佐藤 さくら"
    _unlink(app)
    assert phone.get("/nowhere").text == "sorry, nobody"


def test_S3_9_a_session_is_only_its_own_members(
    app: Flask, phone: FlaskClient, line: LineState
) -> None:
    with app.app_context():
        other = User(name="ほかの人")
        db.session.add(other)
        db.session.flush()
        # As after a restored backup: the generation is as before, and the member is not.
        db.session.execute(
            text("UPDATE lineconnect_account SET member_id = :key"), {"key": other.id}
        )
        db.session.commit()
    assert who_is(phone) is None


def test_a_session_by_line_costs_no_query_besides_the_members(
    phone: FlaskClient, line: LineState
) -> None:
    with _statements(line) as asked:
        assert who_is(phone) == "佐藤 さくら"
    assert len(asked) == 1
    with _statements(line) as asked:
        assert phone.get("/").text == "home"
    assert asked == []


def test_whoever_logs_in_last_is_who_the_browser_is(
    app: Flask, phone: FlaskClient, line: LineState
) -> None:
    other = User(name="山田 花子")
    line.session.add(other)
    line.session.commit()

    phone.post(f"/password-login/{other.id}")
    _unlink_first(app)

    assert who_is(phone) == "山田 花子"


def _unlink_first(app: Flask) -> None:
    with app.app_context():
        extension.unlink(db.session.scalars(select(User).order_by(User.id)).first())
        db.session.commit()
