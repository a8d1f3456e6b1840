"""Which day it is in the shop."""

from __future__ import annotations

from datetime import date
from datetime import datetime

from flask import current_app


def today() -> date:
    """Return the day in the shop's zone."""
    return datetime.now(current_app.config["SHOP_ZONE"]).date()
