"""When an order is delivered, and changing it while it has not left the shop."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy import update
from sqlalchemy.orm import Session

from .models import Order
from .models import User


def _(text: str) -> str:
    """Mark a text for translation; database and chat keep the Japanese one."""
    return text


#: Times of the day that the carrier knows.
SLOTS = (_("午前中"), _("14時から16時"), _("18時から20時"))
#: States in which an order is still in the shop.
CHANGEABLE = ("received", "preparing")
_SOONEST, _DAYS = timedelta(days=2), 7


class TooLate(Exception):
    """The order has left the shop."""


def days_offered(today: date) -> list[date]:
    """Return the days on which the carrier could deliver."""
    return [today + _SOONEST + timedelta(days=number) for number in range(_DAYS)]


def changeable_orders(session: Session, user: User) -> Sequence[Order]:
    """Return a member's orders that are still in the shop, newest first."""
    statement = (
        select(Order)
        .where(Order.user_id == user.id, Order.status.in_(CHANGEABLE))
        .order_by(Order.placed_at.desc(), Order.id.desc())
        .limit(10)
    )
    return session.scalars(statement).all()


def change_delivery(
    session: Session, user: User, number: str, day: date, slot: str, *, today: date
) -> None:
    """Change day and time of one of a member's own orders, in the caller's transaction.

    :raises ValueError: the carrier does not deliver then.
    :raises TooLate: the order has left the shop, or is not this member's.
    """
    if day not in days_offered(today) or slot not in SLOTS:
        raise ValueError("the carrier does not deliver then")
    statement = (
        update(Order)
        .where(Order.number == number, Order.user_id == user.id, Order.status.in_(CHANGEABLE))
        .values(delivery_on=day, delivery_slot=slot)
        .returning(Order.id)
    )
    if session.execute(statement).first() is None:
        raise TooLate(number)
