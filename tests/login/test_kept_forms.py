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

from flask_lineconnect.models import KeptForm
from flask_lineconnect.state import LineState
from flask_lineconnect.testing.plugin import LineBrowser
from tests import small_shop
from tests.people import IN_APP
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
