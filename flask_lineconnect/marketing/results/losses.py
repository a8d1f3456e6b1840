"""What a message cost in people: who blocked the account, or declined its kind, soon after it.

The last message before it is held to be the cause, within a day or a week.
"""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement
from sqlalchemy import func
from sqlalchemy import or_
from sqlalchemy import select

from ...models import MemberEvent
from ...models import Touch
from ...state import LineState
from ..event_kinds import DECLINED
from ..event_kinds import UNFOLLOWED
from .counts import count_many
from .counts import day_of
from .spans import seconds_between

LOSSES = (UNFOLLOWED.name, DECLINED.name)
DAY, WEEK = timedelta(days=1), timedelta(days=7)


def count_losses(line: LineState, ids: Sequence[int]) -> None:
    """Count what events, by their ids, have cost; each is counted once, when it is handled."""
    if ids:
        count_many(line.session, list(losses(line, MemberEvent.id.in_(ids))))


def losses(line: LineState, *is_meant: ColumnElement[bool]) -> Iterator[Mapping[str, Any]]:
    """Return what events have cost, as ``count_many`` takes it.

    :param is_meant: about :class:`MemberEvent`, which of them.
    """
    dialect = line.session.get_bind().dialect.name
    seconds = seconds_between(Touch.accepted_at, MemberEvent.occurred_at, dialect)
    is_about_it = or_(
        MemberEvent.name == UNFOLLOWED.name,
        MemberEvent.facts["category"].as_string() == Touch.category,
    )
    latest = Touch.accepted_at.desc(), Touch.id.desc()
    place = func.row_number().over(partition_by=MemberEvent.id, order_by=latest)
    ranked = (
        select(
            MemberEvent.name,
            MemberEvent.occurred_at,
            Touch.campaign_id,
            Touch.scenario_id,
            Touch.step,
            Touch.variant,
            seconds.label("seconds"),
            place.label("place"),
        )
        .join(Touch, Touch.member_id == MemberEvent.member_id)
        .where(
            MemberEvent.name.in_(LOSSES),
            *is_meant,
            Touch.accepted_at <= MemberEvent.occurred_at,
            seconds <= WEEK.total_seconds(),
            is_about_it,
        )
        .subquery()
    )
    for row in line.session.execute(select(ranked).where(ranked.c.place == 1)):
        key = {
            "campaign_id": row.campaign_id,
            "scenario_id": row.scenario_id,
            "step": row.step,
            "variant": row.variant,
            "day": day_of(row.occurred_at, line.config.zone),
        }
        if row.name == DECLINED.name:
            yield {**key, "figure": "declined"}
            continue
        yield {**key, "figure": "blocks_week"}
        if row.seconds <= DAY.total_seconds():
            yield {**key, "figure": "blocks_day"}
