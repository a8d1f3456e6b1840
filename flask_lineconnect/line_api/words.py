"""What may be taken over from LINE's error answers, which can quote a message or name a person."""

from __future__ import annotations

import re

#: Sentences that are always the same.
#: Source: Messaging API reference, "Common error messages".
_WORDS = re.compile(
    r'"message":\s*"(Failed to send messages|The request body has \d{1,4} error\(s\)'
    r"|The request body could not be parsed as JSON|You have reached your monthly limit"
    r"|The API rate limit has been exceeded|Invalid reply token|Authentication failed)"
)
#: The part of our request that LINE names in an error, such as ``messages[0].text``.
_PLACE = re.compile(r'"property":\s*"([A-Za-z]+(?:\[\d+\])?(?:[./][A-Za-z0-9\[\]]+){0,12})"')
#: What LINE says of that part, where it says nothing of what stands in it.
_DETAIL = re.compile(
    r'"message":\s*"(May not be empty|(?:Length|Size) must be between \d{1,6} and \d{1,6}'
    r"|must be specified|invalid uri scheme|invalid uri|unknown field)"
)
_DEAD_TOKEN = re.compile(r'"message":\s*"Invalid reply token"')


def said_in(answer: str) -> str:
    """Return LINE's own words in an error answer, and the place they are about; empty for none.

    Both begin as the rest of a sentence: ``: …, because of …``.
    """
    words, place, detail = (one.search(answer) for one in (_WORDS, _PLACE, _DETAIL))
    said = f": {words[1]}" if words else ""
    about = f", because of {place[1]}" if place else ""
    return f"{said}{about}{f' ({detail[1]})' if detail else ''}"


def is_dead_token(answer: str) -> bool:
    """Tell whether LINE refuses the reply token, and not what was to be sent with it."""
    return _DEAD_TOKEN.search(answer) is not None
