"""Kill the engine with runs on their way, again and again; LINE must have each message once.

``pip install -e '.[dev]' && python bench/marketing/kills.py``: ``--runs`` on SQLite and PostgreSQL,
``--kills`` each. Meanwhile LINE's answers get lost, a version is published, people unlink, block
and are erased, and PostgreSQL falls down. The short form is ``tests/marketing/test_run_kills.py``.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
import uuid
from collections import Counter
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

from common import ROOT
from sqlalchemy import func
from sqlalchemy import select

from flask_lineconnect.models import Account
from flask_lineconnect.models import MemberEvent
from flask_lineconnect.models import OutboxMessage
from flask_lineconnect.models import ScenarioRun
from flask_lineconnect.models import ScenarioStep
from flask_lineconnect.models.outbox import UNSENT
from flask_lineconnect.state import utcnow
from flask_lineconnect.testing.emulator import run_emulator
from tests.marketing.scenario_shop import CART
from tests.marketing.scenario_shop import Stage
from tests.outbox.faults import Scene
from tests.postgres import create_database
from tests.postgres import restart
from tests.postgres import running_server
from tests.small_shop import User
from tests.small_shop import db
from tests.small_shop import line as extension

MEMBERS = 100
#: Members to whom something happens in the middle: unlinked, erased, blocked, bought.
UNLUCKY = 8
WAITS = {"one": timedelta(seconds=5), "two": timedelta(seconds=10)}
#: Seconds.
PATIENCE = 3_600.0


def main() -> None:
    """Disturb, check, and print what was counted."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--only", choices=["sqlite", "postgresql"])
    options = parser.parse_args()
    print(f"seed {options.seed}")
    with ExitStack() as stack:
        emulator = stack.enter_context(run_emulator())
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        server = stack.enter_context(running_server(is_durable=True))
        for kind in [options.only] if options.only else ["sqlite", "postgresql"]:
            emulator.reset()
            name = uuid.uuid4().hex
            uri = f"sqlite:///{folder}/{name}.db"
            if kind == "postgresql":
                uri = create_database(server, name)
            scene = Scene(emulator, uri, MEMBERS)
            try:
                _round(scene, options, server if kind == "postgresql" else None)
            finally:
                scene.stop()


def _round(scene: Scene, options: argparse.Namespace, server: str | None) -> None:
    chance = random.Random(options.seed)
    scene.emulator.fault(path="/v2/bot/message/*", drop=True, after_acceptance=True, share=0.02)
    with scene.app.app_context():
        stage = Stage(scene.app)
        stage.line.clock = utcnow
        steps = [
            {"name": name, "wait": f"PT{wait.seconds}S", "message": f"{{{{ version }}}} {name}"}
            for name, wait in WAITS.items()
        ]
        stage.publish(definition=CART, steps=steps, exits_on=[])
        began = time.monotonic()
        carts = options.runs // MEMBERS
        for cart in range(carts):
            for member in db.session.scalars(select(User)).all():
                extension.emit("cart.changed", member, version=str(cart))
            db.session.commit()
        workers = [_start(scene) for _ in range(1 if server is None else 2)]
        for kill in range(options.kills):
            time.sleep(chance.uniform(0.1, 1.5))
            worker = chance.randrange(len(workers))
            _end(workers.pop(worker))
            if kill == options.kills // 2:
                _disturb(stage, steps)
                if server is not None:
                    restart(server)
                    scene.forget_connections()
            workers.append(_start(scene))
        _wait()
        for process in workers:
            _end(process)
        _check(scene, carts, time.monotonic() - began, options.kills)


def _start(scene: Scene) -> subprocess.Popen[bytes]:
    call = [sys.executable, "-m", "tests.marketing.run_worker", json.dumps(scene.settings)]
    process = subprocess.Popen(
        [*call, "deliver"], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    assert process.stdout
    assert process.stdout.readline() == b"works\n"
    return process


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()
    if process.stdout:
        process.stdout.close()


def _disturb(stage: Stage, steps: list[dict[str, Any]]) -> None:
    """Let things happen to the first few members, and a version be published."""
    db.session.rollback()
    members = db.session.scalars(select(User).order_by(User.id).limit(UNLUCKY)).all()
    for number, member in enumerate(members):
        if number % 4 == 0:
            extension.unlink(member)
        elif number % 4 == 1:
            db.session.delete(member)
        elif number % 4 == 2:
            db.session.query(Account).filter_by(member_id=member.id).update({"is_friend": False})
        else:
            extension.emit("order.placed", member)
    db.session.commit()
    newer = [{**step, "message": f"{step['message']} (2)"} for step in steps]
    stage.publish(definition=CART, steps=newer, exits_on=[], enrol="all")


def _wait() -> None:
    ends_at = time.monotonic() + PATIENCE
    while True:
        db.session.rollback()
        events = select(func.count()).select_from(MemberEvent)
        left = db.session.scalar(events.where(MemberEvent.next_attempt_at.is_not(None))) or 0
        runs = select(func.count()).select_from(ScenarioRun)
        left += db.session.scalar(runs.where(ScenarioRun.ended_at.is_(None))) or 0
        messages = select(func.count()).select_from(OutboxMessage)
        left += db.session.scalar(messages.where(OutboxMessage.state.in_(UNSENT))) or 0
        if not left:
            return
        assert time.monotonic() < ends_at, f"{left} are left"
        time.sleep(1)


def _check(scene: Scene, carts: int, took: float, kills: int) -> None:
    db.session.rollback()
    lucky = scene.user_ids[UNLUCKY:]
    received = Counter(
        (one, message["text"].removesuffix(" (2)"))
        for one in scene.user_ids
        for message in scene.emulator.received(one)
    )
    expected = {(one, f"{cart} {step}") for one in lucky for cart in range(carts) for step in WAITS}
    assert set(received) >= expected, f"lost: {len(expected - set(received))}"
    assert set(received.values()) == {1}, "sent twice"
    early = _early()
    assert not early, f"early: {early}"
    reasons = Counter(db.session.scalars(select(ScenarioRun.end_reason)))
    outcomes = Counter(db.session.scalars(select(ScenarioStep.outcome)))
    print(
        f"{db.engine.dialect.name}: {kills} kills, {sum(received.values()):,} messages at LINE in "
        f"{took:.0f} s; none lost, none twice, none early; runs ended: {dict(reasons)}; steps: "
        f"{dict(outcomes)}",
        flush=True,
    )


def _early() -> int:
    """Count messages that were made before their step was due."""
    statement = select(
        OutboxMessage.dedupe_key, OutboxMessage.created_at, ScenarioRun.began_at
    ).join(ScenarioRun, ScenarioRun.id == OutboxMessage.run_id)
    least = {"one": WAITS["one"], "two": WAITS["one"] + WAITS["two"]}
    return sum(
        created_at < began_at + least[str(key).rpartition(":")[2]]
        for key, created_at, began_at in db.session.execute(statement)
    )


if __name__ == "__main__":
    main()
