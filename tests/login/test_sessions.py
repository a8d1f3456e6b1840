"""Sessions that LINE gave: renewed, remembered, recent and ended, beside Flask-Login's rules."""

from __future__ import annotations

from urllib.parse import unquote

import pytest
from flask import Flask
from flask.testing import FlaskClient

from flask_lineconnect.state import LineState
from flask_lineconnect.testing.plugin import Emulator
from flask_lineconnect.testing.plugin import LineBrowser
from tests.conftest import MakeApp
from tests.people import BASE_URL
from tests.people import IN_APP
from tests.people import log_in
from tests.people import press
from tests.people import sign_up
from tests.small_shop import User
from tests.small_shop import db

pytestmark = pytest.mark.joined


def _member(name: str = "山田 花子") -> int:
    member = User(name=name, email="hanako@mail.example")
    db.session.add(member)
    db.session.commit()
    return member.id


def _age(client: FlaskClient, seconds: int) -> None:
    with client.session_transaction() as session:
        session["_lineconnect_logged_in_at"] -= seconds


@pytest.mark.parametrize("path", ["/line/link", "/line/unlink"])
def test_S3_1_an_old_login_is_asked_for_again(
    client: FlaskClient, line: LineState, path: str
) -> None:
    client.post(f"/password-login/{_member()}")
    assert client.get(path).status_code == 200
    _age(client, 43_201)

    page = client.get(path)

    assert page.status_code == 401
    assert "もう一度ログイン" in page.text
    token = client.get("/token").text
    assert client.post(path, data={"csrf_token": token}).status_code == 401
    answer = client.post("/line/log-in-again", data={"csrf_token": token, "next": path})
    assert unquote(answer.location) == f"/log-in?next={path}"
    assert client.get("/private").status_code == 302


def test_S3_8_whoever_has_only_line_confirms_with_line(
    client: FlaskClient, line: LineState, sakura: LineBrowser
) -> None:
    sign_up(client, sakura)
    _age(client, 43_201)

    assert "/line/login?next=/line/unlink" in client.get("/line/unlink").text
    assert log_in(client, sakura, "/line/login?next=/line/unlink").location == "/line/unlink"
    assert client.get("/line/unlink").status_code == 200


def test_S3_1_a_session_from_a_remember_cookie_is_not_recent(
    client: FlaskClient, line: LineState
) -> None:
    client.post(f"/password-login/{_member()}?remember=1")
    client.delete_cookie("session", domain="localhost")
    assert client.get("/private").status_code == 200

    assert client.get("/line/link").status_code == 401


def test_the_time_of_a_recent_login_is_a_setting(
    make_app: MakeApp, line_emulator: Emulator
) -> None:
    settings = line_emulator.settings(BASE_URL)
    app = make_app(**settings, LINECONNECT_RECENT_LOGIN_SECONDS=60)
    with app.app_context():
        client = app.test_client()
        client.post(f"/password-login/{_member()}")
        _age(client, 61)
        assert client.get("/line/link").status_code == 401


def test_S6_1_somebody_elses_remember_cookie_goes(
    client: FlaskClient, line: LineState, sakura: LineBrowser
) -> None:
    client.post(f"/password-login/{_member()}?remember=1")
    other = client.application.test_client()
    sign_up(other, sakura)
    assert client.get_cookie("remember_token", domain="localhost")

    assert log_in(client, sakura).location == "/line/switch"
    press(client, "/line/switch")

    assert client.get("/name").text == "佐藤 さくら"
    assert client.get_cookie("remember_token", domain="localhost") is None
    client.delete_cookie("session", domain="localhost")
    assert client.get("/private").status_code == 302


def test_S3_9_a_remember_cookie_does_not_bring_an_ended_session_back(
    client: FlaskClient, line: LineState, sakura: LineBrowser
) -> None:
    member_id = _member()
    client.post(f"/password-login/{member_id}?remember=1")
    client.get(sakura.log_in(press(client, "/line/link").location))
    press(client, "/line/link/confirm")
    other = client.application.test_client()
    other.post(f"/password-login/{member_id}")

    press(other, "/line/unlink")

    assert client.get("/private").status_code == 302
    assert client.get_cookie("remember_token", domain="localhost") is None


def test_a_login_with_line_ends_with_the_browser_unless_set_otherwise(
    client: FlaskClient, line: LineState, sakura: LineBrowser
) -> None:
    sign_up(client, sakura)
    cookie = client.get_cookie("session", domain="localhost")
    assert cookie
    assert cookie.expires is None


def test_a_login_with_line_can_be_remembered(
    make_app: MakeApp, line_emulator: Emulator, sakura: LineBrowser
) -> None:
    line_emulator.set_up(base_url=BASE_URL)
    client = make_app(**line_emulator.settings(BASE_URL), LINECONNECT_REMEMBER=True).test_client()
    sign_up(client, sakura)
    cookie = client.get_cookie("session", domain="localhost")
    assert cookie
    assert cookie.expires is not None
    assert client.get_cookie("remember_token", domain="localhost") is None


@pytest.mark.parametrize("protection", ["basic", "strong"])
def test_session_protection_of_flask_login_is_kept(
    client: FlaskClient, line: LineState, sakura: LineBrowser, protection: str
) -> None:
    line.app.login_manager.session_protection = protection  # type: ignore[attr-defined]  # Flask-Login
    sign_up(client, sakura)
    assert client.get("/private").status_code == 200

    stolen = client.get("/private", headers={"User-Agent": "another browser"})

    assert stolen.status_code == (302 if protection == "strong" else 200)
    # Basic protection lets the page through, but nothing that matters.
    page = client.get("/line/unlink", headers={"User-Agent": "another browser"})
    assert page.status_code in {302, 401}


def test_S6_1_the_session_gets_a_new_csrf_token(
    client: FlaskClient, line: LineState, sakura: LineBrowser
) -> None:
    before = client.get("/token").text
    sign_up(client, sakura)
    answer = client.post("/line/unlink", data={"csrf_token": before})
    assert answer.status_code == 400
    assert "csrf" in answer.text


def test_S4_2_a_browser_without_cookies_gets_a_helpful_page(
    app: Flask, sakura: LineBrowser, line_emulator: Emulator
) -> None:
    phone = app.test_client(use_cookies=False)
    headers = {"User-Agent": IN_APP}
    begun = phone.get("/private", headers=headers)
    back = phone.get(sakura.log_in(begun.location), headers=headers)
    assert back.status_code == 400
    assert "fresh=1" in back.text
    calls = len(line_emulator.calls())

    again = phone.get("/line/login?fresh=1", headers=headers)

    assert again.status_code == 400
    assert "Cookie" in again.text
    assert f"{BASE_URL}/line/login?openExternalBrowser=1" in again.text
    assert len(line_emulator.calls()) == calls


def test_the_same_link_works_in_a_browser_that_keeps_cookies(
    app: Flask, client: FlaskClient, sakura: LineBrowser
) -> None:
    other = app.test_client()
    callback = sakura.log_in(other.get("/line/login").location)
    assert client.get(callback).status_code == 400
    assert client.get("/line/login?fresh=1").status_code == 302


def test_what_opened_the_other_browser_does_not_come_back(
    app: Flask, client: FlaskClient, line: LineState, sakura: LineBrowser
) -> None:
    sign_up(client, sakura)
    phone = app.test_client()
    begun = phone.get("/private?a=1&openExternalBrowser=1", headers={"User-Agent": IN_APP})
    assert phone.get(sakura.log_in(begun.location)).location == "/private?a=1"
