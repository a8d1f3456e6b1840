"""From two fresh channels to a shop in which the doctor finds nothing wrong, by listed steps alone.

LINE is met as an owner meets it: by its consoles' page and by its APIs, not by the emulator's
control pages.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from click.testing import CliRunner
from flask import Flask
from flask.cli import ScriptInfo
from playwright.sync_api import Locator
from playwright.sync_api import Page
from playwright.sync_api import expect

from flask_lineconnect.cli.doctor import doctor
from flask_lineconnect.cli.init import init
from flask_lineconnect.cli.setup import setup
from flask_lineconnect.setting_up.env_file import read_env
from flask_lineconnect.testing.browser import LineBrowser
from flask_lineconnect.testing.emulator import run_emulator
from flask_lineconnect.testing.plugin import free_port
from tests.conftest import MakeApp
from tests.doctor.conftest import served
from tests.people import log_in
from tests.people import sign_up

pytestmark = pytest.mark.usefixtures("folder")

#: Of the emulator's own people.
SAKURA = f"U{1:032x}"
MOST_STEPS = 15
_STEP = re.compile(r"^ *\d+\. (.+)$", re.MULTILINE)


@pytest.fixture
def line_url() -> Iterator[str]:
    """Run a LINE with two fresh channels; return where it is."""
    with run_emulator(None, "--fresh") as emulator:
        yield emulator.url


def _part(page: Page, name: str) -> Locator:
    return page.get_by_role("region", name=name)


def _save(part: Locator) -> None:
    part.get_by_role("button", name="Save").click()
    expect(part.get_by_role("status")).to_be_visible()


def _register_callback(page: Page, value: str) -> None:
    _part(page, "LINE Login channel").get_by_label("Callback URL").fill(value)
    _save(_part(page, "LINE Login channel"))


def _link_account(page: Page, value: str) -> None:
    switch = _part(page, "LINE Login channel").get_by_label("Linked LINE Official Account")
    expect(switch).to_have_accessible_name(re.compile(re.escape(value)))
    switch.check()
    _save(_part(page, "LINE Login channel"))


def _publish(page: Page, _value: str) -> None:
    part = _part(page, "LINE Login channel")
    part.get_by_role("button", name="Publish").click()
    expect(part.get_by_text("Published", exact=True)).to_be_visible()


def _switch_on(label: str) -> Callable[[Page, str], None]:
    def do(page: Page, value: str) -> None:
        assert value == "on"
        _part(page, "Messaging API channel").get_by_label(label).check()
        _save(_part(page, "Messaging API channel"))

    return do


def _be_silent(page: Page, _value: str) -> None:
    part = _part(page, "Response settings")
    part.get_by_label("Greeting message").uncheck()
    part.get_by_label("Auto-response").uncheck()
    _save(part)


#: What an owner does in the consoles, by the words of the list.
BY_HAND: dict[str, Callable[[Page, str], None]] = {
    "Callback URL": _register_callback,
    "Linked LINE Official Account": _link_account,
    "press Developing": _publish,
    "Use webhook": _switch_on("Use webhook"),
    "Webhook redelivery": _switch_on("Webhook redelivery"),
    "greeting message and auto-response off": _be_silent,
}


def _credentials(page: Page) -> dict[str, str]:
    """Copy IDs and secrets from the consoles."""
    found = {}
    for word, name in (("LOGIN", "LINE Login channel"), ("MESSAGING", "Messaging API channel")):
        codes = _part(page, name).locator("code")
        found[f"FLASK_LINECONNECT_{word}_CHANNEL_ID"] = codes.nth(0).inner_text()
        found[f"FLASK_LINECONNECT_{word}_CHANNEL_SECRET"] = codes.nth(1).inner_text()
    return found


def _do_the_list(page: Page, said: str) -> int:
    steps = _STEP.findall(said)
    for step in steps:
        (do,) = [do for words, do in BY_HAND.items() if words in step]
        do(page, step.rpartition(": ")[2])
    return len(steps)


@pytest.fixture
def browser_context_args(browser_context_args: dict[str, object]) -> dict[str, object]:
    """Let the consoles be English, as the list is."""
    return {**browser_context_args, "locale": "en-US"}


def test_from_two_fresh_channels(page: Page, line_url: str, make_app: MakeApp) -> None:
    port = free_port()
    page.goto(f"{line_url}/consoles")
    # 1: the four values, and where the shop is.
    env = {
        **_credentials(page),
        "FLASK_LINECONNECT_EMULATOR_URL": line_url,
        "FLASK_LINECONNECT_BASE_URL": f"http://127.0.0.1:{port}",
    }
    # 2: `flask line init`.
    begun = CliRunner().invoke(init, env=env)
    assert begun.exit_code == 0, begun.output
    # 3 and so on: what it lists.
    steps = 2 + _do_the_list(page, begun.output)
    # Then the shop is begun with these settings, and has its tables.
    steps += 1
    app = make_app(**read_env(Path(".env")), SECRET_KEY="3f1c9a27e5b84d60a1f2c3d4e5f60718")
    with served(app.wsgi_app, port):
        steps += 1
        assert _run(setup, app) == 0
        # A friend logs in, by whose token LINE tells the rest.
        steps += 1
        _log_in_as_a_friend(app, line_url)
        steps += 1
        result = CliRunner().invoke(doctor, ["--json"], obj=_shop(app))
    found = result.stdout
    assert result.exit_code == 0, found
    assert not re.search(r'"state": "(wrong|doubtful|unasked)"', found), found
    assert steps <= MOST_STEPS
    print(f"{steps} steps")


def _shop(app: Flask) -> ScriptInfo:
    return ScriptInfo(create_app=lambda: app)


def _run(command: object, app: Flask) -> int:
    return CliRunner().invoke(command, obj=_shop(app)).exit_code  # type: ignore[arg-type]


def _log_in_as_a_friend(app: Flask, line_url: str) -> None:
    requests.get(f"{line_url}/phone", timeout=60)
    browser = LineBrowser(line_url, SAKURA)
    sign_up(app.test_client(), browser)
    log_in(app.test_client(), browser)
