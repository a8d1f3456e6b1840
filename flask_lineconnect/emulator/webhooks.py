"""Webhooks: events of the official account, signed and sent to the shop in order.

Source: Messaging API reference, "Webhooks"; the time limit from "Receive messages (webhook)".
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import queue
import secrets
import threading
import time
from typing import Any

import requests

from .platform import Platform
from .world import ReplyToken

#: Seconds in which the shop must answer.
TIMEOUT = 2.0
_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
#: Events that the bot may answer.
_REPLIABLE = {"message", "follow", "postback", "accountLink", "beacon", "videoPlayComplete"}


class WebhookSender:
    """Sends a platform's webhooks, one after the other, from a thread of its own."""

    def __init__(self, platform: Platform):
        self._platform = platform
        self._queue: queue.Queue[tuple[str, bytes, str]] = queue.Queue()
        self._thread: threading.Thread | None = None

    def send(self, url: str, body: bytes, signature: str) -> None:
        """Send a body when those before it are done."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="webhooks", daemon=True)
            self._thread.start()
        self._queue.put((url, body, signature))

    def _run(self) -> None:
        while True:
            self._platform.webhooks.append(deliver(*self._queue.get()))


def deliver(url: str, body: bytes, signature: str) -> dict[str, Any]:
    """Send one webhook now; return how it went, in LINE's own words for it."""
    began = time.monotonic()
    record: dict[str, Any] = {"url": url, "body": body.decode(), "status": None}
    try:
        answer = requests.post(
            url,
            data=body,
            headers={
                "Content-Type": "application/json; charset=utf-8",
                "User-Agent": "LineBotWebhook/2.0",
                "X-Line-Signature": signature,
            },
            timeout=TIMEOUT,
            allow_redirects=False,
        )
    except requests.Timeout:
        record["outcome"] = "request_timeout"
    except requests.ConnectionError:
        record["outcome"] = "could_not_connect"
    except requests.RequestException:
        record["outcome"] = "unclassified"
    else:
        record["status"] = answer.status_code
        record["outcome"] = "ok" if answer.ok else "error_status_code"
    record["milliseconds"] = int((time.monotonic() - began) * 1000)
    return record


def emit(platform: Platform, user_id: str, event_type: str, **fields: Any) -> None:
    """Tell the shop what a user did in the one-to-one chat."""
    with platform.lock:
        event = {
            "type": event_type,
            "mode": "active",
            "timestamp": int(platform.clock.now().timestamp() * 1000),
            "source": {"type": "user", "userId": user_id},
            "webhookEventId": _ulid(platform),
            "deliveryContext": {"isRedelivery": False},
            **({"replyToken": _reply_token(platform, user_id)} if event_type in _REPLIABLE else {}),
            **fields,
        }
        channel = platform.world.messaging_channel
        if channel.webhook_url and channel.use_webhook:
            body = batch(platform, event)
            platform.send_webhook(channel.webhook_url, body, sign(body, channel.secret))


def batch(platform: Platform, *events: dict[str, Any]) -> bytes:
    """Return the body of a webhook."""
    destination = platform.world.messaging_channel.bot_user_id
    return json.dumps({"destination": destination, "events": events}, ensure_ascii=False).encode()


def sign(body: bytes, channel_secret: str) -> str:
    """Return the signature of a body."""
    return base64.b64encode(
        hmac.new(channel_secret.encode(), body, hashlib.sha256).digest()
    ).decode()


def _reply_token(platform: Platform, user_id: str) -> str:
    token = ReplyToken(token=secrets.token_hex(16), user_id=user_id, issued_at=platform.clock.now())
    platform.world.reply_tokens[token.token] = token
    return token.token


def _ulid(platform: Platform) -> str:
    number = int(platform.clock.now().timestamp() * 1000) << 80 | secrets.randbits(80)
    return "".join(_CROCKFORD[number >> shift & 31] for shift in range(125, -1, -5))
