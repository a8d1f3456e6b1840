"""Kill a shop hundreds of times while people write to it: all is answered, and nothing twice.

``pip install -e '.[dev]' && python bench/webhook/kills.py --kills 500``, and once more with
``--database postgresql``. The short form is ``tests/webhooks/test_kills.py``; at a hundred messages
a second see ``bench/answers/kills.py``. Each round has its own database: a failure is small.

Too late is what LINE itself refused because the reply token's minute had passed: on a machine with
other things to do, a shop that keeps dying may not come to it in time. The inbox says so.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from flask_lineconnect.testing.emulator import run_emulator

sys.path.insert(0, str(Path(__file__).parents[2]))
#: Kills of one round.
ROUND = 25


def _make_database(kind: str, stack: ExitStack) -> str:
    """Return the address of an empty database."""
    if kind == "sqlite":
        return f"sqlite:///{stack.enter_context(tempfile.TemporaryDirectory())}/shop.db"
    from tests.postgres import create_database
    from tests.postgres import running_server

    return create_database(stack.enter_context(running_server(is_durable=True)), "shop")


def main() -> None:
    """Kill, check, and print what was counted."""
    from tests.webhooks.kills import kill_again_and_again

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=500)
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    options = parser.parse_args()
    chance = random.Random(options.seed)
    print(f"{options.database}, seed {options.seed}", flush=True)
    left, acknowledged, answered, late = options.kills, 0, 0, 0
    with run_emulator() as emulator:
        while left > 0:
            emulator.reset()
            kills = min(left, ROUND)
            with ExitStack() as stack:
                database = _make_database(options.database, stack)
                outcome = kill_again_and_again(emulator, database, kills=kills, chance=chance)
            outcome.check()
            left -= kills
            acknowledged += len(outcome.acknowledged)
            answered += len(outcome.acknowledged & set(outcome.answered))
            late += len(outcome.acknowledged & outcome.too_late)
            print(
                f"{options.kills - left} kills: {acknowledged} events acknowledged, "
                f"{answered} answered, {late} too late, 0 lost, 0 doubled",
                flush=True,
            )


if __name__ == "__main__":
    main()
