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


class _PatientBatch(Struct):
    events: list[object]
    destination: object = None


_decode_batch = Decoder(Batch).decode
_decode_head = Decoder(EventHead).decode
#: The escape of NUL; behind an escaped backslash it is text like any other.
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
    try:
        batch = convert(json.loads(body.decode(errors="replace")), _PatientBatch)
        events = [Raw(json.dumps(event).encode()) for event in batch.events]
    except (DecodeError, ValueError, RecursionError):
        raise NotABatch("the body is not a JSON object with a list of events") from None
    return Batch(events, batch.destination)


def read_event(event: Raw) -> tuple[EventHead, str]:
    """Return an event's head and text.

    :raises ValueError: it is none, or a hook could not store what it says: half a character, NUL.
    """
    try:
        head = _decode_head(event)
    except (DecodeError, RecursionError) as error:
        raise ValueError(error) from None
    text = str(event, "utf-8", "replace")
    if "\\u0000" in text and _find_nul(text):
        raise ValueError("NUL in a text")
    return head, text
