"""Judge webhook events by their own times, and say when this machine's clock is wrong.

LINE's signature has no delivery time, so a captured body stays valid for ever; what tells it from a
new one is its id, and ids are not kept for ever. How old an event is says the newest one seen, not
a clock: a clock may be wrong, and would have genuine events dropped.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterable
from collections.abc import Sequence
from datetime import UTC
from datetime import datetime
from datetime import timedelta

from sqlalchemy import Connection
from sqlalchemy import and_
from sqlalchemy import select

from ..log_fields import log_fields
from ..models import InboxEvent
from ..models.inbox import ENDED

logger = logging.getLogger(__name__)

#: Ids are kept this long; an older event may be a captured body sent again.
KEPT = timedelta(days=30)
#: LINE's clock and ours may differ.
CLOCK_SKEW = timedelta(minutes=5)
#: Seconds after which is looked again which event is the newest: other processes store, too.
LOOK_EVERY, LOOK_AT_MOST_EVERY = 600.0, 10.0
#: An event so much older than the newest is not an ordinary one.
ODD_AGE = timedelta(days=1)
#: Events of each kind that are looked at to find the newest: some may be from the future.
_SOME = 20
#: Seconds between two lines that say that the clock is wrong.
_SAY_EVERY = 3_600.0
#: Times that databases and Python's dates can hold, with their zones.
_EARLIEST = datetime(1970, 1, 2, tzinfo=UTC)
_LATEST = datetime(9999, 12, 30, tzinfo=UTC)


def times_stored(connection: Connection) -> Sequence[datetime]:
    """Return the times of the newest events of which the ids are known; a few looks at indexes."""
    table = InboxEvent
    ended = [and_(ENDED, table.state == state) for state in ("done", "cleared", "dead")]
    found: list[datetime] = []
    for is_of_kind in (table.next_attempt_at.is_not(None), *ended):
        # Without a begin SQLite would say that it reads the whole index, which it does not.
        newest = select(table.occurred_at).where(is_of_kind, table.occurred_at >= _EARLIEST)
        found += connection.scalars(newest.order_by(table.occurred_at.desc()).limit(_SOME))
    return found


def newest_of(
    times: Iterable[datetime], *, now: datetime, known: datetime | None = None
) -> datetime | None:
    """Return the newest time that is believed.

    One that lies beyond those before it, and beyond now, by more than ids are kept is not: all that
    followed would be taken for old.

    :param known: the newest one until now.
    """
    newest = known
    for moment in sorted(times):
        if newest is None or newest < moment <= max(newest, now) + KEPT:
            newest = moment
    return newest


class EventTimes:
    """The newest event that this process knows of, and how long it has known."""

    def __init__(self) -> None:
        self._newest: datetime | None = None
        self._looked_at: float | None = None
        self._said_at: float | None = None
        self._lock = threading.Lock()

    def should_look(self, oldest: datetime) -> bool:
        """Tell whether to look into the database before events are judged, and note that one does.

        :param oldest: the time of the oldest of them.
        """
        now = time.monotonic()
        with self._lock:
            past = None if self._looked_at is None else now - self._looked_at
            is_odd = self._newest is not None and oldest < self._newest - ODD_AGE
            if past is not None and past < (LOOK_AT_MOST_EVERY if is_odd else LOOK_EVERY):
                return False
            self._looked_at = now
            return True

    def note(self, times: Sequence[datetime], *, now: datetime) -> None:
        """Note that events of these times were seen."""
        with self._lock:
            if self._newest is None or max(times) > self._newest:
                self._newest = newest_of(times, now=now, known=self._newest)

    def is_too_old(self, moment: datetime) -> bool:
        """Tell whether an event is older than the ids that are kept."""
        newest = self._newest
        return newest is not None and moment < newest - KEPT

    def check_clock(self, newest: datetime, *, is_redelivery: bool, now: datetime) -> None:
        """Say in the log, now and then, that the clock is wrong, by the newest of a batch."""
        difference = newest - now
        is_behind, is_ahead = difference > CLOCK_SKEW, -difference > CLOCK_SKEW
        if not is_behind and (is_redelivery or not is_ahead):
            return
        with self._lock:
            moment = time.monotonic()
            if self._said_at is not None and moment < self._said_at + _SAY_EVERY:
                return
            self._said_at = moment
        logger.error(
            "this machine's clock is %s by about %d minutes, by the times of LINE's webhook events;"
            " set it, for example with NTP. No event is lost by it",
            "behind" if is_behind else "ahead",
            round(abs(difference) / timedelta(minutes=1)),
            extra=log_fields("clock_wrong", seconds=round(difference.total_seconds())),
        )


def moment_of(milliseconds: int) -> datetime:
    """Return LINE's time of an event.

    :raises ValueError: no calendar has it.
    """
    try:
        moment = datetime.fromtimestamp(milliseconds / 1000, UTC)
    except (OverflowError, OSError, ValueError):
        raise ValueError("its time is out of range") from None
    if not _EARLIEST <= moment <= _LATEST:
        raise ValueError("its time is out of range")
    return moment
