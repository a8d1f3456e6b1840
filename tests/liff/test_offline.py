"""S5.5: the mark that a kept card needs ends with the login; stories show the worker at work."""

from __future__ import annotations

import re

import pytest
from flask.testing import FlaskClient

from flask_lineconnect.liff.offline import HEADER
from flask_lineconnect.linking import accounts
from flask_lineconnect.state import LineState
from tests.conftest import MakeApp
from tests.people import add_member
from tests.people import link
from tests.people import open_as
from tests.small_shop import User
from tests.small_shop import line as extension

MARK = "lineconnect_card"


@pytest.fixture
def phone(client: FlaskClient, hanako: User) -> FlaskClient:
    """Return the linked member's browser, in which the card was open."""
    open_as(client, hanako).get("/line/liff")
    return client


def _mark(client: FlaskClient) -> str | None:
    cookie = client.get_cookie(f"__Host-{MARK}")
    return cookie.value if cookie else None


def test_a_card_names_the_mark_of_its_login(phone: FlaskClient) -> None:
    mark = _mark(phone)
    assert mark
    assert len(mark) >= 22
    answer = phone.get("/line/liff")
    assert answer.headers[HEADER] == mark
    assert "Set-Cookie" not in answer.headers or MARK not in answer.headers["Set-Cookie"]


@pytest.mark.parametrize("planted", ["a\nb", "x" * 3_000, "short", '"<b>"', ""])
def test_a_mark_that_is_not_ours_is_replaced(phone: FlaskClient, planted: str) -> None:
    phone.set_cookie(f"__Host-{MARK}", planted, secure=True)
    answer = phone.get("/line/liff")
    assert answer.status_code == 200
    assert re.fullmatch(r"[\w-]{22}", answer.headers[HEADER])
    assert answer.headers[HEADER] == _mark(phone)


def test_nothing_but_a_members_card_is_marked(client: FlaskClient, phone: FlaskClient) -> None:
    assert HEADER not in phone.get("/line/liff/orders").headers
    phone.post("/logout")
    assert HEADER not in phone.get("/line/liff").headers
    assert _mark(phone) is None


def test_the_mark_is_a_host_cookie_of_the_session(client: FlaskClient, hanako: User) -> None:
    cookies = open_as(client, hanako).get("/line/liff").headers.getlist("Set-Cookie")
    (mark,) = [cookie for cookie in cookies if MARK in cookie]
    assert mark.startswith("__Host-")
    assert "Secure" in mark
    assert "SameSite=Lax" in mark
    assert "Max-Age" not in mark
    assert "Domain" not in mark


def test_S5_5_the_mark_ends_at_logout(phone: FlaskClient) -> None:
    phone.post("/logout")
    assert _mark(phone) is None


def test_S5_5_the_mark_ends_when_the_person_changes(phone: FlaskClient, line: LineState) -> None:
    before = _mark(phone)
    kenta = add_member(line, "鈴木 健太")
    link(line, kenta, "b")
    open_as(phone, kenta)
    assert _mark(phone) is None
    phone.get("/line/liff")
    assert _mark(phone) not in {None, before}


def test_S5_5_the_mark_ends_with_the_link(phone: FlaskClient) -> None:
    page = phone.get("/line/unlink").text
    token = page.split('name="csrf_token" value="')[1].split('"')[0]
    assert phone.post("/line/unlink", data={"csrf_token": token}).status_code == 200
    assert _mark(phone) is None


def test_S5_5_a_link_that_staff_end_leaves_no_marked_card(
    phone: FlaskClient, line: LineState, hanako: User
) -> None:
    extension.unlink(hanako)
    line.session.commit()
    assert accounts.account_of(line.session, hanako.id) is None
    # The worker takes an unmarked answer as the end of what it kept.
    assert HEADER not in phone.get("/line/liff").headers


def test_the_worker_may_act_for_all_liff_pages(make_app: MakeApp) -> None:
    answer = make_app().test_client().get("/line/liff/worker.js")
    assert answer.headers["Service-Worker-Allowed"] == "/line/liff"
    assert answer.mimetype == "text/javascript"
