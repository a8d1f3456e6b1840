"""An emulator that a program runs ends with the program, also when that is killed."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from contextlib import closing

import pytest

PROGRAM = """
import time
from flask_lineconnect import run_emulator
with run_emulator() as emulator:
    print(emulator.url, flush=True)
    time.sleep(600)
"""


@pytest.mark.parametrize("end", ["kill", "terminate"])
def test_it_ends_with_the_program(end: str) -> None:
    with subprocess.Popen([sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE) as program:
        assert program.stdout is not None
        port = int(program.stdout.readline().decode().rpartition(":")[2])
        assert _is_open(port)
        getattr(program, end)()

    deadline = time.monotonic() + 60
    while _is_open(port):
        assert time.monotonic() < deadline, "the emulator lives on"
        time.sleep(0.05)


def _is_open(port: int) -> bool:
    with closing(socket.socket()) as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
