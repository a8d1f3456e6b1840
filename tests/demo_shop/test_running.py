"""``make demo`` in real processes: one on each folder of data, and commands beside it."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

from flask_lineconnect.testing.emulator import free_port

ROOT = Path(__file__).parents[2]
SECONDS = 120.0


@dataclass
class Demo:
    """A demo in a process of its own."""

    process: subprocess.Popen[str]
    data: Path
    port: int
    emulator_port: int
    #: The command that its welcome names.
    command: str

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    with _running(tmp_path_factory.mktemp("demo")) as running:
        yield running


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of data for the demos that are ended; the first one fills it."""
    return tmp_path_factory.mktemp("filled")


def test_a_second_one_says_so_in_one_sentence(demo: Demo) -> None:
    before = (demo.data / "shop.db").stat().st_size

    for options in ([], ["--reset"], ["--port", str(free_port())]):
        answer = _second(demo.data, *options)
        assert (answer.returncode, answer.stdout) == (1, "")
        assert answer.stderr.count("\n") == 1
        assert demo.url in answer.stderr
        assert "--data" in answer.stderr

    assert (demo.data / "shop.db").stat().st_size == before
    assert requests.get(demo.url, timeout=SECONDS).status_code == 200


def test_commands_beside_it_use_its_settings_and_its_database(demo: Demo) -> None:
    address = _flask(demo.data, "line", "store-qr", "shelf")
    assert address.stdout.startswith(f"{demo.url}/line/login?source=shelf"), address.stderr
    counted = subprocess.run(
        demo.command, shell=True, cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert counted.stdout.splitlines()[-1] == "Nobody is linked.", counted.stderr
    # Asks LINE, which is the demo's emulator.
    before = _questions(demo)
    assert _flask(demo.data, "line", "setup").returncode == 0
    assert _questions(demo) > before


def test_who_names_channels_gets_nothing_of_the_demo(demo: Demo) -> None:
    answer = _flask(demo.data, "line", "links", FLASK_LINECONNECT_LOGIN_CHANNEL_ID="1650000009")
    assert answer.returncode != 0
    assert "LINECONNECT_" in answer.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no file modes")
def test_its_secrets_are_nobody_elses_to_read(demo: Demo) -> None:
    assert stat.S_IMODE((demo.data / "demo.json").stat().st_mode) == 0o600


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT", "SIGHUP"])
def test_a_signal_ends_shop_and_emulator(filled: Path, name: str) -> None:
    with _running(filled) as running:
        running.process.send_signal(signal.Signals[name])
        assert running.process.wait(SECONDS) == 0
        assert not (filled / "demo.json").exists()
        _assert_gone(running)


def test_one_that_was_killed_leaves_no_emulator_no_lock_and_no_settings(filled: Path) -> None:
    with _running(filled) as running:
        running.process.kill()
        running.process.wait()
        _assert_gone(running)

    assert "LINECONNECT_" in _flask(filled, "line", "links").stderr
    with _running(filled, "--reset") as again:
        assert json.loads((filled / "demo.json").read_text())["LINECONNECT_BASE_URL"] == again.url


def _questions(demo: Demo) -> int:
    """Return how often the emulator was asked about the webhook's address."""
    url = f"http://127.0.0.1:{demo.emulator_port}/_emulator/calls"
    calls = requests.get(url, timeout=SECONDS).json()["calls"]
    return sum(call["path"] == "/v2/bot/channel/webhook/endpoint" for call in calls)


@contextmanager
def _running(data: Path, *options: str) -> Iterator[Demo]:
    port, emulator_port = free_port(), free_port()
    ports = ["--port", str(port), "--emulator-port", str(emulator_port)]
    where = ["--data", os.path.relpath(data, ROOT)]
    command = [sys.executable, "-m", "demo_shop", *where, *ports, *options]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            welcome: list[str] = []
            # It ends with how the demo is stopped.
            while "Ctrl-C" not in "".join(welcome):
                welcome.append(process.stdout.readline())
                assert welcome[-1], "the demo did not start"
            command_line = next(line for line in welcome if "--app demo_shop" in line)
            yield Demo(process, data, port, emulator_port, command_line.partition(": ")[2].strip())
        finally:
            process.terminate()


def _second(data: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "demo_shop", "--data", str(data), *options]
    return subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=SECONDS, check=False
    )


def _flask(data: Path, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("FLASK_")}
    return subprocess.run(
        [sys.executable, "-m", "flask", "--app", "demo_shop", *arguments],
        cwd=ROOT,
        env={**inherited, "FLASK_DATA_FOLDER": str(data), **more},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )


def _assert_gone(demo: Demo) -> None:
    for port in (demo.port, demo.emulator_port):
        for _ in range(50):
            try:
                requests.get(f"http://127.0.0.1:{port}/", timeout=0.2)
            except requests.RequestException:
                break
        else:
            raise AssertionError(f"something still answers on port {port}")
