"""Encrypts or hashes what the database must keep and nobody must read there.

Source: Fernet's specification; RFC 5869 (HKDF).
"""

from __future__ import annotations

import base64
import hashlib
import json
import logging
from collections.abc import Mapping
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING
from typing import Any

if TYPE_CHECKING:
    from cryptography.fernet import MultiFernet

logger = logging.getLogger(__name__)

_PURPOSE = b"flask-lineconnect login tokens"


class Vault:
    """Encrypts small JSON objects, each bound to an owner: a row, and what it is for.

    :param keys: secrets of any form; the first encrypts, all decrypt, so that keys can rotate.
    """

    def __init__(self, keys: Sequence[str]):
        self._keys = keys

    @cached_property
    def _fernet(self) -> MultiFernet:
        # When something is first encrypted: a start needs none of it.
        from cryptography.fernet import Fernet
        from cryptography.fernet import MultiFernet

        return MultiFernet([Fernet(_derived(key)) for key in self._keys])

    def seal(self, owner: Sequence[str], content: Mapping[str, Any]) -> str:
        """Return an object encrypted for one owner."""
        text = json.dumps({"owner": list(owner), "content": content})
        return self._fernet.encrypt(text.encode()).decode()

    def open(self, owner: Sequence[str], sealed: str | None) -> dict[str, Any] | None:
        """Return an owner's object; ``None`` if there is none that can be read as its own."""
        if sealed is None:
            return None
        from cryptography.fernet import InvalidToken

        try:
            opened = json.loads(self._fernet.decrypt(sealed.encode()))
            content: dict[str, Any] = opened["content"]
        except (InvalidToken, ValueError, KeyError):
            logger.warning(
                "what was encrypted for %s can't be read; was SECRET_KEY changed without "
                "SECRET_KEY_FALLBACKS?",
                owner[0],
            )
            return None
        return content if opened.get("owner") == list(owner) else None


def hashed(value: str) -> str:
    """Return the SHA-256 of a random value, which is what the database keeps of it."""
    return hashlib.sha256(value.encode()).hexdigest()


def _derived(key: str) -> bytes:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    derive = HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=_PURPOSE)
    return base64.urlsafe_b64encode(derive.derive(key.encode()))
