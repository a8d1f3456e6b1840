"""What all ways of sending share: who is reached, what it costs, what is remembered of it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any
from typing import Literal

from ..platform import Platform
from ..platform import platform
from ..request_ids import request_id
from ..world import SentRequest
from ..world import World
from . import chats
from .quota import spend
from .retry_keys import refuse_accepted
from .retry_keys import remember_accepted

Kind = Literal["reply", "push", "multicast", "narrowcast", "broadcast"]

#: A non-friend who wrote to the bot can be sent messages for this long.
OPEN_CHAT = timedelta(days=7)
#: Requests that statistics are kept of; the oldest go first.
MAX_REMEMBERED = 10_000


def send_once(
    kind: Kind, to: Iterable[str], messages: list[dict[str, Any]], *, unit: str | None = None
) -> chats.Sent:
    """Send unless the retry key was accepted before; count whom it reaches.

    Nobody is sent anything when an error is raised.

    :param unit: the name under which statistics are gathered.
    :return: of the last recipient, which for a push is the only one.
    :raises ApiError: the retry key was accepted before, or the month's quota does not suffice.
    """
    line = platform()
    with line.change() as world:
        refuse_accepted(line)
        reached = [user_id for user_id in to if is_reachable(line, world, user_id)]
        spend(line, len(reached))
        sent = send(line, kind, request_id(), reached, messages, unit=unit)
        remember_accepted(line, sent if kind == "push" else None)
    return sent


def send(
    line: Platform,
    kind: Kind,
    request: str,
    to: list[str],
    messages: list[dict[str, Any]],
    *,
    unit: str | None = None,
) -> chats.Sent:
    """Put messages into chats and remember the request; nothing is checked or counted here."""
    with line.change() as world:
        sent = [] if to else chats.receipts(world, messages)
        for chat_id in to:
            sent = chats.deliver(line, chat_id, messages, request)
        world.sent_requests[request] = SentRequest(
            request_id=request,
            kind=kind,
            at=line.clock.now(),
            messages=messages,
            unit=unit,
            recipients=to,
        )
        while len(world.sent_requests) > MAX_REMEMBERED:
            del world.sent_requests[next(iter(world.sent_requests))]
    return sent


def is_reachable(line: Platform, world: World, user_id: str) -> bool:
    """Tell whether messages reach a user: a friend, or who wrote to the bot lately."""
    user = world.users.get(user_id)
    if user is None or user.relation == "blocked":
        return False
    if user.relation == "friend":
        return True
    wrote_at = user.last_wrote_at
    return wrote_at is not None and wrote_at + OPEN_CHAT > line.clock.now()
