"""The engine that needs nothing else installed: threads of the web process, or of a worker."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable
from collections.abc import Mapping
from typing import get_args

from ..log_fields import log_fields
from ..models.sqlite import fault_of_sqlite
from ..state import LineState
from ..state import Work

logger = logging.getLogger(__name__)

_KINDS: tuple[Work, ...] = get_args(Work)

#: Seconds between two looks at the database when nobody wakes the engine: for retries, and for
#: what another process stored.
POLL_SECONDS = 2.0
#: Seconds for which member events gather after the first few: many are handled for their price.
GATHER_SECONDS, MANY = 0.05, 50


class ThreadEngine:
    """Does the work in threads of this process, one for each kind: none waits for another.

    In a web process they start at the first request, so that a server which forks has forked
    already; and one that died begins again at the next.
    """

    def __init__(self) -> None:
        self._awake = {work: threading.Event() for work in _KINDS}
        self._lock = threading.Lock()
        self._threads: dict[Work, threading.Thread] = {}
        self._pid: int | None = None
        #: Lets a run that goes on look for new events.
        self._stir: Callable[[], None] = lambda: None

    def wake(self, work: Work) -> None:
        """Let the thread look at the database now."""
        self._awake[work].set()
        if work == "inbox":
            self._stir()

    def ensure_running(self, line: LineState) -> None:
        """Start the threads in this process unless they run; those that died, too."""
        if self._is_whole():
            return
        with self._lock:
            if self._pid != os.getpid():
                self._threads = {}
            for work in _KINDS:
                if not self._is_alive(work):
                    self._begin(line, work)
            self._pid = os.getpid()
        _warn_of_faults(line)

    def health(self) -> Mapping[Work, bool]:
        """Tell of each kind of work whether its thread lives in this process."""
        return {work: self._pid == os.getpid() and self._is_alive(work) for work in _KINDS}

    def stop(self, line: LineState) -> None:
        """Let the threads finish what they have begun, and return when they have."""
        line.stopping.set()
        for awake in self._awake.values():
            awake.set()
        for thread in self._threads.values():
            thread.join()
        from .presence import Presence

        line.part(Presence).forget(line)

    def _is_whole(self) -> bool:
        return self._pid == os.getpid() and all(map(self._is_alive, _KINDS))

    def _is_alive(self, work: Work) -> bool:
        thread = self._threads.get(work)
        return thread is not None and thread.is_alive()

    def _begin(self, line: LineState, work: Work) -> None:
        if work in self._threads and not line.stopping.is_set():
            logger.error(
                "the thread for %s had died; another one begins",
                work,
                extra=log_fields("thread_died", work=work),
            )
        thread = threading.Thread(
            target=self._run, args=(line, work), name=f"lineconnect-{work}", daemon=True
        )
        self._threads[work] = thread
        thread.start()

    def _run(self, line: LineState, work: Work) -> None:
        # In the thread: what the work needs is no part of the shop's start.
        from ..webhooks.dispatch import Answering
        from .work import WORK
        from .work import seconds_to_next

        if work == "inbox":
            self._stir = line.part(Answering).stir
        while not line.stopping.is_set():
            pause = POLL_SECONDS
            try:
                while (count := WORK[work](line)) and not line.stopping.is_set():
                    _gather(work, count)
                pause = seconds_to_next(line, work, POLL_SECONDS)
            except BaseException:  # the thread must outlive whatever the shop's code raises
                logger.exception(
                    "%s failed; it goes on in %g seconds",
                    work,
                    POLL_SECONDS,
                    extra=log_fields("work_failed", work=work),
                )
            if self._awake[work].wait(pause):
                _gather(work, 1)
            self._awake[work].clear()


def _gather(work: Work, count: int) -> None:
    """Let more events gather, unless there are many already."""
    if work == "schedule" and count < MANY:
        time.sleep(GATHER_SECONDS)


def _warn_of_faults(line: LineState) -> None:
    with line.app.app_context():
        fault = fault_of_sqlite(line.db.engine)
    if fault is not None:
        logger.warning(fault, extra=log_fields("sqlite_fault"))


class NoEngine:
    """For web processes beside which `flask line worker` does the work."""

    def wake(self, work: Work) -> None:
        """Do nothing: the worker polls."""
