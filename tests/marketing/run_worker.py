"""A process that lets scenarios run: ``python -m tests.marketing.run_worker SETTINGS``."""

from __future__ import annotations

import json
import sys
import time

from sqlalchemy.exc import OperationalError

from flask_lineconnect.engines.work import SCHEDULE
from flask_lineconnect.marketing.scenarios import starting
from flask_lineconnect.outbox.delivery import deliver_due
from flask_lineconnect.state import EXTENSION_KEY
from flask_lineconnect.state import utcnow
from tests.marketing.scenario_shop import Stage
from tests.small_shop import create_app


def main() -> None:
    """Work by the real clock, and say when it begins; with ``wait`` only when it is told to."""
    app = create_app(json.loads(sys.argv[1]))
    Stage(app)
    # For how many members a scenario begins in one transaction.
    starting.PORTION = next((int(one) for one in sys.argv if one.isdecimal()), starting.PORTION)
    line = app.extensions[EXTENSION_KEY]
    line.clock = utcnow
    work = [*SCHEDULE, deliver_due] if "deliver" in sys.argv else SCHEDULE
    print("works", flush=True)
    if "wait" in sys.argv:
        sys.stdin.readline()
    while True:
        try:
            count = sum(do(line) for do in work)
        except OperationalError:  # the database is restarted
            count = 0
        if not count:
            time.sleep(0.05)


if __name__ == "__main__":
    main()
