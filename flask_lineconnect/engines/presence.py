"""Several processes on one SQLite file: each writes down that it lives, and tells of the others."""

from __future__ import annotations

import logging
import os
import secrets
import socket
import sys
import threading
import time
from collections.abc import Sequence
from datetime import datetime
from datetime import timedelta

from sqlalchemy import delete
from sqlalchemy import select
from sqlalchemy import update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from ..log_fields import log_fields
from ..models import LivingProcess
from ..models.base import insert_if_absent
from ..models.sqlite import begin_writing
from ..models.sqlite import is_in_memory
from ..state import LineState
from ..state import itself

logger = logging.getLogger(__name__)

#: Seconds between two times that a process writes down that it lives.
NOTE_EVERY = 60.0
#: So long after it was seen a process is taken to live, unless it is known not to.
SEEN_FOR = timedelta(minutes=3)
KEPT = timedelta(days=1)
#: A database's column takes no longer name of a machine.
_LONGEST_NAME = 255


class Presence:
    """What one process writes of itself, for one app."""

    def __init__(self) -> None:
        self._id = ""
        self._pid: int | None = None
        self._next_at = 0.0
        self._has_told = False
        self._lock = threading.Lock()

    def note(self, line: LineState) -> None:
        """Write down that this process lives, if it is time to; never fails.

        On SQLite, and the first time that others are seen, the log says so.
        """
        if not self._is_time():
            return
        try:
            with line.work_context():
                if _is_meant(line):
                    self._note(line.session, now=line.clock())
        except SQLAlchemyError as error:
            # What matters more will say that the database is away.
            logger.debug(
                "it was not written down that this process lives: %s",
                type(error).__name__,
                extra=log_fields("presence_unwritten"),
            )

    def note_beside(self, line: LineState) -> None:
        """Do the same in a thread: for processes that only serve pages, which wait for nothing.

        Called in a request, whose app's database is known.
        """
        if not _is_meant(line):
            return
        if self._pid != os.getpid() or time.monotonic() >= self._next_at:
            thread = threading.Thread(
                target=self.note, args=(itself(line),), name="lineconnect-presence", daemon=True
            )
            thread.start()

    def forget(self, line: LineState) -> None:
        """Take the note back, because this process ends."""
        if self._pid != os.getpid():
            return
        try:
            with line.work_context():
                line.session.execute(delete(LivingProcess).where(LivingProcess.id == self._id))
                line.session.commit()
        except SQLAlchemyError:
            return

    def _is_time(self) -> bool:
        with self._lock:
            if self._pid != os.getpid():
                # Also after a fork.
                self._id, self._pid, self._has_told = secrets.token_hex(16), os.getpid(), False
            elif time.monotonic() < self._next_at:
                return False
            self._next_at = time.monotonic() + NOTE_EVERY
            return True

    def _note(self, session: Session, *, now: datetime) -> None:
        begin_writing(session)
        host, pid = _host(), os.getpid()
        mine = LivingProcess.id == self._id
        insert_if_absent(
            session, LivingProcess, id=self._id, host=host, pid=pid, began_at=now, seen_at=now
        )
        session.execute(update(LivingProcess).where(mine).values(seen_at=now))
        session.execute(delete(LivingProcess).where(LivingProcess.seen_at <= now - KEPT))
        session.commit()
        seen = LivingProcess.seen_at > now - SEEN_FOR, LivingProcess.id != self._id
        others = [one for one in session.scalars(select(LivingProcess).where(*seen)) if _lives(one)]
        if others and not self._has_told:
            self._has_told = True
            _tell(others)


def _is_meant(line: LineState) -> bool:
    """Tell whether others may write to the same file; a server looks after its own."""
    engine = line.db.engine
    return engine.dialect.name == "sqlite" and not is_in_memory(engine)


def _host() -> str:
    return socket.gethostname()[:_LONGEST_NAME]


def _lives(process: LivingProcess) -> bool:
    """Tell whether a process that was seen lately is still there, as far as can be known."""
    # On Windows the question would end it.
    if process.host != _host() or sys.platform == "win32":
        return True
    if process.pid == os.getpid():
        return False
    try:
        os.kill(process.pid, 0)
    except ProcessLookupError:
        return False
    except OSError:  # it is somebody else's
        return True
    return True


def _tell(others: Sequence[LivingProcess]) -> None:
    logger.warning(
        "%d other processes work on this SQLite database (%s). One writes at a time, the others "
        "wait; on a network drive, or with a version of SQLite that has faults, it may be damaged. "
        "Let one process with threads do everything (gunicorn --workers 1 --threads 8), or use "
        "PostgreSQL",
        len(others),
        ", ".join(f"process {one.pid} of {one.host}" for one in others[:10]),
        extra=log_fields("several_processes", count=len(others)),
    )
