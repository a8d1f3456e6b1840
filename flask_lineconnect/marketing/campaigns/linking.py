"""Lets the links in a campaign's messages lead through the shop; see ``marketing/links``."""

from __future__ import annotations

import json
from collections.abc import Collection
from collections.abc import Sequence
from itertools import zip_longest
from typing import Any
from typing import cast

from sqlalchemy import Table
from sqlalchemy import bindparam
from sqlalchemy import select
from sqlalchemy import update

from ...models import OutboxMessage
from ...models.sqlite import begin_writing
from ...outbox.numbers import reserve_numbers
from ...outbox.queue import to_json
from ...state import LineState
from ..links.stored import LinkOwner
from ..links.tracking import Tracker
from ..links.tracking import track
from ..scenarios.wordings import StepMessages
from ..scenarios.wordings import wordings_of
from .definition import Definition
from .definition import Tracked
from .messages import step_of

_MESSAGE = cast(Table, OutboxMessage.__table__)


def with_shared_links(
    line: LineState, definition: Definition, written: str, campaign_id: int, variant: str
) -> str:
    """Return a message that is the same for many, with links that are, too, if they are tracked."""
    if definition.tracked is Tracked.NO:
        return written
    owner = LinkOwner(campaign_id=campaign_id, variant=variant)
    return to_json(track(line, json.loads(written), owner))


def link_ahead(
    line: LineState,
    definition: Definition,
    messages: StepMessages,
    campaign_id: int,
    rows: Sequence[dict[str, Any]],
    variants: Sequence[str],
) -> bool:
    """Write messages as JSON whose links lead through the shop; return whether they do already.

    A personal link names its message, so the rows get their numbers here. Commits: nobody waits
    for the database while hundreds of messages are written anew.

    :param rows: of the outbox, with message objects in the place of JSON.
    :param variants: of each row.
    """
    if definition.tracked is Tracked.NO:
        for row in rows:
            row["messages"] = to_json(row["messages"])
        return True
    trackers = _trackers(line, definition, messages, campaign_id, variants)
    begin_writing(line.session)
    # What all messages have is learnt once, and known afterwards.
    for variant, tracker in trackers.items():
        tracker.track(rows[variants.index(variant)]["messages"])
    is_personal = definition.tracked is Tracked.PERSONAL
    numbers = reserve_numbers(line.session, len(rows)) if is_personal else ()
    line.session.commit()
    is_linked = bool(numbers) or not is_personal
    for row, variant, number in zip_longest(rows, variants, numbers):
        if number is not None:
            row["id"] = number
        if is_linked:
            row["messages"] = trackers[variant].track(row["messages"], number)
        row["messages"] = to_json(row["messages"])
    line.session.commit()
    return is_linked


def link_written(
    line: LineState,
    definition: Definition,
    messages: StepMessages,
    campaign_id: int,
    rows: Sequence[dict[str, Any]],
    variants: Sequence[str],
) -> None:
    """Do it with messages that were just put, inside their transaction: they have numbers now."""
    trackers = _trackers(line, definition, messages, campaign_id, variants)
    found = select(OutboxMessage.dedupe_key, OutboxMessage.id).where(
        OutboxMessage.dedupe_key.in_([row["dedupe_key"] for row in rows]),
        OutboxMessage.campaign_id == campaign_id,
        OutboxMessage.first_tried_at.is_(None),
    )
    ids = {key: message_id for key, message_id in line.session.execute(found)}
    changed = []
    for row, variant in zip(rows, variants, strict=True):
        message_id = ids.get(row["dedupe_key"])
        if message_id is not None:
            linked = trackers[variant].track(json.loads(row["messages"]), message_id)
            changed.append({"row_id": message_id, "body": to_json(linked)})
    if changed:
        statement = update(_MESSAGE).where(_MESSAGE.c.id == bindparam("row_id"))
        statement = statement.values(messages=bindparam("body"))
        line.session.connection().execute(statement, changed)


def _trackers(
    line: LineState,
    definition: Definition,
    messages: StepMessages,
    campaign_id: int,
    variants: Collection[str],
) -> dict[str, Tracker]:
    labels = _labels(definition, messages)
    return {
        name: Tracker(line, LinkOwner(campaign_id=campaign_id, variant=name), labels)
        for name in set(variants)
    }


def _labels(definition: Definition, messages: StepMessages) -> Collection[str]:
    """Return what stands on buttons for everybody; what names a person has no place in a row."""
    return {
        wording.source
        for variant in definition.variants
        for wording in wordings_of(messages.drafts(step_of(variant)))
        if not wording.names
    }
