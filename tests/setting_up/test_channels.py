"""Telling LINE where the shop is: webhook, LIFF endpoint, and one rich menu per content."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from flask import Flask
from flask.cli import FlaskGroup
from jinja2 import DictLoader
from sqlalchemy import func
from sqlalchemy import select

from flask_lineconnect import Emulator
from flask_lineconnect import LineApiError
from flask_lineconnect import RichMenu
from flask_lineconnect import UsageError
from flask_lineconnect import set_up_channels
from flask_lineconnect.line_api.client import LineApi
from flask_lineconnect.models import PublishedRichMenu
from flask_lineconnect.state import LineState
from tests.conftest import MakeApp

BASE_URL = "http://127.0.0.1:5999"
IMAGE = Path(__file__).parents[2] / "demo_shop" / "line" / "rich_menu.png"
MENU = """{"size": {"width": 2500, "height": 1686}, "selected": true, "name": "%s",
 "chatBarText": "Menu", "areas": [{"bounds": {"x": 0, "y": 0, "width": 2500, "height": 1686},
 "action": {"type": "uri", "uri": "{{ liff_url() }}"}}]}"""


@pytest.fixture
def app(make_app: MakeApp, line_emulator: Emulator, tmp_path: Path) -> Flask:
    """Return the small shop with a rich menu, joined to the emulator."""
    app = make_app(**line_emulator.settings(BASE_URL))
    app.root_path = str(tmp_path)
    shutil.copy(IMAGE, tmp_path / "menu.png")
    state: LineState = app.extensions["lineconnect"]
    state.rich_menu = RichMenu(template="menu.json", image="menu.png")
    state.json_environment.loader = DictLoader({"menu.json": MENU % "first"})
    return app


def _state(emulator: Emulator) -> dict[str, Any]:
    return dict(emulator._get("/_emulator/state"))


def test_line_learns_where_the_shop_is(line: LineState, line_emulator: Emulator) -> None:
    told = list(set_up_channels(line))
    state = _state(line_emulator)
    assert state["messaging_channel"]["webhook_url"] == f"{BASE_URL}/line/webhook"
    assert state["liff_apps"][0]["endpoint_url"] == f"{BASE_URL}/line/liff"
    assert state["messaging_channel"]["default_rich_menu_id"] in " ".join(told)
    assert f"{BASE_URL}/line/callback" in told[-1]


def test_the_same_menu_is_not_made_twice(line: LineState, line_emulator: Emulator) -> None:
    for _time in range(2):
        list(set_up_channels(line))
    assert len(line.part(LineApi).rich_menu_ids()) == 1


def test_a_changed_menu_replaces_the_old_one(line: LineState, line_emulator: Emulator) -> None:
    list(set_up_channels(line))
    first = line.part(LineApi).rich_menu_ids()
    line.json_environment.loader = DictLoader({"menu.json": MENU % "second"})
    if line.json_environment.cache is not None:
        line.json_environment.cache.clear()
    list(set_up_channels(line))
    now = line.part(LineApi).rich_menu_ids()
    assert len(now) == 1
    assert now != first
    assert line.session.scalar(select(func.count()).select_from(PublishedRichMenu)) == 1


def test_a_menu_that_line_has_lost_is_made_again(line: LineState, line_emulator: Emulator) -> None:
    list(set_up_channels(line))
    line_emulator.reset()
    line.part(LineApi).messaging_token.forget()
    line.part(LineApi).login_token.forget()
    list(set_up_channels(line))
    assert len(line.part(LineApi).rich_menu_ids()) == 1


@pytest.mark.parametrize("content", [None, b"GIF89a", b"\x89PNG" + b"0" * 1_000_001])
def test_an_image_that_line_would_refuse_is_named(
    line: LineState, tmp_path: Path, content: bytes | None
) -> None:
    (tmp_path / "menu.png").unlink()
    if content is not None:
        (tmp_path / "menu.png").write_bytes(content)
    with pytest.raises(UsageError, match=r"menu\.png"):
        list(set_up_channels(line))


def test_a_wrong_secret_names_the_setting(make_app: MakeApp, line_emulator: Emulator) -> None:
    settings = line_emulator.settings(BASE_URL)
    app = make_app(**settings | {"LINECONNECT_MESSAGING_CHANNEL_SECRET": "f" * 32})
    command = FlaskGroup(create_app=lambda: app)
    answer = CliRunner().invoke(command, ["line", "setup"])
    assert answer.exit_code == 1
    assert "its ID or secret in the LINECONNECT_ settings is wrong" in answer.output


def test_a_line_that_is_away_says_so(make_app: MakeApp, line_emulator: Emulator) -> None:
    settings = line_emulator.settings(BASE_URL) | {"LINECONNECT_EMULATOR_URL": "http://127.0.0.1:9"}
    app = make_app(**settings)
    with app.app_context(), pytest.raises(LineApiError, match="did not answer"):
        list(set_up_channels(app.extensions["lineconnect"]))
