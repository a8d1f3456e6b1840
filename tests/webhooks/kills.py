"""A shop that is killed at random moments while people write, and what came of it."""

from __future__ import annotations

import json
import random
import socket
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any
from typing import NamedTuple

import requests
from sqlalchemy import create_engine
from sqlalchemy import text

from flask_lineconnect.testing.plugin import Emulator
from tests.small_shop import SETTINGS

ROOT = Path(__file__).parents[2]
#: Seconds.
PATIENCE = 180.0


class Outcome(NamedTuple):
    """What people wrote and got, by text."""

    acknowledged: set[str]
    #: How often each was answered in the chat.
    answered: Counter[str]
    #: How often the hook's own change is in the database.
    written_down: Counter[str]

    def check(self) -> None:
        """Assert that what was acknowledged was done, and nothing twice."""
        assert self.acknowledged
        assert self.acknowledged <= set(self.answered)
        assert set(self.answered.values()) == {1}
        # The hook's own changes are there exactly once, too.
        assert {name: count for name, count in self.written_down.items() if count != 1} == {}
        assert self.acknowledged <= set(self.written_down)


class Shop:
    """A shop that can be killed and started again on the same database."""

    def __init__(self, emulator: Emulator, folder: Path):
        self.port = _port_to_come_back_to()
        self.url = f"http://127.0.0.1:{self.port}"
        self.database = f"sqlite:///{folder / 'shop.db'}"
        emulator.set_up(base_url=self.url)
        settings: dict[str, Any] = {
            **SETTINGS,
            **emulator.settings(self.url),
            "SQLALCHEMY_DATABASE_URI": self.database,
            "LINECONNECT_ENGINE": "thread",
        }
        self.command = [sys.executable, "-m", "tests.webhooks.killed_shop", str(self.port)]
        self.command.append(json.dumps(settings))
        self.process = self._start()

    def _start(self) -> subprocess.Popen[bytes]:
        process = self._spawn()
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            if process.poll() is not None:
                # Its port is not free again yet.
                process = self._spawn()
            try:
                requests.get(f"{self.url}/", timeout=1)
            except requests.RequestException:
                time.sleep(0.05)
            else:
                return process
        raise AssertionError("the shop did not start")

    def _spawn(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            self.command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )

    def kill(self) -> None:
        """End the process at once, and start another."""
        self.process.kill()
        self.process.wait()
        self.process = self._start()

    def unfinished(self) -> int:
        """Return how many events are not answered yet."""
        return self._count("SELECT count(*) FROM lineconnect_inbox_event WHERE state != 'done'")

    def states(self) -> list[tuple[str, int, int]]:
        """Return state, attempts and number of events."""
        engine = create_engine(self.database)
        with engine.connect() as connection:
            rows = connection.execute(
                text(
                    "SELECT state, attempts, count(*) FROM lineconnect_inbox_event "
                    "GROUP BY state, attempts"
                )
            )
            found = [(row[0], row[1], row[2]) for row in rows]
        engine.dispose()
        return found

    def written_down(self) -> Counter[str]:
        """Return what the hooks wrote down, and how often."""
        engine = create_engine(self.database)
        with engine.connect() as connection:
            names = [row[0] for row in connection.execute(text('SELECT name FROM "user"'))]
        engine.dispose()
        return Counter(names)

    def _count(self, statement: str) -> int:
        engine = create_engine(self.database)
        with engine.connect() as connection:
            count = connection.scalar(text(statement))
        engine.dispose()
        return int(count or 0)


def _port_to_come_back_to() -> int:
    """Return a free port that no outgoing connection takes while the shop is dead."""
    while True:
        port = random.randrange(20_000, 30_000)
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) != 0:
                return port


def kill_again_and_again(
    emulator: Emulator, folder: Path, *, kills: int, chance: random.Random
) -> Outcome:
    """Let people write to a shop that is killed so often, and wait until all is answered."""
    shop = Shop(emulator, folder)
    users = [emulator.add_user(f"人{number}") for number in range(3)]
    for user_id in users:
        emulator.add_friend(user_id)
    number = 0
    try:
        for _kill in range(kills):
            for _message in range(chance.randint(3, 9)):
                number += 1
                emulator.write(chance.choice(users), f"message {number}")
            time.sleep(chance.uniform(0, 0.25))
            shop.kill()
        acknowledged = _settle(emulator, shop, number)
    finally:
        shop.process.kill()
        shop.process.wait()
    answered = Counter(
        entry["message"]["text"]
        for user_id in users
        for entry in emulator.chat(user_id)
        if entry["from"] == "bot"
    )
    return Outcome(acknowledged, answered, shop.written_down())


def _settle(emulator: Emulator, shop: Shop, sent: int) -> set[str]:
    """Wait until every webhook has its outcome and every event is finished; return what got 200."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        texts = _texts_by_outcome(emulator)
        if len(texts) >= sent and not shop.unfinished():
            return {text for text, outcome in texts.items() if outcome == "ok"}
        time.sleep(0.1)
    raise AssertionError(
        f"not finished in time: {len(_texts_by_outcome(emulator))} of {sent} webhooks came to an "
        f"end; events by state: {shop.states()}"
    )


def _texts_by_outcome(emulator: Emulator) -> dict[str, str]:
    texts = {}
    for webhook in emulator.webhooks():
        for event in json.loads(webhook["body"])["events"]:
            if event["type"] == "message":
                texts[event["message"]["text"]] = webhook["outcome"]
    return texts
