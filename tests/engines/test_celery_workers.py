"""Celery's own workers and beat, on Redis and PostgreSQL: killed, doubled, lost; nothing twice."""

from __future__ import annotations

import signal
import subprocess
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import redis
from flask import Flask
from sqlalchemy import func
from sqlalchemy import select

from flask_lineconnect.linking.accounts import ensure_account
from flask_lineconnect.linking.accounts import link
from flask_lineconnect.models import InboxEvent
from flask_lineconnect.models import OutboxMessage
from flask_lineconnect.models import QuotaMonth
from flask_lineconnect.models.outbox import UNSENT
from flask_lineconnect.state import Engine
from flask_lineconnect.state import LineState
from flask_lineconnect.testing.plugin import Emulator
from tests.engines.celery_fleet import Fleet
from tests.engines.celery_fleet import follow
from tests.engines.celery_fleet import go_on
from tests.engines.celery_fleet import kill
from tests.engines.celery_fleet import pause
from tests.engines.celery_fleet import wait_until
from tests.postgres import create_database
from tests.redis_server import running_redis
from tests.small_shop import SETTINGS
from tests.small_shop import User
from tests.small_shop import create_app
from tests.small_shop import db
from tests.small_shop import line as extension

BASE_URL = "http://127.0.0.1:5999"
PUSH = "/v2/bot/message/push"
Workers = tuple["subprocess.Popen[bytes]", "subprocess.Popen[bytes]"]


@dataclass
class Running:
    """A shop with two workers and beat."""

    app: Flask
    emulator: Emulator
    fleet: Fleet
    broker: str
    user_id: str
    own_engine: Engine

    @property
    def line(self) -> LineState:
        """The shop's state; in its app context."""
        state = self.app.extensions["lineconnect"]
        assert isinstance(state, LineState)
        return state

    def send(self, name: str, count: int) -> list[str]:
        """Enqueue so many different messages, and tell no engine; return their texts."""
        texts = [f"{name} {number}" for number in range(count)]
        member = db.session.scalars(select(User)).one()
        # What wakes would bring is lost; beat must find it.
        self.line.engine = Deaf()
        for text in texts:
            extension.send(member, text)
        db.session.commit()
        return texts

    def unsent(self) -> int:
        """Return how many messages are not finished."""
        db.session.rollback()
        count = select(func.count()).where(OutboxMessage.state.in_(UNSENT))
        return db.session.scalar(count) or 0

    def pushes(self) -> int:
        """Return how many pushes LINE was asked for."""
        return sum(call["path"] == PUSH for call in self.emulator.calls())

    def received(self, name: str) -> Counter[str]:
        """Return the texts that begin so, and how often each arrived."""
        texts = (message["text"] for message in self.emulator.received(self.user_id))
        return Counter(text for text in texts if text.startswith(f"{name} "))

    def is_booked_rightly(self) -> bool:
        """Compare our own count of the month with the number of accepted messages."""
        db.session.rollback()
        accepted = select(func.count()).where(OutboxMessage.state == "accepted")
        return db.session.scalar(select(QuotaMonth.own_used)) == db.session.scalar(accepted)

    def events(self) -> list[str]:
        """Return the states of the webhook events."""
        db.session.rollback()
        return list(db.session.scalars(select(InboxEvent.state)))

    def secrets(self) -> list[str]:
        """Return what no log may hold."""
        return [value for key, value in self.app.config.items() if key.endswith("_SECRET")]


class Deaf:
    """An engine that hears nothing."""

    def wake(self, work: str) -> None:
        """Do nothing."""


@pytest.fixture(scope="module")
def broker() -> Iterator[str]:
    """Run a Redis."""
    with running_redis() as address:
        yield address


@pytest.fixture(scope="module")
def shop(
    postgres_server: str,
    line_emulator_server: Emulator,
    broker: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Running]:
    """Run two workers and beat for all the tests of this module."""
    emulator = line_emulator_server
    emulator.reset()
    settings = {
        **SETTINGS,
        **emulator.settings(BASE_URL),
        "SQLALCHEMY_DATABASE_URI": create_database(postgres_server, "celery"),
        "LINECONNECT_ENGINE": "celery",
        "LINECONNECT_CELERY_BROKER": broker,
        "LINECONNECT_RATE_LIMIT_STORAGE": broker,
    }
    app = create_app(settings)
    user_id = emulator.add_user("佐藤 さくら")
    emulator.add_friend(user_id)
    fleet = Fleet(settings, tmp_path_factory.mktemp("celery"))
    try:
        with app.app_context():
            _link_member(app, user_id)
            engine = app.extensions["lineconnect"].engine
            yield Running(app, emulator, fleet, broker, user_id, engine)
            db.session.remove()
            db.engine.dispose()
    finally:
        fleet.stop()
        emulator.reset()


def _link_member(app: Flask, user_id: str) -> None:
    line = app.extensions["lineconnect"]
    member = User(name="佐藤 さくら")
    db.session.add(member)
    db.session.flush()
    account = ensure_account(line.session, user_id, now=line.clock())
    link(line, account, member.id, source=None, now=line.clock())
    db.session.commit()


@pytest.fixture(scope="module")
def workers(shop: Running) -> Workers:
    """Start two workers and beat; wait for the first sign of life."""
    shop.fleet.start_beat()
    return shop.fleet.start_worker("one"), shop.fleet.start_worker("two")


@pytest.mark.usefixtures("workers")
def test_S8_7_lost_and_doubled_tasks_change_nothing(shop: Running) -> None:
    tasks = shop.app.extensions["celery"].tasks
    texts = shop.send("doubled", 100)
    for _time in range(30):
        tasks["lineconnect.delivery"].apply_async()
        tasks["lineconnect.upkeep"].apply_async()
    texts += shop.send("doubled more", 50)
    with redis.Redis.from_url(shop.broker) as client:
        client.flushall()

    wait_until(lambda: shop.unsent() == 0, shop.fleet)

    assert shop.received("doubled") == Counter({text: 1 for text in texts})
    assert shop.is_booked_rightly()


@pytest.mark.usefixtures("workers")
def test_a_webhook_wakes_a_worker(shop: Running) -> None:
    shop.line.engine = shop.own_engine

    assert follow(shop.app, shop.user_id) == 200

    wait_until(lambda: shop.events() == ["done"], shop.fleet)


def test_S9_4_a_killed_worker_loses_and_doubles_nothing(shop: Running, workers: Workers) -> None:
    one, two = workers
    wait_until(lambda: shop.fleet.log().count(" ready.") == 2, shop.fleet)
    before = shop.pushes()
    # LINE has taken each message half a second before it says so.
    shop.emulator.fault(path=PUSH, delay_seconds=0.5, after_acceptance=True, times=500)
    pause(two)
    texts = shop.send("killed", 60)
    wait_until(lambda: shop.pushes() > before, shop.fleet)

    kill(one)
    shop.emulator.clear_faults()
    assert shop.unsent() > 0
    go_on(two)

    wait_until(lambda: shop.unsent() == 0, shop.fleet)
    assert shop.received("killed") == Counter({text: 1 for text in texts})
    assert shop.is_booked_rightly()


def test_a_worker_that_is_told_to_stop_finishes_what_it_began(
    shop: Running, workers: Workers
) -> None:
    _one, two = workers
    before = shop.pushes()
    shop.emulator.fault(path=PUSH, delay_seconds=0.4, after_acceptance=True, times=500)
    # One goes after the other, to one person, and all within the workers' short lease.
    texts = shop.send("stopped", 4)
    wait_until(lambda: shop.pushes() > before, shop.fleet)

    two.send_signal(signal.SIGTERM)

    assert two.wait(30) == 0
    shop.emulator.clear_faults()
    assert shop.unsent() == 0
    assert shop.received("stopped") == Counter({text: 1 for text in texts})


def test_S11_2_no_worker_logs_whom_or_what(shop: Running) -> None:
    log = shop.fleet.log()
    assert "lineconnect.delivery" in log
    for secret in (shop.user_id, "doubled 1", "killed 1", *shop.secrets()):
        assert secret not in log
