"""The demo shop and the emulator over TLS, and a real Chromium in front of them."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import Browser
from playwright.sync_api import BrowserContext
from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import Page

from demo_shop import create_app
from flask_lineconnect import Emulator
from flask_lineconnect.testing.plugin import free_port
from tests.serving.authority import Authority
from tests.serving.nginx import find_nginx
from tests.serving.street import open_street

ROOT = Path(__file__).parents[2]
SCREENSHOTS = ROOT / "screenshots"
PHONE: dict[str, Any] = {
    "viewport": {"width": 390, "height": 844},
    "device_scale_factor": 2,
    "has_touch": True,
    "locale": "ja-JP",
    "timezone_id": "Asia/Tokyo",
}
#: The browsers of one machine are slow when the other tests run beside them. Milliseconds.
PATIENCE = 60_000

#: What the fixtures ``open_browser`` and ``shoot`` are.
Open = Callable[..., Page]
Shoot = Callable[..., None]


@dataclass(frozen=True)
class Street:
    """A shop, LINE, and the people between them."""

    app: Flask
    shop: str
    line: Emulator


@pytest.fixture(scope="session")
def street(
    tmp_path_factory: pytest.TempPathFactory, authority: Authority, tls_ports: dict[str, int]
) -> Iterator[Street]:
    """Open the demo shop and the emulator as in production, over TLS and under names.

    Without nginx they are opened as `make demo` does.
    """
    data = tmp_path_factory.mktemp("demo")
    opened = _over_tls(data, authority, tls_ports) if find_nginx() else open_demo(data)
    with opened as found:
        yield found


@contextmanager
def _over_tls(data: Path, authority: Authority, ports: dict[str, int]) -> Iterator[Street]:
    settings = {
        "SECRET_KEY": "a secret key for tests only",
        "TESTING": "true",
        "SQLALCHEMY_DATABASE_URI": f"sqlite:///{data / 'shop.db'}",
        "PICTURES_FOLDER": str(data / "pictures"),
    }
    with open_street(data, authority, ports, settings=settings) as served:
        yield Street(_look_into(data, served.shop, served.line), served.shop, served.line)


@contextmanager
def open_demo(data: Path, tree: Path = ROOT, options: Sequence[str] = ()) -> Iterator[Street]:
    """Open the demo shop and the emulator as `make demo` does, over plain HTTP.

    :param tree: another checkout, whose own environment runs its demo.
    """
    python = sys.executable if tree == ROOT else str(tree / ".venv" / "bin" / "python")
    shop, line = (f"http://127.0.0.1:{port}" for port in (free_port(), free_port()))
    ports = ["--port", shop.rsplit(":")[-1], "--emulator-port", line.rsplit(":")[-1]]
    command = [python, "-m", "demo_shop", "--data", str(data), *ports, *options]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=tree)
    try:
        assert process.stdout
        while "Ctrl-C stops both" not in (told := process.stdout.readline()):
            assert told, "the demo did not start"
        yield Street(_look_into(data, shop, Emulator(line)), shop, Emulator(line))
    finally:
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0
        if process.stdout:
            process.stdout.close()


def _look_into(data: Path, shop: str, line: Emulator) -> Flask:
    """Return an app on the running shop's database, to look at what happened."""
    uri = f"sqlite:///{data / 'shop.db'}"
    settings = {**line.settings(shop), "LINECONNECT_ENGINE": "worker"}
    return create_app({"TESTING": True, "SQLALCHEMY_DATABASE_URI": uri, **settings})


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
        path = SCREENSHOTS / f"{story}-{step}.png"
        try:
            page.screenshot(path=path, animations="disabled")
        except PlaywrightError:
            # Chromium without a GPU now and then has no frame at hand; the next one is there.
            page.wait_for_timeout(500)
            page.screenshot(path=path, animations="disabled")

    return take
