"""LINE's limits on messages, checked before anything is stored.

Source: Messaging API, "Message objects" and "Text character count".
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..errors import InvalidMessage

MAX_MESSAGES = 5
MAX_TEXT = 5_000
MAX_ALT_TEXT = 1_500
MAX_QUICK_REPLIES = 13


def utf16_length(text: str) -> int:
    """Count as LINE does: UTF-16 code units, so that an emoji such as 🍎 is two."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def check_messages(messages: Sequence[dict[str, Any]]) -> None:
    """Check what can be checked without LINE.

    :raises InvalidMessage: the number of messages, a text, an alternative text or the number of
        quick replies is outside LINE's limits.
    """
    if not 1 <= len(messages) <= MAX_MESSAGES:
        raise InvalidMessage(f"{len(messages)} messages were given; LINE takes 1 to {MAX_MESSAGES}")
    for index, message in enumerate(messages):
        _check_one(message, f"messages[{index}]")


def _check_one(message: dict[str, Any], where: str) -> None:
    kind = message.get("type")
    if not isinstance(kind, str):
        raise InvalidMessage(f"{where} has no type")
    if kind == "text":
        _check_text(message.get("text"), MAX_TEXT, f"{where}.text")
    if kind in {"flex", "template", "imagemap"}:
        _check_text(message.get("altText"), MAX_ALT_TEXT, f"{where}.altText")
    items = message.get("quickReply", {}).get("items", ())
    if len(items) > MAX_QUICK_REPLIES:
        raise InvalidMessage(f"{where}.quickReply has more than {MAX_QUICK_REPLIES} items")


def _check_text(text: object, limit: int, where: str) -> None:
    if not isinstance(text, str) or not text:
        raise InvalidMessage(f"{where} is empty")
    if utf16_length(text) > limit:
        raise InvalidMessage(f"{where} is longer than {limit} UTF-16 units")
