"""Tracked links in the messages of steps: each message goes to one person, and its links say so.

A message's own number is known once it is in the outbox. So its links are made first, the same for
all readers of the step, and get the number in the same transaction, before anybody sees the row.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from ...outbox.queue import to_json
from ...state import LineState
from ..links.addresses import LinkAddresses
from ..links.stored import LinkOwner
from ..links.tracking import personalise
from ..links.tracking import track
from . import writing
from .definition import Step
from .published import Published


def track_links(line: LineState, published: Published, rows: Sequence[dict[str, Any]]) -> None:
    """Let the links in rows for the outbox lead through the shop, where their steps say so."""
    done: dict[tuple[str, str], str] = {}
    for row in rows:
        step = published.scenario.step(row["dedupe_key"].rpartition(":")[2])
        tracking = None if step is None else published.scenario.tracks(step)
        if step is None or tracking is None:
            continue
        known = step.name, row["messages"]
        if known not in done:
            owner = LinkOwner(
                scenario_id=published.id, step=step.name, utm=dict(tracking.utm), source="message"
            )
            payloads = json.loads(row["messages"])
            done[known] = to_json(track(line, payloads, owner, labels=_written_by_owner(step)))
        row["messages"] = done[known]


def put(line: LineState, rows: Sequence[dict[str, Any]], *, now: datetime) -> None:
    """Put messages into the outbox, each with its own number in its tracked links."""
    base, session = line.part(LinkAddresses).base, line.session
    writing.put(session, [row for row in rows if base not in row["messages"]], now=now)
    ours = [row for row in rows if base in row["messages"]]
    texts = [
        (message_id, to_json(personalise(line, json.loads(messages), message_id)))
        for message_id, messages in writing.put_new(session, ours, now=now)
    ]
    writing.change_new(session, texts)


def _written_by_owner(step: Step) -> frozenset[str]:
    """Return the texts of a step's messages into which no value of a member's is put."""
    texts = _texts(json.loads(step.message or "[]"))
    return frozenset(text for text in texts if "{" not in text)


def _texts(part: Any) -> Iterator[str]:
    if isinstance(part, str):
        yield part
    elif isinstance(part, dict | list):
        for one in part.values() if isinstance(part, dict) else part:
            yield from _texts(one)
