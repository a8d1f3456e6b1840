"""Kill workers, lose answers, restart the database, for as long as one likes; the books must agree.

``pip install -e '.[dev]' && python bench/delivery/faults.py --kills 300``. The short form is
``tests/outbox/test_faults.py``. Each round has its own database, so that a failure is small.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
import uuid
from contextlib import ExitStack
from pathlib import Path

from flask_lineconnect.testing.emulator import run_emulator

sys.path.insert(0, str(Path(__file__).parents[2]))
MEMBERS = 50
#: Kills of one round.
ROUND = 20


def main() -> None:
    """Disturb, check, and print what was counted."""
    from tests.outbox import faults
    from tests.postgres import create_database
    from tests.postgres import running_server

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=300)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    options = parser.parse_args()
    chance = random.Random(options.seed)
    print(f"seed {options.seed}")
    done, sent = 0, 0
    with ExitStack() as stack:
        emulator = stack.enter_context(run_emulator())
        server = stack.enter_context(running_server(is_durable=True))
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        while done < options.kills:
            emulator.reset()
            name = uuid.uuid4().hex
            is_sqlite = (done // ROUND) % 2 == 0
            database = (
                f"sqlite:///{folder / name}.db" if is_sqlite else create_database(server, name)
            )
            scene = faults.Scene(emulator, database, MEMBERS)
            try:
                kills = min(options.kills - done, ROUND)
                faults.kill_again_and_again(scene, chance, kills=kills)
                faults.storm(scene, chance)
                if not is_sqlite:
                    faults.restart_the_database(scene, chance, server)
                scene.check()
            finally:
                scene.stop()
            done += kills
            sent += sum(scene.expected.values())
            print(f"{done} kills: {sent} recipients, none missing, none twice", flush=True)


if __name__ == "__main__":
    main()
