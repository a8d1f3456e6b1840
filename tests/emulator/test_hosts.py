"""The emulator answers under this machine's own names only; others get 400 and no traceback."""

from __future__ import annotations

import http.client
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from flask_lineconnect.testing.emulator import free_port

FOREIGN = [
    b"evil.example",
    b"evil.example:5001",
    b"127.0.0.1.evil.example",
    b"localhost.evil.example",
    b"192.0.2.1",
    b"[2001:db8::1]",
    b"user@evil.example",
]
BROKEN = [
    b"",
    b"a b",
    b"[",
    b"[::1",
    b"]:80",
    b"127.0.0.1:port",
    b"127.0.0.1:99999999999999999999",
    b"ex%61mple.test",
    "あ.example".encode(),
    b"\xff\xfe",
    b"<script>",
    b"x" * 5_000,
]
#: Pages, a file, APIs with and without a token, and what is nowhere.
CALLS = [
    ("GET", "/phone"),
    ("GET", "/static/app.css"),
    ("GET", "/nowhere"),
    ("GET", "/oauth2/v2.1/authorize"),
    ("POST", "/v2/bot/message/push"),
    ("POST", "/_emulator/reset"),
    ("OPTIONS", "/v2/profile"),
    ("GET", "/1650000001-DemoCard/orders"),
]


@dataclass
class Running:
    """An emulator in a process of its own, and what it writes to its terminal."""

    port: int
    log: Path

    def statuses(self, host: bytes) -> set[int]:
        """Make every call under a host name, as it is written; return the answers' statuses."""
        return {self._call(host, method, path) for method, path in CALLS}

    def complaints(self) -> str:
        """Return what the emulator complained of."""
        return self.log.read_text("utf-8", "replace")

    def _call(self, host: bytes, method: str, path: str) -> int:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.putrequest(method, path, skip_host=True)
        connection.putheader("Host", host)
        connection.putheader("Content-Length", "0")
        connection.endheaders()
        try:
            answer = connection.getresponse()
            answer.read()
            return answer.status
        finally:
            connection.close()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("emulators")


@pytest.fixture(scope="module")
def emulator(folder: Path) -> Iterator[Running]:
    yield from _run(folder / "log.txt")


@pytest.fixture(scope="module")
def exposed(folder: Path) -> Iterator[Running]:
    yield from _run(folder / "exposed.txt", "--expose")


def _run(log: Path, *options: str) -> Iterator[Running]:
    port = free_port()
    command = [sys.executable, "-m", "flask_lineconnect.emulator", "--port", str(port), *options]
    with (
        log.open("wb") as file,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=file) as process,
    ):
        assert process.stdout is not None
        # It tells its address once it listens.
        assert process.stdout.readline()
        yield Running(port, log)
        process.terminate()


@pytest.mark.parametrize("host", [*FOREIGN, *BROKEN])
def test_other_hosts_are_refused(emulator: Running, host: bytes) -> None:
    assert emulator.statuses(host) == {400}
    assert emulator.complaints() == ""


@pytest.mark.parametrize("host", BROKEN)
def test_an_exposed_emulator_refuses_what_is_no_host(exposed: Running, host: bytes) -> None:
    assert exposed.statuses(host) == {400}
    assert exposed.complaints() == ""


@pytest.mark.parametrize("host", [b"127.0.0.1", b"localhost:5001", b"[::1]:80", b"LOCALHOST"])
def test_this_machines_own_names_are_not(emulator: Running, host: bytes) -> None:
    assert 200 in emulator.statuses(host)


def test_an_exposed_emulator_takes_every_name(exposed: Running) -> None:
    assert 200 in exposed.statuses(b"line.test:5001")
