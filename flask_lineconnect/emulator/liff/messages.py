"""What a LIFF page writes as its user.

Source: the SDK's call as seen on the wire; LIFF reference, "liff.sendMessages()".
"""

from __future__ import annotations

from typing import Any

from flask import Blueprint
from flask import jsonify
from werkzeug.wrappers import Response

from ..api_errors import ApiError
from ..api_errors import refuse_if
from ..login.tokens import bearer_of
from ..messaging import chats
from ..messaging.message_checks import check_messages
from ..platform import Platform
from ..platform import platform
from ..requests_in import json_body
from ..world import ChatEntry
from ..world import User

liff_messages = Blueprint("liff_messages", __name__)


@liff_messages.post("/message/v3/share")
def share() -> Response:
    """Write messages as the user into the chat that the LIFF page was opened from."""
    user, token = bearer_of("chat_message.write")
    if not token.is_in_chat:
        raise ApiError(403, "user doesn't grant required permissions yet")
    messages = json_body().get("messages")
    refuse_if(check_messages(messages))
    write_as(platform(), user, messages or [])
    return jsonify({})


def write_as(line: Platform, user: User, messages: list[dict[str, Any]]) -> None:
    """Write messages as the user into the chat with the account; it hears of texts alone."""
    with line.change() as world:
        for message in messages:
            if message["type"] == "text":
                chats.write_text(line, user.user_id, message["text"])
                continue
            # Seen in the chat, but the official account hears nothing of it.
            entry = ChatEntry(
                id=chats.next_message_id(world),
                sender="user",
                message=message,
                at=line.clock.now(),
            )
            world.chats.setdefault(user.user_id, []).append(entry)
