"""How a login ends: on the page it was for, with a word that it worked, whoever the shop knows."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from flask_lineconnect import ShopAdapter
from flask_lineconnect.linking import accounts
from flask_lineconnect.models import Account
from flask_lineconnect.models import OutboxMessage
from flask_lineconnect.state import LineState
from flask_lineconnect.testing.plugin import Emulator
from flask_lineconnect.testing.plugin import LineBrowser
from tests.conftest import MakeApp
from tests.people import BASE_URL
from tests.people import log_in
from tests.people import press
from tests.people import sign_up
from tests.small_shop import SmallShop
from tests.small_shop import User
from tests.small_shop import db


@pytest.fixture
def app(make_app: MakeApp, line_emulator: Emulator) -> Flask:
    """Return the small shop, joined to the emulator."""
    line_emulator.set_up(base_url=BASE_URL)
    return make_app(**line_emulator.settings(BASE_URL))


class NamelessShop(SmallShop):
    """The small shop, without a word about how members are called."""

    member_name = ShopAdapter.member_name


def _login_url(client: FlaskClient, path: str) -> str:
    return client.get(path).headers["Location"]


def test_two_tabs_both_go_on_to_their_pages(client: FlaskClient, sakura: LineBrowser) -> None:
    sign_up(client, sakura)
    client.post("/logout")
    first = _login_url(client, "/line/login?next=/private?first=1")
    second = _login_url(client, "/line/login?next=/private?second=1")
    assert client.get(sakura.log_in(second)).location == "/private?second=1"
    late = sakura.log_in(first)
    assert client.get(late).location == "/private?first=1"
    assert client.get("/private").text == "private"
    # It said where its tab was going, once, and is no login.
    assert client.get(late).status_code == 400


def test_a_late_tab_of_somebody_who_logged_out_is_nobodys(
    client: FlaskClient, sakura: LineBrowser
) -> None:
    sign_up(client, sakura)
    client.post("/logout")
    first = _login_url(client, "/line/login?next=/private")
    log_in(client, sakura)
    client.post("/logout")
    assert client.get(sakura.log_in(first)).status_code == 400


def test_who_registers_from_the_stores_qr_gets_the_card_and_a_word(
    client: FlaskClient, sakura: LineBrowser
) -> None:
    assert sign_up(client, sakura).location == "/line/liff"
    page = client.get("/line/liff")
    assert 'role="status">会員登録が完了しました。' in page.text
    assert "会員登録が完了しました" not in client.get("/line/liff").text


def test_the_link_is_confirmed_in_line(
    client: FlaskClient, line: LineState, sakura: LineBrowser
) -> None:
    sign_up(client, sakura)
    queued = line.session.scalars(select(OutboxMessage)).one()
    assert queued.category == "account"
    assert "連携しました" in queued.messages


def test_an_existing_members_link_is_confirmed_on_the_page_and_in_line(
    client: FlaskClient, line: LineState, sakura: LineBrowser
) -> None:
    member = User(name="山田 花子", email="hanako@mail.example")
    db.session.add(member)
    db.session.commit()
    client.post(f"/password-login/{member.id}")
    callback = sakura.log_in(press(client, "/line/link", next="/private").location)
    assert client.get(callback).location == "/line/link/confirm"
    assert press(client, "/line/link/confirm").location == "/private"
    with client.session_transaction() as session:
        assert [text for _category, text in session["_flashes"]] == ["LINEと連携しました。"]
    assert "連携しました" in line.session.scalars(select(OutboxMessage)).one().messages


def test_the_name_in_line_stands_in(
    client: FlaskClient, line: LineState, sakura: LineBrowser
) -> None:
    line.shop = NamelessShop()
    sign_up(client, sakura)
    account = line.session.scalars(select(Account)).one()
    for path in ("/line/liff", "/line/liff/membership", "/line/unlink", "/line/link"):
        page = client.get(path).text
        assert account.display_name in page, path
        assert "User" not in page, path


def test_two_people_are_never_shown_as_one(
    client: FlaskClient, line: LineState, sakura: LineBrowser
) -> None:
    line.shop = NamelessShop()
    member = User(name="山田 花子", email="hanako@mail.example")
    db.session.add(member)
    db.session.commit()
    client.post(f"/password-login/{member.id}")
    callback = sakura.log_in(press(client, "/line/link").location)
    page = client.get(client.get(callback).location).text
    assert page.count("佐藤 さくら") == 1
    assert "User" not in page


def test_a_refusal_reads_as_its_sentence() -> None:
    assert (
        str(accounts.member_taken()) == "この会員は、すでに別のLINEアカウントと連携されています。"
    )


@pytest.mark.parametrize(
    ("language", "sentence"), [("ja", "ログインしてください。"), ("en", "Please log in.")]
)
def test_flask_login_speaks_the_pages_language(
    client: FlaskClient, language: str, sentence: str
) -> None:
    client.get("/line/link", headers={"Accept-Language": language})
    with client.session_transaction() as session:
        assert [text for _category, text in session["_flashes"]] == [sentence]


@pytest.mark.parametrize(
    "mark", [{}, {"is_staff": True}, {"is_admin": 1}, {"is_locked": True}, {"is_active": False}]
)
def test_line_opens_no_staff_room_and_no_locked_door_by_default(mark: dict[str, object]) -> None:
    member = type("Member", (), {"is_active": True, "is_staff": False, "is_banned": None, **mark})
    assert NamelessShop().may_log_in(member()) == (not mark)
