"""What a new password ends: all that an older one began, or could still finish (S3.7)."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_login import current_user
from sqlalchemy import select

from flask_lineconnect.models import Account
from flask_lineconnect.models import AuditEntry
from flask_lineconnect.state import LineState
from flask_lineconnect.testing.plugin import Emulator
from flask_lineconnect.testing.plugin import LineBrowser
from tests.conftest import DATABASES
from tests.login.doors import DOORS
from tests.login.doors import Door
from tests.login.doors import exchange
from tests.login.doors import id_token
from tests.login.doors import who_is
from tests.people import log_in
from tests.people import press
from tests.people import token_in
from tests.small_shop import User
from tests.small_shop import db
from tests.small_shop import line as extension

pytestmark = pytest.mark.parametrize("database", DATABASES, indirect=True)
CONFIRM = "/line/link/confirm"


@pytest.fixture
def app(joined_app: Flask) -> Flask:
    """Return the small shop, whose members change passwords."""

    @joined_app.post("/new-password")
    def new_password() -> str:
        extension.credentials_changed(current_user._get_current_object())
        db.session.commit()
        return "changed"

    return joined_app


@pytest.fixture
def member(line: LineState) -> User:
    """Return a member of long standing, who is not linked."""
    member = User(name="山田 花子", email="hanako@mail.example")
    line.session.add(member)
    line.session.commit()
    return member


def _change(member: User) -> None:
    extension.credentials_changed(member)
    db.session.commit()


def _account(line: LineState) -> Account:
    line.session.rollback()
    return line.session.scalars(select(Account)).one()


def _link(client: FlaskClient, member: User, browser: LineBrowser) -> None:
    client.post(f"/password-login/{member.id}")
    client.get(browser.log_in(press(client, "/line/link").location))
    press(client, CONFIRM)


def test_a_link_that_waits_on_the_web_ends(
    client: FlaskClient, line: LineState, member: User, sakura: LineBrowser
) -> None:
    client.post(f"/password-login/{member.id}")
    client.get(sakura.log_in(press(client, "/line/link").location))
    token = token_in(client.get(CONFIRM))

    _change(member)

    assert client.post(CONFIRM, data={"csrf_token": token}).status_code == 400
    assert not _account(line).is_linked


def test_a_link_that_waits_inside_line_ends(
    client: FlaskClient,
    line: LineState,
    member: User,
    sakura: LineBrowser,
    line_emulator: Emulator,
) -> None:
    client.post(f"/password-login/{member.id}")
    answer = exchange(client, id_token(sakura, line_emulator), "/line/liff/link")
    assert answer.json == {"location": CONFIRM}
    token = token_in(client.get(CONFIRM))

    _change(member)

    assert client.post(CONFIRM, data={"csrf_token": token}).status_code == 400
    assert not _account(line).is_linked


def test_a_link_on_its_way_to_line_ends(
    client: FlaskClient, line: LineState, member: User, sakura: LineBrowser
) -> None:
    client.post(f"/password-login/{member.id}")
    callback = sakura.log_in(press(client, "/line/link").location)

    _change(member)

    assert client.get(callback).status_code == 400
    assert client.get(CONFIRM).status_code == 400


@pytest.mark.parametrize("path", ["/line/link", "/line/unlink"])
def test_other_sessions_are_recent_no_more(
    app: Flask, client: FlaskClient, member: User, path: str
) -> None:
    thief = app.test_client()
    for browser in (thief, client):
        browser.post(f"/password-login/{member.id}")
        assert browser.get(path).status_code == 200

    assert client.post("/new-password").text == "changed"

    assert thief.get(path).status_code == 401
    # The member's own session, and one with the new password, go on.
    assert client.get(path).status_code == 200
    thief.post(f"/password-login/{member.id}")
    assert thief.get(path).status_code == 200


@pytest.mark.parametrize("door", DOORS.values(), ids=DOORS)
def test_a_link_from_before_is_shown_and_asked_again(
    app: Flask,
    client: FlaskClient,
    line: LineState,
    member: User,
    sakura: LineBrowser,
    line_emulator: Emulator,
    door: Door,
) -> None:
    _link(client, member, sakura)
    _change(member)
    assert who_is(client) is None

    phone = app.test_client()
    door(phone, sakura, line_emulator)

    assert who_is(phone) is None
    page = phone.get("/line/link/again").text
    assert "佐藤 さくら" in page
    assert "山田 花子" not in page
    assert 'href="/log-in?next=%2Fline%2Flink%2Fagain' in page
    # LINE's login alone keeps nothing.
    phone.post("/line/link/again", data={"csrf_token": phone.get("/token").text})
    phone.get("/line/sign-up")
    assert who_is(phone) is None
    assert _account(line).in_doubt_since is not None

    phone.post(f"/password-login/{member.id}")
    page = phone.get("/line/link/again?next=/private").text
    assert "佐藤 さくら" in page
    assert "山田 花子" in page
    assert press(phone, "/line/link/again?next=/private").location == "/private"

    assert log_in(app.test_client(), sakura, "/line/login?next=/private").location == "/private"
    assert _account(line).in_doubt_since is None
    actions = line.session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)).all()
    assert actions == ["linked", "confirmed"]


def test_the_session_that_line_gave_goes_on_where_its_person_sets_a_password(
    app: Flask, client: FlaskClient, line: LineState, member: User, sakura: LineBrowser
) -> None:
    _link(client, member, sakura)
    other = app.test_client()
    log_in(other, sakura)
    assert who_is(other) == "山田 花子"

    client.post("/new-password")

    assert who_is(client) == "山田 花子"
    assert client.get("/line/unlink").status_code == 200
    assert who_is(other) is None
    # LINE's own person did it, so there is no doubt.
    assert log_in(app.test_client(), sakura, "/line/login?next=/private").location == "/private"


def test_a_change_that_is_rolled_back_ends_nothing(
    app: Flask, client: FlaskClient, member: User, sakura: LineBrowser
) -> None:
    _link(client, member, sakura)
    extension.credentials_changed(member)
    db.session.rollback()
    assert who_is(client) == "山田 花子"
    assert client.get("/line/unlink").status_code == 200
