"""Sending: reply, push, multicast, broadcast, validation, profiles and the quota.

Source: Messaging API reference, "Message", "Users", "Bot"; "Retry failed API requests".
"""

from __future__ import annotations

import re
import secrets
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask import Flask
from flask import g
from flask import jsonify
from flask import request
from werkzeug.wrappers import Response

from . import chats
from .api_errors import ApiError
from .channel_tokens import needs_messaging_token
from .message_checks import check_messages
from .platform import absolute_url
from .platform import platform
from .world import AcceptedRequest
from .world import World

REPLY_TOKEN_LIFE = timedelta(minutes=1)
RETRY_KEY_LIFE = timedelta(hours=24)
#: A non-friend who wrote to the bot can be sent messages for this long.
OPEN_CHAT = timedelta(days=7)
MAX_MULTICAST = 500
#: The zone in which LINE counts months.
ZONE = ZoneInfo("Asia/Tokyo")
_USER_ID = re.compile(r"U[0-9a-f]{32}")

Sent = list[dict[str, str]]


def register(app: Flask) -> None:
    """Add the endpoints."""
    for rule, view, method in (
        ("/v2/bot/message/reply", reply, "POST"),
        ("/v2/bot/message/push", push, "POST"),
        ("/v2/bot/message/multicast", multicast, "POST"),
        ("/v2/bot/message/broadcast", broadcast, "POST"),
        ("/v2/bot/message/validate/<kind>", validate, "POST"),
        ("/v2/bot/message/quota", quota, "GET"),
        ("/v2/bot/message/quota/consumption", consumption, "GET"),
        ("/v2/bot/profile/<user_id>", profile, "GET"),
        ("/v2/bot/followers/ids", follower_ids, "GET"),
        ("/v2/bot/info", bot_info, "GET"),
        ("/v2/bot/chat/loading/start", start_loading, "POST"),
    ):
        app.add_url_rule(rule, view_func=needs_messaging_token(view), methods=[method])


def json_body() -> dict[str, Any]:
    """Return the request's JSON object.

    :raises ApiError: it is none.
    """
    body = request.get_json(silent=True)
    if not isinstance(body, dict):
        raise ApiError(400, "The request body could not be parsed as JSON (line: 1, column: 1)")
    return body


def checked_messages(body: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the messages of a body.

    :raises ApiError: lists everything that is wrong with them.
    """
    details = check_messages(body.get("messages"))
    if details:
        text = f"The request body has {len(details)} error(s)"
        raise ApiError(400, text, details=details)
    messages: list[dict[str, Any]] = body["messages"]
    return messages


def reply() -> Response:
    """Answer a webhook event; free of charge."""
    if "X-Line-Retry-Key" in request.headers:
        raise ApiError(400, "The retry key is not supported on this endpoint")
    body = json_body()
    messages = checked_messages(body)
    line = platform()
    with line.change() as world:
        token = world.reply_tokens.get(str(body.get("replyToken")))
        if token is None or token.is_used or token.issued_at + REPLY_TOKEN_LIFE < line.clock.now():
            raise ApiError(400, "Invalid reply token")
        token.is_used = True
        if world.users[token.user_id].relation == "blocked":
            sent = chats.receipts(world, messages)
        else:
            sent = chats.put(line, world, token.user_id, messages)
    return jsonify(sentMessages=sent)


def push() -> Response:
    """Send messages to one user."""
    body = json_body()
    messages = checked_messages(body)
    to = body.get("to")
    if not isinstance(to, str) or not _USER_ID.fullmatch(to):
        text = "The property, 'to', in the request body is invalid (line: -, column: -)"
        raise ApiError(400, text)
    if platform().user(to) is None:
        raise ApiError(400, "Failed to send messages")
    return jsonify(sentMessages=_send_once([to], messages))


def multicast() -> Response:
    """Send messages to up to 500 users; unknown ones are left out."""
    body = json_body()
    messages = checked_messages(body)
    to = body.get("to")
    if not isinstance(to, list) or not 1 <= len(to) <= MAX_MULTICAST:
        detail = {"message": f"Size must be between 1 and {MAX_MULTICAST}", "property": "to"}
        raise ApiError(400, "The request body has 1 error(s)", details=[detail])
    for index, user_id in enumerate(to):
        if not isinstance(user_id, str) or not _USER_ID.fullmatch(user_id):
            text = f"The property, to[{index}], in the request body is invalid (line: -, column: -)"
            raise ApiError(400, text)
    _send_once(list(dict.fromkeys(to)), messages)
    return jsonify({})


def broadcast() -> Response:
    """Send messages to all friends."""
    messages = checked_messages(json_body())
    users = platform().world.users.values()
    _send_once([user.user_id for user in users if user.relation == "friend"], messages)
    return jsonify({})


def validate(kind: str) -> Response:
    """Check messages without sending them."""
    if kind not in {"reply", "push", "multicast", "narrowcast", "broadcast"}:
        raise ApiError(404, "Not found")
    checked_messages(json_body())
    return jsonify({})


def quota() -> Response:
    """Tell how many messages the plan allows this month."""
    limit = platform().world.messaging_channel.quota
    return jsonify(type="none") if limit is None else jsonify(type="limited", value=limit)


def consumption() -> Response:
    """Tell how many messages were counted this month."""
    return jsonify(totalUsage=platform().world.usage.get(_month(), 0))


def profile(user_id: str) -> Response:
    """Return a friend's profile."""
    if not _USER_ID.fullmatch(user_id):
        raise ApiError(400, "The value for the 'userId' parameter is invalid")
    user = platform().user(user_id)
    if user is None or user.relation != "friend":
        raise ApiError(404, "Not found")
    fields = {
        "userId": user.user_id,
        "displayName": user.display_name,
        "pictureUrl": absolute_url(user.picture_url or ""),
        "statusMessage": user.status_message,
        "language": user.language,
    }
    return jsonify({name: value for name, value in fields.items() if value})


def follower_ids() -> Response:
    """Refuse, as LINE does for accounts that are not verified."""
    raise ApiError(403, "Access to this API is not available for your account")


def bot_info() -> Response:
    """Tell about the official account."""
    channel = platform().world.messaging_channel
    return jsonify(
        userId=channel.bot_user_id,
        basicId=channel.basic_id,
        displayName=channel.display_name,
        pictureUrl=absolute_url(channel.picture_url),
        chatMode="bot",
        markAsReadMode="auto",
    )


def start_loading() -> tuple[Response, int]:
    """Accept a loading animation."""
    body = json_body()
    seconds = body.get("loadingSeconds", 20)
    if not isinstance(seconds, int) or not 5 <= seconds <= 60 or seconds % 5:
        detail = {"message": "Must be between 5 and 60", "property": "loadingSeconds"}
        raise ApiError(400, "The request body has 1 error(s)", details=[detail])
    return jsonify({}), 202


def _send_once(to: list[str], messages: list[dict[str, Any]]) -> Sent:
    """Send unless the retry key was accepted before; count what reaches somebody."""
    line = platform()
    key = request.headers.get("X-Line-Retry-Key")
    now = line.clock.now()
    with line.change() as world:
        before = world.accepted_requests.get(key or "")
        if before is not None and before.accepted_at + RETRY_KEY_LIFE > now:
            raise ApiError(
                409,
                "The retry key is already accepted",
                headers={"x-line-accepted-request-id": before.request_id},
                extra={"sentMessages": before.sent_messages} if before.sent_messages else None,
            )
        reached = [user_id for user_id in to if _is_reachable(world, user_id)]
        _count(world, len(reached))
        sent: Sent = []
        for user_id in reached:
            sent = chats.put(line, world, user_id, messages)
        if not reached:
            sent = chats.receipts(world, messages)
        if key:
            is_push = request.path.endswith("/push")
            world.accepted_requests[key] = AcceptedRequest(
                retry_key=key,
                request_id=g.request_id,
                accepted_at=now,
                sent_messages=sent if is_push else [],
            )
    return sent


def _is_reachable(world: World, user_id: str) -> bool:
    user = world.users.get(user_id)
    if user is None or user.relation == "blocked":
        return False
    if user.relation == "friend":
        return True
    wrote_at = user.last_wrote_at
    return wrote_at is not None and wrote_at + OPEN_CHAT > platform().clock.now()


def _count(world: World, recipients: int) -> None:
    limit, used = world.messaging_channel.quota, world.usage.get(_month(), 0)
    if limit is not None and used + recipients > limit and recipients:
        raise ApiError(429, "You have reached your monthly limit.")
    world.usage[_month()] = used + recipients


def _month() -> str:
    return platform().clock.now().astimezone(ZONE).strftime("%Y-%m")


def new_request_id() -> str:
    """Return a request id as LINE puts it into every answer."""
    return secrets.token_hex(16)
