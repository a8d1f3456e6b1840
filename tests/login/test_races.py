"""Requests at once: exactly one wins, and the others get a clear answer; on both databases."""

from __future__ import annotations

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func
from sqlalchemy import select
from werkzeug.test import TestResponse

from flask_lineconnect import Emulator
from flask_lineconnect.models import Account
from flask_lineconnect.state import LineState
from tests.conftest import DATABASES
from tests.conftest import MakeApp
from tests.small_shop import User

pytestmark = pytest.mark.parametrize("database", DATABASES, indirect=True)

BASE_URL = "http://127.0.0.1:5999"
RUNNERS = 4


@pytest.fixture
def app(make_app: MakeApp, line_emulator: Emulator) -> Flask:
    """Return the small shop, joined to the emulator."""
    line_emulator.set_up(base_url=BASE_URL)
    return make_app(**line_emulator.settings(BASE_URL))


@pytest.fixture
def callback(client: FlaskClient, line_emulator: Emulator) -> str:
    """Return the callback of a finished login that was begun by ``client``."""
    browser = line_emulator.browser(line_emulator.add_user("佐藤 さくら"))
    return browser.log_in(client.get("/line/login").location)


def _at_once(
    app: Flask, client: FlaskClient, act: Callable[[FlaskClient], TestResponse]
) -> list[TestResponse]:
    """Let several browsers with the same cookie do the same thing at the same moment."""
    cookie = client.get_cookie("session", domain="localhost")
    assert cookie
    barrier = Barrier(RUNNERS)

    def run(_number: int) -> TestResponse:
        browser = app.test_client()
        browser.set_cookie("session", cookie.value, domain="localhost")
        barrier.wait()
        return act(browser)

    with ThreadPoolExecutor(RUNNERS) as pool:
        return list(pool.map(run, range(RUNNERS)))


def _count(line: LineState, model: Any) -> int:
    line.session.rollback()
    return line.session.scalar(select(func.count()).select_from(model)) or 0


def test_S2_3_a_callback_that_arrives_several_times_counts_once(
    app: Flask, client: FlaskClient, line: LineState, line_emulator: Emulator, callback: str
) -> None:
    answers = _at_once(app, client, lambda browser: browser.get(callback))
    assert sorted(answer.status_code for answer in answers) == [302, 400, 400, 400]
    exchanges = [call for call in line_emulator.calls() if call["path"] == "/oauth2/v2.1/token"]
    assert len(exchanges) == 1
    assert _count(line, Account) == 1


def test_S3_4_a_registration_that_is_sent_several_times_makes_one_member(
    app: Flask, client: FlaskClient, line: LineState, callback: str
) -> None:
    client.get(callback)
    token = re.search(r'name="csrf_token" value="([^"]+)"', client.get("/line/sign-up").text)
    assert token
    form = {"csrf_token": token[1], "display_name": "佐藤 さくら", "email": "s@mail.example"}
    answers = _at_once(app, client, lambda browser: browser.post("/line/sign-up", data=form))
    assert [answer.status_code for answer in answers].count(302) == 1
    assert all(answer.status_code < 500 for answer in answers)
    assert _count(line, User) == 1
    account = line.session.scalars(select(Account)).one()
    assert account.member_id == line.session.scalars(select(User.id)).one()
