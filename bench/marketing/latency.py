"""From an event to LINE's answer: the embedded engine, the emulator, so many events a second.

``pip install -e '.[bench,demo]' && python bench/marketing/latency.py``. SQLite in a temporary
folder; ``--database URI`` names another, empty one: ``postgresql+psycopg://…``. Each event commits
alone, as a request of the shop's does; it begins a run whose message goes at once. Counted is from
the event's own time to when LINE's acceptance was noted.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Sequence
from datetime import timedelta

import common  # noqa: F401  # lets what is no package be imported
from sqlalchemy import func
from sqlalchemy import select

from flask_lineconnect.models import MemberEvent
from flask_lineconnect.models import OutboxMessage
from flask_lineconnect.models import ScenarioRun
from flask_lineconnect.state import utcnow
from flask_lineconnect.testing.emulator import run_emulator
from tests.marketing.scenario_shop import Stage
from tests.outbox.faults import Scene
from tests.small_shop import User
from tests.small_shop import db
from tests.small_shop import line as extension

MEMBERS = 500
STEPS = [{"name": "thanks", "message": "カート {{ version }} を見ました。"}]


def main() -> None:
    """Tell of events at a steady pace, wait for the last message, print the shares."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=int, default=200)
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument("--database")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, run_emulator() as emulator:
        uri = options.database or f"sqlite:///{folder}/shop.db"
        scene = Scene(emulator, uri, MEMBERS, LINECONNECT_ENGINE="thread")
        line = scene.app.extensions["lineconnect"]
        with scene.app.app_context():
            stage = Stage(scene.app)
            line.clock = utcnow
            stage.publish(steps=STEPS, goal=None, exits_on=[])
            members = db.session.scalars(select(User)).all()
            line.engine.ensure_running(line)
            # The first message loads what talks to LINE.
            first = _tell(members, 1, 1)
            _wait(first)
            told = _tell(members, options.rate, options.seconds, first=first)
            _wait(first + told)
            line.engine.stop(line)
            _report(first, told)
        scene.stop()


def _tell(members: Sequence[User], rate: int, seconds: int, *, first: int = 0) -> int:
    """Tell of events, each at its time; return how many were told."""
    began = time.perf_counter()
    for number in range(rate * seconds):
        ahead = began + number / rate - time.perf_counter()
        if ahead > 0:
            time.sleep(ahead)
        member = members[number % len(members)]
        extension.emit("cart.changed", member, version=str(first + number))
        db.session.commit()
    took = time.perf_counter() - began
    print(f"{rate * seconds} events in {took:.1f} s, {rate * seconds / took:.0f} a second")
    return rate * seconds


def _wait(told: int) -> None:
    ends_at = time.monotonic() + 120
    accepted = select(func.count()).where(OutboxMessage.state == "accepted")
    while (db.session.scalar(accepted) or 0) < told:
        db.session.rollback()
        assert time.monotonic() < ends_at, "not all were accepted"
        time.sleep(0.2)
    db.session.rollback()


def _report(first: int, told: int) -> None:
    statement = (
        select(MemberEvent.occurred_at, OutboxMessage.created_at, OutboxMessage.accepted_at)
        .join(ScenarioRun, ScenarioRun.event_id == MemberEvent.id)
        .join(OutboxMessage, OutboxMessage.run_id == ScenarioRun.id)
        .where(MemberEvent.id > first)
    )
    rows = db.session.execute(statement).all()
    assert len(rows) == told
    for name, took in (
        ("event to outbox", [created - at for at, created, _accepted in rows]),
        ("event to accepted", [accepted - at for at, _created, accepted in rows if accepted]),
    ):
        took.sort()
        print(f"{name}: {_shares(took)}")


def _shares(took: list[timedelta]) -> str:
    at = {share: took[min(len(took) - 1, int(len(took) * share / 100))] for share in (50, 95, 99)}
    shares = ", ".join(f"p{share} {one.total_seconds():.3f} s" for share, one in at.items())
    return f"{shares}, longest {took[-1].total_seconds():.3f} s"


if __name__ == "__main__":
    main()
