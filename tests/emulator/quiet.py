"""A platform without a shop and without a server, for tests that need neither."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from flask_lineconnect.emulator.app import create_app
from flask_lineconnect.emulator.platform import Platform


@pytest.fixture
def line() -> Platform:
    """Return a platform without a shop, so that no webhook leaves it."""
    return Platform()


@pytest.fixture
def client(line: Platform) -> FlaskClient:
    """Return a client of the emulator: a browser without cookies."""
    return create_app(line).test_client()
