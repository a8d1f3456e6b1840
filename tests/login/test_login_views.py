"""The shop's own login page, in all the ways in which Flask-Login takes it, and without one."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from flask import Response
from flask import abort
from flask import jsonify
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from flask_lineconnect.testing.plugin import LineBrowser
from tests.people import log_in
from tests.people import sign_up

BROKEN = (None, "", "api/signin", "no.such_page")
#: Pages of ours that need a member.
PAGES = ("/line/unlink", "/line/link")


@pytest.fixture
def app(joined_app: Flask) -> Flask:
    """Return the small shop, joined to the emulator."""
    return joined_app


def _set(app: Flask, **attributes: Any) -> None:
    for name, value in attributes.items():
        setattr(app.login_manager, name, value)  # type: ignore[attr-defined]  # of Flask-Login


def _assert_leads_to_line(page: TestResponse, back_to: str) -> None:
    assert page.status_code == 401
    assert page.mimetype == "text/html"
    assert f'href="/line/login?next={back_to}' in page.text, page.text


@pytest.mark.parametrize("login_view", BROKEN)
@pytest.mark.parametrize("path", PAGES)
def test_without_a_login_page_of_the_shops_ours_leads_on(
    app: Flask, client: FlaskClient, path: str, login_view: str | None
) -> None:
    _set(app, login_view=login_view)
    _assert_leads_to_line(client.get(path), path)


@pytest.mark.parametrize("login_view", BROKEN)
def test_whoever_registers_is_offered_no_login_that_is_not_there(
    app: Flask, client: FlaskClient, sakura: LineBrowser, login_view: str | None
) -> None:
    _set(app, login_view=login_view)
    log_in(client, sakura)
    page = client.get("/line/sign-up")
    assert page.status_code == 200
    assert "すでに会員の方" not in page.text
    assert client.get("/line/liff/link").status_code == 200


@pytest.mark.parametrize("login_view", BROKEN)
@pytest.mark.parametrize("refresh_view", BROKEN)
def test_a_member_who_must_log_in_again_is_led_to_line(
    app: Flask,
    client: FlaskClient,
    sakura: LineBrowser,
    login_view: str | None,
    refresh_view: str | None,
) -> None:
    sign_up(client, sakura)
    _set(app, login_view=login_view, refresh_view=refresh_view)
    with client.session_transaction() as session:
        session["_lineconnect_logged_in_at"] = 0
    page = client.get("/line/unlink")
    assert page.status_code == 401
    assert 'href="/line/login?next=/line/unlink' in page.text


@pytest.mark.parametrize(
    ("login_view", "address"),
    [
        ("pages.log_in", "/log-in?next=%2Fline%2Flink"),
        ("/signin", "/signin?next=%2Fline%2Flink"),
        ("/signin?from=line", "/signin?from=line&next=%2Fline%2Flink"),
        (
            "https://accounts.shop.example/in",
            "https://accounts.shop.example/in?next=http%3A%2F%2F127.0.0.1%3A5999%2Fline%2Flink",
        ),
    ],
)
def test_an_endpoint_a_path_and_an_address_are_login_pages(
    app: Flask, client: FlaskClient, sakura: LineBrowser, login_view: str, address: str
) -> None:
    _set(app, login_view=login_view)
    log_in(client, sakura)
    page = client.get("/line/sign-up").text
    assert f'href="{address.replace("&", "&amp;")}"' in page
    asked = client.get("/line/link", base_url="http://127.0.0.1:5999")
    assert asked.location == address


def test_a_blueprints_own_login_page_goes_first(
    app: Flask, client: FlaskClient, sakura: LineBrowser
) -> None:
    _set(app, blueprint_login_views={"lineconnect": "/line-members"})
    log_in(client, sakura)
    assert 'href="/line-members?next=%2Fline%2Flink"' in client.get("/line/sign-up").text
    assert client.get("/line/link").location.startswith("/line-members?")


def _json() -> tuple[Response, int]:
    return jsonify(error="login required"), 401


def _bare() -> None:
    abort(401)


@pytest.mark.parametrize("answer", [_json, _bare])
def test_a_shop_that_answers_programs_does_not_answer_people(
    app: Flask, client: FlaskClient, answer: Any
) -> None:
    _set(app, unauthorized_callback=answer, login_view=None)
    _assert_leads_to_line(client.get("/line/unlink"), "/line/unlink")


def test_a_shops_own_page_is_shown(app: Flask, client: FlaskClient) -> None:
    _set(app, unauthorized_callback=lambda: ("<h1>our login</h1>", 401), login_view=None)
    assert client.get("/line/unlink").text == "<h1>our login</h1>"
