"""Coupons for the counter: every member has each of them once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from sqlalchemy import and_
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from .models import Coupon
from .models import CouponUse
from .models import User


class NoCoupon(Exception):
    """There is no such coupon, it has ended, or the member has used it."""


def coupons_of(
    session: Session, user: User, *, today: date
) -> Sequence[tuple[Coupon, CouponUse | None]]:
    """Return the coupons of these days with the member's use of each, the soonest end first."""
    statement = (
        select(Coupon, CouponUse)
        .outerjoin(CouponUse, and_(CouponUse.coupon_id == Coupon.id, CouponUse.user_id == user.id))
        .where(Coupon.ends_on >= today)
        .order_by(Coupon.ends_on, Coupon.id)
    )
    return [(coupon, use) for coupon, use in session.execute(statement)]


def use_coupon(session: Session, user: User, code: str, *, today: date) -> None:
    """Use a coupon in the caller's transaction; the table's key lets a member do it once.

    :raises NoCoupon: it can't be used.
    """
    coupon = session.scalars(
        select(Coupon).where(Coupon.code == code, Coupon.ends_on >= today)
    ).one_or_none()
    if coupon is None:
        raise NoCoupon(code)
    try:
        with session.begin_nested():
            session.add(CouponUse(user_id=user.id, coupon_id=coupon.id))
    except IntegrityError:
        raise NoCoupon(code) from None
