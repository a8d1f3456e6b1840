"""The chat between a user and the official account."""

from __future__ import annotations

import secrets
from typing import Any

from .platform import Platform
from .webhooks import emit
from .world import ChatEntry
from .world import World


def write_text(platform: Platform, user_id: str, text: str) -> None:
    """Let a user write a text; the shop hears of it."""
    with platform.change() as world:
        message = {"type": "text", "text": text}
        entry = _append(platform, world, user_id, "user", message)
        world.users[user_id].last_wrote_at = entry.at
        if world.users[user_id].relation != "blocked":
            emit(
                platform,
                user_id,
                "message",
                message={"id": entry.id, "quoteToken": secrets.token_urlsafe(40), **message},
            )


def postback(platform: Platform, user_id: str, data: str, display_text: str | None = None) -> None:
    """Let a user tap a postback button; its display text appears as the user's."""
    with platform.change() as world:
        if display_text:
            _append(platform, world, user_id, "user", {"type": "text", "text": display_text})
        emit(platform, user_id, "postback", postback={"data": data})


def put(
    platform: Platform, world: World, user_id: str, messages: list[dict[str, Any]]
) -> list[dict[str, str]]:
    """Put the account's messages into a chat; return what LINE calls ``sentMessages``."""
    sent = []
    for message in messages:
        entry = _append(platform, world, user_id, "bot", message)
        world.users[user_id].unread += 1
        sent.append({"id": entry.id, "quoteToken": secrets.token_urlsafe(40)})
    return sent


def receipts(world: World, messages: list[dict[str, Any]]) -> list[dict[str, str]]:
    """Return ``sentMessages`` of messages that reach nobody; LINE answers the same."""
    return [
        {"id": next_message_id(world), "quoteToken": secrets.token_urlsafe(40)} for _ in messages
    ]


def chat_json(platform: Platform, user_id: str) -> list[dict[str, Any]]:
    """Return a chat as the phone page and tests read it, oldest first."""
    return [
        {
            "id": entry.id,
            "from": entry.sender,
            "message": entry.message,
            "at": entry.at.isoformat(),
        }
        for entry in platform.world.chats.get(user_id, [])
    ]


def next_message_id(world: World) -> str:
    """Return a new message id; LINE sends them as decimal text."""
    world.last_message_id += 1
    return str(world.last_message_id)


def _append(
    platform: Platform, world: World, user_id: str, sender: Any, message: dict[str, Any]
) -> ChatEntry:
    entry = ChatEntry(
        id=next_message_id(world), sender=sender, message=message, at=platform.clock.now()
    )
    world.chats.setdefault(user_id, []).append(entry)
    return entry
