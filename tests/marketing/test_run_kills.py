"""Whoever is killed, and however many work: each step is done once, and none early."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import func
from sqlalchemy import select

from flask_lineconnect.models import MemberEvent
from flask_lineconnect.models import OutboxMessage
from flask_lineconnect.models import ScenarioRun
from flask_lineconnect.models import ScenarioStep
from flask_lineconnect.state import LineState
from flask_lineconnect.state import utcnow
from tests.conftest import DATABASES
from tests.marketing.scenario_shop import Stage
from tests.people import add_member
from tests.people import link
from tests.small_shop import SETTINGS
from tests.small_shop import User
from tests.small_shop import db
from tests.small_shop import line as extension

pytestmark = pytest.mark.parametrize("database", DATABASES, indirect=True)

MEMBERS = 8
#: Runs of each member's, about as many carts.
CARTS = 12
SECOND = timedelta(seconds=1)
STEPS = [
    {"name": "one", "wait": "PT1S", "message": "{{ version }}"},
    {"name": "two", "wait": "PT2S", "message": "{{ version }}!"},
]


@pytest.fixture
def stage(app: Flask, line: LineState) -> Stage:
    """Return the small shop, by the real clock."""
    found = Stage(app)
    line.clock = utcnow
    return found


def _worker(app: Flask) -> subprocess.Popen[str]:
    with app.app_context():
        uri = db.engine.url.render_as_string(hide_password=False)
    settings = json.dumps({**SETTINGS, "SQLALCHEMY_DATABASE_URI": uri})
    call = [sys.executable, "-m", "tests.marketing.run_worker", settings]
    return subprocess.Popen(call, stdout=subprocess.PIPE, text=True)


@contextmanager
def _working(app: Flask) -> Iterator[subprocess.Popen[str]]:
    """Let a process work, and kill it."""
    with _worker(app) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "works\n"
        try:
            yield process
        finally:
            process.kill()


def _tell(stage: Stage) -> list[User]:
    members = [add_member(stage.line, f"会員{number}") for number in range(MEMBERS)]
    for digit, member in zip("0123456789", members, strict=False):
        link(stage.line, member, digit)
    for cart in range(CARTS):
        for member in members:
            extension.emit("cart.changed", member, version=str(cart))
    db.session.commit()
    return members


def _is_done() -> bool:
    db.session.rollback()
    waiting = select(func.count()).select_from(MemberEvent)
    waiting = waiting.where(MemberEvent.next_attempt_at.is_not(None))
    steps = select(func.count()).select_from(ScenarioStep)
    return not db.session.scalar(waiting) and db.session.scalar(steps) == MEMBERS * CARTS * 2


def _wait_until_done(seconds: float = 60) -> None:
    ends_at = time.monotonic() + seconds
    while not _is_done():
        assert time.monotonic() < ends_at, "the steps are not done"
        time.sleep(0.1)


def _check() -> None:
    """Check that each run did each step once, and none before its time."""
    db.session.rollback()
    runs = {run.id: run for run in db.session.scalars(select(ScenarioRun))}
    assert len(runs) == MEMBERS * CARTS
    assert len({(run.member_id, run.key) for run in runs.values()}) == len(runs)
    messages = db.session.scalars(select(OutboxMessage).where(OutboxMessage.run_id.is_not(None)))
    keys = {message.dedupe_key: message for message in messages}
    assert set(keys) == {f"lineconnect:run:{run}:{step}" for run in runs for step in ("one", "two")}
    for run in runs.values():
        first, second = (keys[f"lineconnect:run:{run.id}:{step}"] for step in ("one", "two"))
        assert first.created_at >= run.began_at + SECOND
        assert second.created_at >= first.created_at + 2 * SECOND
        assert (first.messages, second.messages) == (
            f'[{{"type":"text","text":"{run.key}"}}]',
            f'[{{"type":"text","text":"{run.key}!"}}]',
        )


def test_whoever_is_killed_leaves_nothing_undone_and_nothing_twice(
    app: Flask, stage: Stage
) -> None:
    chance = random.Random(20)
    stage.publish(steps=STEPS, goal=None, exits_on=[])
    _tell(stage)
    for _kill in range(2):
        with _working(app):
            time.sleep(chance.uniform(0.02, 0.5))
    with _working(app):
        _wait_until_done()
    _check()


def test_two_schedulers_at_once_do_each_step_once(app: Flask, stage: Stage, database: str) -> None:
    if database == "sqlite":
        pytest.skip("SQLite has one writer at a time")
    stage.publish(steps=STEPS, goal=None, exits_on=[])
    with _working(app), _working(app):
        _tell(stage)
        _wait_until_done()
    _check()
