"""LINE's rate limits: a bucket for each endpoint of a channel, refilled all the time.

Source: Messaging API reference, "Rate limits".
"""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass

from .clock import Clock

HOUR, MINUTE = 3_600.0, 60.0


@dataclass(frozen=True)
class Limit:
    """So many requests in so many seconds, for all calls that match."""

    pattern: re.Pattern[str]
    count: int
    seconds: float


def _limit(pattern: str, count: int, seconds: float) -> Limit:
    return Limit(re.compile(pattern), count, seconds)


#: By "METHOD path"; the first that matches counts.
LIMITS = (
    _limit(r"POST /v2/bot/message/(narrowcast|broadcast)$", 60, HOUR),
    _limit(r"GET /v2/bot/(insight/|message/delivery/)", 60, HOUR),
    _limit(r"POST /v2/bot/channel/webhook/test$", 60, HOUR),
    _limit(r"\w+ /v2/bot/audienceGroup/", 60, MINUTE),
    _limit(r"(GET|PUT) /v2/bot/channel/webhook/endpoint$", 1_000, MINUTE),
    _limit(r"POST /v2/bot/richmenu$", 100, HOUR),
    _limit(r"DELETE /v2/bot/richmenu/alias/", 100, HOUR),
    _limit(r"DELETE /v2/bot/richmenu/[^/]+$", 100, HOUR),
    _limit(r"GET /v2/bot/richmenu/progress/batch$", 100, HOUR),
    _limit(r"POST /v2/bot/richmenu/batch$", 3, HOUR),
    _limit(r"GET /v2/bot/richmenu/list$", 10, 1.0),
    _limit(r"POST /v2/bot/message/multicast$", 200, 1.0),
    _limit(r"POST /v2/bot/chat/loading/start$", 100, 1.0),
)
#: Of each other endpoint; identifiers in its path do not count.
OTHERS = (2_000, 1.0)
_IDENTIFIER = re.compile(r"/(U[0-9a-f]{32}|richmenu-[^/]+|\d+)(?=/|$)")


class Buckets:
    """What is left of each limit, by a clock."""

    def __init__(self, clock: Clock):
        self._clock = clock
        self._lock = threading.Lock()
        self._left: dict[tuple[str, str], tuple[float, float]] = {}

    def take(self, channel_id: str, method: str, path: str, scale: float | None) -> bool:
        """Count a request of a channel; tell whether its limit allows it.

        :param scale: how much of the limit applies; without one all is allowed.
        """
        if scale is None:
            return True
        name, count, seconds = _bucket_of(f"{method} {path}")
        size, now = max(1.0, count * scale), self._clock.now().timestamp()
        with self._lock:
            left, at = self._left.get((channel_id, name), (size, now))
            left = min(size, left + max(0.0, now - at) * count * scale / seconds)
            is_allowed = left >= 1
            self._left[channel_id, name] = (left - is_allowed, now)
        return is_allowed

    def refill(self) -> None:
        """Forget all requests."""
        with self._lock:
            self._left.clear()


def _bucket_of(call: str) -> tuple[str, int, float]:
    for limit in LIMITS:
        if limit.pattern.match(call):
            return limit.pattern.pattern, limit.count, limit.seconds
    return _IDENTIFIER.sub("/*", call), *OTHERS
