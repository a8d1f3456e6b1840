"""The stage on which scenarios are played, and somebody for whom."""

from __future__ import annotations

import pytest
from flask import Flask

from flask_lineconnect.state import LineState
from tests.marketing.scenario_shop import Stage
from tests.people import add_member
from tests.people import link
from tests.small_shop import User


@pytest.fixture
def stage(app: Flask, line: LineState) -> Stage:
    """Return the small shop, whose clock stands at noon."""
    return Stage(app)


@pytest.fixture
def member(stage: Stage) -> User:
    """Return a member who is linked."""
    found = add_member(stage.line)
    link(stage.line, found)
    return found
