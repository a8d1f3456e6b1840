"""PostgreSQL hangs, its machine's network does not: webhooks are answered with 503, in time."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import create_engine
from sqlalchemy import func
from sqlalchemy import select

from flask_lineconnect.models import InboxEvent
from flask_lineconnect.models import LineBase
from flask_lineconnect.webhooks.writer import EventWriter
from flask_lineconnect.webhooks.writer import NotWritten
from tests.postgres import create_database
from tests.postgres import running_server
from tests.webhooks.test_writer import NOW
from tests.webhooks.test_writer import _rows

#: Seconds: far more than the patience, for a machine that is busy; the server stands much longer.
IN_TIME = 15.0


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """Run a server that only this module's tests stop."""
    with running_server() as address:
        yield address


@contextmanager
def _stopped(server: str) -> Iterator[None]:
    """Let a server do nothing at all: it neither answers nor closes anything."""
    with psycopg.connect(f"{server.replace('+psycopg', '')}/postgres") as connection:
        [data] = connection.execute("SHOW data_directory").fetchone() or ("",)
    main = int((Path(data) / "postmaster.pid").read_text("utf-8").split()[0])
    children = Path(f"/proc/{main}/task/{main}/children").read_text("ascii").split()
    processes = [main, *map(int, children)]
    for process in processes:
        os.kill(process, signal.SIGSTOP)
    try:
        yield
    finally:
        for process in processes:
            # One that had ended before is gone as soon as the first one goes on.
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGCONT)


def _try(writer: EventWriter, number: int) -> tuple[bool, float]:
    began = time.monotonic()
    try:
        writer.write(_rows(number), now=NOW)
    except NotWritten:
        return False, time.monotonic() - began
    return True, time.monotonic() - began


@pytest.mark.hurried
@pytest.mark.parametrize("is_connected", [True, False])
def test_S7_2_nobody_waits_longer_for_a_server_that_hangs(server: str, is_connected: bool) -> None:
    engine = create_engine(create_database(server, f"hangs_{is_connected}".lower()))
    LineBase.metadata.create_all(engine)
    writer = EventWriter(engine)
    if is_connected:
        writer.write(_rows(0), now=NOW)
    with _stopped(server), ThreadPoolExecutor(8) as threads:
        together = list(threads.map(lambda number: _try(writer, number), range(1, 9)))
        # Later ones, too, as long as it lasts.
        later = [_try(writer, number) for number in range(9, 14)]
    for is_written, seconds in (*together, *later):
        assert not is_written
        assert seconds < IN_TIME

    deadline = time.monotonic() + 60
    while not _try(writer, 20)[0]:
        assert time.monotonic() < deadline
    with engine.connect() as connection:
        ids = set(connection.scalars(select(InboxEvent.webhook_event_id)))
        assert connection.scalar(select(func.count()).select_from(InboxEvent)) == len(ids)
    assert _rows(20)[0][0] in ids
    engine.dispose()
