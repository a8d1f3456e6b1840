"""The threads in which hooks run: so many at once, and none of them lost to a hook that hangs.

A thread can't be ended from outside. One whose hook is still at work when its lease ends is given
up: what the hook did is undone, another thread takes its place, and it ends if the hook ever
returns. How many may hang is bounded, and a hook of which so many hang is not called any more.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections import Counter
from collections.abc import Callable
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field
from datetime import timedelta
from queue import SimpleQueue

from ..log_fields import log_fields
from .session_use import SessionUse
from .session_use import undo_elsewhere

logger = logging.getLogger(__name__)

#: Threads that may hang, for each one that works.
HANGING_FOR_EACH = 2
#: How the error of an event begins whose hook hangs, or did.
HANGS = "HookHangs: "


class HookHangs(Exception):
    """A hook did not return within its lease, or is one of which too many hang already."""


@dataclass(slots=True, eq=False)
class Job:
    """Something to do in a thread, and how far it is.

    :ivar act: must not raise; gets the job, to note in it what it does.
    :ivar ends_at: when it counts as hanging, by this machine's monotonic clock.
    :ivar hook: the name of the hook that is being called.
    :ivar use: the database sessions that it uses.
    """

    act: Callable[[Job], None]
    ends_at: float
    event_id: str = ""
    hook: str = ""
    use: SessionUse | None = None
    began_at: float | None = None
    is_given_up: bool = False


@dataclass(frozen=True, slots=True)
class HangingHook:
    """A hook that did not return; for health checks, metrics and lists."""

    hook: str
    event_id: str
    time: timedelta


@dataclass
class HookThreads:
    """Threads of one process, begun when they are needed.

    :param size: how many hooks may run at once.
    """

    size: int
    _jobs: SimpleQueue[Job] = field(default_factory=SimpleQueue)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _working: int = 0
    _idle: int = 0
    _running: dict[int, Job] = field(default_factory=dict)
    _hanging: dict[int, Job] = field(default_factory=dict)
    _pid: int | None = None

    def submit(self, job: Job) -> None:
        """Let a thread do the job, soon; returns at once."""
        self._begin_anew_after_fork()
        self._jobs.put(job)
        with self._lock:
            if self._idle < self._jobs.qsize() and self._working < self._allowed:
                self._begin_thread()

    def waiting(self) -> int:
        """Return how many jobs no thread has begun."""
        return self._jobs.qsize()

    def give_up_hanging(self) -> list[Job]:
        """Give up the jobs whose time is over, let others work in their place; return them."""
        now, given_up = time.monotonic(), []
        for number, job in list(self._running.items()):
            if now < job.ends_at:
                continue
            with self._lock:
                if self._running.pop(number, None) is None:
                    continue
                job.is_given_up = True
                self._hanging[number] = job
                self._working -= 1
                if self._jobs.qsize() and self._working < self._allowed:
                    self._begin_thread()
            given_up.append(job)
        for job in given_up:
            _undo(job)
        return given_up

    def hanging(self) -> Sequence[HangingHook]:
        """Return what hangs in this process."""
        now = time.monotonic()
        return [
            HangingHook(job.hook, job.event_id, timedelta(seconds=now - (job.began_at or now)))
            for job in list(self._hanging.values())
        ]

    def check(self, hook: str) -> None:
        """Refuse to call a hook while so many hang that it must be this one's fault.

        :raises HookHangs: so it is.
        """
        if len(self._hanging) < HANGING_FOR_EACH * self.size:
            return
        hanging = Counter(job.hook for job in list(self._hanging.values()))
        if hanging[hook]:
            raise HookHangs(
                f"{hook} was not called: it hangs in {hanging[hook]} threads of this process; "
                "restart the process once the hook is mended"
            )

    @property
    def _allowed(self) -> int:
        """How many threads may work: all, until more hang than may."""
        return self.size - max(0, len(self._hanging) - HANGING_FOR_EACH * self.size)

    def _begin_thread(self) -> None:
        self._working += 1
        threading.Thread(target=self._work, name="lineconnect-hook", daemon=True).start()

    def _work(self) -> None:
        number = threading.get_ident()
        while True:
            with self._lock:
                self._idle += 1
            job = self._jobs.get()
            with self._lock:
                self._idle -= 1
                job.began_at = time.monotonic()
                self._running[number] = job
            try:
                job.act(job)
            except BaseException:  # nothing ends the thread that others wait for
                logger.exception("a hook's thread goes on", extra=log_fields("work_failed"))
            with self._lock:
                self._running.pop(number, None)
                was_given_up = self._hanging.pop(number, None) is not None
            if was_given_up:
                return

    def _begin_anew_after_fork(self) -> None:
        if self._pid == os.getpid():
            return
        if self._pid is not None:
            self._jobs, self._lock = SimpleQueue(), threading.Lock()
            self._working = self._idle = 0
            self._running, self._hanging = {}, {}
        self._pid = os.getpid()


def _undo(job: Job) -> None:
    """Undo what a hanging hook did, for its thread will not, and others wait for its locks."""
    for _session, connection in () if job.use is None else tuple(job.use.connections):
        try:
            undo_elsewhere(connection)
        except Exception:  # it may be in the middle of anything
            logger.exception(
                "what a hanging hook did could not be undone",
                extra=log_fields("hook_not_undone", webhook_event_id=job.event_id),
            )
