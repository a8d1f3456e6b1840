"""How far an audience is, which time and its size decide.

Source: Messaging API reference, "Manage Audience".
"""

from __future__ import annotations

from datetime import timedelta

from ..platform import Platform
from ..world import Audience

AUDIENCE_LIFE = timedelta(days=180)


def status_of(line: Platform, audience: Audience) -> str:
    """Return an audience's status; an empty one is never ready."""
    now = line.clock.now()
    if audience.created_at + AUDIENCE_LIFE <= now:
        return "EXPIRED"
    wait = timedelta(seconds=line.world.messaging_channel.audience_seconds)
    is_ready = bool(audience.user_ids) and audience.changed_at + wait <= now
    return "READY" if is_ready else "IN_PROGRESS"
