"""LINE's rate limits: a bucket for each endpoint of a channel, refilled all the time.

Source: Messaging API reference, "Rate limits".
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from .api_errors import RATE_LIMITED
from .api_errors import ApiError
from .platform import Platform

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


def check_rate(line: Platform, channel_id: str, method: str, path: str) -> None:
    """Count a request.

    :raises ApiError: there were too many before it.
    """
    scale = line.world.messaging_channel.rate_limit_scale
    if scale is None:
        return
    name, count, seconds = _bucket_of(f"{method} {path}")
    size, now = max(1.0, count * scale), line.clock.now().timestamp()
    with line.lock:
        key = (channel_id, name)
        left, at = line.rate_buckets.get(key, (size, now))
        left = min(size, left + max(0.0, now - at) * count * scale / seconds)
        line.rate_buckets[key] = (left - 1 if left >= 1 else left, now)
    if left < 1:
        raise ApiError(429, RATE_LIMITED)


def _bucket_of(call: str) -> tuple[str, int, float]:
    for limit in LIMITS:
        if limit.pattern.match(call):
            return limit.pattern.pattern, limit.count, limit.seconds
    return _IDENTIFIER.sub("/*", call), *OTHERS
