"""Wait for a database server no longer than one wants to, also if it has stopped without a word.

A server that hangs still has its machine's network: no time limit of a statement's or of TCP's ends
such a wait. So another thread waits, and is left alone when it takes too long.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from dataclasses import field
from queue import SimpleQueue

#: Threads that wait for a server which does not answer; no more are begun meanwhile. More than one:
#: a server that fell over without a word never answers the first.
MOST_WAITING = 4
#: Seconds after which one more is begun.
BEGIN_AGAIN = 5.0


class NotWritten(Exception):
    """The database is not there, or is busy for too long; or the rows are written nevertheless."""


@dataclass(slots=True)
class _Job:
    act: Callable[[], None]
    done: threading.Event = field(default_factory=threading.Event)
    error: BaseException | None = None


class Helpers:
    """Runs one function at a time in a thread of its own; for one caller at a time."""

    def __init__(self, name: str):
        self._name = name
        self._begin_anew()

    def _begin_anew(self) -> None:
        """Forget the threads of the process that this one was forked from."""
        self._pid = os.getpid()
        self._jobs: SimpleQueue[_Job | None] | None = None
        self._left: list[threading.Thread] = []
        self._thread: threading.Thread | None = None
        self._begin_at = 0.0

    def run(self, act: Callable[[], None], deadline: float, *, is_hasty: bool = False) -> None:
        """Call a function, and raise what it raises.

        :param deadline: by ``time.monotonic()``.
        :param is_hasty: so soon that who is late may be there all the same: the next one is not
            kept waiting.
        :raises NotWritten: it has not returned by then. It may do so later.
        """
        if self._pid != os.getpid():
            self._begin_anew()
        job = _Job(act)
        self._queue().put(job)
        if not job.done.wait(max(0.0, deadline - time.monotonic())):
            self._leave(is_hasty=is_hasty)
            raise NotWritten("the database does not answer")
        if job.error is not None:
            raise job.error

    def _queue(self) -> SimpleQueue[_Job | None]:
        if self._jobs is None:
            self._left = [thread for thread in self._left if thread.is_alive()]
            is_soon = bool(self._left) and time.monotonic() < self._begin_at
            if is_soon or len(self._left) >= MOST_WAITING:
                raise NotWritten("the database has not answered for a while")
            self._jobs = SimpleQueue()
            self._thread = threading.Thread(
                target=_work, args=(self._jobs,), name=self._name, daemon=True
            )
            self._thread.start()
        return self._jobs

    def _leave(self, *, is_hasty: bool) -> None:
        """Let the thread end by itself, whenever the server answers."""
        assert self._jobs is not None
        assert self._thread is not None
        self._jobs.put(None)
        self._left.append(self._thread)
        self._jobs = None
        self._begin_at = time.monotonic() + (0.0 if is_hasty else BEGIN_AGAIN)


def _work(jobs: SimpleQueue[_Job | None]) -> None:
    while (job := jobs.get()) is not None:
        try:
            job.act()
        except BaseException as error:  # it is raised where it was asked for
            job.error = error
        job.done.set()
