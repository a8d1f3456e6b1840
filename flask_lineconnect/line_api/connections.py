"""Connections whose answers must be whole within the timeout.

A timeout of urllib3's, and so of requests and of LINE's SDK, is one for each read: an answer that
comes byte by byte would never end. Here no read waits beyond the end of the whole.
"""

from __future__ import annotations

import http.client
import io
import socket
import time
from typing import Any

from urllib3 import HTTPConnectionPool
from urllib3 import HTTPSConnectionPool
from urllib3 import PoolManager
from urllib3.connection import HTTPConnection
from urllib3.connection import HTTPSConnection


class _Stream(io.RawIOBase):
    """What comes from a socket until the time is over, which is its timeout from now."""

    def __init__(self, source: io.BufferedReader, sock: socket.socket):
        # It owns the socket's file, whose end closes the socket when nobody else needs it.
        self._source = source.detach()
        self._sock = sock
        seconds = sock.gettimeout()
        self._ends_at = None if seconds is None else time.monotonic() + seconds

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        """Read what is there, or wait for it.

        :raises TimeoutError: the time is over.
        """
        if self._ends_at is not None:
            left = self._ends_at - time.monotonic()
            if left <= 0:
                raise TimeoutError("the answer took too long")
            self._sock.settimeout(left)
        count: int | None = self._source.readinto(buffer)
        return count

    def close(self) -> None:
        """Close the socket's file as well."""
        self._source.close()
        super().close()


class _Response(http.client.HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any):
        super().__init__(sock, *args, **kwargs)
        self.fp = io.BufferedReader(_Stream(self.fp, sock))


class _Connection(HTTPConnection):
    response_class = _Response


class _SecureConnection(HTTPSConnection):
    response_class = _Response


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


def bound_answers(manager: PoolManager) -> None:
    """Let answers to a manager's requests be whole within the request's timeout."""
    manager.pool_classes_by_scheme = {"http": _Pool, "https": _SecurePool}
