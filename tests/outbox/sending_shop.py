"""A worker of the small shop as a process of its own, to be killed.

``sending_shop.py SETTINGS [SECONDS]``: for so many seconds its clock jumps.
"""

from __future__ import annotations

import json
import random
import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC
from datetime import datetime
from datetime import timedelta

from flask_lineconnect.engines.embedded import ThreadEngine
from flask_lineconnect.outbox import budget
from flask_lineconnect.outbox import claims
from flask_lineconnect.outbox import pauses
from flask_lineconnect.outbox import results
from tests.small_shop import create_app


def _jumping(seconds: float) -> Callable[[], datetime]:
    """Return a clock that jumps by hours, and in the end stays where nothing waits for it."""
    end = time.monotonic() + seconds

    def clock() -> datetime:
        hours = random.choice((-2, 0, 2)) if time.monotonic() < end else 5
        return datetime.now(UTC) + timedelta(hours=hours)

    return clock


def main() -> None:
    """Send until killed."""
    # What a killed worker had claimed, and what LINE did not answer, comes again sooner than in a
    # shop.
    claims.LEASE = timedelta(seconds=2)
    results.FIRST_BACKOFF = timedelta(seconds=0.2)
    results.LONGEST_BACKOFF = timedelta(seconds=1)
    pauses.ASK_AGAIN_AFTER = timedelta(seconds=1)
    budget.READ_EVERY = budget.ASK_AGAIN = timedelta(seconds=1)
    app = create_app(json.loads(sys.argv[1]))
    if len(sys.argv) > 2:
        app.extensions["lineconnect"].clock = _jumping(float(sys.argv[2]))
    engine = ThreadEngine()
    engine.ensure_running(app.extensions["lineconnect"])
    print("ready", flush=True)
    threading.Event().wait()


if __name__ == "__main__":
    main()
