"""Firefox, driven by Marionette, which is inside it."""

from __future__ import annotations

import base64
import os
import shutil
import socket
import subprocess
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from flask_lineconnect.testing.plugin import free_port

from .phone import Phone

with warnings.catch_warnings():
    # Of a library of its own.
    warnings.simplefilter("ignore", DeprecationWarning)
    from marionette_driver.marionette import Marionette

_PROGRAMS = ("firefox-esr", "firefox")
#: Seconds that it may take to start.
_START = 60.0
_SIZE = ("--width", "400", "--height", "900")
_SETTINGS = {
    "intl.accept_languages": '"ja-JP,ja"',
    # No host outside is asked for anything.
    "app.normandy.enabled": "false",
    "app.update.enabled": "false",
    "browser.safebrowsing.update.enabled": "false",
    "browser.shell.checkDefaultBrowser": "false",
    "datareporting.policy.dataSubmissionEnabled": "false",
    "network.captive-portal-service.enabled": "false",
    "network.connectivity-service.enabled": "false",
    "services.settings.server": '"data:,"',
    "toolkit.telemetry.server": '"data:,"',
}


class _Driver:
    def __init__(self, marionette: Marionette) -> None:
        self._marionette = marionette

    def go(self, url: str) -> None:
        self._marionette.navigate(url)

    def run(self, script: str) -> Any:
        return self._marionette.execute_script(script, sandbox=None)

    def press(self, css: str) -> None:
        self._marionette.find_element("css selector", css).click()

    def picture(self) -> bytes:
        return base64.b64decode(self._marionette.screenshot(full=False))


@contextmanager
def open_firefox(folder: Path) -> Iterator[Phone]:
    """Open Firefox without anything from before, or skip the test.

    :param folder: for its profile.
    """
    program = next((path for name in _PROGRAMS if (path := shutil.which(name))), None)
    if program is None:
        pytest.skip("Firefox is not installed; on Debian: apt install firefox-esr")
    profile, port = folder / "firefox", free_port()
    profile.mkdir()
    settings = {**_SETTINGS, "marionette.port": str(port)}
    lines = [f'user_pref("{name}", {value});' for name, value in settings.items()]
    (profile / "user.js").write_text("\n".join(lines))
    command = [program, "--headless", "--marionette", "--no-remote", "--profile", str(profile)]
    with _running([*command, *_SIZE], port, {**os.environ, "HOME": str(profile)}):
        marionette = Marionette(host="127.0.0.1", port=port, socket_timeout=_START)
        marionette.start_session()
        try:
            yield Phone(_Driver(marionette))
        finally:
            marionette.delete_session()


@contextmanager
def _running(command: list[str], port: int, variables: dict[str, str]) -> Iterator[None]:
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(command, env=variables, stdout=quiet, stderr=quiet)
    deadline = time.monotonic() + _START
    try:
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                assert process.poll() is None, "Firefox ended at its start"
                assert time.monotonic() < deadline, "Firefox does not listen"
                time.sleep(0.05)
        yield
    finally:
        process.terminate()
        process.wait()
