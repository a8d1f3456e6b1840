"""The documented limits of message objects; what breaks one is listed in LINE's own words.

Source: Messaging API reference, "Message objects", "Action objects"; "Text character count".
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlsplit

from .platform import is_loopback

TYPES = (
    "text",
    "textV2",
    "sticker",
    "image",
    "video",
    "audio",
    "location",
    "imagemap",
    "template",
    "flex",
    "coupon",
)
MAX_BUBBLE, MAX_CAROUSEL = 30_000, 50_000
#: Fields that hold an address which LINE's servers or apps load.
_URL_FIELDS = {
    "originalContentUrl",
    "previewImageUrl",
    "thumbnailImageUrl",
    "imageUrl",
    "iconUrl",
    "baseUrl",
    "url",
    "previewUrl",
}
_LABEL_LIMIT = {"flex": 40, "template": 20}


def check_messages(messages: object) -> list[dict[str, str]]:
    """Return everything that is wrong with ``messages``: each a text and a property path."""
    if not isinstance(messages, list) or not 1 <= len(messages) <= 5:
        return [_detail("Size must be between 1 and 5", "messages")]
    details = []
    for index, message in enumerate(messages):
        details += _check(message, f"messages[{index}]")
    return details


def _check(message: object, where: str) -> list[dict[str, str]]:
    if not isinstance(message, dict):
        return [_detail("must be specified", where)]
    kind = message.get("type")
    if kind not in TYPES:
        text = f"Must be one of the following values: [{', '.join(TYPES)}]"
        return [_detail(text, f"{where}.type")]
    details = []
    if kind in {"text", "textV2"}:
        details += _check_text(message.get("text"), 5_000, f"{where}.text")
    if kind in {"template", "flex", "imagemap"}:
        details += _check_text(message.get("altText"), 1_500, f"{where}.altText")
    if kind == "image":
        details += _required(message, where, "originalContentUrl", "previewImageUrl")
    if kind == "sticker":
        details += _required(message, where, "packageId", "stickerId")
    if kind == "flex":
        details += _check_flex(message.get("contents"), f"{where}.contents")
    if kind == "template":
        details += _check_template(message.get("template"), f"{where}.template")
    if len(message.get("quickReply", {}).get("items", ())) > 13:
        details.append(_detail("Size must be between 1 and 13", f"{where}.quickReply.items"))
    details += _check_inside(message, where, _LABEL_LIMIT.get(str(kind), 20))
    return details


def _check_flex(contents: object, where: str) -> list[dict[str, str]]:
    if not isinstance(contents, dict) or contents.get("type") not in {"bubble", "carousel"}:
        return [_detail("must be specified", where)]
    limit = MAX_BUBBLE if contents["type"] == "bubble" else MAX_CAROUSEL
    if len(json.dumps(contents, ensure_ascii=False).encode()) > limit:
        return [_detail(f"Size must be less than or equal to {limit}", where)]
    if contents["type"] == "carousel" and len(contents.get("contents", ())) > 12:
        return [_detail("Size must be between 1 and 12", f"{where}.contents")]
    return []


def _check_template(template: object, where: str) -> list[dict[str, str]]:
    if not isinstance(template, dict):
        return [_detail("must be specified", where)]
    limits = {"buttons": (1, 4), "confirm": (2, 2)}
    kind = template.get("type")
    if kind in limits:
        low, high = limits[kind]
        details = _check_text(template.get("text"), 240, f"{where}.text")
        if not low <= len(template.get("actions", ())) <= high:
            details.append(_detail(f"Size must be between {low} and {high}", f"{where}.actions"))
        return details
    if kind in {"carousel", "image_carousel"}:
        if not 1 <= len(template.get("columns", ())) <= 10:
            return [_detail("Size must be between 1 and 10", f"{where}.columns")]
        return []
    text = "Must be one of the following values: [buttons, confirm, carousel, image_carousel]"
    return [_detail(text, f"{where}.type")]


def _check_inside(value: object, where: str, label_limit: int) -> list[dict[str, str]]:
    """Check labels, texts of Flex and addresses, wherever they stand."""
    details: list[dict[str, str]] = []
    if isinstance(value, list):
        for index, item in enumerate(value):
            details += _check_inside(item, f"{where}[{index}]", label_limit)
    elif isinstance(value, dict):
        for key, item in value.items():
            path = f"{where}.{key}"
            if key == "label" and isinstance(item, str) and _units(item) > label_limit:
                text = f"Length must be between 0 and {label_limit}"
                details.append(_detail(text, path))
            elif key == "uri" or key in _URL_FIELDS:
                details += _check_url(item, path, is_action=key == "uri")
            else:
                details += _check_inside(item, path, label_limit)
    return details


def _check_url(value: object, where: str, *, is_action: bool) -> list[dict[str, str]]:
    schemes = {"https", "http", "line", "tel"} if is_action else {"https"}
    limit = 1_000 if is_action else 2_000
    if not isinstance(value, str) or not value or len(value) > limit:
        return [_detail("invalid uri", where)]
    # The development switch: media of this machine may be plain http.
    if urlsplit(value).scheme in schemes or (value.startswith("http://") and is_loopback(value)):
        return []
    return [_detail("invalid uri scheme", where)]


def _check_text(text: object, limit: int, where: str) -> list[dict[str, str]]:
    if not isinstance(text, str) or not text:
        return [_detail("May not be empty", where)]
    if _units(text) > limit:
        return [_detail(f"Length must be between 0 and {limit}", where)]
    return []


def _required(message: dict[str, Any], where: str, *names: str) -> list[dict[str, str]]:
    return [
        _detail("May not be empty", f"{where}.{name}") for name in names if not message.get(name)
    ]


def _units(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _detail(message: str, where: str) -> dict[str, str]:
    return {"message": message, "property": where}
