"""The documented limits of message objects; what breaks one is listed in LINE's own words.

Source: Messaging API reference, "Message objects".
"""

from __future__ import annotations

import re
from collections.abc import Callable

from ..action_checks import QUICK_REPLY
from ..action_checks import check_action
from ..checks import Checker
from ..checks import Json
from ..checks import is_whole
from ..text_counts import utf16_units
from .flex_checks import check_flex
from .template_checks import check_template

MAX_TEXT, MAX_ALT_TEXT = 5_000, 1_500
MAX_EMOJIS, MAX_QUICK_REPLIES = 20, 13
_SUBSTITUTION_KEY = re.compile(r"[0-9A-Za-z_]{1,20}")
_DELIVERY_TAG = re.compile(r"[A-Za-z0-9_]{1,30}")
_OWN_BRAND = re.compile(r"\bLINE\b", re.IGNORECASE)


def check_messages(messages: object) -> list[dict[str, str]]:
    """Return everything that is wrong with ``messages``: each a text and a property path."""
    checker = Checker()
    for message, where in checker.items({"messages": messages}, "messages", "", 1, 5):
        if not checker.one_of(message, "type", where, tuple(_TYPES)):
            continue
        _TYPES[message["type"]](checker, message, where)
        _check_sender(checker, message, where)
        _check_quick_reply(checker, message, where)
    return checker.details


def _check_text(checker: Checker, message: Json, where: str) -> None:
    checker.text(message, "text", where, MAX_TEXT)
    if message.get("emojis") is None:
        return
    units = str(message.get("text", "")).encode("utf-16-le", "surrogatepass")
    for emoji, path in checker.items(message, "emojis", where, 0, MAX_EMOJIS):
        _check_emoji(checker, emoji, path)
        index = emoji.get("index")
        if not is_whole(index) or index < 0 or units[2 * index : 2 * index + 2] != b"$\x00":
            checker.add("index must point at a $", f"{path}.index")


def _check_text_v2(checker: Checker, message: Json, where: str) -> None:
    checker.text(message, "text", where, MAX_TEXT)
    values = checker.inner(message, "substitution", where, required=False) or {}
    path = f"{where}.substitution"
    if len(values) > 100:
        checker.add("Size must be between 0 and 100", path)
    for key in values:
        value = checker.inner(values, key, path)
        if not _SUBSTITUTION_KEY.fullmatch(key):
            checker.add("invalid key", f"{path}.{key}")
        elif value is not None and checker.one_of(
            value, "type", f"{path}.{key}", ("mention", "emoji")
        ):
            if value["type"] == "emoji":
                _check_emoji(checker, value, f"{path}.{key}")
            else:
                checker.inner(value, "mentionee", f"{path}.{key}")


def _check_emoji(checker: Checker, emoji: Json, where: str) -> None:
    checker.text(emoji, "productId", where, 100)
    checker.text(emoji, "emojiId", where, 100)


def _check_sticker(checker: Checker, message: Json, where: str) -> None:
    checker.text(message, "packageId", where, 100)
    checker.text(message, "stickerId", where, 100)


def _check_image(checker: Checker, message: Json, where: str) -> None:
    checker.url(message, "originalContentUrl", where)
    checker.url(message, "previewImageUrl", where)


def _check_video(checker: Checker, message: Json, where: str) -> None:
    _check_image(checker, message, where)
    checker.text(message, "trackingId", where, 100, required=False)


def _check_audio(checker: Checker, message: Json, where: str) -> None:
    checker.url(message, "originalContentUrl", where)
    checker.number(message, "duration", where, 1, 2**53)


def _check_location(checker: Checker, message: Json, where: str) -> None:
    checker.text(message, "title", where, 100)
    checker.text(message, "address", where, 100)
    checker.number(message, "latitude", where, -90, 90, whole=False)
    checker.number(message, "longitude", where, -180, 180, whole=False)


def _check_coupon(checker: Checker, message: Json, where: str) -> None:
    checker.text(message, "couponId", where, 100)
    tag = message.get("deliveryTag")
    if tag is not None and not (isinstance(tag, str) and _DELIVERY_TAG.fullmatch(tag)):
        checker.add("invalid deliveryTag", f"{where}.deliveryTag")


def _check_imagemap(checker: Checker, message: Json, where: str) -> None:
    checker.url(message, "baseUrl", where)
    checker.text(message, "altText", where, MAX_ALT_TEXT)
    size = checker.inner(message, "baseSize", where)
    if size is not None:
        checker.number(size, "width", f"{where}.baseSize", 1040, 1040)
        checker.number(size, "height", f"{where}.baseSize", 1, 2**31)
    for action, path in checker.items(message, "actions", where, 0, 50):
        checker.inner(action, "area", path)
        if not checker.one_of(action, "type", path, ("uri", "message", "clipboard")):
            continue
        if action["type"] == "uri":
            schemes = ("http", "https", "line", "tel")
            checker.address(action, "linkUri", path, schemes, limit=1_000)
        elif action["type"] == "message":
            checker.text(action, "text", path, 400)
        else:
            checker.text(action, "clipboardText", path, 1_000)


def _check_template_message(checker: Checker, message: Json, where: str) -> None:
    checker.text(message, "altText", where, MAX_ALT_TEXT)
    check_template(checker, message, where)


def _check_flex_message(checker: Checker, message: Json, where: str) -> None:
    checker.text(message, "altText", where, MAX_ALT_TEXT)
    check_flex(checker, message, where)


def _check_sender(checker: Checker, message: Json, where: str) -> None:
    sender = checker.inner(message, "sender", where, required=False)
    if sender is None:
        return
    path = f"{where}.sender"
    checker.text(sender, "name", path, 20, required=False, count=utf16_units)
    if _OWN_BRAND.search(str(sender.get("name", ""))):
        checker.add("contains a word that may not be used", f"{path}.name")
    checker.url(sender, "iconUrl", path, required=False)


def _check_quick_reply(checker: Checker, message: Json, where: str) -> None:
    quick_reply = checker.inner(message, "quickReply", where, required=False)
    if quick_reply is None:
        return
    path = f"{where}.quickReply"
    for item, inside in checker.items(quick_reply, "items", path, 1, MAX_QUICK_REPLIES):
        checker.one_of(item, "type", inside, ("action",), required=False)
        checker.url(item, "imageUrl", inside, required=False)
        check_action(checker, item, "action", inside, QUICK_REPLY)


_TYPES: dict[str, Callable[[Checker, Json, str], None]] = {
    "text": _check_text,
    "textV2": _check_text_v2,
    "sticker": _check_sticker,
    "image": _check_image,
    "video": _check_video,
    "audio": _check_audio,
    "location": _check_location,
    "imagemap": _check_imagemap,
    "template": _check_template_message,
    "flex": _check_flex_message,
    "coupon": _check_coupon,
}
