"""Which day and which moment it is in the shop."""

from __future__ import annotations

from datetime import UTC
from datetime import date
from datetime import datetime

from flask import current_app
from flask import has_app_context


def utcnow() -> datetime:
    """Return the time now, aware, UTC; ``SHOP_CLOCK`` is another clock, for tests."""
    clock = current_app.config.get("SHOP_CLOCK") if has_app_context() else None
    now: datetime = clock() if clock else datetime.now(UTC)
    return now


def today() -> date:
    """Return the day in the shop's zone."""
    return day_of(utcnow())


def day_of(moment: datetime) -> date:
    """Return the day of a moment in the shop's zone."""
    day: date = moment.astimezone(current_app.config["SHOP_ZONE"]).date()
    return day
