"""Sending and asking: reply, push, multicast, broadcast, validation, profiles and the quota.

Source: Messaging API reference, "Message", "Users", "Bot", "Display a loading animation".
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

from flask import jsonify
from flask import request
from werkzeug.wrappers import Response

from ..addresses import absolute_url
from ..api_errors import ApiError
from ..api_errors import Details
from ..api_errors import bad_property
from ..api_errors import refuse_if
from ..checks import is_whole
from ..platform import platform
from ..request_ids import request_id
from ..requests_in import CHAT_ID
from ..requests_in import check_user_id
from ..requests_in import is_user_id
from ..requests_in import json_body
from ..requests_in import number_in_query
from ..tokens.guard import messaging_api
from .message_checks import check_messages
from .quota import used_this_month
from .sending import send
from .sending import send_once

REPLY_TOKEN_LIFE = timedelta(minutes=1)
MAX_MULTICAST = 500
MAX_FOLLOWERS = 1_000
_UNIT_NAME = re.compile(r"[A-Za-z0-9_]{1,30}")

messaging = messaging_api("messaging", "/v2/bot")


@messaging.post("/message/reply")
def reply() -> Response:
    """Answer a webhook event; free of charge."""
    body = json_body()
    messages = _checked_messages(body)
    line = platform()
    with line.change() as world:
        token = world.reply_tokens.get(str(body.get("replyToken")))
        if token is None or token.is_used or token.issued_at + REPLY_TOKEN_LIFE < line.clock.now():
            raise ApiError(400, "Invalid reply token")
        token.is_used = True
        user = world.users.get(token.chat_id)
        to = [] if user is not None and user.relation == "blocked" else [token.chat_id]
        sent = send(line, "reply", request_id(), to, messages)
    return jsonify(sentMessages=sent)


@messaging.post("/message/push")
def push() -> Response:
    """Send messages to one user."""
    body = json_body()
    messages = _checked_messages(body, _unit_details(body))
    to = body.get("to")
    if not isinstance(to, str) or not CHAT_ID.fullmatch(to):
        raise bad_property("'to'")
    if platform().user(to) is None:
        raise ApiError(400, "Failed to send messages")
    return jsonify(sentMessages=send_once("push", [to], messages, unit=_unit(body)))


@messaging.post("/message/multicast")
def multicast() -> Response:
    """Send messages to up to 500 users; unknown ones are left out or refused, by a setting."""
    body = json_body()
    to = body.get("to")
    details = _unit_details(body)
    if not isinstance(to, list) or not 1 <= len(to) <= MAX_MULTICAST:
        text = f"Size must be between 1 and {MAX_MULTICAST}"
        details.append({"message": text, "property": "to"})
        to = []
    messages = _checked_messages(body, details)
    is_strict = platform().world.messaging_channel.refuses_foreign_multicast
    for index, user_id in enumerate(to):
        if not is_user_id(user_id) or (is_strict and platform().user(user_id) is None):
            raise bad_property(f"to[{index}]")
    send_once("multicast", list(dict.fromkeys(to)), messages, unit=_unit(body))
    return jsonify({})


@messaging.post("/message/broadcast")
def broadcast() -> Response:
    """Send messages to all friends."""
    messages = _checked_messages(json_body())
    with platform().lock:
        users = list(platform().world.users.values())
        friends = [user.user_id for user in users if user.relation == "friend"]
        send_once("broadcast", friends, messages)
    return jsonify({})


@messaging.post("/message/validate/<kind>")
def validate(kind: str) -> Response:
    """Check messages without sending them."""
    if kind not in {"reply", "push", "multicast", "narrowcast", "broadcast"}:
        raise ApiError(404, "Not found")
    _checked_messages(json_body())
    return jsonify({})


@messaging.get("/message/quota")
def quota() -> Response:
    """Tell how many messages the plan allows this month."""
    limit = platform().world.messaging_channel.quota
    return jsonify(type="none") if limit is None else jsonify(type="limited", value=limit)


@messaging.get("/message/quota/consumption")
def consumption() -> Response:
    """Tell how many messages were counted this month."""
    return jsonify(totalUsage=used_this_month(platform()))


@messaging.get("/profile/<user_id>")
def profile(user_id: str) -> Response:
    """Return a friend's profile."""
    check_user_id(user_id)
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


@messaging.get("/followers/ids")
def follower_ids() -> Response:
    """List the friends, for a verified account."""
    with platform().lock:
        world = platform().world
        if not world.messaging_channel.is_verified:
            raise ApiError(403, "Access to this API is not available for your account")
        friends = [user.user_id for user in world.users.values() if user.relation == "friend"]
    limit = number_in_query("limit", 300, MAX_FOLLOWERS)
    begin = _place(request.args.get("start"), len(friends))
    end = begin + limit
    answer: dict[str, Any] = {"userIds": friends[begin:end]}
    return jsonify(answer | ({"next": f"after-{end}"} if end < len(friends) else {}))


@messaging.get("/info")
def bot_info() -> Response:
    """Tell about the official account."""
    channel = platform().world.messaging_channel
    return jsonify(
        userId=channel.bot_user_id,
        basicId=channel.basic_id,
        displayName=channel.display_name,
        pictureUrl=absolute_url(channel.picture_url),
        chatMode=channel.chat_mode,
        markAsReadMode="auto" if channel.chat_mode == "bot" else "manual",
    )


@messaging.post("/chat/loading/start")
def start_loading() -> tuple[Response, int]:
    """Show that an answer is on its way, until a message comes; friends see it, nobody else."""
    body = json_body()
    seconds, chat_id, details = body.get("loadingSeconds", 20), body.get("chatId"), []
    if not is_user_id(chat_id):
        text = (
            "Only user id is acceptable, please confirm if there are any group/room ids or "
            "illegal ids."
        )
        details.append({"message": text, "property": "chatId"})
    if not is_whole(seconds) or not 5 <= seconds <= 60:
        details.append({"message": "Must be between 5 and 60", "property": "loadingSeconds"})
    elif seconds % 5:
        details.append({"message": "must be a multiple of five", "property": "loadingSeconds"})
    refuse_if(details)
    line = platform()
    with line.change() as world:
        user = world.users.get(str(chat_id))
        if user is not None and user.relation == "friend":
            user.loading_until = line.clock.now() + timedelta(seconds=seconds)
    return jsonify({}), 202


def _place(start: str | None, count: int) -> int:
    """Return where a list goes on, by the token of its last part."""
    if start is None:
        return 0
    place = start.removeprefix("after-")
    if place == start or not place.isdecimal() or not 0 < int(place[:9]) < count:
        raise ApiError(400, "Invalid start param")
    return int(place)


def _checked_messages(body: dict[str, Any], details: Details | None = None) -> list[dict[str, Any]]:
    refuse_if((details or []) + check_messages(body.get("messages")))
    messages: list[dict[str, Any]] = body["messages"]
    return messages


def _unit(body: dict[str, Any]) -> str | None:
    units = body.get("customAggregationUnits")
    return str(units[0]) if units else None


def _unit_details(body: dict[str, Any]) -> Details:
    """Check the names by which statistics are asked for later."""
    units = body.get("customAggregationUnits") or []
    if not isinstance(units, list) or len(units) > 1:
        text = "Size must be between 0 and 1"
        return [{"message": text, "property": "customAggregationUnits"}]
    if units and not (isinstance(units[0], str) and _UNIT_NAME.fullmatch(units[0])):
        return [{"message": "invalid unit name", "property": "customAggregationUnits[0]"}]
    return []
