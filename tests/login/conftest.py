"""The small shop, joined to the emulator, for all tests of login that don't make their own."""

from __future__ import annotations

import pytest
from flask import Flask

from flask_lineconnect.testing import Emulator
from flask_lineconnect.testing import LineBrowser
from tests.conftest import MakeApp
from tests.login.people import BASE_URL


@pytest.fixture
def joined_app(make_app: MakeApp, line_emulator: Emulator) -> Flask:
    """Return the small shop, joined to the emulator."""
    line_emulator.set_up(base_url=BASE_URL)
    return make_app(**line_emulator.settings(BASE_URL))


@pytest.fixture
def sakura(line_emulator: Emulator) -> LineBrowser:
    """Return the browser of a LINE user who has not met the shop."""
    return line_emulator.browser(line_emulator.add_user("佐藤 さくら"))
