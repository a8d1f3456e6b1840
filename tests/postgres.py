"""A PostgreSQL server for the tests, from the distribution's packages, with nothing left behind."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import psycopg
import pytest

from flask_lineconnect.testing.plugin import free_port


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
    initdb = [programs / "initdb", "-D", data, "-U", "test", "-A", "trust", "-E", "UTF8"]
    options = f"-p {port} -k {folder}" + ("" if is_durable else " -F")
    control = [programs / "pg_ctl", "-w", "-D", data, "-l", folder / "log", "-o", options]
    run = partial(subprocess.run, check=True, user=user, cwd=folder, stdout=subprocess.DEVNULL)
    try:
        run([*initdb, "--no-sync"])
        run([*control, "start"])
        try:
            yield f"postgresql+psycopg://test@127.0.0.1:{port}"
        finally:
            run([*control, "stop", "-m", "fast"])
    finally:
        shutil.rmtree(folder)


def restart(server: str) -> None:
    """Let a server that runs here fall down and come up again: what was not committed is lost."""
    with psycopg.connect(f"{server.replace('+psycopg', '')}/postgres") as connection:
        [data] = connection.execute("SHOW data_directory").fetchone() or ("",)
    user = "postgres" if os.geteuid() == 0 else None
    # pg_ctl begins again with the options of the first start.
    command = [_programs() / "pg_ctl", "-w", "-D", data, "-m", "immediate", "restart"]
    log = Path(data).with_name("log")
    subprocess.run(
        [*command, "-l", log], check=True, user=user, cwd=log.parent, stdout=subprocess.DEVNULL
    )


def create_database(server: str, name: str, *, template: str = "template1") -> str:
    """Make a database, an empty one unless a template is named; return its address."""
    plain = server.replace("+psycopg", "")
    with psycopg.connect(f"{plain}/postgres", autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"'.encode())
    return f"{server}/{name}"


def _programs() -> Path:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    on_path = shutil.which("initdb")
    if not found and on_path is None:
        pytest.skip("PostgreSQL is not installed; on Debian: apt install postgresql")
    return found[-1].parent if found else Path(str(on_path)).parent
