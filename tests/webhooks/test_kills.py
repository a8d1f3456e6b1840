"""The process is killed at random moments: what was acknowledged is answered, and nothing twice.

``bench/webhook/kills.py`` does so hundreds of times.
"""

from __future__ import annotations

import random
from pathlib import Path

from flask_lineconnect.testing.plugin import Emulator
from tests.webhooks.kills import kill_again_and_again


def test_S9_4_every_acknowledged_event_is_answered_once_however_the_process_dies(
    line_emulator: Emulator, tmp_path: Path
) -> None:
    chance = random.Random(20261123)
    database = f"sqlite:///{tmp_path / 'shop.db'}"
    kill_again_and_again(line_emulator, database, kills=6, chance=chance).check()
