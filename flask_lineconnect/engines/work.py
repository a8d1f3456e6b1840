"""What engines do, whenever and wherever they do it: plain functions that may run twice.

Next: ``embedded.py``, which needs nothing installed, and ``celery.py``.
"""

from __future__ import annotations

import gc
import logging
import time
from collections.abc import Callable
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from sqlalchemy.orm import Session

from ..line_api.client import LineApi
from ..linking.unlink_tasks import tell_line_due
from ..log_fields import log_fields
from ..marketing.campaigns.making import make_due
from ..marketing.campaigns.making import next_making_at
from ..marketing.campaigns.starting import next_campaign_at
from ..marketing.campaigns.starting import start_campaigns
from ..marketing.handling import handle_some
from ..marketing.scenarios.doing import do_due
from ..marketing.scenarios.doing import next_due_at
from ..marketing.scenarios.starting import next_start_at
from ..marketing.scenarios.starting import start_due
from ..outbox.delivery import deliver_due
from ..state import EXTENSION_KEY
from ..state import LineState
from ..state import Stopping
from ..state import Work
from ..webhooks.dispatch import dispatch_due
from .upkeep import look_after

logger = logging.getLogger(__name__)


def _keep_up(line: LineState) -> int:
    return tell_line_due(line) + look_after(line)


#: What members did, the steps of the runs that are due, what begins by itself, and the messages of
#: campaigns; in this order.
SCHEDULE: tuple[Callable[[LineState], int], ...] = (
    handle_some,
    do_due,
    start_due,
    start_campaigns,
    make_due,
)
#: When something of that is due next.
_NEXT: tuple[Callable[[Session], datetime | None], ...] = (
    next_due_at,
    next_start_at,
    next_campaign_at,
    next_making_at,
)


def _keep_schedule(line: LineState) -> int:
    return sum(do(line) for do in SCHEDULE)


def _pass_on(line: LineState) -> int:
    if not line.config.forward_webhooks:
        return 0
    from ..webhooks.forwarding import forward_due  # where there are further addresses

    return forward_due(line)


def seconds_to_next(line: LineState, work: Work, most: float) -> float:
    """Return for how long nothing of a kind becomes due that is known now, at most so many seconds.

    What others store meanwhile may be due sooner.
    """
    if work != "schedule":
        return most
    with line.work_context():
        due = [ask(line.session) for ask in _NEXT]
    due_at = min((at for at in due if at is not None), default=None)
    seconds = most if due_at is None else (due_at - line.clock()).total_seconds()
    return min(most, max(0.0, seconds))


#: Does what is due now and returns how much there was, by the kind of work.
WORK: Mapping[Work, Callable[[LineState], int]] = {
    "inbox": dispatch_due,
    "delivery": deliver_due,
    "schedule": _keep_schedule,
    "forwarding": _pass_on,
    "upkeep": _keep_up,
}


class Turn:
    """A length of time after which work ends, unless the process ends sooner."""

    def __init__(self, stopping: Stopping, seconds: float):
        self._stopping = stopping
        self._ends_at = time.monotonic() + seconds

    def is_set(self) -> bool:
        """Tell whether it is over."""
        return self._stopping.is_set() or time.monotonic() >= self._ends_at

    def set(self) -> None:
        """End the process's work."""
        self._stopping.set()


def work_for(line: LineState, work: Work, seconds: float) -> bool:
    """Do one kind of work until nothing is due or the time is over; return whether more is due.

    What was begun is finished, so it may take longer by LINE's slowest answer.
    """
    mine = replace(line, stopping=Turn(line.stopping, seconds))
    while WORK[work](mine):
        # The one thing that a state notes for later turns.
        line.next_sweep_at = mine.next_sweep_at
        if mine.stopping.is_set():
            return True
    line.next_sweep_at = mine.next_sweep_at
    return False


def settle(line: LineState) -> None:
    """Make a process that does nothing else ready for work that must not stop and start.

    What is loaded for good is kept from the garbage collector: looking through LINE's SDK again and
    again stops everything for a sixth of a second, in which 300 requests could have been made.
    """
    line.part(LineApi).load()
    gc.collect()
    gc.freeze()


def run_due(line: LineState) -> int:
    """Do all work that is due now, in the caller's thread; return how much there was."""
    return sum(do(line) for do in WORK.values())


def work_until_idle(line: LineState) -> None:
    """Do all due work and survive whatever fails, with a traceback in the log."""
    # Itself, not a proxy of it: the threads of a delivery have no app to find it by.
    line = line.app.extensions[EXTENSION_KEY]
    try:
        while run_due(line):
            pass
    except Exception:  # whoever works must outlive a database that is away for a while
        logger.exception("background work failed", extra=log_fields("work_failed"))
