"""Webhooks: what happens at the official account, told to the shop as LINE tells it.

Source: Messaging API reference, "Webhook event objects".
"""

from __future__ import annotations

import json
import secrets
from typing import Any

from ..platform import Platform
from ..world import ReplyToken
from .sender import Delivery
from .sender import WebhookSender
from .sender import sign

_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
#: Events that the bot may answer, as long as they tell where they happened.
_REPLIABLE = {
    "accountLink",
    "beacon",
    "follow",
    "join",
    "memberJoined",
    "membership",
    "message",
    "messageEdited",
    "postback",
    "videoPlayComplete",
}


def emit(
    platform: Platform,
    *events: dict[str, Any],
    destination: str | None = None,
    signature: str | None = None,
) -> None:
    """Tell the shop, in one webhook, what happened.

    :param events: each with its ``type``, ``user_id`` of who caused it, and what is special to the
        type; all common fields are filled in unless they are given. With neither ``user_id`` nor
        ``source`` the event has no source and no reply token, as that of a failed account link.
    :param destination: the bot's user id, if it is to be another bot's.
    :param signature: instead of the right one.
    """
    with platform.lock:
        channel = platform.world.messaging_channel
        if channel.webhook_url and channel.use_webhook:
            complete = [_complete(platform, event) for event in events]
            body = batch(platform, *complete, destination=destination)
            signed = sign(body, channel.secret) if signature is None else signature
            platform.part(WebhookSender).send(Delivery(channel.webhook_url, body, signed))


def batch(platform: Platform, *events: dict[str, Any], destination: str | None = None) -> bytes:
    """Return the body of a webhook."""
    to = destination or platform.world.messaging_channel.bot_user_id
    return json.dumps({"destination": to, "events": events}, ensure_ascii=False).encode()


def _complete(platform: Platform, event: dict[str, Any]) -> dict[str, Any]:
    fields = dict(event)
    user_id = fields.pop("user_id", None)
    now = platform.clock.now()
    common: dict[str, Any] = {
        "type": fields["type"],
        "mode": "active",
        "timestamp": int(now.timestamp() * 1000),
        "webhookEventId": _ulid(platform),
        "deliveryContext": {"isRedelivery": False},
    }
    if user_id is not None:
        common["source"] = {"type": "user", "userId": user_id}
    complete = common | fields
    source = complete.get("source")
    # In standby another module channel is in charge, and this one must not answer.
    is_repliable = complete["type"] in _REPLIABLE and complete["mode"] != "standby"
    if isinstance(source, dict) and is_repliable and "replyToken" not in complete:
        kind = source.get("type", "user")
        complete["replyToken"] = _reply_token(platform, str(source.get(f"{kind}Id")))
    return complete


def _reply_token(platform: Platform, chat_id: str) -> str:
    now = platform.clock.now()
    token = ReplyToken(token=secrets.token_hex(16), chat_id=chat_id, event_at=now, issued_at=now)
    platform.world.reply_tokens[token.token] = token
    return token.token


def _ulid(platform: Platform) -> str:
    number = int(platform.clock.now().timestamp() * 1000) << 80 | secrets.randbits(80)
    return "".join(_CROCKFORD[number >> shift & 31] for shift in range(125, -1, -5))
