"""A webhook's body, taken apart into events: what storing asks of each, and the text LINE sent.

The text is stored as it is: writing it again would cost more than all the rest.
"""

from __future__ import annotations

import json
import re
from typing import Annotated

from msgspec import DecodeError
from msgspec import Meta
from msgspec import Raw
from msgspec import Struct
from msgspec import convert
from msgspec.json import Decoder


class NotABatch(ValueError):
    """The body is signed, but is not what LINE's reference describes."""


class Batch(Struct):
    """A webhook's events, as LINE wrote them, and the official account they are for."""

    events: list[Raw]
    destination: object = None


class EventHead(Struct, rename="camel", gc=False):
    """What storing asks of an event; the rest may be anything, for LINE may send anything."""

    webhook_event_id: Annotated[str, Meta(min_length=1, max_length=64)]
    timestamp: int
    mode: object = None
    source: object = None
    delivery_context: object = None


class _PatientBatch(Struct):
    events: list[object]
    destination: object = None


#: Levels that LINE's events don't come near; Python's own reader gives up at a thousand.
MAX_DEPTH = 100
_decode_batch = Decoder(Batch).decode
_decode_head = Decoder(EventHead).decode
#: The escape of NUL; behind an escaped backslash it is text like any other.
#: Strings are found whole, so that nothing inside of them counts.
_find_brackets = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{}]', re.DOTALL).finditer
_find_nul = re.compile(r"(?<!\\)(?:\\\\)*\\u0000").search


def parse_batch(body: bytes) -> Batch:
    """Take a body apart.

    :raises NotABatch: no JSON object with a list of events.
    """
    try:
        return _decode_batch(body)
    except (DecodeError, UnicodeDecodeError, RecursionError):
        return _parse_patiently(body)


def _parse_patiently(body: bytes) -> Batch:
    """Read what Python's own decoder reads, and write it again: each event is judged alone."""
    text = body.decode(errors="replace")
    try:
        batch = convert(json.loads(_without_deep_values(text)), _PatientBatch)
        events = [Raw(json.dumps(event).encode()) for event in batch.events]
    except (DecodeError, ValueError, RecursionError):
        raise NotABatch("the body is not a JSON object with a list of events") from None
    return Batch(events, batch.destination)


def _without_deep_values(text: str) -> str:
    """Put null in place of what is nested too deeply; brackets inside of strings don't count.

    Read without recursion, for that is what depth is made to break.
    """
    if text.count("{") + text.count("[") <= MAX_DEPTH:
        return text
    kept, depth, begin = [], 0, 0
    for found in _find_brackets(text):
        bracket = found[0]
        if bracket in "{[":
            depth += 1
            if depth == MAX_DEPTH + 1:
                kept += [text[begin : found.start()], "null"]
        elif bracket in "}]":
            if depth == MAX_DEPTH + 1:
                begin = found.end()
            depth -= 1
    kept.append(text[begin:])
    return "".join(kept)


def _depth(text: str) -> int:
    depth = deepest = 0
    for found in _find_brackets(text):
        bracket = found[0]
        depth += (bracket in "{[") - (bracket in "}]")
        deepest = max(deepest, depth)
    return deepest


def read_event(event: Raw) -> tuple[EventHead, str]:
    """Return an event's head and text.

    :raises ValueError: it is none, or a hook could not store what it says: half a character, NUL.
    """
    try:
        head = _decode_head(event)
    except (DecodeError, RecursionError) as error:
        raise ValueError(error) from None
    text = str(event, "utf-8", "replace")
    if text.count("{") + text.count("[") > MAX_DEPTH and _depth(text) > MAX_DEPTH:
        raise ValueError("it is nested too deeply")
    if "\\u0000" in text and _find_nul(text):
        raise ValueError("NUL in a text")
    return head, text
