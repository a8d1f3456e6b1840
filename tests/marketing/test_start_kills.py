"""Whoever is killed while a scenario begins for many: it begins for each once."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from collections.abc import Iterator
from contextlib import ExitStack
from contextlib import contextmanager
from functools import partial

import pytest
from flask import Flask
from sqlalchemy import select

from flask_lineconnect.linking.accounts import ensure_account
from flask_lineconnect.marketing.segments.audience import save_segment
from flask_lineconnect.marketing.segments.rules import read_rule
from flask_lineconnect.models import ScenarioRun
from flask_lineconnect.state import LineState
from flask_lineconnect.state import utcnow
from tests.conftest import DATABASES
from tests.marketing.scenario_shop import Stage
from tests.small_shop import SETTINGS
from tests.small_shop import User
from tests.small_shop import db

pytestmark = pytest.mark.parametrize("database", DATABASES, indirect=True)


@pytest.fixture
def stage(app: Flask, line: LineState) -> Stage:
    """Return the small shop, by the real clock."""
    found = Stage(app)
    line.clock = utcnow
    return found


@contextmanager
def _working(app: Flask, portion: int) -> Iterator[Callable[[], object]]:
    """Give what lets a process work, and kill it."""
    uri = db.engine.url.render_as_string(hide_password=False)
    settings = json.dumps({**SETTINGS, "SQLALCHEMY_DATABASE_URI": uri})
    call = [sys.executable, "-m", "tests.marketing.run_worker", settings, str(portion), "wait"]
    pipe = subprocess.PIPE
    with subprocess.Popen(call, stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        assert process.stdout.readline() == "works\n"
        try:
            yield partial(print, file=process.stdin, flush=True)
        finally:
            process.kill()


def _begun() -> list[int]:
    db.session.rollback()
    return list(db.session.scalars(select(ScenarioRun.member_id).order_by(ScenarioRun.member_id)))


@pytest.mark.parametrize("at_once", [1, 2])
def test_whoever_is_killed_while_many_begin_begins_nobody_twice_and_misses_nobody(
    app: Flask, stage: Stage, database: str, at_once: int
) -> None:
    if database == "sqlite" and at_once > 1:
        pytest.skip("SQLite has one writer at a time")
    members = [User(name=f"会員{number}", email=f"{number}@mail.example") for number in range(200)]
    db.session.add_all(members)
    db.session.flush()
    for member in members:
        account = ensure_account(stage.line.session, f"U{member.id:032x}", now=utcnow())
        account.member_id = member.id
    save_segment(stage.line, "everybody", "みなさま", read_rule({"all": []}))
    entry = {
        "label": "はじめて",
        "starts_in": "everybody",
        "again": "when ended",
        "category": "order",
        "steps": [{"name": "rest", "wait": "P1D"}],
    }
    ids = [member.id for member in members]
    stage.publish("entry", entry, enrol="all")
    for _kill in range(2 // at_once):
        before = len(_begun())
        with ExitStack() as workers:
            # A process that works while another one is still being made would be done by then.
            begin = [workers.enter_context(_working(app, 1)) for _number in range(at_once)]
            for one in begin:
                one()
            while len(_begun()) == before:
                time.sleep(0.002)
        assert len(_begun()) < len(ids)
    with _working(app, 50) as begin_rest:
        begin_rest()
        ends_at = time.monotonic() + 60
        while len(_begun()) < len(ids) and time.monotonic() < ends_at:
            time.sleep(0.1)
    assert _begun() == ids
