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
from typing import TYPE_CHECKING
from typing import Any

import requests

from .world import ReplyToken

if TYPE_CHECKING:
    from .platform import Platform

#: Seconds in which the shop must answer.
TIMEOUT = 2.0
_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
#: Events that the bot may answer, as long as they tell who caused them.
_REPLIABLE = {"message", "follow", "postback", "accountLink", "beacon", "videoPlayComplete"}


class WebhookSender:
    """Sends a platform's webhooks, one after the other, from a thread of its own."""

    def __init__(self, platform: Platform):
        self._platform = platform
        self._queue: queue.Queue[tuple[int, str, bytes, str]] = queue.Queue()
        self._thread: threading.Thread | None = None
        #: Counts the platform's resets: what was queued before one is never sent.
        self._era = 0
        #: How often the bodies that wait for a redelivery were redelivered before.
        self._tries: dict[bytes, int] = {}

    def send(self, url: str, body: bytes, secret: str) -> None:
        """Send a body when those before it are done."""
        with self._platform.lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="webhooks", daemon=True)
                self._thread.start()
            self._queue.put((self._era, url, body, secret))

    def forget(self) -> None:
        """Drop what was not sent yet."""
        with self._platform.lock:
            self._era += 1
            self._tries.clear()

    def _run(self) -> None:
        while True:
            era, url, body, secret = self._queue.get()
            if era == self._era:
                record = deliver(self._platform, url, body, secret)
                with self._platform.lock:
                    if era == self._era:
                        self._platform.webhooks.append(record)
                        self._redeliver(record, url, body, secret)

    def _redeliver(self, record: dict[str, Any], url: str, body: bytes, secret: str) -> None:
        """Send a webhook that was not answered 2xx again later, where the channel asks for it."""
        channel = self._platform.world.messaging_channel
        tries = self._tries.pop(body, 0)
        if record["outcome"] == "ok" or not channel.redelivery or tries >= channel.redelivery_count:
            return
        again = redelivered(body)
        self._tries[again] = tries + 1
        timer = threading.Timer(
            channel.redelivery_seconds, self._queue.put, [(self._era, url, again, secret)]
        )
        timer.daemon = True
        timer.start()


def emit(platform: Platform, *events: dict[str, Any]) -> None:
    """Tell the shop, in one webhook, what happened.

    :param events: each with its ``type``, ``user_id`` of who caused it, and what is special to the
        type; all common fields are filled in unless they are given. Without ``user_id`` the event
        has neither source nor reply token, as that of a failed account link.
    """
    with platform.lock:
        channel = platform.world.messaging_channel
        if channel.webhook_url and channel.use_webhook:
            body = batch(platform, *(_complete(platform, event) for event in events))
            platform.webhook_sender.send(channel.webhook_url, body, channel.secret)


def deliver(platform: Platform, url: str, body: bytes, secret: str) -> dict[str, Any]:
    """Send one webhook now; return how it went, in LINE's own words for it."""
    record = {"at": platform.clock.now().isoformat(), "url": url, "body": body.decode()}
    status, outcome = None, "unclassified"
    headers = {
        "Content-Type": "application/json; charset=utf-8",
        "User-Agent": "LineBotWebhook/2.0",
        "X-Line-Signature": sign(body, secret),
    }
    began = time.monotonic()
    try:
        with requests.Session() as session:
            # A proxy of the environment would not find a shop on this machine.
            session.trust_env = False
            answer = session.post(
                url, data=body, headers=headers, timeout=TIMEOUT, allow_redirects=False
            )
    except requests.Timeout:
        outcome = "request_timeout"
    except requests.ConnectionError:
        outcome = "could_not_connect"
    except requests.RequestException:
        pass
    else:
        status = answer.status_code
        outcome = "ok" if 200 <= status < 300 else "error_status_code"
    seconds = time.monotonic() - began
    if outcome == "ok" and seconds > TIMEOUT:
        outcome = "request_timeout"
    return record | {"status": status, "outcome": outcome, "milliseconds": int(seconds * 1000)}


def batch(platform: Platform, *events: dict[str, Any]) -> bytes:
    """Return the body of a webhook."""
    destination = platform.world.messaging_channel.bot_user_id
    return json.dumps({"destination": destination, "events": events}, ensure_ascii=False).encode()


def redelivered(body: bytes) -> bytes:
    """Return a webhook's body as LINE sends it again: the same, but for ``isRedelivery``."""
    content = json.loads(body)
    for event in content["events"]:
        event["deliveryContext"]["isRedelivery"] = True
    return json.dumps(content, ensure_ascii=False).encode()


def sign(body: bytes, secret: str) -> str:
    """Return the signature of a body, by the messaging channel's secret."""
    return base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()


def _complete(platform: Platform, event: dict[str, Any]) -> dict[str, Any]:
    fields = dict(event)
    user_id = fields.pop("user_id", None)
    common: dict[str, Any] = {
        "type": fields["type"],
        "mode": "active",
        "timestamp": int(platform.clock.now().timestamp() * 1000),
        "webhookEventId": _ulid(platform),
        "deliveryContext": {"isRedelivery": False},
    }
    if user_id is not None:
        common["source"] = {"type": "user", "userId": user_id}
        # In standby another module channel is in charge, and this one must not answer.
        if fields["type"] in _REPLIABLE and fields.get("mode") != "standby":
            common["replyToken"] = _reply_token(platform, user_id)
    return common | fields


def _reply_token(platform: Platform, user_id: str) -> str:
    token = ReplyToken(token=secrets.token_hex(16), user_id=user_id, issued_at=platform.clock.now())
    platform.world.reply_tokens[token.token] = token
    return token.token


def _ulid(platform: Platform) -> str:
    number = int(platform.clock.now().timestamp() * 1000) << 80 | secrets.randbits(80)
    return "".join(_CROCKFORD[number >> shift & 31] for shift in range(125, -1, -5))
