"""The process is killed at random moments: what was acknowledged is answered, and nothing twice."""

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

import pytest
import requests
from sqlalchemy import create_engine
from sqlalchemy import text

from flask_lineconnect.testing import Emulator
from tests.conftest import SETTINGS

ROOT = Path(__file__).parents[2]
KILLS = 6
#: Seconds.
PATIENCE = 60.0


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


def test_S9_4_every_acknowledged_event_is_answered_once_however_the_process_dies(
    line_emulator: Emulator, tmp_path: Path
) -> None:
    chance = random.Random(20261123)
    shop = Shop(line_emulator, tmp_path)
    users = [line_emulator.add_user(f"人{number}") for number in range(3)]
    for user_id in users:
        line_emulator.add_friend(user_id)
    number = 0
    try:
        for _kill in range(KILLS):
            for _message in range(chance.randint(3, 9)):
                number += 1
                line_emulator.write(chance.choice(users), f"message {number}")
            time.sleep(chance.uniform(0, 0.25))
            shop.kill()
        acknowledged = _settle(line_emulator, shop, number)
    finally:
        shop.process.kill()
        shop.process.wait()

    answered = Counter(
        entry["message"]["text"]
        for user_id in users
        for entry in line_emulator.chat(user_id)
        if entry["from"] == "bot"
    )
    assert acknowledged
    assert acknowledged <= set(answered)
    assert set(answered.values()) == {1}
    # The hook's own changes are there exactly once, too.
    assert {name: count for name, count in shop.written_down().items() if count != 1} == {}
    assert acknowledged <= set(shop.written_down())


def _settle(emulator: Emulator, shop: Shop, sent: int) -> set[str]:
    """Wait until every webhook has its outcome and every event is finished; return what got 200."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        texts = _texts_by_outcome(emulator)
        if len(texts) >= sent and not shop.unfinished():
            return {text for text, outcome in texts.items() if outcome == "ok"}
        time.sleep(0.1)
    pytest.fail("the events were not finished in time")


def _texts_by_outcome(emulator: Emulator) -> dict[str, str]:
    texts = {}
    for webhook in emulator.webhooks():
        for event in json.loads(webhook["body"])["events"]:
            if event["type"] == "message":
                texts[event["message"]["text"]] = webhook["outcome"]
    return texts
