"""The chat between a user and the official account."""

from __future__ import annotations

import secrets
from typing import Any
from typing import Literal

from ..platform import Platform
from ..platform import platform as current_platform
from ..webhooks.events import emit
from ..world import ChatEntry
from ..world import Content
from ..world import World

#: Messages that can be quoted, and so come with a quote token.
_QUOTABLE = {"text", "textV2", "sticker", "image", "video", "template", "flex"}

#: What LINE's own tools say in a new account.
AUTO_REPLY = "メッセージありがとうございます。このアカウントでは個別のお返事はしていません。"

Sent = list[dict[str, str]]


def write_text(platform: Platform, user_id: str, text: str) -> None:
    """Let a user write a text; the shop hears of it unless the account is blocked."""
    write(platform, user_id, {"type": "text", "text": text})


def write(
    platform: Platform, user_id: str, message: dict[str, Any], content: Content | None = None
) -> str:
    """Let a user send a message of any kind; return its id.

    :param message: as the webhook has it, but for id and quote token.
    :param content: of an image, a video, a sound or a file.
    """
    with platform.change() as world:
        entry = _append(platform, user_id, "user", message)
        if content is not None:
            world.contents[entry.id] = content
        user = world.users[user_id]
        if user.relation != "blocked":
            user.last_wrote_at = entry.at
            sent = message | _receipt(entry.id, message)
            emit(platform, {"type": "message", "user_id": user_id, "message": sent})
            if world.messaging_channel.has_auto_reply:
                say_of_line(platform, user_id, AUTO_REPLY)
    return entry.id


def say_of_line(platform: Platform, user_id: str, text: str) -> None:
    """Let a tool of LINE's speak in the account's name, which no bot is told of."""
    with platform.change() as world:
        _append(platform, user_id, "bot", {"type": "text", "text": text})
        world.users[user_id].unread += 1


def unsend(platform: Platform, user_id: str, message_id: str) -> bool:
    """Let a user take a message back; tell whether it was theirs to take."""
    with platform.change() as world:
        chat = world.chats.get(user_id, [])
        entry = next((one for one in chat if one.id == message_id and one.sender == "user"), None)
        if entry is None:
            return False
        chat.remove(entry)
        if message_id in world.contents:
            world.contents[message_id].is_gone = True
        if world.users[user_id].relation != "blocked":
            event = {"type": "unsend", "user_id": user_id, "unsend": {"messageId": message_id}}
            emit(platform, event)
    return True


def postback(
    platform: Platform,
    user_id: str,
    data: str,
    display_text: str | None = None,
    params: dict[str, str] | None = None,
) -> None:
    """Let a user tap a postback button; its display text appears as the user's.

    :param params: what a picker chose, or how the switch of a rich menu went.
    """
    with platform.change() as world:
        if display_text:
            _append(platform, user_id, "user", {"type": "text", "text": display_text})
        if world.users[user_id].relation != "blocked":
            answer: dict[str, Any] = {"data": data} | ({"params": params} if params else {})
            emit(platform, {"type": "postback", "user_id": user_id, "postback": answer})


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
                world.users[chat_id].loading_until = None
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
