"""The month's quota: what was counted, what is held back, what is left.

Source: Messaging API documentation, "Messaging API pricing".
"""

from __future__ import annotations

from ..api_errors import USED_UP
from ..api_errors import ApiError
from ..platform import Platform
from ..times import ZONE


def used_this_month(line: Platform) -> int:
    """Return how many messages were counted this month."""
    return line.world.usage.get(_month(line), 0)


def left_this_month(line: Platform) -> int | None:
    """Return how many messages may still be sent; ``None`` is without a limit.

    What a narrowcast on its way may cost is held back.
    """
    limit = line.world.messaging_channel.quota
    if limit is None:
        return None
    held = sum(one.reserved for one in line.world.narrowcasts.values() if not one.is_sent)
    return max(0, limit - used_this_month(line) - held)


def spend(line: Platform, recipients: int) -> None:
    """Count recipients.

    :raises ApiError: the quota does not suffice; nothing was counted.
    """
    left = left_this_month(line)
    if left is not None and recipients > left:
        raise ApiError(429, USED_UP)
    line.world.usage[_month(line)] = used_this_month(line) + recipients


def _month(line: Platform) -> str:
    return line.clock.now().astimezone(ZONE).strftime("%Y-%m")
