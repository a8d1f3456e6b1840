"""A shop that is killed at random moments while people write, and what came of it."""

from __future__ import annotations

import json
import random
import socket
import subprocess
import sys
import time
from collections import Counter
from collections import defaultdict
from collections.abc import Callable
from collections.abc import Sequence
from datetime import UTC
from datetime import datetime
from datetime import timedelta
from pathlib import Path
from typing import Any
from typing import NamedTuple

import requests
from sqlalchemy import create_engine
from sqlalchemy import func
from sqlalchemy import select
from sqlalchemy import text

from flask_lineconnect.models import InboxEvent
from flask_lineconnect.testing.plugin import Emulator
from flask_lineconnect.webhooks.replies import TOO_LATE
from tests.small_shop import SETTINGS

ROOT = Path(__file__).parents[2]
#: Seconds.
PATIENCE = 180.0
#: Seconds for which the emulator takes a reply token, as LINE does.
TOKEN_LIFE = 60.0
#: Seconds that an event may have waited when the shop is killed once more: a machine that is busy
#: with other things needs longer to begin than a reply token lives.
MOST_BEHIND = 20.0


class Outcome(NamedTuple):
    """What people wrote and got, by text."""

    acknowledged: set[str]
    #: How often each was answered in the chat.
    answered: Counter[str]
    #: How often the hook's own change is in the database.
    written_down: Counter[str]
    #: What was offered to LINE, of which LINE itself says that the reply token's time was over.
    too_late: set[str]

    @property
    def lost(self) -> set[str]:
        """What was acknowledged and neither answered nor refused for being late."""
        undone = self.acknowledged - set(self.written_down)
        return self.acknowledged - set(self.answered) - self.too_late | undone

    @property
    def doubled(self) -> set[str]:
        """What was answered twice, or done twice."""
        both = (*self.answered.items(), *self.written_down.items())
        return {text for text, count in both if count > 1}

    def check(self) -> None:
        """Assert that what was acknowledged was done, and nothing twice."""
        assert self.acknowledged
        assert (self.lost, self.doubled) == (set(), set())


class Shop:
    """A shop that can be killed and started again on the same database."""

    def __init__(self, emulator: Emulator, database: str):
        self.port = _port_to_come_back_to()
        self.url = f"http://127.0.0.1:{self.port}"
        self.database = database
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

    def too_late(self) -> set[str]:
        """Return what the inbox says was answered too late for its token."""
        engine = create_engine(self.database)
        with engine.connect() as connection:
            too_late = InboxEvent.error == TOO_LATE, InboxEvent.state == "done"
            rows = connection.scalars(select(InboxEvent.payload).where(*too_late))
            found = {json.loads(payload)["message"]["text"] for payload in rows}
        engine.dispose()
        return found

    def stored(self) -> int:
        """Return how many events were stored."""
        return self._count("SELECT count(*) FROM lineconnect_inbox_event")

    def unanswered_for(self, seconds: float) -> int:
        """Return how many events have waited for their answers for longer than that."""
        before = datetime.now(UTC) - timedelta(seconds=seconds)
        engine = create_engine(self.database)
        with engine.connect() as connection:
            waiting = InboxEvent.finished_at.is_(None), InboxEvent.received_at < before
            statement = select(func.count()).select_from(InboxEvent).where(*waiting)
            count = connection.scalar(statement)
        engine.dispose()
        return count or 0

    def wait_for_stored(self, count: int) -> None:
        """Wait until so many events were stored."""
        self._wait_until(lambda: self.stored() >= count)

    def wait_until_behind_by_less(self, seconds: float) -> None:
        """Wait until no event has waited for its answer for longer than that."""
        self._wait_until(lambda: self.unanswered_for(seconds) == 0)

    def _wait_until(self, is_so: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE
        while not is_so():
            assert time.monotonic() < deadline, "the shop does nothing"
            time.sleep(0.01)

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
    emulator: Emulator, database: str, *, kills: int, chance: random.Random
) -> Outcome:
    """Let people write to a shop that is killed so often, and wait until all is answered."""
    shop = Shop(emulator, database)
    users = [emulator.add_user(f"人{number}") for number in range(3)]
    for user_id in users:
        emulator.add_friend(user_id)
    number = 0
    try:
        for _kill in range(kills):
            enough = shop.stored() + 1
            for _message in range(chance.randint(3, 9)):
                number += 1
                emulator.write(chance.choice(users), f"message {number}")
            # However slow the machine is, each process has begun with something.
            shop.wait_for_stored(enough)
            # Nor does it leave its successors more than they can answer in time.
            shop.wait_until_behind_by_less(MOST_BEHIND)
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
    return Outcome(acknowledged, answered, shop.written_down(), _too_late(emulator, shop))


def _too_late(emulator: Emulator, shop: Shop) -> set[str]:
    """Return what LINE refused because a minute had passed, by our record and by LINE's own."""
    written_at = {
        event["message"]["text"]: event["timestamp"] / 1000
        for webhook in emulator.webhooks()
        for event in json.loads(webhook["body"])["events"]
        if event["type"] == "message"
    }
    refused: dict[str, list[tuple[int, float]]] = defaultdict(list)
    for call in emulator.calls():
        if call["path"].endswith("/message/reply"):
            text = json.loads(call["request"])["messages"][0]["text"]
            at = datetime.fromisoformat(call["at"]).timestamp()
            refused[text].append((call["status"], at - written_at[text]))
    return {text for text in shop.too_late() if _is_only_late(refused[text])}


def _is_only_late(calls: Sequence[tuple[int, float]]) -> bool:
    """Tell whether LINE was asked, and said each time that the token's life was over."""
    return bool(calls) and all(status == 400 and age > TOKEN_LIFE for status, age in calls)


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
