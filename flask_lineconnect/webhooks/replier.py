"""Give LINE replies, many on their way at once, over connections that are kept between them.

The event loop lives in a thread of its own, from the first reply to the end of the process.
"""

from __future__ import annotations

import asyncio
import logging
import os
import threading
from collections.abc import Callable
from collections.abc import Sequence
from typing import NamedTuple

from ..line_api.client import ChannelToken
from ..line_api.native_threads import start_native_thread
from ..line_api.sender import MAX_IN_FLIGHT
from ..line_api.sender import SendAnswer
from ..line_api.sender import Sender
from ..log_fields import log_fields

logger = logging.getLogger(__name__)

#: Seconds that the thread may take to begin: it imports the HTTP library.
BEGIN_SECONDS = 30.0


class Outgoing(NamedTuple):
    """A reply on its way, and whom to tell what LINE said; told in the loop's thread."""

    body: bytes
    tell: Callable[[SendAnswer], None]

    def __repr__(self) -> str:
        """Say nothing of what is in it: asyncio's debug mode logs what it calls."""
        return f"Outgoing({len(self.body)} bytes)"


class Replier:
    """Sends one app's replies.

    :param origin: scheme and host of LINE's API.
    """

    def __init__(self, origin: str, token: ChannelToken, timeout_seconds: float):
        self._origin = origin
        self._token = token
        self._timeout_seconds = timeout_seconds
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._pid: int | None = None

    def begin(self) -> None:
        """Begin the thread in this process unless it runs; returns when replies can be sent."""
        if self._loop is not None and self._pid == os.getpid() and self._loop.is_running():
            return
        with self._lock:
            if self._loop is not None and self._pid == os.getpid() and self._loop.is_running():
                return
            ready = threading.Event()
            start_native_thread(lambda: asyncio.run(self._serve(ready)), "lineconnect-replies")
            if not ready.wait(BEGIN_SECONDS):
                raise RuntimeError("the thread that sends replies did not begin")
            self._pid = os.getpid()

    def send(self, replies: Sequence[Outgoing]) -> None:
        """Send replies; returns at once."""
        if replies:
            assert self._loop is not None
            self._loop.call_soon_threadsafe(self._send_all, replies)

    async def _serve(self, ready: threading.Event) -> None:
        async with Sender(self._origin, self._token, self._timeout_seconds) as sender:
            self._sender = sender
            self._slots = asyncio.Semaphore(MAX_IN_FLIGHT)
            self._tasks: set[asyncio.Task[None]] = set()
            self._loop = asyncio.get_running_loop()
            ready.set()
            await asyncio.Event().wait()

    def _send_all(self, replies: Sequence[Outgoing]) -> None:
        for reply in replies:
            task = asyncio.ensure_future(self._send(reply))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _send(self, reply: Outgoing) -> None:
        try:
            async with self._slots:
                answer = await self._sender.reply(reply.body)
        except BaseException as error:  # a fault of ours; what LINE made of it nobody knows
            logger.exception("a reply failed", extra=log_fields("request_failed"))
            answer = SendAnswer(None, text=f"the request failed: {type(error).__name__}")
        reply.tell(answer)
