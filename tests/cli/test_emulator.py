"""``flask line emulator`` in a real process: whatever ends it leaves nothing behind."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from contextlib import contextmanager
from pathlib import Path

import pytest

from flask_lineconnect.testing.emulator import free_port

SECONDS = 60.0
COMMAND = [sys.executable, "-m", "flask", "line", "emulator"]


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT", "SIGHUP"])
def test_a_signal_ends_the_command_and_the_emulator(tmp_path: Path, name: str) -> None:
    with _running(tmp_path, COMMAND) as (process, port):
        process.send_signal(signal.Signals[name])
        assert process.wait(SECONDS) == 0
        _wait_until_free(port)


def test_a_kill_ends_the_command_and_the_emulator(tmp_path: Path) -> None:
    with _running(tmp_path, COMMAND) as (process, port):
        process.kill()
        process.wait(SECONDS)
        _wait_until_free(port)


def test_nohup_outlives_the_terminal(tmp_path: Path) -> None:
    with _running(tmp_path, ["nohup", *COMMAND]) as (process, port):
        process.send_signal(signal.SIGHUP)
        time.sleep(1)
        assert _is_open(port)
        process.terminate()
        assert process.wait(SECONDS) == 0


def test_with_the_option_it_ends_with_who_holds_its_input(tmp_path: Path) -> None:
    with _running(tmp_path, [*COMMAND, "--until-eof"]) as (process, port):
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(SECONDS) == 0
        _wait_until_free(port)


def test_without_the_option_it_asks_nothing_of_its_input(tmp_path: Path) -> None:
    with _running(tmp_path, COMMAND) as (process, port):
        assert process.stdin is not None
        process.stdin.close()
        time.sleep(1)
        assert _is_open(port)


@contextmanager
def _running(folder: Path, command: list[str]) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """Start the emulator by a command of the shell; give its process and its port."""
    port = free_port()
    with subprocess.Popen(
        [*command, "--port", str(port)],
        cwd=folder,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        try:
            # It tells its address once it listens.
            assert str(port).encode() in process.stdout.readline()
            yield process, port
        finally:
            process.kill()


def _is_open(port: int) -> bool:
    with closing(socket.socket()) as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _wait_until_free(port: int) -> None:
    end = time.monotonic() + 60
    while _is_open(port):
        assert time.monotonic() < end, "the emulator lives on"
        time.sleep(0.05)
