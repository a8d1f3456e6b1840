"""Forms that an auto-login interrupts: kept for a press, and never sent by themselves."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from flask_lineconnect.models import Account
from flask_lineconnect.models import KeptForm
from flask_lineconnect.state import LineState
from flask_lineconnect.testing.plugin import Emulator
from flask_lineconnect.testing.plugin import LineBrowser
from tests import small_shop
from tests.conftest import DATABASES
from tests.login.doors import by_liff
from tests.people import IN_APP
from tests.people import add_member
from tests.people import log_in
from tests.people import open_as
from tests.people import press
from tests.people import sign_up

pytestmark = pytest.mark.joined
HEADERS = {"User-Agent": IN_APP}


@pytest.fixture(autouse=True)
def _no_notes() -> None:
    small_shop.notes.clear()


@pytest.fixture
def phone(app: Flask, client: FlaskClient, sakura: LineBrowser) -> FlaskClient:
    """Return the phone of a member, on which nobody is logged in."""
    sign_up(client, sakura)
    return app.test_client()


def _send(phone: FlaskClient, **form: str) -> TestResponse:
    token = phone.get("/token").text
    data = {"csrf_token": token, "text": "お茶をひとつ", **form}
    return phone.post("/note?tab=2", data=data, headers=HEADERS)


def _rows(line: LineState) -> list[KeptForm]:
    line.session.rollback()
    return list(line.session.scalars(select(KeptForm)).all())


def test_S4_3_an_interrupted_form_is_shown_again_for_a_press(
    phone: FlaskClient, line: LineState, sakura: LineBrowser
) -> None:
    begun = _send(phone, text="お茶を<ひとつ>")
    assert begun.location.startswith(sakura.url)
    assert small_shop.notes == []

    back = phone.get(sakura.log_in(begun.location))
    assert back.location == "/line/kept-form"
    assert small_shop.notes == []
    page = phone.get("/line/kept-form").text
    assert 'action="/note?tab=2"' in page
    fields = {
        name: unescape(value) for name, value in re.findall(r'name="(\w+)" value="([^"]*)"', page)
    }
    assert fields["text"] == "お茶を<ひとつ>"
    phone.post("/note?tab=2", data=fields)
    assert small_shop.notes == ["お茶を<ひとつ>"]


def test_S6_2_neither_cookie_nor_table_shows_what_was_written(
    phone: FlaskClient, line: LineState
) -> None:
    _send(phone, text="a secret wish")
    with phone.session_transaction() as session:
        assert "wish" not in str(dict(session))
    (row,) = _rows(line)
    assert "wish" not in row.sealed_fields
    assert row.path == "/note?tab=2"


def test_S4_3_only_forms_of_our_own_pages_are_kept(phone: FlaskClient, line: LineState) -> None:
    answer = phone.post("/note", data={"text": "planted"}, headers=HEADERS)
    assert answer.location.startswith("/log-in")
    assert _rows(line) == []


def test_S4_3_large_forms_are_not_kept(phone: FlaskClient, line: LineState) -> None:
    assert _send(phone, text="x" * 17_000).location.startswith("/log-in")
    assert _rows(line) == []


def test_S4_3_views_must_ask_for_it(phone: FlaskClient, line: LineState) -> None:
    token = phone.get("/token").text
    phone.post("/private", data={"csrf_token": token}, headers=HEADERS)
    assert _rows(line) == []


def test_outside_lines_browser_nothing_is_kept(phone: FlaskClient, line: LineState) -> None:
    token = phone.get("/token").text
    answer = phone.post("/note", data={"csrf_token": token, "text": "a"})
    assert answer.location.startswith("/log-in")
    assert _rows(line) == []


def test_a_session_keeps_one_form(phone: FlaskClient, line: LineState) -> None:
    _send(phone, text="one")
    with phone.session_transaction() as session:
        session.pop("_lineconnect_auto_at")
    _send(phone, text="two")
    assert len(_rows(line)) == 1


def test_S4_3_after_ten_minutes_it_is_gone(
    phone: FlaskClient, line: LineState, sakura: LineBrowser
) -> None:
    begun = _send(phone)
    phone.get(sakura.log_in(begun.location))
    later = line.clock() + timedelta(minutes=10)
    line.clock = lambda: later
    assert phone.get("/line/kept-form").location == "/"


def test_S4_3_another_session_does_not_see_it(app: Flask, phone: FlaskClient) -> None:
    _send(phone)
    assert app.test_client().get("/line/kept-form").location == "/"


def test_S6_1_a_logout_forgets_it(
    app: Flask, phone: FlaskClient, sakura: LineBrowser, line: LineState
) -> None:
    begun = _send(phone)
    phone.get(sakura.log_in(begun.location))
    phone.post("/logout")
    assert phone.get("/line/kept-form").location == "/"


def _begin(phone: FlaskClient, **form: str) -> str:
    """Send a form that is kept; return the address at LINE to which it leads."""
    return str(_send(phone, **form).location)


@pytest.mark.parametrize("database", DATABASES, indirect=True)
def test_S4_3_once_shown_it_is_gone(
    phone: FlaskClient, line: LineState, sakura: LineBrowser
) -> None:
    phone.get(sakura.log_in(_begin(phone)))
    assert "お茶をひとつ" in phone.get("/line/kept-form").text
    assert _rows(line) == []
    assert phone.get("/line/kept-form").location == "/"


@pytest.mark.parametrize(
    "headers", [{"Sec-Purpose": "prefetch"}, {"Purpose": "prefetch"}, {"X-Moz": "prefetch"}]
)
def test_S4_3_what_nobody_opened_shows_nothing(
    phone: FlaskClient, sakura: LineBrowser, headers: dict[str, str]
) -> None:
    phone.get(sakura.log_in(_begin(phone)))
    assert phone.get("/line/kept-form", headers=headers).text == ""
    assert phone.head("/line/kept-form").status_code == 200
    assert "お茶をひとつ" in phone.get("/line/kept-form").text


def test_S4_3_two_tabs_that_open_it_at_once_show_it_once(
    phone: FlaskClient, sakura: LineBrowser
) -> None:
    phone.get(sakura.log_in(_begin(phone)))
    other = phone.application.test_client()
    cookie = phone.get_cookie("session")
    assert cookie is not None
    other.set_cookie("session", cookie.value)
    assert "お茶をひとつ" in phone.get("/line/kept-form").text
    assert other.get("/line/kept-form").location == "/"


def test_S4_3_it_is_gone_once_it_was_sent_by_another_way(
    phone: FlaskClient, line: LineState, sakura: LineBrowser
) -> None:
    phone.get(sakura.log_in(_begin(phone)))
    _send(phone, text="もう一度書いたもの")
    assert small_shop.notes == ["もう一度書いたもの"]
    assert _rows(line) == []
    assert phone.get("/line/kept-form").location == "/"


def test_S4_3_another_form_leaves_it_alone(
    phone: FlaskClient, line: LineState, sakura: LineBrowser
) -> None:
    phone.get(sakura.log_in(_begin(phone)))
    phone.post("/line/liff/language", data={"csrf_token": phone.get("/token").text})
    assert len(_rows(line)) == 1


@pytest.mark.parametrize("way", ["password", "line", "liff"])
def test_S4_3_who_comes_in_by_another_way_does_not_see_it(
    phone: FlaskClient,
    line: LineState,
    line_emulator: Emulator,
    way: str,
) -> None:
    _begin(phone, text="わたしの住所")
    kenji = line_emulator.browser(line_emulator.add_user("田中 けんじ"))
    sign_up(phone.application.test_client(), kenji, display_name="田中 けんじ")
    if way == "password":
        open_as(phone, add_member(line))
    elif way == "line":
        log_in(phone, kenji)
    else:
        by_liff(phone, kenji, line_emulator)
    assert phone.get("/name").status_code == 200
    assert phone.get("/line/kept-form").location == "/"
    # The shop's own login commits when it likes; nothing leads to the row any more.
    assert way == "password" or _rows(line) == []


def test_S4_3_the_shops_own_login_that_leads_to_it_shows_it(
    phone: FlaskClient, line: LineState, line_emulator: Emulator, sakura: LineBrowser
) -> None:
    begun = _begin(phone)
    line_emulator.fault(path="/oauth2/v2.1/token", status=500)
    led = phone.get(sakura.log_in(begun), headers=HEADERS).location
    assert led == "/log-in?next=%2Fline%2Fkept-form"
    member = add_member(line)
    phone.post(f"/password-login/{member.id}?next=/line/kept-form")
    assert "お茶をひとつ" in phone.get("/line/kept-form").text


def test_S4_3_nobody_sees_it_before_a_login(phone: FlaskClient, line: LineState) -> None:
    _begin(phone)
    assert phone.get("/line/kept-form").location == "/log-in?next=%2Fline%2Fkept-form"
    assert len(_rows(line)) == 1


def test_S4_3_who_registers_on_the_way_sees_it(app: Flask, sakura: LineBrowser) -> None:
    phone = app.test_client()
    phone.get(sakura.log_in(_begin(phone)))
    assert press(phone, "/line/sign-up", display_name="佐藤").location == "/line/kept-form"
    assert "お茶をひとつ" in phone.get("/line/kept-form").text


def test_S4_3_two_pages_that_log_in_by_themselves_lose_no_form(
    phone: FlaskClient, sakura: LineBrowser
) -> None:
    begun = _begin(phone)
    with phone.session_transaction() as session:
        session.pop("_lineconnect_auto_at")
    other_tab = phone.get("/private", headers=HEADERS).location
    assert phone.get(sakura.log_in(other_tab), headers=HEADERS).location == "/private"
    assert phone.get(sakura.log_in(begun), headers=HEADERS).location == "/line/kept-form"
    assert "お茶をひとつ" in phone.get("/line/kept-form").text


def test_S4_3_a_form_of_an_ended_session_is_not_kept(
    phone: FlaskClient, line: LineState, sakura: LineBrowser
) -> None:
    log_in(phone, sakura)
    token = phone.get("/token").text
    account = line.session.scalars(select(Account)).one()
    account.session_generation += 1
    line.session.commit()
    answer = phone.post("/note", data={"csrf_token": token, "text": "a"}, headers=HEADERS)
    assert answer.location.startswith("/log-in")
    assert _rows(line) == []


def test_S6_1_a_logout_deletes_it(phone: FlaskClient, sakura: LineBrowser, line: LineState) -> None:
    phone.get(sakura.log_in(_begin(phone)))
    phone.post("/logout")
    assert _rows(line) == []


PASSWORDS = [
    "password",
    "new_password2",
    "currentPassword",
    "user[password]",
    "passwd",
    "pwd",
    "user-pw",
    "PASSPHRASE",
    "passcode",
    "pin",
    "pinCode",
    "otp",
    "cvv",
    "cardCvc",
    "security_code",
    "client_secret",
    "パスワード",
    "暗証番号",
    "密碼",
    "รหัสผ่าน",
]


def test_S4_3_passwords_are_never_kept(
    phone: FlaskClient, line: LineState, sakura: LineBrowser
) -> None:
    secrets = {name: f"hunter{number}" for number, name in enumerate(PASSWORDS)}
    begun = _begin(phone, **secrets, again="hunter3", spins="3", compass="北", passenger="花子")
    (row,) = _rows(line)
    sealed = line.vault.open(["kept form", row.handle_hash], row.sealed_fields)
    assert "hunter" not in str(sealed)
    phone.get(sakura.log_in(begun))
    page = phone.get("/line/kept-form").text
    assert "hunter" not in page
    asked = re.findall(r'type="password" name="([^"]+)"', page)
    assert [unescape(name) for name in asked] == [*PASSWORDS, "again"]
    kept = re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page)
    assert kept[1:] == [
        ("text", "お茶をひとつ"),
        ("spins", "3"),
        ("compass", "北"),
        ("passenger", "花子"),
    ]
    assert "パスワードは保存していません" in page


def test_S4_3_a_form_of_passwords_alone_says_nothing_of_them(phone: FlaskClient) -> None:
    token = phone.get("/token").text
    data = {"csrf_token": token, "password": "hunter2", "repeated": "hunter2"}
    answer = phone.post("/note", data=data, headers=HEADERS)
    assert "/oauth2/" in answer.location
