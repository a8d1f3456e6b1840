"""Login and linking against the emulator: every story, and every wrong way, over real HTTP."""

from __future__ import annotations

import html
import random
import re
import secrets
from typing import Any
from urllib.parse import parse_qs
from urllib.parse import urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func
from sqlalchemy import select
from werkzeug.test import TestResponse

from flask_lineconnect.models import Account
from flask_lineconnect.models import LoginAttempt
from flask_lineconnect.state import LineState
from flask_lineconnect.testing.plugin import Emulator
from flask_lineconnect.testing.plugin import LineBrowser
from tests.conftest import MakeApp
from tests.small_shop import SmallShop
from tests.small_shop import User
from tests.small_shop import db

BASE_URL = "http://127.0.0.1:5999"
IN_APP = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 "
    "(KHTML, like Gecko) Mobile/15E148 Safari Line/14.9.0"
)


@pytest.fixture
def app(make_app: MakeApp, line_emulator: Emulator) -> Flask:
    """Return the small shop, joined to the emulator."""
    line_emulator.set_up(base_url=BASE_URL)
    settings = line_emulator.settings(BASE_URL)
    return make_app(**settings, LINECONNECT_LOGIN_SCOPE="openid profile email")


@pytest.fixture
def sakura(line_emulator: Emulator) -> LineBrowser:
    """Return the browser of a LINE user who has not met the shop."""
    user_id = line_emulator.add_user("佐藤 さくら", email="sakura@mail.example")
    return LineBrowser(line_emulator.url, user_id)


def _token(answer: TestResponse) -> str:
    token = re.search(r'name="csrf_token" value="([^"]+)"', answer.text)
    assert token, answer.text
    return token[1]


def _member(line: LineState, **fields: Any) -> User:
    member = User(**{"name": "山田 花子", "email": "hanako@mail.example", **fields})
    db.session.add(member)
    db.session.commit()
    return member


def _start(client: FlaskClient, path: str = "/line/login") -> str:
    return client.get(path).headers["Location"]


def _log_in(client: FlaskClient, browser: LineBrowser, path: str = "/line/login") -> TestResponse:
    return client.get(browser.log_in(_start(client, path)))


def _sign_up(client: FlaskClient, browser: LineBrowser, **form: str) -> TestResponse:
    _log_in(client, browser)
    page = client.get("/line/sign-up")
    form = {"display_name": "佐藤 さくら", "email": "sakura@mail.example", **form}
    return client.post("/line/sign-up", data={"csrf_token": _token(page), **form})


def _count(line: LineState, model: Any) -> int:
    line.session.rollback()
    return line.session.scalar(select(func.count()).select_from(model)) or 0


def _changed_nothing(line: LineState) -> bool:
    return _count(line, User) == 0 and _count(line, Account) == 0


def test_a_new_visitor_registers_is_linked_and_a_friend(
    client: FlaskClient, line: LineState, sakura: LineBrowser
) -> None:
    shelf = line.url_for("lineconnect.login", source="shelf-3", next="/private")
    answer = _log_in(client, sakura, shelf.removeprefix(BASE_URL))
    assert answer.headers["Location"] == "/line/sign-up"
    page = client.get("/line/sign-up")
    assert "佐藤 さくら" in page.text
    assert "sakura@mail.example" in page.text
    form = {"csrf_token": _token(page), "display_name": "佐藤 桜", "email": "s@mail.example"}
    assert client.post("/line/sign-up", data=form).headers["Location"] == "/private"
    assert client.get("/private").text == "private"
    account = line.session.scalars(select(Account)).one()
    member = line.session.scalars(select(User)).one()
    assert (account.member_id, account.is_friend) == (member.id, True)
    assert account.link_source == "shelf-3"
    assert (member.name, member.email) == ("佐藤 桜", "s@mail.example")


def test_the_request_to_line_holds_what_openid_asks_for(client: FlaskClient) -> None:
    query = parse_qs(urlsplit(_start(client)).query)
    assert query["code_challenge_method"] == ["S256"]
    assert query["bot_prompt"] == ["aggressive"]
    assert query["redirect_uri"] == [f"{BASE_URL}/line/callback"]
    assert len(query["state"][0]) == len(query["nonce"][0]) == 32


def test_the_second_login_needs_no_form(
    app: Flask, client: FlaskClient, line: LineState, sakura: LineBrowser
) -> None:
    _sign_up(client, sakura)
    another_device = app.test_client()
    assert _log_in(another_device, sakura, "/line/login?next=/private").location == "/private"
    assert another_device.get("/private").status_code == 200
    assert _count(line, User) == 1


def test_an_existing_member_is_linked_after_the_password_and_a_press(
    client: FlaskClient, line: LineState, sakura: LineBrowser
) -> None:
    member = _member(line)
    client.post(f"/password-login/{member.id}")
    page = client.get("/line/link")
    start = client.post("/line/link", data={"csrf_token": _token(page)})
    answer = client.get(sakura.log_in(start.location))
    assert answer.location == "/line/link/confirm"
    page = client.get("/line/link/confirm")
    assert "佐藤 さくら" in page.text
    assert "山田 花子" in page.text
    assert line.session.scalars(select(Account.member_id)).one() is None
    client.post("/line/link/confirm", data={"csrf_token": _token(page)})
    line.session.rollback()
    assert line.session.scalars(select(Account.member_id)).one() == member.id
    assert _count(line, User) == 1


def test_S3_1_an_equal_email_never_links(
    client: FlaskClient, line: LineState, sakura: LineBrowser
) -> None:
    _member(line, email="sakura@mail.example")
    answer = _sign_up(client, sakura)
    assert "すでに会員" in answer.text
    line.session.rollback()
    assert line.session.scalars(select(Account.member_id)).one() is None
    assert client.get("/private").status_code == 302


def test_S3_2_a_login_never_links_the_member_who_is_logged_in(
    client: FlaskClient, line: LineState, sakura: LineBrowser
) -> None:
    client.post(f"/password-login/{_member(line).id}")
    assert _log_in(client, sakura).location == "/line/link"
    line.session.rollback()
    assert line.session.scalars(select(Account.member_id)).one() is None


def test_S3_4_a_line_account_has_one_member(
    app: Flask, client: FlaskClient, line: LineState, sakura: LineBrowser
) -> None:
    _sign_up(client, sakura)
    other = app.test_client()
    other.post(f"/password-login/{_member(line).id}")
    start = other.post("/line/link", data={"csrf_token": _token(other.get("/line/link"))})
    answer = other.get(sakura.log_in(start.location))
    assert answer.status_code == 400
    assert "account-taken" in answer.text


def test_S2_8_a_locked_member_is_not_logged_in(
    app: Flask, client: FlaskClient, line: LineState, sakura: LineBrowser
) -> None:
    _sign_up(client, sakura)
    line.session.scalars(select(User)).one().is_locked = True
    line.session.commit()
    other = app.test_client()
    assert _log_in(other, sakura).status_code == 400
    assert other.get("/private").status_code == 302


def test_S2_8_staff_are_neither_linked_nor_let_in_by_line(
    app: Flask, client: FlaskClient, line: LineState, sakura: LineBrowser
) -> None:
    _sign_up(client, sakura)
    line.shop = OnlyCustomers()
    assert _log_in(app.test_client(), sakura).status_code == 400
    staff = app.test_client()
    staff.post(f"/password-login/{_member(line).id}")
    assert "member" in staff.get("/line/link").text
    assert staff.get("/line/link").status_code == 400


class OnlyCustomers(SmallShop):
    """A shop that takes everybody for staff."""

    def may_log_in(self, member: User) -> bool:
        """Let nobody in."""
        return False


def test_L16_a_failed_auto_login_offers_one_without_it(
    app: Flask, client: FlaskClient, line: LineState, sakura: LineBrowser
) -> None:
    _sign_up(client, sakura)
    phone = app.test_client()
    start = phone.get("/private", headers={"User-Agent": IN_APP}).location
    sakura.http.headers["User-Agent"] = IN_APP
    Emulator(sakura.url).fault(auto_login="fail", times=1)
    calls = len(Emulator(sakura.url).calls())
    answer = phone.get(sakura.log_in(start))
    assert answer.status_code == 400
    # Only the browser was at LINE: the dead code was not exchanged.
    assert {call["path"] for call in Emulator(sakura.url).calls()[calls:]} == {
        "/oauth2/v2.1/authorize"
    }
    retry = re.search(r'href="(/line/login[^"]*fresh=1[^"]*)"', answer.text)
    assert retry
    again = phone.get(html.unescape(retry[1])).location
    assert "disable_auto_login=true" in again
    # One retry, and the customer is where they wanted to be.
    assert phone.get(sakura.log_in(again)).location == "/private"


def test_L18_an_altered_state_is_refused_without_asking_line(
    client: FlaskClient, line: LineState, sakura: LineBrowser
) -> None:
    path = sakura.log_in(_start(client))
    state = parse_qs(urlsplit(path).query)["state"][0]
    calls = len(Emulator(sakura.url).calls())
    answer = client.get(path.replace(state, state[::-1]))
    assert answer.status_code == 400
    assert "state" in answer.text
    assert "fresh=1" in answer.text
    assert _changed_nothing(line)
    assert _count(line, LoginAttempt) == 0
    assert len(Emulator(sakura.url).calls()) == calls


def test_L17_another_browser_is_refused(
    app: Flask, client: FlaskClient, line: LineState, sakura: LineBrowser
) -> None:
    path = sakura.log_in(_start(client))
    assert app.test_client().get(path).status_code == 400
    assert _changed_nothing(line)


def test_S2_2_a_state_given_twice_is_refused(
    client: FlaskClient, line: LineState, sakura: LineBrowser
) -> None:
    path = sakura.log_in(_start(client))
    state = parse_qs(urlsplit(path).query)["state"][0]
    assert client.get(f"{path}&state={state}").status_code == 400
    assert _changed_nothing(line)


def test_S2_3_an_old_cookie_does_not_revive_an_attempt(
    client: FlaskClient, line: LineState, sakura: LineBrowser
) -> None:
    path = sakura.log_in(_start(client))
    cookie = client.get_cookie("session", domain="localhost")
    assert cookie
    assert client.get(path).location == "/line/sign-up"
    calls = len(Emulator(sakura.url).calls())
    client.set_cookie("session", cookie.value, domain="localhost")
    answer = client.get(path)
    assert answer.status_code == 400
    assert len(Emulator(sakura.url).calls()) == calls


def _tamper(client: FlaskClient, **changes: str) -> None:
    with client.session_transaction() as session:
        session["_lineconnect_attempts"] = [
            {**attempt, **changes} for attempt in session["_lineconnect_attempts"]
        ]


@pytest.mark.parametrize(
    ("changes", "step"), [({"nonce": "0" * 32}, "nonce"), ({"code_verifier": "0" * 64}, "code")]
)
def test_a_wrong_nonce_or_verifier_is_refused(
    client: FlaskClient, line: LineState, sakura: LineBrowser, changes: dict[str, str], step: str
) -> None:
    path = sakura.log_in(_start(client))
    _tamper(client, **changes)
    answer = client.get(path)
    assert answer.status_code == 400
    assert step in answer.text
    assert _changed_nothing(line)


def test_L19_an_expired_code_is_refused(
    client: FlaskClient, line: LineState, sakura: LineBrowser
) -> None:
    path = sakura.log_in(_start(client))
    Emulator(sakura.url).advance(601)
    answer = client.get(path)
    assert answer.status_code == 400
    assert "code" in answer.text
    assert _changed_nothing(line)


def test_L28_an_id_token_for_another_channel_is_refused(
    app: Flask, client: FlaskClient, line: LineState, sakura: LineBrowser
) -> None:
    path = sakura.log_in(_start(client))
    Emulator(sakura.url).fault(id_token={"aud": "1650000009"}, times=1)
    answer = client.get(path)
    assert answer.status_code == 400
    assert "aud" in answer.text
    assert _changed_nothing(line)


def test_L9_a_cancelled_consent_says_so(
    client: FlaskClient, line: LineState, sakura: LineBrowser
) -> None:
    answer = client.get(sakura.log_in(_start(client), allow=False))
    assert answer.status_code == 400
    assert "キャンセル" in answer.text
    assert _changed_nothing(line)
    assert _count(line, LoginAttempt) == 0


def test_a_wrong_channel_secret_names_the_step(
    make_app: MakeApp, line_emulator: Emulator, sakura: LineBrowser
) -> None:
    line_emulator.set_up(base_url=BASE_URL)
    settings = line_emulator.settings(BASE_URL) | {"LINECONNECT_LOGIN_CHANNEL_SECRET": "f" * 32}
    client = make_app(**settings).test_client()
    answer = client.get(sakura.log_in(_start(client)))
    assert answer.status_code == 400
    assert "code" in answer.text


def test_S6_3_a_form_without_its_token_is_refused(
    client: FlaskClient, line: LineState, sakura: LineBrowser
) -> None:
    _log_in(client, sakura)
    answer = client.post("/line/sign-up", data={"display_name": "x"})
    assert answer.status_code == 400
    assert "csrf" in answer.text
    assert _count(line, User) == 0


def test_S3_3_nothing_waits_for_a_stranger(app: Flask, line: LineState) -> None:
    for page in ("/line/sign-up", "/line/link/confirm"):
        assert app.test_client().get(page).status_code == 400


def test_S3_3_what_waits_dies_when_somebody_logs_in(
    client: FlaskClient, line: LineState, sakura: LineBrowser
) -> None:
    _log_in(client, sakura)
    assert client.get("/line/sign-up").status_code == 200
    client.post(f"/password-login/{_member(line).id}")
    assert client.get("/line/sign-up").status_code == 400


def test_S2_9_a_get_begins_no_link(app: Flask, line: LineState) -> None:
    client = app.test_client()
    client.post(f"/password-login/{_member(line).id}")
    assert client.get("/line/link").status_code == 200
    with client.session_transaction() as session:
        assert "_lineconnect_attempts" not in session


def test_a_head_or_prefetch_begins_nothing(client: FlaskClient) -> None:
    assert client.head("/line/login").status_code == 200
    assert client.get("/line/login", headers={"Sec-Purpose": "prefetch"}).status_code == 200
    with client.session_transaction() as session:
        assert not session


def test_S2_1_attempts_are_few(client: FlaskClient) -> None:
    for _attempt in range(8):
        _start(client, "/line/login")
    with client.session_transaction() as session:
        assert len(session["_lineconnect_attempts"]) == 3


def test_S6_2_the_cookie_stays_small_whatever_is_begun(client: FlaskClient) -> None:
    with client.session_transaction() as session:
        session["cart"] = {str(number): number for number in range(50)}
    for _attempt in range(8):
        path, source = secrets.token_urlsafe(360), "".join(random.choices("棚旗店茶花", k=100))
        _start(client, f"/line/login?next=/{path}&source={source}")
        cookie = client.get_cookie("session", domain="localhost")
        assert cookie
        assert len(cookie.value) < 4_093


def test_S6_1_a_login_clears_the_session_but_keeps_the_cart(
    client: FlaskClient, line: LineState, sakura: LineBrowser
) -> None:
    with client.session_transaction() as session:
        session.update(cart={"1": 2}, planted="by somebody")
    _sign_up(client, sakura)
    with client.session_transaction() as session:
        assert session["cart"] == {"1": 2}
        assert "planted" not in session


def test_in_lines_browser_a_private_page_logs_in_by_itself(
    app: Flask, client: FlaskClient, line: LineState, sakura: LineBrowser
) -> None:
    _sign_up(client, sakura)
    phone = app.test_client()
    start = phone.get("/private?tab=1", headers={"User-Agent": IN_APP})
    assert start.location.startswith(sakura.url)
    assert phone.get(sakura.log_in(start.location)).location == "/private?tab=1"


def test_S4_2_it_tries_once_and_then_shows_the_ordinary_login(client: FlaskClient) -> None:
    headers = {"User-Agent": IN_APP}
    assert "/oauth2/" in client.get("/private", headers=headers).location
    assert client.get("/private", headers=headers).location.startswith("/log-in")


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"User-Agent": IN_APP, "Sec-Fetch-Mode": "cors"},
        {"User-Agent": IN_APP, "Accept": "application/json"},
    ],
)
def test_S4_2_nothing_else_starts_an_auto_login(
    client: FlaskClient, headers: dict[str, str]
) -> None:
    answer = client.get("/private", headers=headers)
    if "User-Agent" in headers:
        assert answer.status_code == 401
    else:
        assert answer.location.startswith("/log-in")
    with client.session_transaction() as session:
        assert "_lineconnect_attempts" not in session


def test_S4_2_a_logout_keeps_it_off(
    client: FlaskClient, line: LineState, sakura: LineBrowser
) -> None:
    _sign_up(client, sakura)
    client.post("/logout")
    answer = client.get("/private", headers={"User-Agent": IN_APP})
    assert answer.location.startswith("/log-in")
