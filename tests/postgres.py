"""A PostgreSQL server for the tests, from the distribution's packages, with nothing left behind."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from flask_lineconnect.testing import free_port

#: Seconds that the server may take to start.
START_TIMEOUT = 20.0


@contextmanager
def running_server(*, is_durable: bool = False) -> Iterator[str]:
    """Run a server until the block ends; give the address, without a database's name.

    :param is_durable: wait for the disk, as a shop's server does.
    """
    programs = _programs()
    # Not below pytest's folder, which only the user who runs the tests may enter.
    folder = Path(tempfile.mkdtemp(prefix="lineconnect-postgres-"))
    user = "postgres" if os.geteuid() == 0 else None
    if user:
        shutil.chown(folder, user)
    data, port = folder / "data", free_port()
    initdb: list[str | Path] = [
        programs / "initdb",
        "-D",
        data,
        "-U",
        "test",
        "-A",
        "trust",
        "-E",
        "UTF8",
        "--no-sync",
    ]
    serve: list[str | Path] = [
        programs / "postgres",
        "-D",
        data,
        "-p",
        str(port),
        "-k",
        folder,
        *(() if is_durable else ("-F",)),
    ]
    try:
        subprocess.run(initdb, check=True, user=user, cwd=folder, stdout=subprocess.DEVNULL)
        with (folder / "log").open("wb") as log:
            server = subprocess.Popen(serve, user=user, cwd=folder, stdout=log, stderr=log)
        try:
            address = f"127.0.0.1:{port}"
            _wait_until_it_answers(f"postgresql://test@{address}/postgres")
            yield f"postgresql+psycopg://test@{address}"
        finally:
            # Fast shutdown, which does not wait for whoever is still connected.
            server.send_signal(signal.SIGINT)
            server.wait(START_TIMEOUT)
    finally:
        shutil.rmtree(folder)


def create_database(server: str, name: str) -> str:
    """Make an empty database; return its address."""
    plain = server.replace("+psycopg", "")
    with psycopg.connect(f"{plain}/postgres", autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"'.encode())
    return f"{server}/{name}"


def _programs() -> Path:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    on_path = shutil.which("initdb")
    if not found and on_path is None:
        pytest.skip("PostgreSQL is not installed; on Debian: apt install postgresql")
    return found[-1].parent if found else Path(str(on_path)).parent


def _wait_until_it_answers(address: str) -> None:
    deadline = time.monotonic() + START_TIMEOUT
    while True:
        try:
            psycopg.connect(address, connect_timeout=2).close()
        except psycopg.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return
