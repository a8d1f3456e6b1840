"""Finds the addresses that people can tap in message objects, and puts others in their place.

Those of actions, and those in texts, which LINE makes tappable. Pictures and videos are fetched by
LINE itself: theirs are never touched.

Source: Messaging API reference, "Action objects", "Imagemap message", "Text message".
"""

from __future__ import annotations

import re
from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any
from typing import NamedTuple

from ...messages.limits import MAX_TEXT
from ...messages.limits import utf16_length


class Found(NamedTuple):
    """One address.

    :ivar place: where it stands: ``[0].template.actions[1]``.
    :ivar label: what is written on it; empty where nothing is.
    """

    place: str
    address: str
    label: str


#: Returns what stands in an address's place.
Replace = Callable[[Found], str]

#: As much as LINE certainly makes tappable, and the sign behind it.
_IN_TEXT = re.compile(r"https?://[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]+", re.IGNORECASE)
#: Signs that end a sentence, and no address.
_BEHIND = ".,:;!?'])"
#: What may follow an address; before a letter nobody knows where it ends.
_MAY_FOLLOW = re.compile(r"\s|[、。，．！？」』）】〉》〕］｝…・|<>\"]|$")
#: An ordinary one is told faster.
_OBJECT = (dict, Mapping)
#: The words of an action, or of the link behind a video, that hold its address.
_OF_ACTION = ("uri", "linkUri")


def rewrite(messages: Sequence[Mapping[str, Any]], replace: Replace) -> list[dict[str, Any]]:
    """Return message objects with other addresses; those that were given stay as they are."""
    return [_object(one, f"[{number}]", replace) for number, one in enumerate(messages)]


def _part(part: Any, place: str, replace: Replace) -> Any:
    if isinstance(part, _OBJECT):
        return _object(part, place, replace)
    if isinstance(part, list | tuple):
        return [_part(one, f"{place}[{number}]", replace) for number, one in enumerate(part)]
    return part


def _object(part: Mapping[str, Any], place: str, replace: Replace) -> dict[str, Any]:
    # Most parts are texts, in each of a hundred thousand messages.
    new = {
        name: one if isinstance(one, str) else _part(one, f"{place}.{name}", replace)
        for name, one in part.items()
    }
    kind = part.get("type")
    if kind == "uri":
        _action(new, place, replace)
    elif kind in ("text", "textV2") and isinstance(part.get("text"), str):
        # A text of Flex has no links in it, and stands in no message of its own.
        if place.count(".") == 0:
            _text(new, place, replace)
    elif "linkUri" in part and kind is None:
        _action(new, place, replace)
    return new


def _action(action: dict[str, Any], place: str, replace: Replace) -> None:
    label = action.get("label")
    label = label if isinstance(label, str) else ""
    for word in _OF_ACTION:
        if isinstance(action.get(word), str):
            action[word] = replace(Found(place, action[word], label))
    other = action.get("altUri")
    if isinstance(other, dict) and isinstance(other.get("desktop"), str):
        found = Found(f"{place}.altUri", other["desktop"], label)
        action["altUri"] = {**other, "desktop": replace(found)}


def _text(message: dict[str, Any], place: str, replace: Replace) -> None:
    """Replace the addresses in a text, and move the emojis behind them."""
    text, written, end = message["text"], "", 0
    moves: list[tuple[int, int]] = []
    for number, match in enumerate(_IN_TEXT.finditer(text)):
        address = _without_end(match[0])
        after = match.start() + len(address)
        if not _MAY_FOLLOW.match(text, match.end()):
            continue
        new = replace(Found(f"{place}.text[{number}]", address, ""))
        moves.append((utf16_length(text[:after]), utf16_length(new) - utf16_length(address)))
        written += text[end : match.start()] + new
        end = after
    written += text[end:]
    if utf16_length(written) > MAX_TEXT:
        return  # better a message without figures than none
    message["text"] = written
    if isinstance(message.get("emojis"), list):
        message["emojis"] = [_moved(emoji, moves) for emoji in message["emojis"]]


def _without_end(address: str) -> str:
    """Return an address without what ends the sentence around it; brackets inside of it stay."""
    while address and address[-1] in _BEHIND:
        if address[-1] == ")" and address.count("(") >= address.count(")"):
            break
        address = address[:-1]
    return address


def _moved(emoji: Any, moves: Sequence[tuple[int, int]]) -> Any:
    """Return an emoji of a text with its new place, in units of UTF-16."""
    if not isinstance(emoji, dict) or not isinstance(emoji.get("index"), int):
        return emoji
    index: int = emoji["index"]
    return {**emoji, "index": index + sum(longer for end, longer in moves if end <= index)}
