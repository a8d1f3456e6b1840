"""The small shop for Celery's own commands: ``celery -A tests.engines.celery_shop worker``.

Its settings come as JSON from the environment variable ``SHOP_SETTINGS``.
"""

from __future__ import annotations

import json
import os
from datetime import timedelta

from flask_lineconnect.outbox import claims
from tests.small_shop import create_app

# What a killed process had claimed is taken over sooner than in a shop.
claims.LEASE = timedelta(seconds=3)
flask_app = create_app(json.loads(os.environ["SHOP_SETTINGS"]))
celery_app = flask_app.extensions["celery"]
