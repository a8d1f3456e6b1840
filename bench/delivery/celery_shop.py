"""The benchmark's shop for Celery's own commands; its place comes from the environment."""

from __future__ import annotations

import os

from shop import create_app

flask_app = create_app(
    os.environ["BENCH_DATABASE"],
    os.environ["BENCH_PLATFORM"],
    LINECONNECT_ENGINE="celery",
    LINECONNECT_CELERY_BROKER=os.environ["BENCH_REDIS"],
    LINECONNECT_RATE_LIMIT_STORAGE=os.environ["BENCH_REDIS"],
)
celery_app = flask_app.extensions["celery"]
