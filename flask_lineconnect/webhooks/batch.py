"""A webhook's body, taken apart into events, each as an object and as the text that LINE sent.

The text is stored as it is: writing it again would cost more than all the rest.
"""

from __future__ import annotations

import json
import re
from typing import Any
from typing import NamedTuple

_DECODER = json.JSONDecoder()
_SKIP = re.compile(r"[ \t\n\r]*").match
#: Escapes of NUL and of surrogates, which no database need take.
_SUSPICIOUS = re.compile(r"\\u(?:0000|[dD][89a-fA-F])")


class NotABatch(ValueError):
    """The body is signed, but is not what LINE's reference describes."""


class RawEvent(NamedTuple):
    """One event of a batch.

    :ivar content: as parsed; anything, for LINE may send anything.
    :ivar text: as LINE wrote it.
    """

    content: Any
    text: str


class Batch(NamedTuple):
    """A webhook's events, and the official account they are for."""

    destination: object
    events: list[RawEvent]


def parse_batch(body: bytes) -> Batch:
    """Take a body apart.

    :raises NotABatch: no JSON object with a list of events.
    """
    text = body.decode(errors="replace")
    try:
        return _batch(text)
    except (ValueError, RecursionError, IndexError):
        raise NotABatch("the body is not a JSON object with a list of events") from None


def _batch(text: str) -> Batch:
    """Read the outer object by hand, and everything inside it with Python's own decoder."""
    fields: dict[str, object] = {}
    events: list[RawEvent] | None = None
    index = _expect(text, _skip(text, 0), "{")
    while text[index := _skip(text, index)] != "}":
        if fields or events is not None:
            index = _skip(text, _expect(text, index, ","))
        _expect(text, index, '"')
        key, index = _DECODER.raw_decode(text, index)
        index = _skip(text, _expect(text, _skip(text, index), ":"))
        if key == "events":
            events, index = _events(text, index)
        else:
            fields[key], index = _DECODER.raw_decode(text, index)
    if events is None or _skip(text, index + 1) != len(text):
        raise ValueError("no list of events, or something after the object")
    return Batch(fields.get("destination"), events)


def _events(text: str, index: int) -> tuple[list[RawEvent], int]:
    events: list[RawEvent] = []
    index = _skip(text, _expect(text, index, "["))
    if text[index] == "]":
        return events, index + 1
    decode = _DECODER.raw_decode
    while True:
        content, end = decode(text, index)
        events.append(RawEvent(content, text[index:end]))
        # LINE puts no space there, and a batch has many such places.
        index = end if text[end] in ",]" else _skip(text, end)
        if text[index] == "]":
            return events, index + 1
        index = _expect(text, index, ",")
        index = index if text[index] == "{" else _skip(text, index)


def _skip(text: str, index: int) -> int:
    match = _SKIP(text, index)
    return index if match is None else match.end()


def _expect(text: str, index: int, sign: str) -> int:
    if text[index] != sign:
        raise ValueError(f"no {sign} at {index}")
    return index + 1


def is_storable(event: RawEvent) -> bool:
    """Tell whether a hook can do anything with an event: no NUL, no half character."""
    if _SUSPICIOUS.search(event.text) is None:
        return "\0" not in event.text
    try:
        whole = json.dumps(event.content, ensure_ascii=False)
        whole.encode()
    except (ValueError, RecursionError):
        return False
    return "\\u0000" not in whole


def is_event(content: object) -> bool:
    """Tell whether something in the list of events may be one, and is ours to answer."""
    return isinstance(content, dict) and content.get("mode") != "standby"
