"""The demo shop for gunicorn, with the settings that ``hanging.py`` hands over."""

from __future__ import annotations

import json
import os

from flask import Flask

from demo_shop import create_app
from demo_shop import prepare_database


def make_app() -> Flask:
    """Make the shop and fill it."""
    app = create_app(json.loads(os.environ["HANGING_SHOP"]))
    prepare_database(app)
    return app
