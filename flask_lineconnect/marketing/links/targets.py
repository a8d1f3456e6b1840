"""Which addresses go through ours, and what becomes of them on the way."""

from __future__ import annotations

import re
from collections.abc import Collection
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl
from urllib.parse import quote
from urllib.parse import urlencode
from urllib.parse import urlsplit
from urllib.parse import urlunsplit

#: LINE's own hosts: a tap opens LINE itself there, or a page inside it, which a redirect would not.
LINES_OWN = ("line.me", "lin.ee", "line.naver.jp")
#: What LINE's app reads in the address that is tapped, and so must stand in ours.
#: Source: LINE, "Using LINE URL scheme", opening a URL in an external browser.
OPENING = ("openExternalBrowser", "openInAppBrowser")
#: An address that every browser takes for the same one: no blanks, signs of control, backslashes.
_PLAIN = re.compile(r"https?://[^\s\x00-\x20\x7f\\]+", re.IGNORECASE)
#: Of a target, in characters. LINE takes no longer one in an action.
MAX_TARGET = 1_000
MAX_LABEL = 100


@dataclass(frozen=True, slots=True)
class Stays:
    """Tells which addresses stay as they are.

    :ivar hosts: LINE's, or of what stands for it, with their ports.
    :ivar base: what our short addresses begin with.
    """

    hosts: Collection[str]
    base: str

    def __call__(self, address: str) -> bool:
        """Tell whether an address is LINE's, ours already, or none of the web."""
        if not _PLAIN.fullmatch(address) or len(address) > MAX_TARGET:
            return True
        if address.startswith(self.base):
            return True
        try:
            parts = urlsplit(address)
            host, _port = (parts.hostname or "").rstrip("."), parts.port
            for_header(address)
        except ValueError:  # no address, or no host's name; half of a character
            return True
        # A name or a password in an address is not for a table.
        if not host or "@" in parts.netloc or parts.netloc.lower() in self.hosts:
            return True
        return any(host == own or host.endswith(f".{own}") for own in LINES_OWN)


def with_utm(target: str, utm: Mapping[str, str]) -> str:
    """Return an address with parameters for a shop's statistics; those that it has stay."""
    if not utm:
        return target
    parts = urlsplit(target)
    known = {name for name, _value in parse_qsl(parts.query, keep_blank_values=True)}
    new = urlencode({name: value for name, value in utm.items() if name not in known})
    query = "&".join(filter(None, [parts.query, new]))
    return urlunsplit((parts.scheme, parts.netloc, parts.path, query, parts.fragment))


def opening_of(target: str) -> str:
    """Return the end of our address: how LINE opens the target."""
    given = parse_qsl(urlsplit(target).query, keep_blank_values=True)
    opening = urlencode([(name, value) for name, value in given if name in OPENING])
    return f"?{opening}" if opening else ""


def shown(target: str) -> str:
    """Return how an owner recognises a target: without what is said after its path."""
    parts = urlsplit(target)
    return f"{parts.netloc}{parts.path}"[:MAX_LABEL]


def for_header(target: str) -> str:
    """Return a target as a header takes it: what is not ASCII is encoded, and nothing else."""
    parts = urlsplit(target)
    if not parts.netloc.isascii():
        host = (parts.hostname or "").encode("idna").decode()
        netloc = host if parts.port is None else f"{host}:{parts.port}"
        target = urlunsplit((parts.scheme, netloc, *parts[2:]))
    return quote(target, safe="!#$%&'()*+,/:;=?@[]~\"<>^`{|}")
