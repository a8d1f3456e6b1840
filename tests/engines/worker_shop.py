"""The small shop for commands in processes of their own: ``flask --app … line worker``.

Its settings come as JSON from the environment variable ``SHOP_SETTINGS``.
"""

from __future__ import annotations

import json
import os

from tests.small_shop import create_app

app = create_app(json.loads(os.environ["SHOP_SETTINGS"]))
