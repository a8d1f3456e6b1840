"""The engine that needs nothing else installed: threads of the web process, or of a worker."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Sequence
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


class ThreadEngine:
    """Does the work in threads of this process, one for each kind: none waits for another.

    In a web process they start at the first request, so that a server which forks has forked
    already.
    """

    def __init__(self) -> None:
        self._awake = {work: threading.Event() for work in _KINDS}
        self._lock = threading.Lock()
        self._threads: Sequence[threading.Thread] = ()
        self._pid: int | None = None

    def wake(self, work: Work) -> None:
        """Let the thread look at the database now."""
        self._awake[work].set()

    def ensure_running(self, line: LineState) -> None:
        """Start the threads in this process unless they run."""
        if self._pid == os.getpid():
            return
        with self._lock:
            if self._pid == os.getpid():
                return
            self._threads = [
                threading.Thread(
                    target=self._run, args=(line, work), name=f"lineconnect-{work}", daemon=True
                )
                for work in _KINDS
            ]
            for thread in self._threads:
                thread.start()
            self._pid = os.getpid()
        _warn_of_faults(line)

    def stop(self, line: LineState) -> None:
        """Let the threads finish what they have begun, and return when they have."""
        line.stopping.set()
        for awake in self._awake.values():
            awake.set()
        for thread in self._threads:
            thread.join()

    def _run(self, line: LineState, work: Work) -> None:
        # In the thread: what the work needs is no part of the shop's start.
        from .work import WORK

        while not line.stopping.is_set():
            try:
                while WORK[work](line) and not line.stopping.is_set():
                    pass
            except Exception:  # the thread must outlive a database that is away for a while
                logger.exception(
                    "%s failed; it goes on in %g seconds",
                    work,
                    POLL_SECONDS,
                    extra=log_fields("work_failed", work=work),
                )
            self._awake[work].wait(POLL_SECONDS)
            self._awake[work].clear()


def _warn_of_faults(line: LineState) -> None:
    with line.app.app_context():
        fault = fault_of_sqlite(line.db.engine)
    if fault is not None:
        logger.warning(fault, extra=log_fields("sqlite_fault"))


class NoEngine:
    """For web processes beside which `flask line worker` does the work."""

    def wake(self, work: Work) -> None:
        """Do nothing: the worker polls."""
