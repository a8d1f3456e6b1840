"""LINE's limits on messages, checked before anything is stored.

Source: Messaging API, "Message objects" and "Text character count".
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from ..errors import InvalidMessage

MAX_MESSAGES = 5
MAX_TEXT = 5_000
MAX_ALT_TEXT = 1_500
MAX_QUICK_REPLIES = 13
#: Of addresses of pictures, in characters.
MAX_URL = 2_000
#: Levels; LINE's deepest, a Flex carousel with boxes in boxes, needs some twenty.
MAX_DEPTH = 100
#: Whole numbers; those of programs end there, and no amount or time of LINE's is as large.
_LARGEST = 2**63 - 1

#: Properties that hold the address of a picture, a sound or a film, in whichever object.
_PICTURES = {
    *("originalContentUrl", "previewImageUrl", "thumbnailImageUrl", "imageUrl", "iconUrl"),
    *("baseUrl", "previewUrl"),
}
#: Flex components whose picture or film is their ``url``.
_WITH_URL = {"image", "icon", "video"}
_MAY_BE_PICTURES = _PICTURES | {"url"}
#: Whose pages need no TLS: they are for the emulator's phone.
THIS_MACHINE = {"127.0.0.1", "localhost", "::1"}


def utf16_length(text: str) -> int:
    """Count as LINE does: UTF-16 code units, so that an emoji such as 🍎 is two."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def check_messages(messages: Sequence[dict[str, Any]]) -> None:
    """Check what can be checked without LINE.

    :raises InvalidMessage: the number of messages, a text, an alternative text or the number of
        quick replies is outside LINE's limits, or a message holds what LINE or a database does not
        take. Names the place, not what stands there.
    """
    if not 1 <= len(messages) <= MAX_MESSAGES:
        raise InvalidMessage(f"{len(messages)} messages were given; LINE takes 1 to {MAX_MESSAGES}")
    for index, message in enumerate(messages):
        _check_one(message, f"messages[{index}]")


def _check_one(message: dict[str, Any], where: str) -> None:
    if not isinstance(message, dict):
        raise InvalidMessage(f"{where} is no message object")
    if not _is_plain(message):
        check_json(message, where)
    kind = message.get("type")
    if not isinstance(kind, str):
        raise InvalidMessage(f"{where} has no type")
    if kind == "text":
        _check_text(message.get("text"), MAX_TEXT, f"{where}.text")
    if kind in {"flex", "template", "imagemap"}:
        _check_text(message.get("altText"), MAX_ALT_TEXT, f"{where}.altText")
    _check_quick_replies(message.get("quickReply"), f"{where}.quickReply")


def _check_quick_replies(quick_reply: object, where: str) -> None:
    if quick_reply is None:
        return
    items = quick_reply.get("items") if isinstance(quick_reply, dict) else None
    if not isinstance(items, list | tuple):
        raise InvalidMessage(f"{where} has no list of items")
    if len(items) > MAX_QUICK_REPLIES:
        raise InvalidMessage(f"{where} has more than {MAX_QUICK_REPLIES} items")


def check_json(value: object, where: str, depth: int = 0) -> None:
    """Check that a value is JSON, and JSON that LINE and both databases take.

    :raises InvalidMessage: it is not; names the place, such as ``messages[0].contents.body``.
    """
    if isinstance(value, str):
        _check_characters(value, where)
    elif isinstance(value, float):
        if not math.isfinite(value):
            raise InvalidMessage(f"{where} is {value}, which is no number in JSON")
    elif isinstance(value, dict):
        _check_object(value, where, depth)
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            _check_depth(where, depth)
            check_json(item, f"{where}[{index}]", depth + 1)
    elif isinstance(value, int):
        if abs(value) > _LARGEST:
            raise InvalidMessage(f"{where} is a larger number than LINE can take")
    elif value is not None:
        raise InvalidMessage(f"{where} is of the type {type(value).__name__}, which is not JSON's")


def _is_plain(value: object, depth: int = 0) -> bool:
    """Tell whether nothing can be wrong; to name each place on the way would take longer."""
    if isinstance(value, str):
        return is_storable(value)
    if depth > MAX_DEPTH:
        return False
    if isinstance(value, dict):
        for name, item in value.items():
            if not isinstance(name, str) or not is_storable(name) or name in _MAY_BE_PICTURES:
                return False
            if not _is_plain(item, depth + 1):
                return False
        return True
    if isinstance(value, list):
        return all(_is_plain(item, depth + 1) for item in value)
    return value is None or isinstance(value, bool)


def _check_object(value: dict[Any, Any], where: str, depth: int) -> None:
    _check_depth(where, depth)
    for name, item in value.items():
        if not isinstance(name, str):
            raise InvalidMessage(f"{where} has a name that is no text")
        _check_characters(name, f"a name in {where}")
        place = f"{where}.{name}" if name.isidentifier() else f"{where}[…]"
        check_json(item, place, depth + 1)
        is_picture = name in _PICTURES or (name == "url" and value.get("type") in _WITH_URL)
        if is_picture and isinstance(item, str):
            _check_picture(item, place)


def _check_depth(where: str, depth: int) -> None:
    if depth > MAX_DEPTH:
        raise InvalidMessage(f"{where} is nested more than {MAX_DEPTH} levels deep")


def is_storable(text: str) -> bool:
    """Tell whether every database takes a text: no NUL is in it, and no half of a character."""
    return "\0" not in text and (text.isascii() or not _has_half(text))


def _has_half(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False


def _check_characters(text: str, where: str) -> None:
    if is_storable(text):
        return
    if "\0" in text:
        raise InvalidMessage(f"{where} has a NUL character, which no database and not LINE takes")
    raise InvalidMessage(
        f"{where} has half of a character (a lone surrogate): a text was cut in the middle of an "
        "emoji, or was read in another encoding than its own"
    )


def _check_picture(url: str, where: str) -> None:
    """LINE's servers and phones fetch pictures, sounds and films by HTTPS only."""
    try:
        parts = urlsplit(url)
        is_own = parts.scheme == "http" and parts.hostname in THIS_MACHINE
    except ValueError:
        raise InvalidMessage(f"{where} is no address") from None
    if not is_own and (parts.scheme != "https" or not parts.hostname):
        raise InvalidMessage(f"{where} is not an https:// address, and LINE takes no other")
    if len(url) > MAX_URL:
        raise InvalidMessage(f"{where} is longer than {MAX_URL} characters")


def _check_text(text: object, limit: int, where: str) -> None:
    if not isinstance(text, str) or not text:
        raise InvalidMessage(f"{where} is empty")
    if utf16_length(text) > limit:
        raise InvalidMessage(f"{where} is longer than {limit} UTF-16 units")
