"""A LINE that hangs holds few of the shop's threads, also where people press for a login."""

from __future__ import annotations

import threading
import time

import pytest
from flask import Flask
from flask.testing import FlaskClient

from flask_lineconnect import LineApiError
from flask_lineconnect.login.pressed import AT_ONCE
from flask_lineconnect.login.pressed import SLOW
from flask_lineconnect.login.pressed import PressedLogins
from flask_lineconnect.testing.plugin import Emulator
from flask_lineconnect.testing.plugin import LineBrowser
from tests.conftest import MakeApp
from tests.people import BASE_URL
from tests.people import log_in
from tests.people import sign_up

TIMEOUT = 4.0


@pytest.fixture
def app(make_app: MakeApp, line_emulator: Emulator) -> Flask:
    """Return the small shop, which waits for LINE for some seconds."""
    line_emulator.set_up(base_url=BASE_URL)
    settings = line_emulator.settings(BASE_URL)
    return make_app(**settings, LINECONNECT_TIMEOUT_SECONDS=TIMEOUT)


def test_S12_few_wait_for_a_line_that_hangs(
    app: Flask, client: FlaskClient, sakura: LineBrowser, line_emulator: Emulator
) -> None:
    sign_up(client, sakura)
    ways = [(phone := app.test_client(), _way_back(phone, sakura)) for _person in range(6)]
    line_emulator.fault(path="/oauth2/v2.1/token", delay_seconds=TIMEOUT + 3, times=10)
    statuses: list[int] = []

    def come_back(phone: FlaskClient, callback: str) -> None:
        statuses.append(phone.get(callback).status_code)

    threads = [threading.Thread(target=come_back, args=way) for way in ways[:5]]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [502] * len(threads)
    (fault,) = line_emulator.faults()
    assert 10 - fault["left"] == AT_ONCE
    # One alone asks again, and is let in when LINE answers.
    line_emulator.clear_faults()
    phone, callback = ways[5]
    assert phone.get(callback).status_code == 302
    assert log_in(app.test_client(), sakura, "/line/login?next=/private").location == "/private"


def _way_back(phone: FlaskClient, browser: LineBrowser) -> str:
    return browser.log_in(phone.get("/line/login?next=/private").location)


def test_S12_whoever_comes_while_line_hangs_is_told_at_once() -> None:
    now = [100.0]
    pressed = PressedLogins(lambda: now[0])
    with pressed.turn(), pressed.turn():
        now[0] += SLOW
        with pytest.raises(LineApiError, match="answers slowly"), pressed.turn():
            pass
    # It was slow until now: nobody else waits to find out.
    with (
        pressed.turn(),
        pressed.turn(),
        pytest.raises(LineApiError, match="answers slowly"),
        pressed.turn(),
    ):
        pass
    with pressed.turn():
        now[0] += 0.3
    with pressed.turn(), pressed.turn():
        now[0] += 0.3


def test_while_line_is_prompt_everybody_is_let_in() -> None:
    pressed, done = PressedLogins(), []

    def log_in_once() -> None:
        with pressed.turn():
            time.sleep(0.1)
        done.append(1)

    threads = [threading.Thread(target=log_in_once) for _person in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(done) == len(threads)
