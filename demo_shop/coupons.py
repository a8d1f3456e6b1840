"""Coupons for the counter: each of them once, those of an occasion when it comes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from datetime import timedelta

from sqlalchemy import func
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from .clock import day_of
from .models import CANCELLED
from .models import Coupon
from .models import CouponUse
from .models import Order
from .models import User
from .signals import coupon_used

#: From how long before a birthday until how long after it its coupon is good.
AROUND = timedelta(days=15)
#: Who has not ordered for so long, or never, is given a reason to come.
ABSENCE = timedelta(days=30)
#: A new member is not given it at once.
SETTLED = timedelta(days=9)


class NoCoupon(Exception):
    """There is no such coupon, it has ended, or the member has used it."""


@dataclass(frozen=True)
class Owned:
    """A coupon as one member has it.

    :ivar ends_on: the last day on which it is good for them.
    :ivar period: names it among those of the same kind.
    """

    coupon: Coupon
    ends_on: date
    period: str = ""
    use: CouponUse | None = None


def coupons_of(session: Session, user: User, *, today: date) -> Sequence[Owned]:
    """Return the coupons of these days with the member's use of each, the soonest end first."""
    statement = select(Coupon).where(Coupon.ends_on >= today).order_by(Coupon.id)
    owned = [_own(session, user, coupon, today) for coupon in session.scalars(statement)]
    used = select(CouponUse).where(CouponUse.user_id == user.id)
    uses = {(use.coupon_id, use.period): use for use in session.scalars(used)}
    found = [
        Owned(one.coupon, one.ends_on, one.period, uses.get((one.coupon.id, one.period)))
        for one in owned
        if one is not None
    ]
    return sorted(found, key=lambda one: (one.ends_on, one.coupon.id))


def use_coupon(session: Session, user: User, code: str, *, today: date) -> None:
    """Use a coupon in the caller's transaction; the table's key lets a member do it once.

    :raises NoCoupon: it can't be used.
    """
    found = {one.coupon.code: one for one in coupons_of(session, user, today=today)}.get(code)
    if found is None or found.use is not None:
        raise NoCoupon(code)
    try:
        with session.begin_nested():
            use = CouponUse(user_id=user.id, coupon_id=found.coupon.id, period=found.period)
            session.add(use)
    except IntegrityError:
        raise NoCoupon(code) from None
    coupon_used.send(None, user=user, coupon=found.coupon)


def birthday_around(born_on: date, today: date) -> date | None:
    """Return the birthday whose coupon is good on a day; born on a 29 February: the 28th."""
    for year in (today.year - 1, today.year, today.year + 1):
        try:
            birthday = born_on.replace(year=year)
        except ValueError:
            birthday = date(year, 2, 28)
        if abs(birthday - today) <= AROUND:
            return birthday
    return None


def _own(session: Session, user: User, coupon: Coupon, today: date) -> Owned | None:
    if coupon.occasion == "birthday":
        birthday = birthday_around(user.born_on, today) if user.born_on else None
        if birthday is None:
            return None
        return Owned(coupon, birthday + AROUND, str(birthday.year))
    if coupon.occasion == "absence" and not _is_absent(session, user, today):
        return None
    return Owned(coupon, coupon.ends_on)


def _is_absent(session: Session, user: User, today: date) -> bool:
    latest = select(func.max(Order.placed_at)).where(
        Order.user_id == user.id, Order.status != CANCELLED
    )
    last_at = session.scalar(latest)
    if last_at is None:
        return day_of(user.created_at) + SETTLED <= today
    return day_of(last_at) + ABSENCE <= today
