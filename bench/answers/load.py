"""Sends webhooks as LINE does: over a few kept connections, each as soon as the last is taken."""

from __future__ import annotations

import asyncio
import itertools
import json
import time
import uuid
from collections.abc import Callable
from collections.abc import Sequence
from typing import NamedTuple

from flask_lineconnect.webhooks.signature import sign

SECRET = "8c570fa6dd201bb328f1c1eac23a96d8"
#: Connections that LINE's platform has open.
CONNECTIONS = 8
#: Seconds in which the shop must answer.
TIMEOUT = 2.0
#: In the order of time, as LINE's ULIDs are.
_ids = (f"01KAXW{number:020d}" for number in itertools.count())


class Webhook(NamedTuple):
    """One webhook with texts of people who write nothing else, by their reply tokens."""

    texts: dict[str, str]
    request: bytes


class Sent(NamedTuple):
    """When a webhook was sent, in seconds since the epoch, and what it was answered."""

    webhook: Webhook
    at: float
    status: int


def make_webhooks(texts: Sequence[str], size: int = 1) -> list[Webhook]:
    """Sign webhooks of so many texts each beforehand."""
    return [_webhook(texts[start : start + size]) for start in range(0, len(texts), size)]


def _webhook(texts: Sequence[str]) -> Webhook:
    tokens = {uuid.uuid4().hex: text for text in texts}
    events = [_event(token, text) for token, text in tokens.items()]
    body = json.dumps({"destination": "U" + "8" * 32, "events": events}).encode()
    head = (
        "POST /line/webhook HTTP/1.1\r\nHost: shop\r\nContent-Type: application/json\r\n"
        f"X-Line-Signature: {sign(body, SECRET)}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return Webhook(tokens, head.encode() + body)


def _event(token: str, text: str) -> dict[str, object]:
    return {
        "type": "message",
        "mode": "active",
        "timestamp": int(time.time() * 1000),
        "source": {"type": "user", "userId": f"U{uuid.uuid4().hex}"},
        "webhookEventId": next(_ids),
        "deliveryContext": {"isRedelivery": False},
        "replyToken": token,
        "message": {"id": str(time.time_ns()), "type": "text", "text": text, "quoteToken": "q"},
    }


async def send_all(port: int, webhooks: Sequence[Webhook], rate: float | None) -> list[Sent]:
    """Send webhooks, at a rate a second or as fast as they are taken; say what became of each."""
    began = time.time()
    waiting = list(enumerate(webhooks))[::-1]
    sent: list[Sent] = []

    async def keep_sending() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while waiting:
            number, webhook = waiting.pop()
            if rate is not None:
                await asyncio.sleep(max(0.0, began + number / rate - time.time()))
            at = time.time()
            writer.write(webhook.request)
            sent.append(Sent(webhook, at, await _status(reader)))
        writer.close()

    await asyncio.gather(*(keep_sending() for _number in range(CONNECTIONS)))
    return sent


async def keep_sending(
    port: int, more: Callable[[], Webhook], rate: float, taken: list[Webhook], stop: asyncio.Event
) -> None:
    """Send webhooks at a rate a second until told to stop, also to a shop that keeps dying.

    :param taken: gets those that were answered with 200.
    """
    began, count = time.time(), 0

    async def send() -> None:
        nonlocal count
        streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        while not stop.is_set():
            count += 1
            await asyncio.sleep(max(0.0, began + count / rate - time.time()))
            webhook = more()
            try:
                if streams is None:
                    streams = await asyncio.open_connection("127.0.0.1", port)
                streams[1].write(webhook.request)
                if await asyncio.wait_for(_status(streams[0]), TIMEOUT) == 200:
                    taken.append(webhook)
            except (OSError, EOFError, TimeoutError):
                if streams is not None:
                    streams[1].close()
                streams = None

    await asyncio.gather(*(send() for _number in range(CONNECTIONS)))


async def _status(reader: asyncio.StreamReader) -> int:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
    length = head.partition("content-length:")[2].split("\r\n")[0].strip()
    await reader.readexactly(int(length or 0))
    return int(head.split(" ")[1])
