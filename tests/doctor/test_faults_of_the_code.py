"""What the shop's code declares for LINE: each check finds its fault."""

from __future__ import annotations

import zoneinfo
from pathlib import Path
from typing import Any

import pytest
from flask import Blueprint
from flask import Flask
from jinja2 import DictLoader

from flask_lineconnect import ConfigError
from flask_lineconnect import LineBlueprint
from flask_lineconnect import RichMenu
from flask_lineconnect.config.settings import Config
from flask_lineconnect.hooks.table import HookTable
from flask_lineconnect.state import LineState
from tests.conftest import MakeApp
from tests.setting_up.test_channels import IMAGE
from tests.setting_up.test_channels import MENU
from tests.small_shop import SETTINGS
from tests.small_shop import SmallShop

from .conftest import look


def _found(app: Flask, name: str) -> Any:
    return look(app, name, may_ask=False)[name]


def _standing_in_the_way(app: Flask) -> None:
    pages = Blueprint("other", __name__)
    pages.add_url_rule("/line/webhook", "hook", lambda: "ours", methods=["POST"])
    app.register_blueprint(pages)


def test_a_page_that_stands_in_the_way(make_app: MakeApp) -> None:
    assert _found(make_app(), "routes").state == "fine"

    found = _found(make_app(before=[_standing_in_the_way]), "routes")
    assert found.state == "wrong"
    assert "/line/webhook leads to other.hook" in found.text
    assert "LINECONNECT_URL_PREFIX" in found.mend


class LostPages(SmallShop):
    """Names a page that is not there."""

    set_password_endpoint = "auth.password"


def test_endpoints_that_are_not_there(app: Flask, make_app: MakeApp) -> None:
    assert _found(app, "endpoints").state == "fine"
    app.extensions["lineconnect"].shop = LostPages()
    assert "'auth.password', which is no endpoint" in _found(app, "endpoints").text
    other = make_app(LINECONNECT_AUTO_LOGIN_BLUEPRINTS=["catalog"])
    found = _found(other, "endpoints")
    assert found.state == "wrong"
    assert "'catalog'" in found.text


def test_a_shop_without_hooks(app: Flask, line: LineState) -> None:
    assert _found(app, "hooks").state == "fine"
    line.part(HookTable).hooks.clear()
    found = _found(app, "hooks")
    assert found.state == "doubtful"
    assert "LineBlueprint" in found.mend


def test_scenarios_with_mistakes(app: Flask) -> None:
    assert look(app, "scenarios", may_ask=False) == {}
    blueprint = LineBlueprint("told", __name__)
    blueprint.member_event("cart.changed", label="")
    step = {"name": "remind", "wait": "PT1H", "message": "{{ conut }}点あります。"}
    blueprint.scenario(
        "cart",
        label="x",
        starts_on="cart.changed",
        key="member",
        again="never",
        category="news",
        steps=[step],
    )
    app.register_blueprint(blueprint)
    found = _found(app, "scenarios")
    assert found.state == "wrong"
    assert "the scenarios cart" in found.text
    assert "flask line scenario check" in found.mend


def test_receipts_without_their_package(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    assert _found(app, "receipts").state == "fine"
    monkeypatch.setattr("flask_lineconnect.doctor.code.find_spec", lambda _name: None)
    found = _found(app, "receipts")
    assert found.state == "wrong"
    assert "[receipt]" in found.mend


def test_a_rich_menu_that_cannot_be_made(app: Flask, line: LineState, tmp_path: Path) -> None:
    app.root_path = str(tmp_path)
    line.rich_menu = RichMenu(template="menu.json", image="menu.png")
    line.json_environment.loader = DictLoader({"menu.json": MENU % "first"})
    found = _found(app, "rich-menu-files")
    assert found.state == "wrong"
    assert "menu.png can't be read" in found.text
    (tmp_path / "menu.png").write_bytes(IMAGE.read_bytes())
    assert _found(app, "rich-menu-files").state == "fine"
    line.rich_menu = RichMenu(template="other.json", image="menu.png")
    found = _found(app, "rich-menu-files")
    assert found.state == "wrong"
    assert "other.json" in found.text


def test_a_machine_without_time_zones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flask_lineconnect.config.values.available_timezones", set)
    with pytest.raises(ConfigError, match="pip install tzdata"):
        Config.from_mapping({**SETTINGS, "LINECONNECT_TIMEZONE": "Asia/Nowhere"})
    assert zoneinfo.available_timezones()
