"""What all ways of sending share: retry keys, who is reached, and the quota.

Source: Messaging API documentation, "Retry failed API requests", "Messaging API pricing".
"""

from __future__ import annotations

import secrets
import uuid
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask import g
from flask import request

from . import chats
from .api_errors import ApiError
from .platform import Platform
from .platform import platform
from .world import AcceptedRequest
from .world import World

RETRY_KEY_LIFE = timedelta(hours=24)
#: A non-friend who wrote to the bot can be sent messages for this long.
OPEN_CHAT = timedelta(days=7)
#: The zone in which LINE counts months; for Japan, and not confirmed.
ZONE = ZoneInfo("Asia/Tokyo")


def send_once(to: list[str], messages: list[dict[str, Any]]) -> chats.Sent:
    """Send unless the retry key was accepted before; count whom it reaches.

    Nobody is sent anything when an error is raised.

    :return: of the last recipient, which for a push is the only one.
    :raises ApiError: the retry key was accepted before, or the month's quota does not suffice.
    """
    line, key = platform(), _retry_key()
    with line.change() as world:
        if key is not None:
            _refuse_accepted(line, world, key)
        reached = [user_id for user_id in to if _is_reachable(line, world, user_id)]
        _count(line, world, len(reached))
        sent = [] if reached else chats.receipts(world, messages)
        for user_id in reached:
            sent = chats.deliver(line, user_id, messages)
        if key is not None:
            world.accepted_requests[key] = AcceptedRequest(
                retry_key=key,
                request_id=request_id(),
                accepted_at=line.clock.now(),
                sent_messages=sent if request.path.endswith("/push") else [],
            )
    return sent


def used_this_month(line: Platform) -> int:
    """Return how many messages were counted this month."""
    return line.world.usage.get(_month(line), 0)


def request_id() -> str:
    """Return the id of this request, which every answer carries."""
    found: str = g.setdefault("request_id", new_request_id())
    return found


def new_request_id() -> str:
    """Return a request id as LINE makes them."""
    return secrets.token_hex(16)


def _retry_key() -> str | None:
    given = request.headers.get("X-Line-Retry-Key")
    if given is None:
        return None
    try:
        return str(uuid.UUID(given))
    except ValueError:
        # LINE documents only that it is a UUID; status and words are ours.
        raise ApiError(400, "The retry key is invalid") from None


def _refuse_accepted(line: Platform, world: World, key: str) -> None:
    before = world.accepted_requests.get(key)
    if before is not None and before.accepted_at + RETRY_KEY_LIFE > line.clock.now():
        raise ApiError(
            409,
            "The retry key is already accepted",
            headers={"x-line-accepted-request-id": before.request_id},
            extra={"sentMessages": before.sent_messages} if before.sent_messages else None,
        )


def _is_reachable(line: Platform, world: World, user_id: str) -> bool:
    user = world.users.get(user_id)
    if user is None or user.relation == "blocked":
        return False
    if user.relation == "friend":
        return True
    wrote_at = user.last_wrote_at
    return wrote_at is not None and wrote_at + OPEN_CHAT > line.clock.now()


def _count(line: Platform, world: World, recipients: int) -> None:
    limit, used = world.messaging_channel.quota, used_this_month(line)
    if limit is not None and recipients and used + recipients > limit:
        raise ApiError(429, "You have reached your monthly limit.")
    world.usage[_month(line)] = used + recipients


def _month(line: Platform) -> str:
    return line.clock.now().astimezone(ZONE).strftime("%Y-%m")
