"""The chat between a user and the official account."""

from __future__ import annotations

import secrets
from typing import Any
from typing import Literal

from .platform import Platform
from .platform import platform as current_platform
from .webhooks import emit
from .world import ChatEntry
from .world import World

#: Messages that can be quoted, and so come with a quote token.
_QUOTABLE = {"text", "textV2", "sticker", "image", "video", "template", "flex"}

Sent = list[dict[str, str]]


def write_text(platform: Platform, user_id: str, text: str) -> None:
    """Let a user write a text; the shop hears of it unless the account is blocked."""
    with platform.change() as world:
        message = {"type": "text", "text": text}
        entry = _append(platform, user_id, "user", message)
        user = world.users[user_id]
        if user.relation != "blocked":
            user.last_wrote_at = entry.at
            sent = message | _receipt(entry.id, message)
            emit(platform, {"type": "message", "user_id": user_id, "message": sent})


def postback(platform: Platform, user_id: str, data: str, display_text: str | None = None) -> None:
    """Let a user tap a postback button; its display text appears as the user's."""
    with platform.change() as world:
        if display_text:
            _append(platform, user_id, "user", {"type": "text", "text": display_text})
        if world.users[user_id].relation != "blocked":
            emit(platform, {"type": "postback", "user_id": user_id, "postback": {"data": data}})


def deliver(
    platform: Platform, chat_id: str, messages: list[dict[str, Any]], request_id: str
) -> Sent:
    """Put the account's messages into a chat; return what LINE calls ``sentMessages``."""
    sent = []
    with platform.change() as world:
        for seq, message in enumerate(messages, start=1):
            entry = _append(platform, chat_id, "bot", message)
            entry.request_id, entry.seq = request_id, seq
            if chat_id in world.users:
                world.users[chat_id].unread += 1
            sent.append(_receipt(entry.id, message))
    return sent


def receipts(world: World, messages: list[dict[str, Any]]) -> Sent:
    """Return ``sentMessages`` of messages that reach nobody; LINE answers the same."""
    return [_receipt(next_message_id(world), message) for message in messages]


def chat_json(user_id: str) -> list[dict[str, Any]]:
    """Return a chat as the phone page and tests read it, oldest first."""
    line = current_platform()
    with line.lock:
        return [
            {
                "id": entry.id,
                "from": entry.sender,
                "message": entry.message,
                "at": entry.at.isoformat(),
            }
            for entry in line.world.chats.get(user_id, [])
        ]


def next_message_id(world: World) -> str:
    """Return a new message id; LINE sends them as decimal text."""
    world.last_message_id += 1
    return str(world.last_message_id)


def _receipt(message_id: str, message: dict[str, Any]) -> dict[str, str]:
    receipt = {"id": message_id}
    if message["type"] in _QUOTABLE:
        receipt["quoteToken"] = secrets.token_urlsafe(40)
    return receipt


def _append(
    platform: Platform, chat_id: str, sender: Literal["user", "bot"], message: dict[str, Any]
) -> ChatEntry:
    world = platform.world
    entry = ChatEntry(
        id=next_message_id(world), sender=sender, message=message, at=platform.clock.now()
    )
    world.chats.setdefault(chat_id, []).append(entry)
    return entry
