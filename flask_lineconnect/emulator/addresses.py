"""Web addresses: which are on this machine, which are the emulator's own, and how others see it."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import request

#: This machine's own names.
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


def is_loopback(url: str) -> bool:
    """Tell whether an address is on this machine; only such ones may be plain http."""
    return urlsplit(url).hostname in LOOPBACK


def is_ours(url: str) -> bool:
    """Tell whether an address is this emulator's, under whichever name of this machine."""
    there, here = urlsplit(url), urlsplit(request.host_url)
    if there.netloc == here.netloc:
        return True
    are_both_loopback = is_loopback(url) and is_loopback(request.host_url)
    return are_both_loopback and (there.port or 80) == (here.port or 80)


def has_readable_host() -> bool:
    """Tell whether the request's own host is one that addresses can be made of."""
    try:
        parts = urlsplit(request.host_url)
        # Reading the port checks it.
        return bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def absolute_url(path: str) -> str:
    """Return an address of ours as others see it; any other address stays as it is."""
    return request.url_root.rstrip("/") + path if path.startswith("/") else path
