"""What people did with messages, noted as it happens: looked at the chat, opened an address."""

from __future__ import annotations

import json

from ..platform import platform
from ..world import User


def note_seen(user: User) -> None:
    """Note that a user saw the messages that were unread."""
    world = platform().world
    bot = [entry for entry in world.chats.get(user.user_id, []) if entry.sender == "bot"]
    for entry in bot[-user.unread :] if user.unread else []:
        sent = world.sent_requests.get(entry.request_id or "")
        if sent is not None:
            sent.seen.setdefault(entry.seq, []).append(user.user_id)


def note_click(user: User, url: str) -> None:
    """Note that a user opened an address; it belongs to the newest message that has it."""
    world = platform().world
    quoted = json.dumps(url, ensure_ascii=False)
    for entry in reversed(world.chats.get(user.user_id, [])):
        sent = world.sent_requests.get(entry.request_id or "")
        if sent is not None and quoted in json.dumps(entry.message, ensure_ascii=False):
            sent.clicks.setdefault(url, []).append(user.user_id)
            return
