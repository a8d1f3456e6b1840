"""For everybody's tests: the LINE emulator as a pytest fixture.

Registered as a pytest plugin: a test that takes ``line_emulator`` gets an emulator in which nothing
has happened yet, and plays its users through :class:`~flask_lineconnect.testing.emulator.Emulator`.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest
from flask import Flask

from .browser import LineBrowser
from .emulator import Emulator
from .emulator import free_port
from .emulator import run_emulator

if TYPE_CHECKING:
    from .chat import LineChat

__all__ = [
    "Emulator",
    "LineBrowser",
    "free_port",
    "line_chat",
    "line_clock",
    "line_emulator",
    "line_emulator_server",
]


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


@pytest.fixture
def line_chat(line_emulator: Emulator) -> Iterator[Callable[[Flask, str], LineChat]]:
    """Return a function that opens a LINE user's chat with an app.

    ``line_chat(app, user_id).say("残高")`` sends the text through the whole path, LINE's webhook,
    the inbox, the hook and the reply, and returns the reply's message objects.
    """
    # Not needed by every test of whoever has installed this plugin, and slow to import.
    from .chat import open_chat

    with ExitStack() as chats:
        yield lambda app, user_id: chats.enter_context(open_chat(app, line_emulator, user_id))


@pytest.fixture
def line_clock(line_emulator: Emulator) -> Iterator[Callable[[Flask], None]]:
    """Return a function that lets an app go by LINE's clock, for time travel.

    After ``line_clock(app)``, ``line_emulator.travel(days=30)`` plays thirty days: the app does on
    the way what becomes due, each at its time.
    """
    from .time_machine import travelling

    with ExitStack() as journeys:
        yield lambda app: journeys.enter_context(travelling(app, line_emulator))
