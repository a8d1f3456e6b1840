"""What follows from member events for the results: an order finds its message, a block its cause.

In the transaction in which the event is handled, so that rows and counts always agree.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy import tuple_
from sqlalchemy.orm import Session

from ...errors import UsageError
from ...log_fields import log_fields
from ...models import Attribution
from ...models import MemberEvent
from ...state import LineState
from . import losses
from .attribution import Attributing
from .attribution import rules_of
from .counts import count_many
from .forgetting import counted_of
from .people import settle_buyers

logger = logging.getLogger(__name__)


def follow(line: LineState, events: Sequence[MemberEvent]) -> None:
    """Let orders find their messages, and blocks and refusals the message before them."""
    losses.count_losses(line, [event.id for event in events if event.name in losses.LOSSES])
    try:
        rules = rules_of(line)
    except UsageError as error:
        # What else follows from the events must not wait for the shop's mend.
        logger.error("orders find no messages: %s", error, extra=log_fields("orders_undeclared"))
        return
    if rules is None:
        return
    ids = [event.id for event in events if event.name == rules.orders.placed]
    ids += _taken_back(line.session, rules, events)
    if ids:
        attribute_orders(line, rules, ids)


def attribute_orders(line: LineState, rules: Attributing, ids: Sequence[int]) -> None:
    """Let orders, by the ids of their events, find their messages, and count what that changes."""
    session = line.session
    before = list(_counted(line, ids))
    rules.attribute(session, MemberEvent.id.in_(ids))
    taken_back = [{**row, "number": -row["number"]} for row in before]
    count_many(session, [*taken_back, *_counted(line, ids)])
    theirs = select(Attribution.member_id).where(Attribution.order_event_id.in_(ids)).distinct()
    settle_buyers(session, session.scalars(theirs).all(), line.config.zone)


def _taken_back(
    session: Session, rules: Attributing, events: Sequence[MemberEvent]
) -> Sequence[int]:
    """Return the orders that events take back: of the same member, about the same."""
    undone = [
        (event.member_id, event.subject)
        for event in events
        if event.name in rules.orders.undone and event.member_id is not None and event.subject
    ]
    if not undone:
        return []
    found = select(MemberEvent.id).where(
        MemberEvent.name == rules.orders.placed,
        tuple_(MemberEvent.member_id, MemberEvent.subject).in_(undone),
    )
    return session.scalars(found).all()


def _counted(line: LineState, ids: Sequence[int]) -> Iterator[Mapping[str, Any]]:
    """Return what orders count for now; the rows are this transaction's until its end."""
    rows = (
        select(Attribution)
        .where(
            Attribution.order_event_id.in_(ids),
            Attribution.kind != "none",
            Attribution.returned_at.is_(None),
        )
        .order_by(Attribution.order_event_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    for order in line.session.scalars(rows):
        yield from counted_of(order, line)
