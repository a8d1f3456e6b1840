"""A platform without a shop and without a server, for tests that need neither."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from flask_lineconnect.emulator.app import create_app
from flask_lineconnect.emulator.platform import Platform
from flask_lineconnect.emulator.world import RichMenu


@pytest.fixture
def line() -> Platform:
    """Return a platform without a shop, so that no webhook leaves it."""
    return Platform()


@pytest.fixture
def client(line: Platform) -> FlaskClient:
    """Return a client of the emulator: a browser without cookies."""
    return create_app(line).test_client()


def show_menu(line: Platform, *actions: dict[str, Any], image: str | None = "AAAA") -> None:
    """Make a rich menu of areas with these actions everybody's."""
    bounds = {"x": 0, "y": 0, "width": 2500, "height": 843}
    menu = RichMenu(
        rich_menu_id="richmenu-1",
        definition={
            "size": {"width": 2500, "height": 843},
            "selected": True,
            "name": "menu",
            "chatBarText": "メニュー",
            "areas": [{"bounds": bounds, "action": action} for action in actions],
        },
        image_base64=image,
        image_type="image/png",
    )
    line.world.rich_menus[menu.rich_menu_id] = menu
    line.world.messaging_channel.default_rich_menu_id = menu.rich_menu_id
