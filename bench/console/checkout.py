"""Where the bench finds the checkout, whose demo shop and tests are no installed packages."""

from __future__ import annotations

import sys
from pathlib import Path

_BENCH = Path(__file__).parents[1]
#: Members, orders and events are filled in as for the segments' bench.
sys.path[:0] = [str(_BENCH.parent), str(_BENCH / "marketing")]
