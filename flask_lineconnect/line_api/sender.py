"""Replies, pushes and multicasts, many at once over kept connections.

Beside the official SDK, which speaks to all of LINE's other endpoints: its models would write each
body anew, and a repeated request must be the same to the byte. The SDK's own HTTP library is used.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http import HTTPStatus
from types import TracebackType
from typing import TYPE_CHECKING
from typing import Literal
from typing import Self

from requests.utils import get_environ_proxies
from requests.utils import select_proxy

from ..errors import LineApiError
from .calls import LineCall
from .calls import note_call
from .client import ChannelToken
from .request_ids import request_id_of
from .words import said_in

if TYPE_CHECKING:
    import aiohttp

Kind = Literal["push", "multicast", "broadcast"]
#: Requests on their way at the same time: LINE's highest rate at answers of a quarter second.
MAX_IN_FLIGHT = 500
#: Seconds for which a token is not asked for again; tokens handed out live for another minute.
TOKEN_KEPT = 20.0
#: LINE's longest answers, with an error for each message object, have a few kB.
MAX_ANSWER_BYTES = 65_536
_ACCEPTED_BEFORE, _ENCODING = "x-line-accepted-request-id", "content-encoding"


@dataclass(frozen=True, slots=True)
class SendAnswer:
    """What became of one request, as far as we know.

    :ivar status: the HTTP status; ``None`` when nothing that is LINE's came back.
    :ivar request_id: of the request that LINE accepted, which may have been an earlier try.
    :ivar text: the beginning of LINE's answer, or of what went wrong.
    """

    status: int | None
    request_id: str | None = None
    text: str = ""

    @property
    def why(self) -> str:
        """Say in our own words why it was not accepted.

        LINE's may quote the message or name its recipient: only the place and sentences that are
        always the same are taken from them.
        """
        if self.status is None:
            return self.text
        request = f" (LINE's request id {self.request_id})" if self.request_id else ""
        return f"LINE answered {self.status}{said_in(self.text)}{request}"

    @property
    def is_accepted(self) -> bool:
        """Tell whether LINE took it, now or at an earlier try with the same retry key."""
        return self.status is not None and (
            200 <= self.status < 300 or self.status == HTTPStatus.CONFLICT
        )

    @property
    def is_token_refused(self) -> bool:
        """Tell whether LINE takes nothing with our token."""
        return self.status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}

    @property
    def is_unknown(self) -> bool:
        """Tell whether LINE may have taken it: only the same request may follow."""
        return self.status is None or self.status >= 500


class Sender:
    """Sends to LINE over kept connections, for as long as it is entered.

    :param origin: scheme and host of LINE's API.
    """

    def __init__(self, origin: str, token: ChannelToken, timeout_seconds: float):
        self._origin = origin
        self._token = token
        self._timeout_seconds = timeout_seconds
        self._bearer = ""
        self._ask_again_at = 0.0
        self._asking = asyncio.Lock()
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        """Open the pool of connections."""
        # Imported when something is to be sent: it costs a quarter of a second.
        import aiohttp

        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=MAX_IN_FLIGHT),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=self._timeout_seconds),
            # Read once: `trust_env` would read the environment anew for each request.
            proxy=select_proxy(self._origin, get_environ_proxies(self._origin)),
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the connections."""
        assert self._session is not None
        await self._session.close()

    async def send(self, kind: Kind, body: bytes, *, retry_key: str) -> SendAnswer:
        """Make one request and say what became of it; never raises for what LINE or the net do.

        :param body: a JSON object with ``to`` and ``messages``; a broadcast's has no ``to``.

        Source: Messaging API reference, "Send push message", "Send multicast message", "Send
        broadcast message", "Retry failed API requests".
        """
        return await self._send(kind, body, {"X-Line-Retry-Key": retry_key})

    async def reply(self, body: bytes) -> SendAnswer:
        """Answer a webhook event, and say what became of it; LINE takes a reply token once.

        :param body: a JSON object with ``replyToken`` and ``messages``.

        Source: Messaging API reference, "Send reply message".
        """
        return await self._send("reply", body, {})

    async def _send(self, kind: str, body: bytes, more: Mapping[str, str]) -> SendAnswer:
        began = time.monotonic()
        try:
            answer = await self._post_with_token(kind, body, more)
        except LineApiError as error:
            # No token: LINE was not asked. A refusal means that channel and secret don't match.
            status = HTTPStatus.UNAUTHORIZED if error.status == HTTPStatus.BAD_REQUEST else None
            answer = SendAnswer(status, text=error.text)
        note_call(LineCall(kind, answer.status, answer.request_id, time.monotonic() - began))
        return answer

    async def _post_with_token(self, kind: str, body: bytes, more: Mapping[str, str]) -> SendAnswer:
        """Post, once more with a new token if LINE refuses the one that we have."""
        bearer = await self._current_token()
        answer = await self._post(kind, body, bearer, more)
        if answer.status != HTTPStatus.UNAUTHORIZED:
            return answer
        if bearer == self._bearer:
            self._token.forget()
            self._ask_again_at = 0.0
        renewed = await self._current_token()
        return answer if renewed == bearer else await self._post(kind, body, renewed, more)

    async def _post(
        self, kind: str, body: bytes, bearer: str, more: Mapping[str, str]
    ) -> SendAnswer:
        import aiohttp

        assert self._session is not None
        headers = {
            "Authorization": f"Bearer {bearer}",
            "Content-Type": "application/json",
            **more,
        }
        url = f"{self._origin}/v2/bot/message/{kind}"
        try:
            async with self._session.post(
                url, data=body, headers=headers, allow_redirects=False
            ) as response:
                text = await _beginning_of(response)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            return SendAnswer(None, text=f"LINE did not answer: {type(error).__name__}")
        return _read(response, text)

    async def _current_token(self) -> str:
        """Return the token; asked for in a thread, because asking LINE for one waits.

        :raises LineApiError: there is none.
        """
        if time.monotonic() >= self._ask_again_at:
            async with self._asking:
                if time.monotonic() >= self._ask_again_at:
                    # A thread for this alone: one that stayed would be waited for at the end.
                    with ThreadPoolExecutor(1, "lineconnect-token") as thread:
                        loop = asyncio.get_running_loop()
                        self._bearer = await loop.run_in_executor(thread, self._token.get)
                    self._ask_again_at = time.monotonic() + TOKEN_KEPT
        return self._bearer


def _read(response: aiohttp.ClientResponse, text: str) -> SendAnswer:
    request_id = request_id_of(response.headers)
    if request_id is None or 300 <= response.status < 400:
        # A proxy's or a stranger's words prove nothing.
        return SendAnswer(None, text=f"an answer that is not LINE's: {response.status}")
    if _ACCEPTED_BEFORE in response.headers:
        request_id = request_id_of(response.headers, _ACCEPTED_BEFORE) or request_id
    return SendAnswer(response.status, request_id, text)


async def _beginning_of(response: aiohttp.ClientResponse) -> str:
    length = response.content_length
    if length is not None and length <= MAX_ANSWER_BYTES and _ENCODING not in response.headers:
        return (await response.read()).decode(errors="replace")
    parts, length = [], 0
    async for part in response.content.iter_any():
        parts.append(part)
        length += len(part)
        if length > MAX_ANSWER_BYTES:
            break
    return b"".join(parts)[:MAX_ANSWER_BYTES].decode(errors="replace")
