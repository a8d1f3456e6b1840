"""A Redis server for the tests, from the distribution's packages, with nothing left behind."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import redis

from flask_lineconnect.testing.plugin import free_port

#: Seconds that the server may take to start.
START_TIMEOUT = 60.0


@contextmanager
def running_redis(port: int | None = None) -> Iterator[str]:
    """Run a server, which keeps everything in memory, until the block ends; give its address."""
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("Redis is not installed; on Debian: apt install redis-server")
    port = port or free_port()
    command = [program, "--port", str(port), "--bind", "127.0.0.1", "--save", ""]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        address = f"redis://127.0.0.1:{port}/0"
        _wait_until_it_answers(address)
        yield address
    finally:
        server.terminate()
        server.wait(START_TIMEOUT)


def _wait_until_it_answers(address: str) -> None:
    deadline = time.monotonic() + START_TIMEOUT
    with redis.Redis.from_url(address) as client:
        while True:
            try:
                client.ping()
            except redis.ConnectionError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.02)
            else:
                return
