"""A flood of bad requests makes a bounded number of log lines, and the log says how many it was."""

from __future__ import annotations

import logging
import threading

#: Lines of one kind in a period, in seconds; what comes beyond is counted.
MOST_LINES, PERIOD = 10, 60.0

#: Where strangers' requests make warnings. Loggers are the process's, so the filter is as well.
LOGGERS = tuple(
    f"flask_lineconnect.{name}"
    for name in (
        "clicks.naming",
        "clicks.views",
        "liff.id_token",
        "liff.orders",
        "liff.receipt_fonts",
        "login.guard",
        "login.oidc",
        "login.views",
        "marketing.links.writer",
        "vault",
        "web.guards",
        "web.neighbours",
        "webhooks.event_times",
        "webhooks.inbox",
        "webhooks.views",
    )
)


class FloodFilter(logging.Filter):
    """Lets the first lines of each kind through; the first of the next period tells of the rest.

    Lines are of one kind when they have the same text before values are put in.
    """

    def __init__(self) -> None:
        super().__init__()
        self._lock = threading.Lock()
        #: When the period of each kind began, and how many lines it has had.
        self._seen: dict[str, tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Tell whether a line is written."""
        if record.levelno < logging.WARNING:
            return True
        kind = str(record.msg)
        with self._lock:
            since, count = self._seen.get(kind, (record.created, 0))
            left_out = 0
            if not 0 <= record.created - since < PERIOD:
                since, count, left_out = record.created, 0, max(0, count - MOST_LINES)
            self._seen[kind] = since, count + 1
        if left_out:
            record.msg = f"{record.msg} (and {left_out} lines like this one before)"
        return count < MOST_LINES


def bound_floods() -> None:
    """Filter the lines of :data:`LOGGERS`; calling it again begins to count anew."""
    fresh = FloodFilter()
    for name in LOGGERS:
        logger = logging.getLogger(name)
        for old in [one for one in logger.filters if isinstance(one, FloodFilter)]:
            logger.removeFilter(old)
        logger.addFilter(fresh)
