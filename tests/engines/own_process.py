"""The small shop for the commands of Flask and of Celery, each in a process of its own.

``flask --app tests.engines.own_process line worker``, ``celery -A tests.engines.own_process
worker``. Its settings come as JSON from the environment variable ``SHOP_SETTINGS``.
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
#: Of a shop with the engine of Celery, which takes the name `app` for its own.
celery_app = flask_app.extensions.get("celery")
