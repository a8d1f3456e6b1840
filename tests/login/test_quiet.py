"""A login that nobody pressed for never costs a page, whatever LINE and the shop say."""

from __future__ import annotations

import re
import threading
import time
from typing import Any
from urllib.parse import unquote

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_login import login_required
from sqlalchemy import func
from sqlalchemy import select
from werkzeug.test import EnvironBuilder
from werkzeug.test import TestResponse

from flask_lineconnect.login import auto
from flask_lineconnect.login.quiet import REST
from flask_lineconnect.login.quiet import QuietLogins
from flask_lineconnect.models import Account
from flask_lineconnect.state import LineState
from flask_lineconnect.testing.plugin import Emulator
from flask_lineconnect.testing.plugin import LineBrowser
from tests.conftest import DATABASES
from tests.conftest import MakeApp
from tests.people import BASE_URL
from tests.people import IN_APP
from tests.people import sign_up
from tests.small_shop import User
from tests.small_shop import db

pytestmark = pytest.mark.parametrize("database", DATABASES, indirect=True)

PHONE = {"User-Agent": IN_APP}


@pytest.fixture
def app(make_app: MakeApp, line_emulator: Emulator) -> Flask:
    """Return the small shop, in which every page tries to log in by itself."""
    line_emulator.set_up(base_url=BASE_URL)
    settings = line_emulator.settings(BASE_URL)
    return make_app(**settings, LINECONNECT_AUTO_LOGIN_BLUEPRINTS="pages")


def _visit(client: FlaskClient, browser: LineBrowser, path: str) -> TestResponse:
    """Open a page in LINE's app, go to LINE where it leads, and come back."""
    answer = client.get(path, headers=PHONE)
    assert "/oauth2/" in answer.location
    return client.get(browser.log_in(answer.location), headers=PHONE)


def _is_read(client: FlaskClient, path: str, text: str) -> bool:
    answer = client.get(path, headers=PHONE)
    return answer.status_code == 200 and text in answer.text


BREAKDOWNS: dict[str, dict[str, Any]] = {
    "500": {"path": "/oauth2/v2.1/token", "status": 500},
    "closed": {"path": "/oauth2/v2.1/token", "drop": True},
    "hanging": {"path": "/oauth2/v2.1/token", "delay_seconds": 4},
    "400": {"path": "/oauth2/v2.1/token", "status": 400},
    "a bad nonce": {"id_token": {"nonce": "another"}},
    "another channel": {"id_token": {"aud": "1650000009"}},
    "an old token": {"id_token": {"exp": 1}},
}


@pytest.mark.hurried
@pytest.mark.parametrize("fault", BREAKDOWNS.values(), ids=BREAKDOWNS)
def test_S4_2_a_page_that_needs_no_login_stays_as_it_was(
    app: Flask, client: FlaskClient, sakura: LineBrowser, line_emulator: Emulator, fault: Any
) -> None:
    sign_up(client, sakura)
    phone = app.test_client()
    line_emulator.fault(**fault)
    assert _visit(phone, sakura, "/?a=%2F%3F&b=1").location == "/?a=%2F%3F&b=1"
    assert _is_read(phone, "/?a=%2F%3F&b=1", "home")
    assert _is_read(phone, "/", "home")


@pytest.mark.hurried
@pytest.mark.parametrize("fault", BREAKDOWNS.values(), ids=BREAKDOWNS)
def test_S4_2_a_page_that_needs_one_shows_the_ordinary_login(
    app: Flask, client: FlaskClient, sakura: LineBrowser, line_emulator: Emulator, fault: Any
) -> None:
    app.config["LINECONNECT_AUTO_LOGIN_BLUEPRINTS"] = ""
    sign_up(client, sakura)
    phone = app.test_client()
    line_emulator.fault(**fault)
    back = _visit(phone, sakura, "/private?tab=1").location
    if back == "/private?tab=1":
        back = phone.get(back, headers=PHONE).location
    assert back.startswith("/log-in?next=")
    assert "%2Fprivate" in back
    assert phone.get(back, headers=PHONE).status_code == 200


def test_S4_2_a_visitor_who_is_not_linked_reads_the_page(
    client: FlaskClient, sakura: LineBrowser, line_emulator: Emulator, line: LineState
) -> None:
    # Somebody who gave the consent once and did not register.
    client.get(sakura.log_in(client.get("/line/login").location))
    phone = client.application.test_client()
    assert _visit(phone, sakura, "/").location == "/"
    assert _is_read(phone, "/", "home")
    line.session.rollback()
    assert line.session.scalar(select(func.count()).select_from(User)) == 0


def test_S2_8_a_locked_member_reads_the_page(
    app: Flask, client: FlaskClient, sakura: LineBrowser, line: LineState
) -> None:
    sign_up(client, sakura)
    member = line.session.scalars(select(User)).one()
    member.is_locked = True
    db.session.commit()
    phone = app.test_client()
    assert _visit(phone, sakura, "/").location == "/"
    assert _is_read(phone, "/", "home")


def test_S4_2_it_is_not_tried_again_for_a_while(
    client: FlaskClient, sakura: LineBrowser, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert _visit(client, sakura, "/").location == "/"
    later = time.time() + auto.PAUSE + 5
    monkeypatch.setattr(time, "time", lambda: later)
    assert _is_read(client, "/", "home")
    much_later = time.time() + auto.LONG_PAUSE + 70
    monkeypatch.setattr(time, "time", lambda: much_later)
    assert "/oauth2/" in client.get("/", headers=PHONE).location


def test_a_linked_member_is_logged_in_without_a_touch(
    app: Flask, client: FlaskClient, sakura: LineBrowser
) -> None:
    sign_up(client, sakura)
    phone = app.test_client()
    assert _visit(phone, sakura, "/").location == "/"
    assert phone.get("/name").text == "佐藤 さくら"


@pytest.mark.hurried
def test_S12_nobody_is_sent_to_a_line_that_does_not_answer(
    app: Flask, client: FlaskClient, sakura: LineBrowser, line_emulator: Emulator
) -> None:
    sign_up(client, sakura)
    silently = app.extensions["lineconnect"].part(QuietLogins)
    now = [time.monotonic()]
    silently.monotonic = lambda: now[0]
    line_emulator.fault(path="/oauth2/v2.1/token", delay_seconds=5)
    assert _visit(app.test_client(), sakura, "/").location == "/"
    assert _is_read(app.test_client(), "/", "home")
    now[0] += REST + 1
    assert _visit(app.test_client(), sakura, "/").location == "/"
    phone = app.test_client()
    _visit(phone, sakura, "/")
    assert phone.get("/name").status_code == 200


@pytest.mark.hurried
def test_S12_few_wait_for_line_at_once(
    app: Flask, client: FlaskClient, sakura: LineBrowser, line_emulator: Emulator
) -> None:
    sign_up(client, sakura)
    phones = [app.test_client() for _number in range(4)]
    starts = [phone.get("/", headers=PHONE).location for phone in phones]
    callbacks = [sakura.log_in(start) for start in starts]
    line_emulator.fault(path="/oauth2/v2.1/token", delay_seconds=5, times=10)
    came_back: list[str] = []

    def come_back(phone: FlaskClient, callback: str) -> None:
        came_back.append(phone.get(callback, headers=PHONE).location)

    threads = [
        threading.Thread(target=come_back, args=pair)
        for pair in zip(phones, callbacks, strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert came_back == ["/"] * len(phones)
    # One waited for LINE, the others went on at once.
    (fault,) = line_emulator.faults()
    assert 10 - fault["left"] == 1


ROBOTS = [
    "Line/1.0 (compatible; Line-Crawler)",
    "Mozilla/5.0 (compatible; Line/1.0; +https://line.me)",
    "facebookexternalhit/1.1;line-poker/1.0",
    "Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 Line/14.0.0 (compatible; Googlebot/2.1)",
    "LineBotWebhook/2.0",
    "Line/14.9.0",
    "OnLine/14.9.0",
]


@pytest.mark.parametrize("agent", ROBOTS)
def test_S4_1_robots_read_the_page(client: FlaskClient, agent: str) -> None:
    assert client.get("/", headers={"User-Agent": agent}).text == "home"
    private = client.get("/private", headers={"User-Agent": agent})
    assert private.location.startswith("/log-in")


#: To none of them a browser could be led back as it came.
NO_WAY_BACK = {
    "longer than a session keeps": "/?utm_content=" + "x" * 600,
    "what browsers read as a slash": "/?next=\\evil",
    "signs that nobody sees": "/?q=a%0Ab\u200b",
    "a path that climbs": "/tea/%2e%2e/x",
}


@pytest.mark.parametrize("path", NO_WAY_BACK.values(), ids=NO_WAY_BACK)
def test_S4_2_an_address_that_leads_nobody_back_stays_as_it_is(
    app: Flask, client: FlaskClient, path: str
) -> None:
    app.add_url_rule("/tea/<path:name>", "pages.tea", login_required(lambda name: name))
    environ = EnvironBuilder(path="/", headers=list(PHONE.items())).get_environ()
    path, _, query = path.partition("?")
    environ |= {"PATH_INFO": unquote(path), "QUERY_STRING": query.encode().decode("latin-1")}
    environ |= {"RAW_URI": path, "REQUEST_URI": path}
    answer = client.open(environ)
    is_private = path != "/"
    assert answer.status_code == (302 if is_private else 200)
    assert answer.location.startswith("/log-in?next=") if is_private else answer.text == "home"
    with client.session_transaction() as session:
        assert "_lineconnect_attempts" not in session


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Dest": "image", "Sec-Fetch-Mode": "no-cors"},
        {"Sec-Fetch-Dest": "script"},
        {"Sec-Fetch-Dest": "embed", "Sec-Fetch-Mode": "navigate"},
        {"Sec-Fetch-Dest": "object", "Sec-Fetch-Mode": "navigate"},
        {"Sec-Purpose": "prefetch;prerender"},
        {"Purpose": "prefetch"},
        {"X-Purpose": "preview"},
        {"X-Moz": "prefetch"},
    ],
    ids=lambda headers: "-".join(headers.values()),
)
def test_S4_2_nothing_starts_for_what_nobody_opened(
    client: FlaskClient, headers: dict[str, str]
) -> None:
    assert client.get("/", headers={**PHONE, **headers}).text == "home"


def test_S4_2_no_frame_starts_one_where_line_is_the_real_one(make_app: MakeApp) -> None:
    client = make_app(LINECONNECT_AUTO_LOGIN_BLUEPRINTS="pages").test_client()
    frame = {**PHONE, "Sec-Fetch-Dest": "iframe", "Sec-Fetch-Mode": "navigate"}
    assert client.get("/", headers=frame).text == "home"


@pytest.mark.parametrize("is_known", [True, False])
def test_S4_2_a_browser_without_cookies_reads_the_page(
    app: Flask, client: FlaskClient, sakura: LineBrowser, line: LineState, is_known: bool
) -> None:
    if is_known:
        sign_up(client, sakura)
    forgetful = app.test_client(use_cookies=False)
    back = _visit(forgetful, sakura, "/?a=1").location
    assert re.fullmatch(r"/\?a=1&lineconnect-auto=0", back)
    assert _is_read(forgetful, back, "home")
    line.session.rollback()
    assert line.session.scalar(select(func.count()).select_from(Account)) == int(is_known)


@pytest.mark.parametrize("states", [["x"], ["W10.x.y"], [], ["a", "b"]])
def test_S2_2_a_state_that_is_not_ours_leads_nowhere(
    client: FlaskClient, states: list[str]
) -> None:
    query = "&".join(f"state={state}" for state in states)
    assert client.get(f"/line/callback?code=c&{query}").status_code == 400
