"""Processes on SQLite write down that they live, and tell of each other once."""

from __future__ import annotations

import logging
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from flask_lineconnect.engines import presence
from flask_lineconnect.engines.embedded import ThreadEngine
from flask_lineconnect.engines.presence import Presence
from flask_lineconnect.engines.upkeep import look_after
from flask_lineconnect.models import LivingProcess
from flask_lineconnect.state import LineState
from tests.conftest import MakeApp

TOLD = "other processes work on this SQLite database"


@pytest.fixture
def other() -> Iterator[int]:
    """Run another process, which could be anything."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        yield process.pid
        process.communicate(b"\n")


def _note_another(line: LineState, pid: int, host: str | None = None, **ago: float) -> None:
    seen_at = line.clock() - timedelta(**ago)
    host = host or socket.gethostname()
    row = LivingProcess(id=f"{pid}", host=host, pid=pid, began_at=seen_at, seen_at=seen_at)
    line.session.add(row)
    line.session.commit()


def _pids(line: LineState) -> set[int]:
    line.session.rollback()
    return set(line.session.scalars(select(LivingProcess.pid)))


def test_a_process_that_begins_beside_another_says_so_once(
    line: LineState, other: int, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(presence, "NOTE_EVERY", 0.0)
    _note_another(line, other)
    look_after(line)
    look_after(line)
    assert _pids(line) == {other, os.getpid()}
    [told] = [one for one in caplog.records if TOLD in one.getMessage()]
    assert told.levelno == logging.WARNING
    assert f"process {other} of {socket.gethostname()}" in told.getMessage()


def test_one_that_begins_alone_learns_of_a_later_one(
    line: LineState, other: int, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(presence, "NOTE_EVERY", 0.0)
    look_after(line)
    assert TOLD not in caplog.text
    _note_another(line, other)
    look_after(line)
    assert TOLD in caplog.text


def test_those_that_are_gone_are_not_told_of(
    line: LineState, other: int, caplog: pytest.LogCaptureFixture
) -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        ended.wait()
    _note_another(line, ended.pid, seconds=10)
    # One from before a restart of the machine, or in a container, had our own number.
    _note_another(line, os.getpid(), seconds=10)
    _note_another(line, other, minutes=4)
    _note_another(line, 999_999, "elsewhere", days=2)
    line.part(Presence).note(line)
    assert TOLD not in caplog.text
    assert 999_999 not in _pids(line)


def test_of_another_machine_what_was_seen_lately_lives(
    line: LineState, caplog: pytest.LogCaptureFixture
) -> None:
    _note_another(line, 999_999, "elsewhere", minutes=2)
    line.part(Presence).note(line)
    assert "process 999999 of elsewhere" in caplog.text


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_on_postgresql_there_is_nothing_to_say(line: LineState, database: str) -> None:
    line.part(Presence).note(line)
    assert _pids(line) == set()


@pytest.mark.parametrize(
    ("database", "begun"), [("postgresql", 0), ("sqlite", 1)], indirect=["database"]
)
def test_a_thread_begins_only_where_there_is_something_to_note(
    line: LineState, monkeypatch: pytest.MonkeyPatch, database: str, begun: int
) -> None:
    threads: list[threading.Thread] = []
    start = threading.Thread.start

    def note(thread: threading.Thread) -> None:
        threads.append(thread)
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", note)
    line.part(Presence).note_beside(line)
    for thread in threads:
        thread.join()
    assert [thread.name for thread in threads] == ["lineconnect-presence"] * begun


def test_a_database_that_is_away_ends_nothing(line: LineState) -> None:
    LivingProcess.__table__.drop(line.db.engine)  # type: ignore[attr-defined]
    line.part(Presence).note(line)
    line.part(Presence).forget(line)


def test_an_engine_that_stops_takes_its_note_back(line: LineState) -> None:
    engine = ThreadEngine()
    engine.ensure_running(line)
    deadline = time.monotonic() + 60
    while not _pids(line) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert _pids(line) == {os.getpid()}
    engine.stop(line)
    assert _pids(line) == set()


@pytest.mark.parametrize("engine", ["worker", "thread"])
def test_who_only_serves_pages_is_noted_at_the_first_request(
    make_app: MakeApp, engine: str
) -> None:
    app: Flask = make_app(
        TESTING=False, LINECONNECT_ENGINE=engine, SECRET_KEY="a secret key of the length of a key"
    )
    line: LineState = app.extensions["lineconnect"]
    app.test_client().get("/")
    deadline = time.monotonic() + 60
    with app.app_context():
        while not _pids(line) and time.monotonic() < deadline:
            time.sleep(0.02)
        assert _pids(line) == {os.getpid()}
    if isinstance(line.engine, ThreadEngine):
        line.engine.stop(line)
