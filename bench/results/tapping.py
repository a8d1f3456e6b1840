"""Open the paths of a file again and again, each connection one after the other: ``clicks.py``.

``python tapping.py URL FILE SECONDS CONNECTIONS`` prints how many answers came, and in how many
seconds. It says no more than a browser must, so that it takes little of the machine.
"""

from __future__ import annotations

import itertools
import socket
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

AGENT = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 "
    "(KHTML, like Gecko) Mobile/15E148 Safari Line/14.9.0"
)
FOUND = b"HTTP/1.1 302"


def tap(address: tuple[str, int], requests: Iterator[bytes], until: float) -> int:
    """Return how many answers one connection had; it is opened anew where a server closes it."""
    answered = 0
    connection = socket.create_connection(address)
    while time.monotonic() < until:
        connection.sendall(next(requests))
        answer = connection.recv(65_536)
        if not answer:
            connection = socket.create_connection(address)
            continue
        while b"\r\n\r\n" not in answer:
            answer += connection.recv(65_536)
        head, _end, body = answer.partition(b"\r\n\r\n")
        if not head.startswith(FOUND):
            raise SystemExit(answer.decode())
        length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
        missing = int(length or 0) - len(body)
        while missing > 0:
            missing -= len(connection.recv(missing))
        answered += 1
    return answered


def main() -> None:
    """Tap."""
    url, file, seconds, connections = sys.argv[1:]
    parts = urlsplit(url)
    address = parts.hostname or "", parts.port or 80
    made = [
        f"GET {path} HTTP/1.1\r\nHost: shop.example\r\nUser-Agent: {AGENT}\r\n\r\n".encode()
        for path in Path(file).read_text("utf-8").split()
    ]
    requests = itertools.cycle(made)
    began = time.monotonic()
    counts: list[int] = []

    def run() -> None:
        counts.append(tap(address, requests, began + float(seconds)))

    threads = [threading.Thread(target=run) for _number in range(int(connections))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(sum(counts), time.monotonic() - began)


if __name__ == "__main__":
    main()
