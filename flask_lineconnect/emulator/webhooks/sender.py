"""Sends webhooks to the shop, again where it must be, and astray where a fault wants it.

Source: Messaging API reference, "Webhooks", "Redelivery"; the time limit from "Receive messages
(webhook)".
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import queue
import threading
import time
from dataclasses import dataclass
from dataclasses import replace
from datetime import timedelta
from typing import Any

import requests

from ..platform import Platform

#: Seconds in which the shop must answer.
TIMEOUT = 2.0
#: Seconds after which a webhook that was held back goes out even if no other one came.
HELD_SECONDS = 2.0
#: A redelivered reply token is good again while its event is not older than this.
REPLY_TOKEN_MEMORY = timedelta(minutes=20)


@dataclass(frozen=True)
class Delivery:
    """One webhook on its way."""

    url: str
    body: bytes
    signature: str
    tries: int = 0

    def events(self) -> list[dict[str, Any]]:
        """Return the events in it."""
        return list(json.loads(self.body)["events"])


class WebhookSender:
    """Sends a platform's webhooks, one after the other, from a thread of its own."""

    def __init__(self, platform: Platform):
        self._platform = platform
        self._queue: queue.Queue[tuple[int, Delivery]] = queue.Queue()
        self._thread: threading.Thread | None = None
        #: Counts the platform's resets: what was queued before one is never sent.
        self._era = 0
        self._held: Delivery | None = None

    def send(self, delivery: Delivery) -> None:
        """Send a webhook when those before it are done."""
        with self._platform.lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="webhooks", daemon=True)
                self._thread.start()
            types = {str(event.get("type")) for event in delivery.events()}
            fault = self._platform.faults.of_webhook(types)
            match fault.webhook if fault else None:
                case "lost":
                    self._note(record_of(self._platform, delivery, "lost"))
                case "late":
                    self._later(delivery, fault.delay_seconds if fault else 0)
                case "reorder":
                    self._hold(delivery)
                case "duplicate":
                    self._put(delivery)
                    self._put(delivery)
                case _:
                    self._put(delivery)

    def try_now(self, delivery: Delivery) -> dict[str, Any]:
        """Send a webhook at once, past the queue; return how it went."""
        record = deliver(self._platform, delivery)
        with self._platform.lock:
            self._note(record)
        return record

    def forget(self) -> None:
        """Drop what was not sent yet."""
        with self._platform.lock:
            self._era += 1
            self._held = None

    def _put(self, delivery: Delivery) -> None:
        self._queue.put((self._era, delivery))
        self._release()

    def _hold(self, delivery: Delivery) -> None:
        """Keep a webhook back until the next one has gone before it."""
        self._release()
        self._held = delivery
        timer = threading.Timer(HELD_SECONDS, self._release_late, [delivery])
        timer.daemon = True
        timer.start()

    def _release(self) -> None:
        held, self._held = self._held, None
        if held is not None:
            self._queue.put((self._era, held))

    def _release_late(self, delivery: Delivery) -> None:
        with self._platform.lock:
            if self._held is delivery:
                self._release()

    def _later(self, delivery: Delivery, seconds: float) -> None:
        timer = threading.Timer(seconds, self._queue.put, [(self._era, delivery)])
        timer.daemon = True
        timer.start()

    def _run(self) -> None:
        while True:
            era, delivery = self._queue.get()
            if era != self._era:
                continue
            if delivery.tries:
                self._renew_reply_tokens(delivery)
            record = deliver(self._platform, delivery)
            with self._platform.lock:
                if era == self._era:
                    self._note(record)
                    if record["outcome"] != "ok":
                        self._redeliver(delivery)

    def _note(self, record: dict[str, Any]) -> None:
        line = self._platform
        line.webhook_counts[record["outcome"]] += 1
        number = line.webhooks[-1]["number"] + 1 if line.webhooks else 1
        line.webhooks.append(record | {"number": number})

    def _redeliver(self, delivery: Delivery) -> None:
        """Send a webhook that was not answered 2xx again later, where the channel asks for it."""
        channel = self._platform.world.messaging_channel
        if not channel.redelivery or delivery.tries >= channel.redelivery_count:
            return
        body = redelivered(delivery.body)
        # Whoever broke the signature wanted it broken.
        is_right = delivery.signature == sign(delivery.body, channel.secret)
        signature = sign(body, channel.secret) if is_right else delivery.signature
        again = replace(delivery, body=body, signature=signature, tries=delivery.tries + 1)
        self._later(again, channel.redelivery_seconds)

    def _renew_reply_tokens(self, delivery: Delivery) -> None:
        line = self._platform
        with line.lock:
            now = line.clock.now()
            for event in delivery.events():
                token = line.world.reply_tokens.get(str(event.get("replyToken")))
                if token is not None and token.event_at + REPLY_TOKEN_MEMORY > now:
                    token.issued_at = now


def deliver(platform: Platform, delivery: Delivery) -> dict[str, Any]:
    """Send one webhook now; return how it went, in LINE's own words for it."""
    status, outcome = None, "unclassified"
    headers = {
        "Content-Type": "application/json; charset=utf-8",
        "User-Agent": "LineBotWebhook/2.0",
        "X-Line-Signature": delivery.signature,
    }
    at, began = platform.clock.now(), time.monotonic()
    try:
        with requests.Session() as session:
            # A proxy of the environment would not find a shop on this machine.
            session.trust_env = False
            session.verify = _trusted(delivery.url)
            answer = session.post(
                delivery.url,
                data=delivery.body,
                headers=headers,
                timeout=TIMEOUT,
                allow_redirects=False,
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
    took = {"at": at.isoformat(), "status": status, "milliseconds": int(seconds * 1000)}
    return record_of(platform, delivery, outcome) | took


def _trusted(url: str) -> bool | str:
    """Return the authorities that this machine trusts, such as a development team's own."""
    found = requests.Session().merge_environment_settings(url, {}, None, None, None)["verify"]
    return found if isinstance(found, str) else True


def record_of(platform: Platform, delivery: Delivery, outcome: str) -> dict[str, Any]:
    """Return what the inspector shows of a webhook."""
    return {
        "at": platform.clock.now().isoformat(),
        "url": delivery.url,
        "body": delivery.body.decode("utf-8", "replace"),
        "status": None,
        "outcome": outcome,
        "milliseconds": 0,
    }


def redelivered(body: bytes) -> bytes:
    """Return a webhook's body as LINE sends it again: the same, but for ``isRedelivery``."""
    content = json.loads(body)
    for event in content["events"]:
        event["deliveryContext"] = {"isRedelivery": True}
    return json.dumps(content, ensure_ascii=False).encode()


def sign(body: bytes, secret: str) -> str:
    """Return the signature of a body, by the messaging channel's secret."""
    return base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()
