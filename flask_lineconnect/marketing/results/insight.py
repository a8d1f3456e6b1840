"""LINE's own figures, fetched once a day and kept: LINE forgets them after a month.

They stand beside ours and are never added to them: LINE counts people on phones only, who saw a
message or tapped one, linked or not, and says nothing of fewer than 20.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC
from datetime import date
from datetime import datetime
from datetime import timedelta
from typing import Any
from typing import cast

from sqlalchemy import CursorResult
from sqlalchemy import and_
from sqlalchemy import func
from sqlalchemy import select
from sqlalchemy import update
from sqlalchemy.orm import Session

from ...errors import LineApiError
from ...line_api.client import LineApi
from ...line_api.http import LineHttp
from ...line_api.insight import MOST_DAYS
from ...line_api.insight import Insight
from ...line_api.insight import insight_of_request
from ...line_api.insight import insight_of_unit
from ...log_fields import log_fields
from ...models import Campaign
from ...models import LineInsight
from ...models import OutboxBatch
from ...models import ResultCount
from ...models.base import insert_if_absent
from ...outbox.budget import LINE_ZONE
from ...outbox.send_requests import BROADCAST
from ...outbox.units import campaign_unit
from ...outbox.units import step_unit
from ...state import LineState
from .counts import day_of

logger = logging.getLogger(__name__)

EVERY, AFTER_FAILURE = timedelta(days=1), timedelta(hours=1)
#: LINE's figures of a day still move for so long.
MOVING = timedelta(days=14)
#: Units of one round: LINE answers 60 such questions an hour.
AT_ONCE = 8
_NEVER = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Unit:
    """Messages that LINE counts together.

    :ivar request_id: of a broadcast, by which LINE knows it instead of a name.
    :ivar first_day: of LINE's zone, as ``last_day``.
    """

    name: str
    first_day: date
    last_day: date
    campaign_id: int | None = None
    scenario_id: int | None = None
    step: str = ""
    request_id: str | None = None


def fetch_insight(line: LineState) -> int:
    """Fetch what is due, some of it; return how many units were asked for."""
    with line.work_context():
        due = list(_due(line.session, line.clock()))[:AT_ONCE]
        line.session.rollback()
        for number, unit in enumerate(due):
            if line.stopping.is_set() or not _fetch(line, unit):
                return number
    return len(due)


def _due(session: Session, now: datetime) -> Iterator[Unit]:
    fetched = {
        unit: at for unit, at in session.execute(select(LineInsight.unit, LineInsight.fetched_at))
    }
    for unit in (*_campaigns(session, now), *_steps(session, now)):
        if fetched.get(unit.name, _NEVER) <= now - EVERY:
            yield unit


def _campaigns(session: Session, now: datetime) -> Iterator[Unit]:
    is_broadcast = and_(OutboxBatch.campaign_id == Campaign.id, OutboxBatch.endpoint == BROADCAST)
    statement = (
        select(
            Campaign.id,
            Campaign.created_at,
            OutboxBatch.id.is_not(None).label("is_broadcast"),
            OutboxBatch.line_request_id,
        )
        .outerjoin(OutboxBatch, is_broadcast)
        .where(Campaign.created_at >= now - timedelta(days=MOST_DAYS) - MOVING)
        .where(Campaign.recipients > 0)
        .order_by(Campaign.id)
    )
    today = day_of(now, LINE_ZONE)
    for row in session.execute(statement):
        if row.is_broadcast and row.line_request_id is None:
            continue
        first = day_of(row.created_at, LINE_ZONE)
        last = min(first + timedelta(days=MOST_DAYS - 1), today)
        name = campaign_unit(row.id)
        yield Unit(name, first, last, campaign_id=row.id, request_id=row.line_request_id)


def _steps(session: Session, now: datetime) -> Iterator[Unit]:
    """Return the steps that sent something this month or the last."""
    today = day_of(now, LINE_ZONE)
    this = today.replace(day=1)
    before = (this - timedelta(days=1)).replace(day=1)
    for first, end in ((before, this), (this, today + timedelta(days=1))):
        if today - end > MOVING:
            continue
        statement = (
            select(ResultCount.scenario_id, ResultCount.step, func.min(ResultCount.day))
            .where(
                ResultCount.figure == "accepted",
                ResultCount.scenario_id != 0,
                ResultCount.day >= first,
                ResultCount.day < end,
            )
            .group_by(ResultCount.scenario_id, ResultCount.step)
            .order_by(ResultCount.scenario_id, ResultCount.step)
        )
        for scenario_id, step, sent_on in session.execute(statement):
            name = step_unit(scenario_id, step, f"{first:%Y-%m}")
            last = min(sent_on + timedelta(days=MOST_DAYS - 1), today)
            yield Unit(name, sent_on, last, scenario_id=scenario_id, step=step)


def _fetch(line: LineState, unit: Unit) -> bool:
    """Fetch one unit's figures, unless another process does; return whether LINE goes on."""
    session, now = line.session, line.clock()
    if not _claim(session, unit, now):
        return True
    try:
        found = _ask(line, unit)
    except LineApiError as error:
        logger.warning(
            "LINE did not say what it counts of messages; it is asked again in an hour: %s",
            error,
            extra=log_fields("insight_not_fetched", unit=unit.name),
        )
        _write(session, unit, {"fetched_at": now - EVERY + AFTER_FAILURE})
        return False
    _write(
        session,
        unit,
        {
            "first_day": unit.first_day,
            "last_day": unit.last_day,
            # What LINE has said it may no longer say.
            "seen": func.coalesce(found.seen, LineInsight.seen),
            "tapped": func.coalesce(found.tapped, LineInsight.tapped),
            "answer": dict(found.answer),
        },
    )
    return True


def _claim(session: Session, unit: Unit, now: datetime) -> bool:
    insert_if_absent(
        session,
        LineInsight,
        unit=unit.name,
        campaign_id=unit.campaign_id,
        scenario_id=unit.scenario_id,
        step=unit.step,
        first_day=unit.first_day,
        last_day=unit.last_day,
        answer={},
        fetched_at=_NEVER,
    )
    is_due = LineInsight.unit == unit.name, LineInsight.fetched_at <= now - EVERY
    statement = update(LineInsight).where(*is_due).values(fetched_at=now)
    result = session.execute(statement.execution_options(synchronize_session=False))
    session.commit()
    return cast("CursorResult[Any]", result).rowcount == 1


def _ask(line: LineState, unit: Unit) -> Insight:
    http, token = line.part(LineHttp), line.part(LineApi).messaging_token
    if unit.request_id is not None:
        return insight_of_request(http, token, unit.request_id)
    return insight_of_unit(http, token, unit.name, unit.first_day, unit.last_day)


def _write(session: Session, unit: Unit, values: dict[str, Any]) -> None:
    statement = update(LineInsight).where(LineInsight.unit == unit.name).values(**values)
    session.execute(statement.execution_options(synchronize_session=False))
    session.commit()
