"""The month's messages: what may be sent, what is reserved, what the owner must know.

Recipients are reserved in the transaction that claims them, and given back when LINE refuses them.
Of LINE's count and ours the larger one rules: LINE's lags, ours does not know what the owner sends
by hand.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from datetime import timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy import update
from sqlalchemy.orm import Session

from ..config.plans import Estimate
from ..config.plans import Plan
from ..models import QuotaMonth
from ..models.base import insert_if_absent
from ..shop.categories import Category

#: The zone in which LINE counts months; for Japan, and not confirmed.
LINE_ZONE = ZoneInfo("Asia/Tokyo")
#: How long LINE's count is believed.
READ_EVERY = timedelta(minutes=10)
#: How long to wait after a question that LINE did not answer.
ASK_AGAIN = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Budget:
    """How much of LINE's quota the shop wants to use.

    :ivar yen: the most that a month may cost beyond the plan's fee; ``None``: LINE's quota rules.
    :ivar reserve: messages that advertising leaves to orders and the like.
    :ivar alert_at: shares of what is allowed at which the owner is told.
    """

    plan: Plan | None = None
    yen: int | None = None
    reserve: int = 0
    alert_at: tuple[float, ...] = (0.8, 1.0)

    def allowed(self, granted: int | None) -> int | None:
        """Return how many messages a month may have; ``None``: any number."""
        bought = (
            self.plan.messages_for(self.yen)
            if self.plan is not None and self.yen is not None
            else None
        )
        limits = [limit for limit in (granted, bought) if limit is not None]
        return min(limits, default=None)

    def room(self, quota: QuotaMonth, *, is_marketing: bool) -> int | None:
        """Return how many recipients may still be reserved; ``None``: any number."""
        allowed = self.allowed(quota.granted)
        if allowed is None:
            return None
        return max(0, allowed - used(quota) - (self.reserve if is_marketing else 0))


def used(quota: QuotaMonth) -> int:
    """Return how many messages of the month are gone: ours, and what only LINE knows of."""
    return quota.own_used + quota.foreign_used


def month_of(now: datetime) -> str:
    """Return the month to whose quota a message counts."""
    return now.astimezone(LINE_ZONE).strftime("%Y-%m")


def next_month(now: datetime) -> datetime:
    """Return when LINE begins to count anew."""
    first = now.astimezone(LINE_ZONE).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return (first + timedelta(days=32)).replace(day=1).astimezone(now.tzinfo)


def lock(session: Session, now: datetime) -> QuotaMonth:
    """Return this month's row, made at first use, which nobody else changes until the commit."""
    month = month_of(now)
    statement = (
        update(QuotaMonth)
        .where(QuotaMonth.month == month)
        .values(month=month)
        .returning(QuotaMonth)
        .execution_options(populate_existing=True, synchronize_session=False)
    )
    quota = session.scalars(statement).one_or_none()
    if quota is None:
        zeros = {"line_used": 0, "own_used": 0, "foreign_used": 0, "alerted": 0.0}
        granted = _latest_grant(session)
        insert_if_absent(session, QuotaMonth, month=month, granted=granted, **zeros)
        quota = session.scalars(statement).one()
    return quota


def _latest_grant(session: Session) -> int | None:
    """Return what LINE granted last, which is likely this month's limit until LINE says."""
    latest = select(QuotaMonth.granted).order_by(QuotaMonth.month.desc()).limit(1)
    return session.scalar(latest)


def should_ask(quota: QuotaMonth, now: datetime) -> bool:
    """Tell whether LINE's figures are too old, and were not asked for just now."""
    return not (
        _is_within(READ_EVERY, quota.read_at, now) or _is_within(ASK_AGAIN, quota.asked_at, now)
    )


def _is_within(period: timedelta, since: datetime | None, now: datetime) -> bool:
    # A time in the future was left by a clock that was wrong.
    return since is not None and timedelta(0) <= now - since < period


def give_back(session: Session, month: str | None, recipients: int) -> None:
    """Take back a reservation, inside the caller's transaction: LINE did not send."""
    if month is None or recipients == 0:
        return
    session.execute(
        update(QuotaMonth)
        .where(QuotaMonth.month == month)
        .values(own_used=QuotaMonth.own_used - recipients)
        .execution_options(synchronize_session=False)
    )


def note_reading(quota: QuotaMonth, *, granted: int | None, line_used: int, now: datetime) -> None:
    """Write down what LINE says of the month.

    LINE counts of ours at most what we do, and later: what it has beyond that is not ours.
    """
    quota.granted, quota.line_used, quota.read_at = granted, line_used, now
    quota.foreign_used = max(quota.foreign_used, line_used - quota.own_used)


def passed_threshold(quota: QuotaMonth, budget: Budget) -> float | None:
    """Return the highest threshold that was passed since the owner was told, and note it."""
    allowed = budget.allowed(quota.granted)
    if not allowed:
        return None
    share = used(quota) / allowed
    passed = max((at for at in budget.alert_at if at <= share), default=0.0)
    if passed <= quota.alerted:
        return None
    quota.alerted = passed
    return passed


def estimate(
    session: Session, budget: Budget, recipients: int, category: Category, *, now: datetime
) -> Estimate:
    """Say what so many more recipients would cost this month, without reserving them."""
    quota = session.get(QuotaMonth, month_of(now))
    if quota is None:
        quota = QuotaMonth(granted=_latest_grant(session), own_used=0, foreign_used=0)
    gone, left = used(quota), budget.room(quota, is_marketing=category.is_marketing)
    yen = None
    if budget.plan is not None:
        before = budget.plan.extra_cost(gone)
        after = budget.plan.extra_cost(gone + recipients)
        yen = None if before is None or after is None else after - before
    return Estimate(recipients, left, yen)
