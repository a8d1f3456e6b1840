"""Names that nobody can see, or that turn text around, on the pages that say who is who."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from flask import render_template_string
from flask.testing import FlaskClient
from jinja2 import DictLoader
from sqlalchemy import select
from wtforms import BooleanField
from wtforms import Form

from flask_lineconnect import LineProfile
from flask_lineconnect import RawMessage
from flask_lineconnect import render_message
from flask_lineconnect.models import Account
from flask_lineconnect.models import OutboxMessage
from flask_lineconnect.person_names import Name
from flask_lineconnect.state import LineState
from flask_lineconnect.testing.plugin import Emulator
from flask_lineconnect.testing.plugin import LineBrowser
from tests.login.doors import exchange
from tests.login.doors import id_token
from tests.people import add_member
from tests.people import log_in
from tests.people import open_as
from tests.people import press
from tests.people import token_in
from tests.small_shop import SmallShop
from tests.small_shop import User

pytestmark = pytest.mark.joined

#: All others are in tests/test_person_names.py.
INVISIBLE = ["\u3164", "\u202e\u200b\u200d"]
TURNING = ["\u202eijihsat", "محمد 1"]


class NoName(Form):
    """A registration that asks for no name."""

    accepts = BooleanField("はい")


def _person(emulator: Emulator, name: str) -> LineBrowser:
    return emulator.browser(emulator.add_user(name))


def _begin_link(client: FlaskClient, browser: LineBrowser) -> str:
    """Link as a member who is logged in; return the page that asks."""
    form = {"csrf_token": client.get("/token").text}
    asked = client.get(browser.log_in(client.post("/line/link", data=form).location))
    return client.get(asked.location).text


def _begin_in_liff(client: FlaskClient, browser: LineBrowser, emulator: Emulator) -> str:
    token = id_token(browser, emulator)
    answer = exchange(client, token, "/line/liff/link")
    assert answer.json
    return client.get(answer.json["location"]).text


def _sides(page: str) -> list[str]:
    """Return the HTML of both names of a page that asks."""
    return re.findall(r"<strong>(.*?)</strong>", page, re.DOTALL)


@pytest.mark.parametrize("door", ["web", "liff"])
@pytest.mark.parametrize("name", INVISIBLE)
def test_S3_2_the_page_that_asks_shows_that_a_line_account_has_no_name(
    client: FlaskClient, line: LineState, line_emulator: Emulator, name: str, door: str
) -> None:
    open_as(client, add_member(line))
    browser = _person(line_emulator, name)
    page = (
        _begin_link(client, browser)
        if door == "web"
        else _begin_in_liff(client, browser, line_emulator)
    )
    assert _sides(page) == ["（お名前なし）", "山田 花子 さま"]


@pytest.mark.parametrize("name", INVISIBLE)
def test_S3_2_it_shows_a_members_number_where_there_is_no_name(
    client: FlaskClient, line: LineState, sakura: LineBrowser, name: str
) -> None:
    member = add_member(line, name)
    open_as(client, member)
    page = _begin_link(client, sakura)
    assert _sides(page) == ["佐藤 さくら", f"会員番号 {member.id:013d} さま"]


@pytest.mark.parametrize("name", TURNING)
def test_S1_7_names_turn_nothing_around_them(
    client: FlaskClient, line: LineState, line_emulator: Emulator, name: str
) -> None:
    member = add_member(line, name)
    open_as(client, member)
    page = _begin_link(client, _person(line_emulator, name))
    apart = f"<bdi>{name.lstrip(chr(0x202E))}</bdi>"
    assert _sides(page) == [apart, f"{apart} さま"]
    client.post("/line/link/confirm", data={"csrf_token": client.get("/token").text})
    for path in ("/line/liff", "/line/liff/membership", "/line/link", "/line/unlink"):
        page = client.get(path).text
        assert apart in page, path
        assert "\u202e" not in page, path


@pytest.mark.parametrize("name", INVISIBLE)
def test_whoever_has_no_name_is_asked_for_one(
    client: FlaskClient, line: LineState, line_emulator: Emulator, name: str
) -> None:
    log_in(client, _person(line_emulator, name))
    page = client.get("/line/sign-up").text
    assert "<strong>（お名前なし）</strong>" in page
    assert re.search(r'<input[^>]*name="display_name"[^>]*value=""', page)
    assert 'dir="auto"' in page
    answer = press(client, "/line/sign-up", display_name=name)
    assert "入力してください。" in answer.text
    line.session.rollback()
    assert line.session.scalars(select(User)).all() == []


def test_a_shop_is_told_no_name_that_nobody_can_see(
    app: Flask, line_emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []
    original = SmallShop.sign_up

    def remember(shop: SmallShop, profile: LineProfile) -> User | None:
        seen.append(profile.display_name)
        return original(shop, profile)

    monkeypatch.setattr(SmallShop, "sign_up", remember)
    monkeypatch.setattr(SmallShop, "sign_up_form", NoName)
    client = app.test_client()
    log_in(client, _person(line_emulator, "\u3164"))
    press(client, "/line/sign-up")
    assert seen == [""]


def test_people_are_told_of_a_link_without_control_signs(
    client: FlaskClient,
    line: LineState,
    line_emulator: Emulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told: list[str] = []
    monkeypatch.setattr(
        SmallShop, "tell_member", lambda _shop, _member, notice: told.append(notice.text)
    )
    member = add_member(line)
    open_as(client, member)
    page = _begin_link(client, _person(line_emulator, "דוד\r\nBcc: x@example.com\u202e"))
    assert "Bcc" in page
    press(client, "/line/link/confirm")
    assert "LINEアカウント「\u2068דוד Bcc: x@example.com\u2069」" in told[0]
    line.session.rollback()
    messages = line.session.scalars(select(OutboxMessage.messages)).all()
    assert "\u202e" not in str(messages)


@pytest.mark.parametrize("name", INVISIBLE)
def test_no_page_of_the_member_calls_them_nothing(
    client: FlaskClient, line: LineState, line_emulator: Emulator, name: str
) -> None:
    member = add_member(line, name)
    open_as(client, member)
    _begin_link(client, _person(line_emulator, name))
    press(client, "/line/link/confirm")
    number = f"会員番号 {member.id:013d} さま"
    for path in ("/line/liff", "/line/liff/membership", "/line/link"):
        assert number in client.get(path).text, path
    assert "<strong>（お名前なし）</strong>" in client.get("/line/unlink").text


@pytest.mark.parametrize("name", [*INVISIBLE, *TURNING])
def test_the_page_that_asks_to_replace_says_who_is_who(
    app: Flask, client: FlaskClient, line: LineState, line_emulator: Emulator, name: str
) -> None:
    browser = _person(line_emulator, name)
    first = add_member(line, name)
    open_as(client, first)
    _begin_link(client, browser)
    press(client, "/line/link/confirm")
    other = open_as(app.test_client(), add_member(line, "別の 会員"))
    asked = log_in(other, browser)
    assert asked.location == "/line/switch"
    shown = str(Name(name, "（お名前なし）").__html__())
    page = other.get(asked.location).text
    assert _sides(page) == [shown]
    assert token_in(other.get(asked.location))


@pytest.mark.parametrize(
    ("name", "on_page", "in_message"),
    [
        ("佐藤 <さくら>", "佐藤 &lt;さくら&gt;", "佐藤 <さくら>"),
        ("\u3164", "会員", "会員"),
        ("דוד", "<bdi>דוד</bdi>", "\u2068דוד\u2069"),
        ("a\u202eb", "<bdi>ab</bdi>", "\u2068ab\u2069"),
        (None, "会員", "会員"),
    ],
)
def test_shops_show_names_in_the_same_way(
    app: Flask, line: LineState, name: str | None, on_page: str, in_message: str
) -> None:
    text = "{{ name | person_name }} さま"
    line.json_environment.loader = DictLoader({"m.json": f'{{"type": "text", "text": "{text}"}}'})
    with app.test_request_context():
        assert render_template_string(text, name=name) == f"{on_page} さま"
        message = render_message("m.json", name=name)
    assert message == RawMessage({"type": "text", "text": f"{in_message} さま"})


def test_the_account_keeps_what_line_says(
    client: FlaskClient, line: LineState, line_emulator: Emulator
) -> None:
    log_in(client, _person(line_emulator, "דוד"))
    line.session.rollback()
    assert line.session.scalars(select(Account.display_name)).all() == ["דוד"]
