"""The Celery engine inside one process: how it wakes workers, and what it asks of Celery."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Iterator
from types import SimpleNamespace

import pytest
from celery import Celery
from flask import Flask

from flask_lineconnect import ConfigError
from flask_lineconnect.engines import celery as module
from flask_lineconnect.engines import work
from flask_lineconnect.engines.celery import CeleryEngine
from flask_lineconnect.engines.work import WORK
from flask_lineconnect.engines.work import work_for
from flask_lineconnect.state import LineState
from flask_lineconnect.testing.plugin import free_port
from tests.conftest import MakeApp
from tests.engines.celery_fleet import follow
from tests.engines.celery_fleet import queued_tasks
from tests.engines.celery_fleet import wait_until
from tests.redis_server import running_redis
from tests.small_shop import db

CELERY = {"LINECONNECT_ENGINE": "celery"}


@pytest.fixture(scope="module")
def broker() -> Iterator[str]:
    """Run a Redis."""
    with running_redis() as address:
        yield address


@pytest.fixture
def app(make_app: MakeApp, broker: str) -> Flask:
    """Return a shop whose Celery has its own queue."""
    queue = {"task_default_queue": f"queue-{time.monotonic_ns()}"}
    return make_app(**CELERY, LINECONNECT_CELERY_BROKER=broker, CELERY=queue)


@pytest.fixture
def engine(app: Flask) -> CeleryEngine:
    """Return the shop's engine."""
    engine = app.extensions["lineconnect"].engine
    assert isinstance(engine, CeleryEngine)
    return engine


def _tasks(app: Flask, broker: str) -> list[str]:
    _wait_for_thread()
    queue = app.extensions["celery"].conf.task_default_queue
    return [task["headers"]["task"] for task in queued_tasks(broker, queue)]


def _wait_for_thread() -> None:
    wait_until(lambda: all(one.name != "lineconnect-wake" for one in threading.enumerate()))


def test_a_thousand_wakes_are_a_few_tasks(app: Flask, engine: CeleryEngine, broker: str) -> None:
    for _time in range(1000):
        engine.wake("delivery")
    tasks = _tasks(app, broker)
    assert tasks
    assert set(tasks) == {"lineconnect.delivery"}
    assert len(tasks) < 10


def test_a_wake_during_a_wake_is_not_lost(app: Flask, engine: CeleryEngine, broker: str) -> None:
    engine.wake("delivery")
    time.sleep(module.GATHER_SECONDS / 2)
    engine.wake("inbox")
    assert _tasks(app, broker) == ["lineconnect.inbox", "lineconnect.delivery"]


def test_S8_7_a_task_carries_nothing(app: Flask, engine: CeleryEngine, broker: str) -> None:
    engine.wake("inbox")
    _wait_for_thread()
    (task,) = queued_tasks(broker, app.extensions["celery"].conf.task_default_queue)
    assert task["content-type"] == "application/json"
    assert (task["headers"]["argsrepr"], task["headers"]["kwargsrepr"]) == ("()", "{}")
    assert task["headers"]["expires"]


def test_a_broker_that_is_away_fails_no_request_and_is_told_once(
    make_app: MakeApp, caplog: pytest.LogCaptureFixture
) -> None:
    address = f"redis://:planted-password@127.0.0.1:{free_port()}/0"
    app = make_app(**CELERY, LINECONNECT_CELERY_BROKER=address)
    engine = app.extensions["lineconnect"].engine
    with caplog.at_level(logging.WARNING, "flask_lineconnect"):
        engine.wake("inbox")
        _wait_for_thread()
        engine.wake("inbox")
        _wait_for_thread()
    assert len(caplog.records) == 1
    assert "broker does not answer" in caplog.text
    assert "planted-password" not in caplog.text


def test_S9_3_a_forked_process_wakes_with_a_thread_of_its_own(
    app: Flask, engine: CeleryEngine, broker: str
) -> None:
    # As if the parent had been in the middle of a wake.
    engine._waker._thread = threading.Thread()
    engine._waker._lock.acquire()
    child = os.fork()
    if child == 0:
        engine._waker._send = lambda _work: os._exit(7)
        engine.wake("inbox")
        time.sleep(10)
        os._exit(1)
    engine._waker._lock.release()
    _pid, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 7


def test_S9_3_a_workers_process_leaves_the_parents_connections_alone(
    app: Flask, engine: CeleryEngine
) -> None:
    with app.app_context():
        before = db.engine.pool
        engine._begin_process()
        assert db.engine.pool is not before


def test_beat_looks_for_every_kind_of_work(app: Flask, engine: CeleryEngine) -> None:
    schedule = app.extensions["celery"].conf.beat_schedule
    assert {entry["task"] for entry in schedule.values()} == {f"lineconnect.{one}" for one in WORK}


def test_tasks_are_acknowledged_late_and_leave_no_result(app: Flask, engine: CeleryEngine) -> None:
    for name in WORK:
        task = app.extensions["celery"].tasks[f"lineconnect.{name}"]
        assert (task.acks_late, task.reject_on_worker_lost, task.ignore_result) == (True,) * 3
    assert app.extensions["celery"].conf.accept_content == ["json"]


def test_the_shops_own_celery_is_used(make_app: MakeApp) -> None:
    own = Celery("own", broker="memory://")
    app = make_app(**CELERY, OWN_CELERY=own)
    assert app.extensions["celery"] is own
    assert "lineconnect.inbox" in own.tasks
    assert len(own.conf.beat_schedule) == len(WORK)


def test_without_a_broker_the_app_does_not_start(make_app: MakeApp) -> None:
    with pytest.raises(ConfigError, match="LINECONNECT_CELERY_BROKER"):
        make_app(**CELERY)


def test_without_celery_the_error_says_what_to_install(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "flask_lineconnect.engines.celery", None)
    with pytest.raises(ConfigError, match=r"pip install 'flask-lineconnect\[celery\]'"):
        make_app(**CELERY, LINECONNECT_CELERY_BROKER="memory://")


@pytest.mark.parametrize("pool", ["gevent", "eventlet"])
def test_pools_that_cannot_run_asyncio_are_refused(
    app: Flask, engine: CeleryEngine, pool: str
) -> None:
    worker = SimpleNamespace(app=app.extensions["celery"], pool_cls=pool)
    with pytest.raises(SystemExit, match="--pool=prefork"):
        engine._begin_worker(sender=worker)


def test_a_worker_does_one_thing_of_each_kind_at_a_time(app: Flask, engine: CeleryEngine) -> None:
    engine._begin_worker(sender=SimpleNamespace(app=app.extensions["celery"], pool_cls="prefork"))
    with engine.turn("delivery") as first, engine.turn("delivery") as second:
        assert (first, second) == (True, False)
        with engine.turn("inbox") as other:
            assert other
        # Of another process of the same worker, the kernel knows.
        child = os.fork()
        if child == 0:
            for lock in engine._turns._locks.values():  # type: ignore[union-attr]
                lock.release() if lock.locked() else None
            with engine.turn("delivery") as third:
                os._exit(5 if third else 6)
        _pid, status = os.waitpid(child, 0)
        assert os.waitstatus_to_exitcode(status) == 6
    with engine.turn("delivery") as again:
        assert again


def test_a_task_works_in_the_apps_context_and_asks_for_another_turn(
    app: Flask, engine: CeleryEngine, broker: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[object] = []

    def never_ends(line: LineState) -> int:
        with line.work_context():
            done.append(line.app)
        return 1

    monkeypatch.setattr(work, "WORK", {**WORK, "delivery": never_ends})
    monkeypatch.setattr(module, "TURN_SECONDS", 0.05)

    app.extensions["celery"].tasks["lineconnect.delivery"].apply(throw=True)

    assert set(done) == {app}
    assert _tasks(app, broker) == ["lineconnect.delivery"]


def test_a_turn_ends_with_the_process(line: LineState, monkeypatch: pytest.MonkeyPatch) -> None:
    turns: list[bool] = []

    def ends(state: LineState) -> int:
        turns.append(state.stopping.is_set())
        line.stopping.set()
        return 1

    monkeypatch.setattr(work, "WORK", {**WORK, "inbox": ends})
    assert work_for(line, "inbox", 60)
    assert turns == [False]


def test_a_webhook_is_answered_while_the_broker_is_away(make_app: MakeApp) -> None:
    address = f"redis://127.0.0.1:{free_port()}/0"
    app = make_app(**CELERY, LINECONNECT_CELERY_BROKER=address)
    assert follow(app, "U" + "a" * 32) == 200
    _wait_for_thread()
