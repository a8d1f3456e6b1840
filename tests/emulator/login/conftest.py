"""A user's ordinary browser."""

from __future__ import annotations

import pytest

from ..conftest import Line
from .login_browser import SITE
from .login_browser import Browser


@pytest.fixture
def sakura(line: Line) -> Browser:
    """Return a user's ordinary browser; the channels belong to a shop."""
    line.platform.set_base_url(SITE)
    return Browser(line)
