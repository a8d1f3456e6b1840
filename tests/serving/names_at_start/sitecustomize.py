"""Let some names of hosts lead to ports of this machine, as a resolver of our own would."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from typing import Any

#: Names and ports: ``shop.example=8443 line.example=8443``.
VARIABLE = "TESTS_NAMES"


def lead(ports: dict[str, int]) -> Callable[[], None]:
    """Let names lead to ports of the loopback address; return what ends it."""
    before = socket.getaddrinfo

    def found(host: Any, port: Any, *args: Any, **kwargs: Any) -> Any:
        if host in ports:
            return before("127.0.0.1", ports[host], *args, **kwargs)
        return before(host, port, *args, **kwargs)

    def undo() -> None:
        socket.getaddrinfo = before

    socket.getaddrinfo = found
    return undo


_given = [entry.partition("=") for entry in os.environ.get(VARIABLE, "").split()]
if _given:
    lead({name: int(port) for name, _, port in _given})
