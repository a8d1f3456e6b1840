"""The engine that needs nothing else installed: a thread, or ``flask line worker``."""

from __future__ import annotations

import logging
import os
import threading

from ..outbox.delivery import deliver_due
from ..state import LineState
from ..unlink_tasks import tell_line_due
from ..upkeep import look_after
from ..webhooks.dispatch import dispatch_due

logger = logging.getLogger(__name__)

#: Seconds between two looks at the database when nobody wakes the engine: for retries, and for
#: what another process stored.
POLL_SECONDS = 2.0


def run_due(line: LineState) -> int:
    """Do all work that is due now, in the caller's thread; return how much there was."""
    return dispatch_due(line) + deliver_due(line) + tell_line_due(line) + look_after(line)


class ThreadEngine:
    """Does the work in one thread of the web process.

    The thread starts at the first request, so that a server which forks has forked already.
    """

    def __init__(self) -> None:
        self._awake = threading.Event()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._pid: int | None = None

    def wake(self) -> None:
        """Let the thread look at the database now."""
        self._awake.set()

    def ensure_running(self, line: LineState) -> None:
        """Start the thread in this process unless it runs."""
        if self._pid == os.getpid():
            return
        with self._lock:
            if self._pid == os.getpid():
                return
            self._thread = threading.Thread(
                target=self._run, args=(line,), name="lineconnect", daemon=True
            )
            self._thread.start()
            self._pid = os.getpid()

    def _run(self, line: LineState) -> None:
        while True:
            work_until_idle(line)
            self._awake.wait(POLL_SECONDS)
            self._awake.clear()


class NoEngine:
    """For web processes beside which `flask line worker` does the work."""

    def wake(self) -> None:
        """Do nothing: the worker polls."""


def work_until_idle(line: LineState) -> None:
    """Do all due work and survive whatever fails, with a traceback in the log."""
    try:
        while run_due(line):
            pass
    except Exception:  # the thread must outlive a database that is away for a while
        logger.exception("background work failed; it goes on in %g seconds", POLL_SECONDS)
