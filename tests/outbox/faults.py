"""Members who are sent things while everything goes wrong, and what the books say afterwards."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

from flask import Flask
from sqlalchemy import create_engine
from sqlalchemy import func
from sqlalchemy import insert
from sqlalchemy import select

from flask_lineconnect.line_api.client import LineApi
from flask_lineconnect.models import Account
from flask_lineconnect.models import OutboxBatch
from flask_lineconnect.models import OutboxMessage
from flask_lineconnect.models import QuotaMonth
from flask_lineconnect.models.outbox import UNSENT
from flask_lineconnect.testing.plugin import Emulator
from tests.postgres import restart
from tests.small_shop import SETTINGS
from tests.small_shop import User
from tests.small_shop import create_app
from tests.small_shop import db
from tests.small_shop import line as extension

ROOT = Path(__file__).parents[2]
BASE_URL = "http://127.0.0.1:5999"
#: Seconds.
PATIENCE = 90.0


class Scene:
    """A shop with so many linked members, its database, and workers that can be killed."""

    def __init__(self, emulator: Emulator, database: str, members: int, **settings: Any):
        self.emulator = emulator
        self.user_ids = [f"U{number:032x}" for number in range(1, members + 1)]
        emulator.set_up(
            users=[
                {"user_id": one, "display_name": one[-4:], "relation": "friend"}
                for one in self.user_ids
            ],
            messaging_channel={"quota": None},
        )
        self.settings = {
            **SETTINGS,
            **emulator.settings(BASE_URL),
            "SQLALCHEMY_DATABASE_URI": database,
            **settings,
        }
        self.app: Flask = create_app(self.settings)
        self.workers: list[subprocess.Popen[bytes]] = []
        #: How often each member is to have each text.
        self.expected: Counter[tuple[str, str]] = Counter()
        with self.app.app_context():
            self._add_members()

    def _add_members(self) -> None:
        now = self.app.extensions["lineconnect"].clock()
        people = [{"id": number, "name": one} for number, one in enumerate(self.user_ids, 1)]
        db.session.execute(insert(User), people)
        accounts = [
            {
                "line_user_id": person["name"],
                "display_name": "",
                "is_friend": True,
                "member_id": person["id"],
                "linked_at": now,
                "session_generation": 0,
                "created_at": now,
            }
            for person in people
        ]
        db.session.execute(insert(Account), accounts)
        db.session.commit()

    def start(self, count: int = 1, *arguments: str) -> None:
        """Start so many workers."""
        command = [sys.executable, "-m", "tests.outbox.sending_shop", json.dumps(self.settings)]
        command += arguments
        for _ in range(count):
            process = subprocess.Popen(
                command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
            )
            assert process.stdout
            assert process.stdout.readline() == b"ready\n"
            self.workers.append(process)

    def kill(self, chance: random.Random) -> None:
        """Kill one worker at once, and start another."""
        self.end(self.workers.pop(chance.randrange(len(self.workers))))
        self.start()

    @staticmethod
    def end(worker: subprocess.Popen[bytes]) -> None:
        """Kill a worker."""
        worker.kill()
        worker.wait()
        assert worker.stdout
        worker.stdout.close()

    def stop(self) -> None:
        """Kill all workers and let the database go."""
        for worker in self.workers:
            self.end(worker)
        self.workers.clear()
        self.forget_connections()

    def forget_connections(self) -> None:
        """Let this process connect anew."""
        with self.app.app_context():
            db.session.remove()
            db.engine.dispose()

    def send_to_some(self, chance: random.Random, name: str) -> None:
        """Queue a message of its own for some, and the same one for others."""
        with self.app.app_context():
            for number in chance.sample(range(len(self.user_ids)), 6):
                self._send(number, f"{name}:{number}")
            for number in chance.sample(range(len(self.user_ids)), 6):
                self._send(number, f"{name}:same")
            db.session.commit()

    def _send(self, number: int, text: str) -> None:
        member = db.session.get_one(User, number + 1)
        extension.send(member, text, category="order", key=f"{text}/{number}")
        self.expected[self.user_ids[number], text] += 1

    def begin_campaign(self, name: str) -> None:
        """Press the button."""
        with self.app.app_context():
            extension.begin_campaign(name, name)
            db.session.commit()
        self.expected.update((one, name) for one in self.user_ids)

    def wait(self) -> None:
        """Wait until nothing is on its way any more."""
        deadline = time.monotonic() + PATIENCE
        while self.unfinished():
            assert time.monotonic() < deadline, f"not finished in time: {self.states()}"
            time.sleep(0.1)

    def unfinished(self) -> int:
        """Return how many rows are not finished."""
        return sum(count for (state, _table), count in self.states().items() if state in UNSENT)

    def states(self) -> Counter[tuple[str, str]]:
        """Return how many rows there are, by state and table."""
        found: Counter[tuple[str, str]] = Counter()
        engine = create_engine(self.settings["SQLALCHEMY_DATABASE_URI"])
        with engine.connect() as connection:
            for model in (OutboxMessage, OutboxBatch):
                rows = connection.execute(select(model.state, func.count()).group_by(model.state))
                found.update({(state, model.__tablename__): count for state, count in rows})
        engine.dispose()
        return found

    def check(self) -> None:
        """Assert that everybody has everything once, and that our books are LINE's."""
        self.emulator.clear_faults()
        received = Counter(
            (one, message["text"])
            for one in self.user_ids
            for message in self.emulator.received(one)
        )
        assert received == self.expected
        assert {state for state, _table in self.states()} == {"accepted"}
        with self.app.app_context():
            [own_used] = db.session.scalars(select(QuotaMonth.own_used))
            pushed = select(func.count()).select_from(OutboxMessage)
            alone = db.session.scalar(pushed.where(OutboxMessage.batch_id.is_(None))) or 0
            together = db.session.scalar(select(func.sum(OutboxBatch.recipients))) or 0
            _granted, counted_by_line = self.app.extensions["lineconnect"].part(LineApi).quota()
        assert own_used == alone + together == sum(self.expected.values()) == counted_by_line


def kill_again_and_again(scene: Scene, chance: random.Random, *, kills: int) -> None:
    """Send while workers are killed and LINE's answers get lost."""
    for after_acceptance in (True, False):
        scene.emulator.fault(
            path="/v2/bot/message/*", drop=True, after_acceptance=after_acceptance, share=0.05
        )
    scene.start(2)
    for kill in range(kills):
        scene.send_to_some(chance, f"k{kill}")
        if kill % 5 == 0:
            scene.begin_campaign(f"campaign {kill}")
        time.sleep(chance.uniform(0, 0.4))
        scene.kill(chance)
    scene.wait()


def storm(scene: Scene, chance: random.Random) -> None:
    """Send while LINE answers most requests with 500, before or after it took them."""
    storms = [
        scene.emulator.fault(
            path="/v2/bot/message/*", status=500, after_acceptance=after, share=0.4
        )
        for after in (True, False)
    ]
    scene.start(2)
    for number in range(4):
        scene.send_to_some(chance, f"s{number}")
    scene.begin_campaign("storm")
    time.sleep(2)
    for fault in storms:
        scene.emulator.remove_fault(fault)
    scene.wait()


def use_up_the_quota(scene: Scene, chance: random.Random) -> None:
    """Send more than LINE allows, until the owner buys more."""
    scene.emulator.set_up(messaging_channel={"quota": 20})
    scene.start(2)
    for number in range(3):
        scene.send_to_some(chance, f"q{number}")
    scene.begin_campaign("quota")
    time.sleep(3)
    assert scene.unfinished()
    scene.emulator.set_up(messaging_channel={"quota": 10_000})
    scene.wait()


def let_the_clock_jump(scene: Scene, chance: random.Random) -> None:
    """Send while the workers' clocks jump back and forth by hours."""
    scene.start(2, "4")
    for number in range(4):
        scene.send_to_some(chance, f"c{number}")
        scene.begin_campaign(f"clock {number}")
        time.sleep(1)
    scene.wait()


def restart_the_database(scene: Scene, chance: random.Random, server: str) -> None:
    """Send while PostgreSQL falls down and comes up again."""
    scene.start(2)
    for number in range(3):
        scene.send_to_some(chance, f"d{number}")
        scene.begin_campaign(f"database {number}")
        time.sleep(chance.uniform(0.1, 0.6))
        restart(server)
        scene.forget_connections()
    scene.wait()
