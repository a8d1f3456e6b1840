"""Kill a shop hundreds of times while people write to it: all is answered, and nothing twice.

``pip install -e '.[dev]' && python bench/webhook/kills.py --kills 300``. The short form is
``tests/webhooks/test_kills.py``. Each round has its own database, so that a failure is small.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from pathlib import Path

from flask_lineconnect.testing.emulator import run_emulator

sys.path.insert(0, str(Path(__file__).parents[2]))
#: Kills of one round.
ROUND = 25


def main() -> None:
    """Kill, check, and print what was counted."""
    from tests.webhooks.kills import kill_again_and_again

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=300)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    options = parser.parse_args()
    chance = random.Random(options.seed)
    print(f"seed {options.seed}")
    left, acknowledged, answered = options.kills, 0, 0
    with run_emulator() as emulator:
        while left > 0:
            emulator.reset()
            kills = min(left, ROUND)
            with tempfile.TemporaryDirectory() as folder:
                outcome = kill_again_and_again(emulator, Path(folder), kills=kills, chance=chance)
            outcome.check()
            left -= kills
            acknowledged += len(outcome.acknowledged)
            answered += sum(outcome.answered.values())
            print(
                f"{options.kills - left} kills: {acknowledged} events acknowledged, "
                f"{answered} answers, none missing, none twice",
                flush=True,
            )


if __name__ == "__main__":
    main()
