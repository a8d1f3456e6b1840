"""WebKitGTK, the engine of iPhones as far as Linux has it, driven by its own WebDriver."""

from __future__ import annotations

import os
import shutil
import subprocess
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from glob import glob
from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver import WebKitGTK
from selenium.webdriver.webkitgtk.options import Options
from selenium.webdriver.webkitgtk.service import Service

from .phone import Phone

#: LINE on an iPhone.
LINE_APP = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 "
    "(KHTML, like Gecko) Mobile/15E148 Safari Line/15.12.1 LIFF"
)
_SCREEN = "1200x1000x24"
#: A phone's width, and what is around a window.
_SIZE = (400, 900)
_BROWSERS = "/usr/lib/*/webkit2gtk-4.*/MiniBrowser"


class _Driver:
    def __init__(self, driver: WebKitGTK) -> None:
        self._driver = driver

    def go(self, url: str) -> None:
        self._driver.get(url)

    def run(self, script: str) -> Any:
        return self._driver.execute_script(script)

    def press(self, css: str) -> None:
        self._driver.find_element("css selector", css).click()

    def picture(self) -> bytes:
        return bytes(self._driver.get_screenshot_as_png())


@contextmanager
def open_webkit(folder: Path, *, user_agent: str | None = None) -> Iterator[Phone]:
    """Open WebKitGTK's browser without anything from before, or skip the test.

    :param folder: for what it needs beside itself.
    """
    program, browsers = shutil.which("WebKitWebDriver"), sorted(glob(_BROWSERS))
    screen = shutil.which("Xvfb")
    if program is None or screen is None or not browsers:
        pytest.skip("WebKit is not installed; on Debian: apt install webkit2gtk-driver xvfb")
    options = Options()
    options.binary_location = browsers[-1]
    options.add_argument("--automation")
    if user_agent:
        options.add_argument(f"--user-agent={user_agent}")
    with _running_screen(screen) as display:
        here = {**os.environ, **_japanese(folder), "DISPLAY": display}
        with warnings.catch_warnings():
            # Of selenium about itself.
            warnings.simplefilter("ignore", DeprecationWarning)
            driver = WebKitGTK(options=options, service=Service(program, env=here))
        try:
            driver.set_window_size(*_SIZE)
            yield Phone(_Driver(driver))
        finally:
            driver.quit()


@contextmanager
def _running_screen(program: str) -> Iterator[str]:
    """Run a screen that nobody sees; give its name."""
    reading, writing = os.pipe()
    command = [program, "-displayfd", str(writing), "-screen", "0", _SCREEN, "-nolisten", "tcp"]
    screen = subprocess.Popen(command, pass_fds=[writing], stderr=subprocess.DEVNULL)
    os.close(writing)
    try:
        with os.fdopen(reading) as told:
            yield f":{told.readline().strip()}"
    finally:
        screen.terminate()
        screen.wait()


def _japanese(folder: Path) -> dict[str, str]:
    """Return what makes a program Japanese; the browser asks for pages in its own language."""
    found = folder / "ja_JP.UTF-8"
    program = shutil.which("localedef")
    if program is None:
        return {}
    if not found.exists():
        subprocess.run([program, "-i", "ja_JP", "-f", "UTF-8", str(found)], capture_output=True)
    return {"LOCPATH": str(folder), "LANG": "ja_JP.UTF-8", "LC_ALL": "ja_JP.UTF-8"}
