"""The linked member whose pages most tests here look at."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from flask_lineconnect.state import LineState
from tests.people import add_member
from tests.people import link
from tests.people import open_as
from tests.small_shop import User


@pytest.fixture
def hanako(line: LineState) -> User:
    """Return a linked member."""
    member = add_member(line)
    link(line, member)
    return member


@pytest.fixture
def phone(client: FlaskClient, hanako: User) -> FlaskClient:
    """Return the linked member's browser."""
    return open_as(client, hanako)
