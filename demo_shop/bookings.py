"""Seats at tea and classes: booked, moved, cancelled, and whether the guest came."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from datetime import datetime
from datetime import time
from datetime import timedelta

from flask import current_app
from sqlalchemy import select
from sqlalchemy.orm import Session

from .clock import today
from .clock import utcnow
from .models import Booking
from .models import User
from .signals import booking_moved

#: When there is room, by the shop's clocks.
HOURS = (time(11), time(14), time(16))
_DAYS = 21


class NoRoom(Exception):
    """There is no such time, or the booking is not open any more."""


def times_offered() -> list[datetime]:
    """Return when a seat can be booked: three times a day from tomorrow on."""
    return [_at(today() + timedelta(days=day), hour) for day in range(1, _DAYS) for hour in HOURS]


def book_seat(session: Session, user: User, menu: str, starts_at: datetime) -> Booking:
    """Book a seat in the caller's transaction.

    :raises NoRoom: there is none then.
    """
    if starts_at not in times_offered():
        raise NoRoom(starts_at)
    booking = Booking(user=user, menu=menu, starts_at=starts_at)
    session.add(booking)
    session.flush()
    booking_moved.send(None, booking=booking, what="made")
    return booking


def move_seat(session: Session, booking: Booking, starts_at: datetime) -> None:
    """Move a booking in the caller's transaction.

    :raises NoRoom: there is none then, or the booking is not open.
    """
    if booking.status != "booked" or starts_at not in times_offered():
        raise NoRoom(starts_at)
    if starts_at != booking.starts_at:
        booking.starts_at = starts_at
        booking_moved.send(None, booking=booking, what="changed")


def close_booking(session: Session, booking: Booking, what: str) -> None:
    """Note what became of a booking, in the caller's transaction.

    :param what: ``cancelled``, ``arrived`` or ``missed``.
    :raises NoRoom: it is not open.
    """
    if booking.status != "booked":
        raise NoRoom(booking.id)
    booking.status = what
    booking_moved.send(None, booking=booking, what=what)


def bookings_of(session: Session, user: User) -> Sequence[Booking]:
    """Return a member's open bookings, the next one first."""
    statement = select(Booking).where(Booking.user_id == user.id, Booking.status == "booked")
    return session.scalars(statement.order_by(Booking.starts_at)).all()


def bookings_now(session: Session) -> Sequence[Booking]:
    """Return the open bookings of yesterday, today and the days that come, for staff."""
    since = utcnow() - timedelta(days=1)
    statement = select(Booking).where(Booking.status == "booked", Booking.starts_at > since)
    return session.scalars(statement.order_by(Booking.starts_at).limit(50)).all()


def _at(day: date, hour: time) -> datetime:
    return datetime.combine(day, hour, current_app.config["SHOP_ZONE"])
