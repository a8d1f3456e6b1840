"""The engine for shops with Celery: its workers do the work, beat looks where nobody was woken.

A task carries nothing, not even an id: it says that there may be something to do, and what there is
stands in the database. Tasks may be lost, doubled or overtaken.
"""

from __future__ import annotations

import contextvars
import logging
import os
import tempfile
import threading
import time
import weakref
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from contextlib import contextmanager
from fcntl import LOCK_EX
from fcntl import LOCK_NB
from fcntl import LOCK_UN
from fcntl import lockf
from typing import Any

from celery import Celery
from celery import Task
from celery import shared_task
from celery import signals
from flask import Flask

from ..config.settings import Config
from ..errors import ConfigError
from ..log_fields import log_fields
from ..state import EXTENSION_KEY
from ..state import LineState
from ..state import Work
from ..state import current_line
from ..state import itself
from .work import WORK
from .work import work_for

logger = logging.getLogger(__name__)

#: Where Flask's documentation puts a shop's Celery.
CELERY_KEY = "celery"
#: Seconds between two looks by beat when nobody wakes the engine: for retries, and for wakes that
#: were lost.
LOOK_EVERY: Mapping[Work, float] = {
    "inbox": 2.0,
    "delivery": 2.0,
    "schedule": 2.0,
    "forwarding": 5.0,
    "upkeep": 30.0,
}
#: Seconds after which a task is forgotten that no worker had time for; beat has sent others since.
TASK_LIFE = 60.0
#: Seconds for which a task works before others have their turn.
TURN_SECONDS = 10.0
#: Seconds between two tasks of one process: a thousand wakes are not a thousand tasks.
GATHER_SECONDS = 0.1

#: Of the Celery that is made where the shop has none; the shop's `CELERY` may say otherwise.
DEFAULTS: Mapping[str, Any] = {
    "accept_content": ["json"],
    "broker_connection_retry_on_startup": True,
    # Whoever wakes the engine does not wait for a broker that is away.
    "broker_transport_options": {"max_retries": 1, "connect_retries_timeout": 2},
    "task_ignore_result": True,
    # A worker takes no task that it has no process for.
    "worker_prefetch_multiplier": 1,
}


class CeleryEngine:
    """Sends a task for each kind of work that may be due.

    Neither a request nor its transaction waits for the broker, or fails because it is away.
    """

    def __init__(self, app: Flask, celery: Celery):
        self._app = app
        self._celery = celery
        self._waker = _Waker(self._send)
        self._turns: _Turns | None = None
        self._is_broker_away = False
        signals.worker_init.connect(self._begin_worker)
        signals.worker_process_init.connect(self._begin_process)
        signals.worker_shutting_down.connect(self._stop)
        for work, seconds in LOOK_EVERY.items():
            look = celery.signature(_name(work), immutable=True)
            celery.add_periodic_task(seconds, look, name=_name(work))

    @classmethod
    def of(cls, app: Flask, config: Config) -> CeleryEngine:
        """Return the engine on the shop's own Celery, or on one that is made here.

        :raises ConfigError: there is neither Celery nor a broker.
        """
        celery = app.extensions.get(CELERY_KEY)
        if celery is None and config.celery_broker is None:
            raise ConfigError(
                "LINECONNECT_ENGINE=celery needs the broker's address in LINECONNECT_CELERY_BROKER,"
                ' or the shop\'s own Celery in app.extensions["celery"] before line.init_app(app).'
            )
        return cls(app, celery or make_celery(app, config.celery_broker))

    def wake(self, work: Work) -> None:
        """Let a worker look at the database soon; returns at once."""
        self._waker.wake(work)

    @contextmanager
    def turn(self, work: Work) -> Iterator[bool]:
        """Say whether nothing else in this worker does the same, for as long as the block lasts."""
        if self._turns is None:
            yield True
            return
        with self._turns.take(work) as is_mine:
            yield is_mine

    def _send(self, work: Work) -> None:
        try:
            self._celery.tasks[_name(work)].apply_async(retry=False)
        except Exception as error:  # each of the broker's libraries has errors of its own
            if not self._is_broker_away:
                # The error's own text may hold the broker's address, and so its password.
                logger.warning(
                    "Celery's broker does not answer (%s); beat looks for work as soon as it does",
                    type(error).__name__,
                    extra=log_fields("broker_away"),
                )
            self._is_broker_away = True
        else:
            self._is_broker_away = False

    def _begin_worker(self, sender: Any, **_more: Any) -> None:
        """Look at the worker before its processes start."""
        if sender.app is not self._celery:
            return
        if any(name in str(sender.pool_cls) for name in ("gevent", "eventlet")):
            raise SystemExit(
                "LineConnect's tasks run in Celery's pools prefork, threads and solo; gevent and "
                "eventlet can't run asyncio. Start this worker with --pool=prefork."
            )
        self._turns = _Turns()

    def _begin_process(self, **_more: Any) -> None:
        """Leave the parent's database connections to the parent."""
        with self._app.app_context():
            for engine in self._state.db.engines.values():
                engine.dispose(close=False)

    def _stop(self, **_more: Any) -> None:
        """Begin nothing new in this process; the others of a prefork pool end with their turn."""
        self._state.stopping.set()

    @property
    def _state(self) -> LineState:
        state = self._app.extensions[EXTENSION_KEY]
        assert isinstance(state, LineState)
        return state


class _Waker:
    """Calls a function for each kind of work that was asked for, in a thread, not too often.

    The thread lives as long as there is something to send.
    """

    def __init__(self, send: Callable[[Work], None]):
        self._send = send
        self._lock = threading.Lock()
        self._wanted: set[Work] = set()
        self._thread: threading.Thread | None = None
        begin_anew = weakref.WeakMethod(self._begin_anew)
        os.register_at_fork(after_in_child=lambda: (act := begin_anew()) and act())

    def wake(self, work: Work) -> None:
        """Ask for a call; returns at once."""
        with self._lock:
            self._wanted.add(work)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="lineconnect-wake")
                self._thread.start()

    def _run(self) -> None:
        while True:
            with self._lock:
                wanted, self._wanted = self._wanted, set()
                if not wanted:
                    self._thread = None
                    return
            for work in wanted:
                self._send(work)
            time.sleep(GATHER_SECONDS)

    def _begin_anew(self) -> None:
        """Forget the parent's thread and lock in a process that was forked."""
        self._lock, self._wanted, self._thread = threading.Lock(), set(), None


class _Turns:
    """Lets one worker do one thing of each kind at a time, in whichever of its processes.

    So a campaign leaves the others to the chat. The kernel takes the lock from whoever is killed.
    """

    def __init__(self) -> None:
        # Without a name, and inherited by the worker's processes; each kind locks one byte of it.
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 (it lives as long as this object)
        weakref.finalize(self, self._file.close)
        self._bytes = {work: number for number, work in enumerate(WORK)}
        #: Between threads: the kernel knows processes only.
        self._locks = {work: threading.Lock() for work in WORK}

    @contextmanager
    def take(self, work: Work) -> Iterator[bool]:
        """Say whether it is ours until the end of the block."""
        lock = self._locks[work]
        if not lock.acquire(blocking=False):
            yield False
            return
        try:
            yield self._lock_byte(work)
        finally:
            lockf(self._file, LOCK_UN, 1, self._bytes[work])
            lock.release()

    def _lock_byte(self, work: Work) -> bool:
        try:
            lockf(self._file, LOCK_EX | LOCK_NB, 1, self._bytes[work])
        except OSError:
            return False
        return True


def make_celery(app: Flask, broker: str | None) -> Celery:
    """Make a Celery whose tasks run in the app's context, and make it the shop's.

    Source: Flask, "Background Tasks with Celery".
    """

    class FlaskTask(Task[Any, Any]):
        def __call__(self, *args: Any, **kwargs: Any) -> Any:
            with app.app_context():
                return self.run(*args, **kwargs)

    celery: Celery = Celery(app.name, task_cls=FlaskTask)
    celery.config_from_object({**DEFAULTS, "broker_url": broker, **app.config.get("CELERY", {})})
    celery.set_default()
    app.extensions[CELERY_KEY] = celery
    return celery


def _name(work: Work) -> str:
    return f"lineconnect.{work}"


def _take_turn(work: Work) -> None:
    line = itself(current_line)
    engine = line.engine
    assert isinstance(engine, CeleryEngine)
    with engine.turn(work) as is_mine:
        # Without the task's own context, whose database session would serve all of the turn.
        if is_mine and contextvars.Context().run(work_for, line, work, TURN_SECONDS):
            engine.wake(work)


def _make_task(work: Work) -> Any:
    def task() -> None:
        _take_turn(work)

    return shared_task(
        name=_name(work),
        ignore_result=True,
        serializer="json",
        expires=TASK_LIFE,
        # A task whose process was killed comes again, and may: what is done is in the database.
        acks_late=True,
        reject_on_worker_lost=True,
    )(task)


#: The tasks by the kind of work.
TASKS: Mapping[Work, Any] = {work: _make_task(work) for work in WORK}
