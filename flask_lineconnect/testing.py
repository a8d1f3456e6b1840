"""For everybody's tests: the LINE emulator as a pytest fixture.

Registered as a pytest plugin: a test that takes ``line_emulator`` gets an emulator in which nothing
has happened yet, and plays its users through :class:`~flask_lineconnect.emulator_client.Emulator`.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .emulator_browser import LineBrowser
from .emulator_client import Emulator
from .emulator_client import free_port
from .emulator_client import run_emulator

__all__ = ["Emulator", "LineBrowser", "free_port", "line_emulator", "line_emulator_server"]


@pytest.fixture(scope="session")
def line_emulator_server() -> Iterator[Emulator]:
    """Run one emulator for this test process."""
    with run_emulator() as emulator:
        yield emulator


@pytest.fixture
def line_emulator(line_emulator_server: Emulator) -> Emulator:
    """Return an emulator in which nothing has happened yet."""
    line_emulator_server.reset()
    return line_emulator_server
