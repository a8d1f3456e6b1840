"""The short addresses of tracked links: what they hold, and by what we know our own.

``https://shop.example/line/l/1b7-Xk2…``: a version, the link's id, the message's id where the
message went to one person, and a signature over all of them. It names rows and no person, is no
credential, and leads nowhere that the link's row does not say.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from typing import ClassVar
from typing import NamedTuple

#: The digits of base 62, in the order of ASCII.
DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
#: The form of the addresses; another one would begin with another character.
VERSION = "1"
#: Bytes of the signature: 80 bits, which nobody guesses over a network.
_SIGNATURE_BYTES = 10
#: Characters that they take in base 62.
_SIGNATURE = 14
#: Between the two ids.
_BETWEEN = "-"
#: The largest id that a database makes.
_MAX_ID = 2**63 - 1
#: The longest of our codes: version, two ids, what stands between them, signature.
MAX_CODE = len(VERSION) + 11 + len(_BETWEEN) + 11 + _SIGNATURE
_PURPOSE = b"flask-lineconnect tracked links"


class Code(NamedTuple):
    """What a short address says.

    :ivar message_id: of the outbox, if the message went to one person alone.
    """

    link_id: int
    message_id: int | None = None


class LinkAddresses:
    """Makes and reads the short addresses of one app.

    :param base: what stands before the code: ``https://shop.example/line/l/``.
    :param keys: the app's secrets; the first signs, all are believed, so that keys can rotate.
    :cvar PATH: of the addresses, below ``LINECONNECT_URL_PREFIX``.
    """

    PATH: ClassVar[str] = "/l/"

    def __init__(self, base: str, keys: Sequence[str]):
        self.base = base
        self._keys = [_derived(key) for key in keys]

    def address(self, code: Code) -> str:
        """Return the address of a link, or of one that stands in a message for one person."""
        body = _body(code)
        return f"{self.base}{body}{_signature(self._keys[0], body)}"

    def read(self, code: str) -> Code | None:
        """Return what a code says, if this app made it just so."""
        if len(code) > MAX_CODE or not code.isascii():
            return None
        body, signature = code[:-_SIGNATURE], code[-_SIGNATURE:].encode()
        signed = [_signature(key, body).encode() for key in self._keys]
        # Each is compared, whichever it is.
        if not any([hmac.compare_digest(signature, one) for one in signed]):
            return None
        return _read_body(body)

    def read_address(self, address: str) -> Code | None:
        """Return what an address of ours says; ``None`` for any other one."""
        if not address.startswith(self.base):
            return None
        return self.read(address.removeprefix(self.base).partition("?")[0])


def _body(code: Code) -> str:
    body = VERSION + to_base62(code.link_id)
    return body if code.message_id is None else f"{body}{_BETWEEN}{to_base62(code.message_id)}"


def _read_body(body: str) -> Code | None:
    if not body.startswith(VERSION):
        return None
    link, _between, message = body.removeprefix(VERSION).partition(_BETWEEN)
    code = Code(from_base62(link), from_base62(message) if message else None)
    return code if max(code.link_id, code.message_id or 0) <= _MAX_ID else None


def to_base62(number: int) -> str:
    """Return a number, 0 or more, in base 62."""
    digits = ""
    while number:
        number, digit = divmod(number, 62)
        digits = DIGITS[digit] + digits
    return digits or "0"


def from_base62(text: str) -> int:
    """Return the number that a text of base 62 is.

    :raises ValueError: it is none.
    """
    number = 0
    for character in text:
        number = number * 62 + DIGITS.index(character)
    return number


def _signature(key: bytes, body: str) -> str:
    digest = hmac.digest(key, body.encode(), "sha256")[:_SIGNATURE_BYTES]
    return to_base62(int.from_bytes(digest)).rjust(_SIGNATURE, "0")


def _derived(key: str) -> bytes:
    """Return the key for this purpose alone, so that no other signature of the app's fits.

    Source: RFC 5869 (HKDF), with SHA-256, without salt, one block.
    """
    extracted = hmac.digest(bytes(hashlib.sha256().digest_size), key.encode(), "sha256")
    return hmac.digest(extracted, _PURPOSE + b"\x01", "sha256")
