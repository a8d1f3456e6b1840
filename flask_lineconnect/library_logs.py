"""Keep people and tokens out of what libraries log of requests to LINE, at whatever level.

urllib3 logs addresses, which hold LINE user ids and access tokens; LINE's SDK logs whole answers.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping

#: Loggers with addresses in their lines, and those with nothing but LINE's answers.
ADDRESSES = ("urllib3.connectionpool", "urllib3.poolmanager", "urllib3.util.retry")
_PARTS = "audience insight liff messaging module moduleattach oauth shop"
ANSWERS = tuple(f"linebot.v3.{part}.rest" for part in _PARTS.split())
_USER_ID = re.compile(r"\b([UCR])[0-9a-f]{28}([0-9a-f]{4})\b")
_SECRET = re.compile(
    r"\b((?:access_token|refresh_token|id_token|client_secret|code|code_verifier|state|nonce)=)"
    r"[^&\s'\"]+"
)


def shortened(text: str) -> str:
    """Return a text with LINE's ids shortened and without the secrets in its addresses."""
    return _SECRET.sub(r"\1…", _USER_ID.sub(r"\1…\2", text))


class AddressFilter(logging.Filter):
    """Shortens what the lines of a logger name."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Shorten a line, and let it through."""
        given = record.getMessage()
        kept = shortened(given)
        if kept != given:
            record.msg, record.args = kept, ()
        return True


class AnswerFilter(logging.Filter):
    """Tells how long LINE's answers are instead of what they say."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Shorten a line, and let it through."""
        if isinstance(record.args, Mapping):
            record.args = ()
        elif record.args:
            record.args = tuple(map(_length, record.args))
        return True


def _length(value: object) -> object:
    return f"{len(value)} characters, left out" if isinstance(value, str | bytes) else value


def quieten_libraries() -> None:
    """Put the filters on the libraries' loggers; calling it again does nothing."""
    for kind, names in ((AddressFilter, ADDRESSES), (AnswerFilter, ANSWERS)):
        for name in names:
            logger = logging.getLogger(name)
            if not any(isinstance(one, kind) for one in logger.filters):
                logger.addFilter(kind())
