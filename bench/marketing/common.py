"""What the benches here share: where the checkout is, which they import, and a shop's settings."""

from __future__ import annotations

import sys
from pathlib import Path

#: The checkout; the demo shop and the tests are no installed packages.
ROOT = Path(__file__).parents[2]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

SETTINGS = {
    "SECRET_KEY": "a secret key for measuring",
    "TESTING": True,
    "LINECONNECT_BASE_URL": "https://shop.example",
    "LINECONNECT_LOGIN_CHANNEL_ID": "1650000001",
    "LINECONNECT_LOGIN_CHANNEL_SECRET": "0123456789abcdef0123456789abcdef",
    "LINECONNECT_MESSAGING_CHANNEL_ID": "1650000002",
    "LINECONNECT_MESSAGING_CHANNEL_SECRET": "8c570fa6dd201bb328f1c1eac23a96d8",
    "LINECONNECT_ENGINE": "worker",
}
