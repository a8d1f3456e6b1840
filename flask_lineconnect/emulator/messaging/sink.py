"""The emulator's sink mode: takes messages as fast as LINE does, and keeps nothing but counts.

For benchmarks of delivery, where the emulator itself must not be what one waits for. There are no
chats, no users and no webhooks here, and bodies are not checked; retry keys, the quota, tokens and,
if wished, LINE's rate limits and answer times are.
"""

from __future__ import annotations

import asyncio
import json
import re
import secrets
import time
import uuid
from collections import Counter
from collections.abc import Awaitable
from collections.abc import Callable
from dataclasses import dataclass
from dataclasses import field
from typing import Any

from ..api_errors import RATE_LIMITED
from ..api_errors import USED_UP
from ..clock import Clock
from ..rate_limits import Buckets
from ..tokens.channel_tokens import STATELESS_SECONDS
from ..tokens.guard import BAD_TOKEN

MESSAGE = "/v2/bot/message/"
_SENDS = re.compile(r"/v2/bot/message/(reply|push|multicast|broadcast|narrowcast)")

Json = dict[str, Any]
Headers = dict[bytes, bytes]
Answer = tuple[int, Json, list[tuple[bytes, bytes]]]
Receive = Callable[[], Awaitable[Json]]
Send = Callable[[Json], Awaitable[None]]


@dataclass
class Sink:
    """An ASGI application that takes messages.

    :ivar answer_after: seconds until a message is answered.
    :ivar rate_limit_scale: how much of LINE's rate limits applies; ``None`` is none of them.
    :ivar quota: messages that may be sent; ``None`` is without a limit.
    """

    answer_after: float = 0.0
    rate_limit_scale: float | None = None
    quota: int | None = None
    tokens: set[bytes] = field(default_factory=set)
    #: Request ids by the retry keys that were accepted.
    accepted: dict[str, str] = field(default_factory=dict)
    #: Calls by kind, ``recipients``, and answers by status.
    counts: Counter[str] = field(default_factory=Counter)
    #: What each recipient got, to tell who got something twice.
    seen: set[int] = field(default_factory=set)
    #: When each reply token was used first, in seconds since the epoch.
    replies: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Fill the buckets of the rate limits."""
        self.buckets = Buckets(Clock())

    async def __call__(self, scope: Json, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        body = await _body(receive)
        status, answer, headers = await self._answer(scope, body)
        self.counts[str(status)] += 1
        content = json.dumps(answer).encode()
        head = [(b"content-type", b"application/json"), *headers]
        head.append((b"content-length", str(len(content)).encode()))
        await send({"type": "http.response.start", "status": status, "headers": head})
        await send({"type": "http.response.body", "body": content})

    async def _answer(self, scope: Json, body: bytes) -> Answer:
        path, method = scope["path"], scope["method"]
        if path.startswith("/_emulator/"):
            return self._control(path, method)
        if path in {"/oauth2/v3/token", "/v2/oauth/accessToken"} and method == "POST":
            return self._issue_token()
        headers: Headers = dict(scope["headers"])
        request_id = secrets.token_hex(16)
        named = [(b"x-line-request-id", request_id.encode())]
        if headers.get(b"authorization", b"").removeprefix(b"Bearer ") not in self.tokens:
            return 401, {"message": BAD_TOKEN}, named
        if not self.buckets.take("channel", method, path, self.rate_limit_scale):
            return 429, {"message": RATE_LIMITED}, named
        if method == "POST" and (found := _SENDS.fullmatch(path)):
            began = time.time()
            if self.answer_after:
                await asyncio.sleep(self.answer_after)
            status, answer, more = self._take(found[1], headers, body, request_id)
            if status == 200 and found[1] == "reply":
                status, answer = self._note_reply(body, began, answer)
            return status, answer, named + more
        if path == f"{MESSAGE}quota":
            return 200, self._quota(), named
        if path == f"{MESSAGE}quota/consumption":
            return 200, {"totalUsage": self.counts["recipients"]}, named
        return 404, {"message": "Not found"}, named

    def _take(self, kind: str, headers: Headers, body: bytes, request_id: str) -> Answer:
        key = headers.get(b"x-line-retry-key", b"").decode("ascii", "replace")
        before = self.accepted.get(key)
        if before is not None:
            accepted = [(b"x-line-accepted-request-id", before.encode())]
            return 409, {"message": "The retry key is already accepted"}, accepted
        try:
            content = json.loads(body)
            recipients, messages = _recipients(content), json.dumps(content["messages"])
        except (ValueError, TypeError, LookupError, AttributeError):
            return 400, {"message": "The request body could not be parsed as JSON"}, []
        if kind != "reply" and self._is_used_up(len(recipients)):
            return 429, {"message": USED_UP}, []
        if key:
            self.accepted[key] = request_id
        self._count(kind, recipients, messages)
        if kind not in {"reply", "push"}:
            return 202 if kind == "narrowcast" else 200, {}, []
        return 200, {"sentMessages": [{"id": str(uuid.uuid4().int >> 70)}]}, []

    def _note_reply(self, body: bytes, began: float, answer: Json) -> tuple[int, Json]:
        """Take a reply token once."""
        token = str(json.loads(body).get("replyToken"))
        if token in self.replies:
            self.counts["replies_twice"] += 1
            return 400, {"message": "Invalid reply token"}
        self.replies[token] = began
        return 200, answer

    def _is_used_up(self, more: int) -> bool:
        return self.quota is not None and self.counts["recipients"] + more > self.quota

    def _count(self, kind: str, recipients: list[str], messages: str) -> None:
        self.counts[kind] += 1
        self.counts["recipients"] += len(recipients)
        what = hash(messages)
        places = {hash((recipient, what)) for recipient in recipients}
        self.counts["duplicates"] += len(recipients) - len(places - self.seen)
        self.seen |= places

    def _quota(self) -> Json:
        return {"type": "none"} if self.quota is None else {"type": "limited", "value": self.quota}

    def _issue_token(self) -> Answer:
        token = secrets.token_urlsafe(64)
        self.tokens.add(token.encode())
        fields = {"token_type": "Bearer", "access_token": token, "expires_in": STATELESS_SECONDS}
        return 200, fields, []

    def _control(self, path: str, method: str) -> Answer:
        match path.removeprefix("/_emulator/"), method:
            case "health", "GET":
                return 200, {"ok": True}, []
            case "counts", "GET":
                return 200, dict(self.counts), []
            case "replies", "GET":
                twice = self.counts["replies_twice"]
                return 200, {"replies": self.replies, "twice": twice}, []
            case "reset", "POST":
                self.counts.clear()
                self.accepted.clear()
                self.seen.clear()
                self.replies.clear()
                return 200, {"ok": True}, []
        return 404, {"message": "Not found"}, []


def _recipients(content: Json) -> list[str]:
    to = content.get("to", [])
    return [to] if isinstance(to, str) else list(map(str, to))


async def _body(receive: Receive) -> bytes:
    parts = []
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(parts)


def serve(sink: Sink, host: str, port: int) -> None:
    """Serve a sink until interrupted.

    :raises ImportError: the package's extra ``sink`` is not installed.
    """
    import uvicorn

    uvicorn.run(sink, host=host, port=port, log_level="warning", access_log=False)
