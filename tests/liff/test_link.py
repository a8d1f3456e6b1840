"""An existing member links inside LINE: two fresh proofs, both sides shown, one press."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs
from urllib.parse import urlsplit

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from flask_lineconnect.linking import accounts
from flask_lineconnect.models import Account
from flask_lineconnect.state import LineState
from flask_lineconnect.testing.plugin import Emulator
from flask_lineconnect.testing.plugin import LineBrowser
from tests.conftest import DATABASES
from tests.people import BASE_URL
from tests.people import add_member
from tests.people import link
from tests.people import open_as
from tests.people import press
from tests.people import token_in
from tests.small_shop import User

pytestmark = pytest.mark.joined

on_both = pytest.mark.parametrize("database", DATABASES, indirect=True)
PAGE, CONFIRM = "/line/liff/link", "/line/link/confirm"


@pytest.fixture
def phone(line_emulator: Emulator) -> LineBrowser:
    """Return the phone of a LINE user who has not met the shop."""
    return line_emulator.browser(line_emulator.add_user("はなこ"))


@pytest.fixture
def hanako(line: LineState) -> User:
    """Return a member of long standing, who is not linked."""
    return add_member(line)


def _id_token(phone: LineBrowser) -> str:
    address = phone.open_in_app(f"{phone.url}/1650000001-DemoCard")
    return parse_qs(urlsplit(address).fragment)["id_token"][0]


def _send(client: FlaskClient, path: str, id_token: str, **headers: str) -> TestResponse:
    token = client.get("/token").text
    return client.post(
        path,
        json={"id_token": id_token},
        headers={"X-CSRFToken": token, "Origin": BASE_URL, **headers},
    )


def _linked_to(line: LineState) -> list[Any]:
    line.session.rollback()
    return list(
        line.session.scalars(select(Account.member_id).where(Account.member_id.is_not(None)))
    )


@on_both
def test_a_member_logs_in_sees_both_sides_and_presses(
    client: FlaskClient, line: LineState, hanako: User, phone: LineBrowser
) -> None:
    assert "ログイン画面へ" in client.get(PAGE).text
    page = open_as(client, hanako).get(PAGE).text
    assert "山田 花子 さまのアカウントをLINEと連携すると" in page
    assert "check.js" not in page
    answer = _send(client, PAGE, _id_token(phone))
    assert answer.json == {"location": CONFIRM}
    assert _linked_to(line) == []
    both = client.get(CONFIRM).text
    assert "はなこ" in both
    assert "山田 花子 さま" in both
    assert press(client, CONFIRM).status_code == 302
    assert _linked_to(line) == [hanako.id]
    assert "山田 花子" in client.get("/line/liff").text
    assert "連携済みです" in client.get(PAGE).text


def test_S3_1_without_a_login_of_the_shops_nothing_waits(
    client: FlaskClient, line: LineState, hanako: User, phone: LineBrowser
) -> None:
    answer = _send(client, PAGE, _id_token(phone))
    assert (answer.status_code, (answer.json or {})["step"]) == (401, "session")
    assert client.get(CONFIRM).status_code == 400
    assert _linked_to(line) == []


def test_S3_1_a_login_of_long_ago_is_no_proof(
    client: FlaskClient, hanako: User, phone: LineBrowser
) -> None:
    open_as(client, hanako)
    with client.session_transaction() as session:
        session["_lineconnect_logged_in_at"] -= 50_000
    assert "もう一度ログインしてください" in client.get(PAGE).text
    answer = _send(client, PAGE, _id_token(phone))
    assert (answer.status_code, (answer.json or {})["step"]) == (401, "session")
    assert client.get(CONFIRM).status_code == 400


def test_S3_1_a_token_of_long_ago_is_no_proof(
    client: FlaskClient, line: LineState, hanako: User, phone: LineBrowser
) -> None:
    open_as(client, hanako)
    of_before, now = _id_token(phone), line.clock()
    line.clock = lambda: now + timedelta(minutes=50)
    # The page then goes the way through LINE Login, as it does for a token that has expired.
    answer = _send(client, PAGE, of_before)
    assert (answer.status_code, (answer.json or {})["step"]) == (401, "iat")
    assert client.get(CONFIRM).status_code == 400


def test_S3_1_a_token_of_long_ago_registers_nobody(
    client: FlaskClient, line: LineState, phone: LineBrowser
) -> None:
    of_before, now = _id_token(phone), line.clock()
    line.clock = lambda: now + timedelta(minutes=50)
    answer = _send(client, "/line/liff/session", of_before)
    assert (answer.status_code, (answer.json or {})["step"]) == (401, "iat")
    assert client.get("/line/liff/sign-up").status_code == 400


@pytest.mark.parametrize("headers", [{"Origin": "https://evil.example"}, {"X-CSRFToken": "x"}])
def test_S5_2_only_our_own_page_may_send_the_proof(
    client: FlaskClient, hanako: User, phone: LineBrowser, headers: dict[str, str]
) -> None:
    open_as(client, hanako)
    assert _send(client, PAGE, _id_token(phone), **headers).status_code == 403
    assert client.get(CONFIRM).status_code == 400


def test_S2_5_a_proof_that_is_not_lines_is_none(
    client: FlaskClient, hanako: User, phone: LineBrowser
) -> None:
    open_as(client, hanako)
    right = _id_token(phone)
    for wrong in ("", "a.b.c", right[:-6] + "AAAAAA"):
        assert _send(client, PAGE, wrong).status_code in {401, 403}
    assert client.get(CONFIRM).status_code == 400


def test_S3_3_what_waits_dies_with_the_login(
    client: FlaskClient, line: LineState, hanako: User, phone: LineBrowser
) -> None:
    open_as(client, hanako)
    _send(client, PAGE, _id_token(phone))
    token = token_in(client.get(CONFIRM))
    client.post("/logout")
    open_as(client, hanako)
    assert client.post(CONFIRM, data={"csrf_token": token}).status_code == 400
    assert _linked_to(line) == []


def test_S3_3_another_member_does_not_get_what_waits(
    client: FlaskClient, line: LineState, hanako: User, phone: LineBrowser
) -> None:
    open_as(client, hanako)
    _send(client, PAGE, _id_token(phone))
    kenta = add_member(line, "鈴木 健太")
    open_as(client, kenta)
    assert client.get(CONFIRM).status_code == 400
    assert _linked_to(line) == []


def test_S3_3_what_waits_dies_after_ten_minutes(
    client: FlaskClient, line: LineState, hanako: User, phone: LineBrowser
) -> None:
    open_as(client, hanako)
    _send(client, PAGE, _id_token(phone))
    token = token_in(client.get(CONFIRM))
    now = line.clock()
    line.clock = lambda: now + timedelta(minutes=11)
    assert client.post(CONFIRM, data={"csrf_token": token}).status_code == 400
    assert _linked_to(line) == []


@on_both
def test_S3_4_an_account_of_another_member_is_refused_without_a_word_of_them(
    client: FlaskClient, line: LineState, hanako: User, phone: LineBrowser
) -> None:
    kenta = add_member(line, "鈴木 健太")
    account = accounts.ensure_account(line.session, phone.user_id, now=line.clock())
    accounts.link(line, account, kenta.id, source=None, now=line.clock())
    line.session.commit()
    open_as(client, hanako)
    answer = _send(client, PAGE, _id_token(phone))
    assert (answer.json or {})["step"] == "account-taken"
    assert "健太" not in answer.text
    assert client.get("/name").text == "山田 花子"
    assert _linked_to(line) == [kenta.id]


@on_both
def test_S3_4_a_member_with_another_account_is_refused(
    client: FlaskClient, line: LineState, hanako: User, phone: LineBrowser
) -> None:
    link(line, hanako)
    open_as(client, hanako)
    assert (_send(client, PAGE, _id_token(phone)).json or {})["step"] == "member-taken"
    assert _linked_to(line) == [hanako.id]


def test_S5_3_the_exchange_asks_a_member_who_has_just_logged_in_and_links_nothing(
    client: FlaskClient, line: LineState, hanako: User, phone: LineBrowser
) -> None:
    open_as(client, hanako)
    answer = _send(client, "/line/liff/session", _id_token(phone))
    assert answer.json == {"changed": True, "location": PAGE}
    assert client.get("/name").text == "山田 花子"
    assert client.get(CONFIRM).status_code == 400
    assert _linked_to(line) == []


def test_whoever_is_not_that_member_goes_on_as_somebody_new(
    client: FlaskClient, hanako: User, phone: LineBrowser
) -> None:
    open_as(client, hanako)
    token = client.get("/token").text
    answer = client.post(f"{PAGE}/not-me", data={"csrf_token": token})
    assert (answer.status_code, answer.location) == (303, "/line/liff")
    assert client.get("/private").status_code == 302
    answer = _send(client, "/line/liff/session", _id_token(phone))
    assert answer.json == {"changed": True, "location": "/line/liff/sign-up"}


def test_the_registration_form_inside_line_leads_members_to_this_page(
    client: FlaskClient, phone: LineBrowser
) -> None:
    _send(client, "/line/liff/session", _id_token(phone))
    page = client.get("/line/liff/sign-up").text
    assert re.search(r'href="/log-in\?next=(%2F|/)line(%2F|/)liff(%2F|/)link"', page)


def test_without_a_script_the_press_goes_through_line_login(
    client: FlaskClient, line: LineState, hanako: User, phone: LineBrowser
) -> None:
    page = open_as(client, hanako).get(PAGE)
    form = re.search(r'<form method="post" id="link-form" action="([^"]+)"', page.text)
    assert form
    data = {"csrf_token": token_in(page), "next": "/line/liff", "source": "liff"}
    back = phone.log_in(client.post(form[1], data=data).location)
    assert client.get(back).location == CONFIRM
    assert press(client, CONFIRM).status_code == 302
    assert _linked_to(line) == [hanako.id]


@pytest.mark.parametrize("query", ["", "?liff.state=%2Flink", "/"])
def test_S5_4_the_page_never_redirects(client: FlaskClient, query: str) -> None:
    assert client.get(PAGE + query).status_code == 200
