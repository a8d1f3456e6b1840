"""Times as LINE's JSON has them, and the zone in which LINE counts days."""

from __future__ import annotations

from datetime import UTC
from datetime import datetime
from zoneinfo import ZoneInfo

#: The zone in which LINE counts months and days; for Japan, and not confirmed.
ZONE = ZoneInfo("Asia/Tokyo")


def iso_time(at: datetime) -> str:
    """Return a time with milliseconds, in UTC, such as ``2020-12-03T10:15:30.121Z``."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
