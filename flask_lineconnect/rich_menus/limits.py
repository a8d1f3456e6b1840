"""LINE's limits on rich menus, checked before LINE is asked.

Source: Messaging API reference, "Rich menu structure" and "Action objects"; "Character counting".
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from ..messages.limits import THIS_MACHINE
from ..messages.limits import utf16_length

MAX_AREAS = 20
MAX_BAR_TEXT = 14
MAX_LABEL = 20
#: Bytes; whether LINE's MB has 1,000 or 1,024 kB is not said.
MAX_IMAGE = 1_000_000
#: Rich menus of an official account.
MAX_MENUS = 1_000
MIN_WIDTH, MAX_WIDTH, MIN_HEIGHT, MIN_RATIO = 800, 2_500, 250, 1.45
#: The text property of each kind of action, its limit, and whether LINE counts it in characters.
_TEXTS = {
    "message": [("text", 300, True)],
    "uri": [("uri", 1_000, False)],
    "postback": [("data", 300, False)],
    "datetimepicker": [("data", 300, False)],
    "clipboard": [("clipboardText", 1_000, False)],
    "richmenuswitch": [("richMenuAliasId", 32, False), ("data", 300, False)],
}
_SCHEMES = {"https", "line", "tel"}


def problems_of(definition: Mapping[str, Any]) -> Iterator[str]:
    """Say everything about a rich menu object that LINE would refuse."""
    size = definition["size"]
    yield from problems_of_size(size["width"], size["height"])
    bar = definition["chatBarText"]
    if not 1 <= reader_length(bar) <= MAX_BAR_TEXT:
        yield f"chat_bar_text has {reader_length(bar)} characters; LINE takes 1 to {MAX_BAR_TEXT}"
    areas = definition["areas"]
    if len(areas) > MAX_AREAS:
        yield f"there are {len(areas)} areas, tabs included; LINE takes {MAX_AREAS}"
    for number, area in enumerate(areas):
        for problem in (*_of_bounds(area["bounds"], size), *_of_action(area["action"])):
            yield f"areas[{number}]: {problem}"


def problems_of_size(width: int, height: int) -> Iterator[str]:
    """Say what is wrong with a size in pixels."""
    if not MIN_WIDTH <= width <= MAX_WIDTH or height < MIN_HEIGHT or width / height < MIN_RATIO:
        yield (
            f"the size {width} x {height} is none that LINE takes: {MIN_WIDTH} to {MAX_WIDTH} "
            f"wide, at least {MIN_HEIGHT} high, and at least {MIN_RATIO} times as wide as high"
        )


def reader_length(text: str) -> int:
    """Return the number of what a reader takes for one character, as LINE counts labels.

    Covers marks, joined emoji, skin colours and flags.
    """
    count, is_joined, flags = 0, False, 0
    for letter in text:
        is_flag = "\U0001f1e6" <= letter <= "\U0001f1ff"
        adds = (
            unicodedata.category(letter) in {"Mn", "Me", "Mc"}
            or letter == "\u200d"
            or "\U0001f3fb" <= letter <= "\U0001f3ff"
            or "\U000e0020" <= letter <= "\U000e007f"
        )
        if not (adds or is_joined or (is_flag and flags % 2)):
            count += 1
        flags = flags + 1 if is_flag else 0
        is_joined = letter == "\u200d"
    return count


def _of_bounds(bounds: Mapping[str, int], size: Mapping[str, int]) -> Iterator[str]:
    x, y, width, height = (bounds[side] for side in ("x", "y", "width", "height"))
    is_inside = x + width <= size["width"] and y + height <= size["height"]
    if min(x, y) < 0 or min(width, height) < 1 or not is_inside:
        whole = f"{size['width']} x {size['height']}"
        yield f"its bounds {[x, y, width, height]} leave the menu of {whole}"


def _of_action(action: Mapping[str, Any]) -> Iterator[str]:
    kind = action.get("type")
    if kind not in _TEXTS:
        yield f"LINE takes no action {kind!r} in a rich menu; it takes {', '.join(_TEXTS)}"
        return
    label = action.get("label")
    if isinstance(label, str) and reader_length(label) > MAX_LABEL:
        yield f"the label {label!r} has more than {MAX_LABEL} characters"
    for name, limit, is_for_readers in _TEXTS[kind]:
        text = action.get(name)
        if not isinstance(text, str) or not text:
            yield f"its {name} is empty"
        elif (reader_length if is_for_readers else utf16_length)(text) > limit:
            yield f"its {name} is longer than {limit} characters"
    display = action.get("displayText")
    if isinstance(display, str) and not 1 <= reader_length(display) <= 300:
        yield "its display_text must have 1 to 300 characters"
    if kind == "uri":
        yield from _of_address(str(action.get("uri", "")))


def _of_address(address: str) -> Iterator[str]:
    try:
        parts = urlsplit(address)
        is_own = parts.scheme == "http" and parts.hostname in THIS_MACHINE
    except ValueError:
        yield f"{address!r} is no address"
        return
    if address and parts.scheme not in _SCHEMES and not is_own:
        yield f"the address {address!r} must begin with https://, line:// or tel:"
