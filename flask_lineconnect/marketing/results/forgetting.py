"""Before people are erased: how much of the counts will have no facts any more.

The counts stay, and hold nothing of anybody. Called in the transaction of the erasure, before the
rows go.
"""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement
from sqlalchemy import or_
from sqlalchemy import select

from ...models import Attribution
from ...models import MemberEvent
from ...models import ResultPerson
from ...models import Touch
from ...state import LineState
from .counts import day_of
from .counts import forget_many
from .losses import losses
from .people import forget_people


def note_erasure(
    line: LineState, member_ids: Sequence[Any], *, account_id: int | None = None
) -> None:
    """Note in the counts what is about to be deleted of people."""
    whose = [MemberEvent.member_id.in_(member_ids)]
    is_handled = MemberEvent.next_attempt_at.is_(None)
    found = [*_touches(line, member_ids, account_id)]
    if member_ids:
        found += [*_orders(line, member_ids), *losses(line, is_handled, *whose)]
    forget_many(line.session, found)
    if member_ids:
        forget_people(line.session, ResultPerson.member_id.in_(member_ids))


def _touches(
    line: LineState, member_ids: Sequence[Any], account_id: int | None
) -> Iterator[Mapping[str, Any]]:
    owner = Touch.campaign_id, Touch.scenario_id, Touch.step, Touch.variant
    is_theirs: ColumnElement[bool] = Touch.member_id.in_(member_ids)
    if account_id is not None:
        is_theirs = or_(is_theirs, Touch.account_id == account_id)
    is_counted = or_(Touch.campaign_id.is_not(None), Touch.scenario_id.is_not(None))
    for row in line.session.execute(select(*owner, Touch.accepted_at).where(is_theirs, is_counted)):
        day = day_of(row.accepted_at, line.config.zone)
        yield {**_owner(row), "figure": "accepted", "day": day}


def _orders(line: LineState, member_ids: Sequence[Any]) -> Iterator[Mapping[str, Any]]:
    statement = select(Attribution).where(
        Attribution.member_id.in_(member_ids),
        Attribution.kind != "none",
        Attribution.returned_at.is_(None),
    )
    for order in line.session.scalars(statement.execution_options(populate_existing=True)):
        yield from counted_of(order, line)


def counted_of(order: Attribution, line: LineState) -> Iterator[Mapping[str, Any]]:
    """Return what an order counts for, as ``count_many`` takes it."""
    day = day_of(order.ordered_at, line.config.zone)
    key = {**_owner(order), "link_id": order.link_id, "day": day}
    yield {**key, "figure": f"orders_{order.kind}", "number": 1}
    yield {**key, "figure": f"sales_{order.kind}", "number": order.value}


def _owner(row: Any) -> dict[str, Any]:
    return {
        "campaign_id": row.campaign_id,
        "scenario_id": row.scenario_id,
        "step": row.step,
        "variant": row.variant,
    }
