"""Lets the links in a campaign's messages lead through the shop; see ``marketing/links``."""

from __future__ import annotations

import json
from collections.abc import Collection
from collections.abc import Sequence
from typing import Any
from typing import cast

from sqlalchemy import Table
from sqlalchemy import bindparam
from sqlalchemy import select
from sqlalchemy import update

from ...models import OutboxMessage
from ...outbox.queue import to_json
from ...state import LineState
from ..links.stored import LinkOwner
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


def link_personally(
    line: LineState,
    definition: Definition,
    messages: StepMessages,
    campaign_id: int,
    rows: Sequence[dict[str, Any]],
    variants: Sequence[str],
) -> None:
    """Let the links of messages that were just put lead through the shop, if they are tracked.

    A personal link names its message, whose number is known only when it is put.

    :param variants: of each row.
    """
    if definition.tracked is Tracked.NO or not rows:
        return
    keys = [row["dedupe_key"] for row in rows]
    found = select(OutboxMessage.dedupe_key, OutboxMessage.id).where(
        OutboxMessage.dedupe_key.in_(keys),
        OutboxMessage.campaign_id == campaign_id,
        OutboxMessage.first_tried_at.is_(None),
    )
    ids = {key: message_id for key, message_id in line.session.execute(found)}
    labels = _labels(definition, messages)
    is_personal = definition.tracked is Tracked.PERSONAL
    owners = {name: LinkOwner(campaign_id=campaign_id, variant=name) for name in set(variants)}
    changed = []
    for row, variant in zip(rows, variants, strict=True):
        message_id = ids.get(row["dedupe_key"])
        if message_id is not None:
            payloads = json.loads(row["messages"])
            in_message = message_id if is_personal else None
            linked = track(line, payloads, owners[variant], message_id=in_message, labels=labels)
            changed.append({"row_id": message_id, "body": to_json(linked)})
    if changed:
        statement = update(_MESSAGE).where(_MESSAGE.c.id == bindparam("row_id"))
        statement = statement.values(messages=bindparam("body"))
        line.session.connection().execute(statement, changed)


def _labels(definition: Definition, messages: StepMessages) -> Collection[str]:
    """Return what stands on buttons for everybody; what names a person has no place in a row."""
    return {
        wording.source
        for variant in definition.variants
        for wording in wordings_of(messages.drafts(step_of(variant)))
        if not wording.names
    }
