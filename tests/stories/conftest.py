"""The demo shop and the emulator over real HTTP, and a real Chromium in front of them."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import Browser
from playwright.sync_api import BrowserContext
from playwright.sync_api import Page
from playwright.sync_api import expect
from werkzeug.serving import make_server

from demo_shop import create_app
from demo_shop import prepare_database
from flask_lineconnect import current_line
from flask_lineconnect import set_up_channels
from flask_lineconnect.testing import Emulator
from flask_lineconnect.testing import free_port

SCREENSHOTS = Path(__file__).parents[2] / "screenshots"
PHONE: dict[str, Any] = {
    "viewport": {"width": 390, "height": 844},
    "device_scale_factor": 2,
    "has_touch": True,
    "locale": "ja-JP",
    "timezone_id": "Asia/Tokyo",
}
#: The browsers of one machine are slow when the other tests run beside them. Milliseconds.
PATIENCE = 15_000

expect.set_options(timeout=PATIENCE)


@dataclass(frozen=True)
class Street:
    """A shop, LINE, and the people between them."""

    app: Flask
    shop: str
    line: Emulator


@pytest.fixture(scope="session")
def street(
    line_emulator_server: Emulator, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Street]:
    """Open the demo shop, as `make demo` does, with a database of its own."""
    port = free_port()
    base_url = f"http://127.0.0.1:{port}"
    line_emulator_server.set_up(base_url=base_url)
    folder = tmp_path_factory.mktemp("shop")
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    app = create_app(
        {
            "DEBUG": True,
            "SECRET_KEY": "a secret key for tests only",
            "SQLALCHEMY_DATABASE_URI": f"sqlite:///{folder / 'shop.db'}",
            "PICTURES_FOLDER": str(folder / "pictures"),
            **line_emulator_server.settings(base_url),
        }
    )
    with app.app_context():
        prepare_database(app)
        list(set_up_channels(current_line))
    server = make_server("127.0.0.1", port, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield Street(app, base_url, line_emulator_server)
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def open_browser(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Return a function that opens a browser of its own, with its own cookies."""
    contexts: list[BrowserContext] = []

    def open_one(**options: Any) -> Page:
        context = browser.new_context(**{**PHONE, **options})
        context.set_default_timeout(PATIENCE)
        contexts.append(context)
        return context.new_page()

    yield open_one
    for context in contexts:
        context.close()


@pytest.fixture
def shoot(request: pytest.FixtureRequest) -> Callable[..., None]:
    """Return a function that leaves a screenshot, named after the story and the step."""
    story = request.node.path.stem.removeprefix("test_")

    def take(page: Page, step: str) -> None:
        SCREENSHOTS.mkdir(exist_ok=True)
        page.screenshot(path=SCREENSHOTS / f"{story}-{step}.png", animations="disabled")

    return take
