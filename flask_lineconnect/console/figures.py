"""The figures of the first page: people on LINE, the month's messages, yesterday."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from datetime import datetime
from datetime import time
from datetime import timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement
from sqlalchemy import Integer
from sqlalchemy import Select
from sqlalchemy import and_
from sqlalchemy import cast
from sqlalchemy import func
from sqlalchemy import literal
from sqlalchemy import select
from sqlalchemy import text

from ..marketing.calendar.times import instant
from ..marketing.event_kinds import LINKED
from ..marketing.event_kinds import UNFOLLOWED
from ..marketing.results.spans import seconds_between
from ..models import Account
from ..models import MemberEvent
from ..models import OutboxBatch
from ..models import OutboxMessage
from ..models import QuotaMonth
from ..models import UtcDateTime
from ..models.outbox import ENDS
from ..outbox import budget
from ..outbox.rules import Rules
from ..outbox.send_requests import Model
from ..state import LineState
from . import writing

#: How many days the first page looks back.
DAYS = 30
#: Seconds of a quarter of an hour.
QUARTER = 900


@dataclass(frozen=True, slots=True)
class People:
    """How many people there are on LINE now.

    :ivar reachable: linked, and not known to have blocked the official account.
    """

    linked: int
    friends: int
    reachable: int


@dataclass(frozen=True, slots=True)
class Growth:
    """What happened on each of the last days, the oldest first."""

    days: Sequence[date]
    linked: Sequence[int]
    blocked: Sequence[int]


@dataclass(frozen=True, slots=True)
class Month:
    """The month's messages.

    :ivar allowed: by LINE and by the shop's budget; ``None``: any number, or not known yet.
    :ivar left: of them, for what customers wait for; ``None`` as above.
    :ivar reserve: what advertising leaves alone.
    :ivar cost: yen beyond the plan's fee; ``None`` where the plan is not known.
    """

    used: int
    allowed: int | None
    left: int | None
    reserve: int
    cost: Decimal | None
    has_plan: bool


def people_now(line: LineState) -> People:
    """Count people, in one statement."""
    is_linked = Account.member_id.is_not(None)
    counted = line.session.execute(
        select(
            func.count().filter(is_linked),
            func.count().filter(Account.is_friend.is_(True)),
            func.count().filter(and_(is_linked, Account.is_friend.is_not(False))),
        ).select_from(Account)
    ).one()
    return People(*counted)


def growth(line: LineState, *, days: int = DAYS) -> Growth:
    """Count links and blocks of the last days, today among them, in one statement."""
    last = writing.today()
    dates = [last - timedelta(days=days - 1 - number) for number in range(days)]
    zone, since = line.config.zone, instant(dates[0], time(0), line.config.zone)
    dialect = line.session.get_bind().dialect.name
    after = seconds_between(literal(since, UtcDateTime), MemberEvent.occurred_at, dialect)
    number = after / QUARTER
    # Every zone's days begin with one of these; the database need not know zones. SQLite's cast
    # cuts, and not every SQLite has the function; PostgreSQL's cast rounds.
    quarter = cast(number if dialect == "sqlite" else func.floor(number), Integer).label("quarter")
    names = MemberEvent.name, quarter
    until = instant(last + timedelta(days=1), time(0), zone)
    statement = (
        select(*names, func.count())
        .where(MemberEvent.name.in_((LINKED.name, UNFOLLOWED.name)))
        .where(MemberEvent.occurred_at >= since, MemberEvent.occurred_at < until)
        .group_by(*names)
    )
    counts: Counter[tuple[str, date]] = Counter()
    for name, place, count in line.session.execute(statement):
        at = since + timedelta(seconds=QUARTER) * place
        counts[name, at.astimezone(zone).date()] += count
    return Growth(
        dates,
        [counts[LINKED.name, day] for day in dates],
        [counts[UNFOLLOWED.name, day] for day in dates],
    )


def month_now(line: LineState) -> Month:
    """Return how the month's messages stand, as ``flask line quota`` tells."""
    ours, month = line.part(Rules).budget, budget.month_of(line.clock())
    row = line.session.get(QuotaMonth, month)
    if row is None:
        row = QuotaMonth(month=month, line_used=0, own_used=0, foreign_used=0, alerted=0.0)
    used = budget.used(row)
    return Month(
        used=used,
        allowed=ours.allowed(row.granted),
        left=ours.room(row, is_marketing=False),
        reserve=ours.reserve,
        cost=None if ours.plan is None else ours.plan.extra_cost(used),
        has_plan=ours.plan is not None,
    )


def accepted_on(line: LineState, day: date) -> int:
    """Return how many people LINE accepted messages for on a day."""
    since, until = _bounds(line, day)

    def accepted(model: Model, count: ColumnElement[int]) -> Select[Any]:
        # In the words of the index, for SQLite.
        is_of_day = model.accepted_at >= since, model.accepted_at < until
        is_accepted = text(ENDS["accepted_at"]), model.state == "accepted"
        return select(count).select_from(model).where(*is_accepted, *is_of_day)

    messages = accepted(OutboxMessage, func.count())
    recipients = func.coalesce(func.sum(OutboxBatch.recipients), 0)
    # What other batches carry are messages.
    batches = accepted(OutboxBatch, recipients).where(OutboxBatch.campaign_id.is_not(None))
    counts = select(messages.scalar_subquery(), batches.scalar_subquery())
    return sum(map(int, line.session.execute(counts).one()))


def _bounds(line: LineState, day: date) -> tuple[datetime, datetime]:
    zone = line.config.zone
    return instant(day, time(0), zone), instant(day + timedelta(days=1), time(0), zone)
