"""Points: booked once by key, with the balance kept beside."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy import update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from .models import PointEntry
from .models import User
from .signals import points_added

#: Yen of a purchase that earn one point.
YEN_PER_POINT = 100


def points_for(yen: int) -> int:
    """Return the points that a purchase earns."""
    return yen // YEN_PER_POINT


def balance_of(user: User) -> int:
    """Return the points that a member may spend."""
    return user.point_balance


def book(session: Session, user: User, amount: int, *, reason: str, key: str) -> PointEntry | None:
    """Book points in the caller's transaction; ``None`` if this key was booked before."""
    entry = PointEntry(user_id=user.id, amount=amount, reason=reason, key=key)
    try:
        with session.begin_nested():
            session.add(entry)
    except IntegrityError:
        return None
    statement = (
        update(User)
        .where(User.id == user.id)
        .values(point_balance=User.point_balance + amount)
        .execution_options(synchronize_session=False)
    )
    session.execute(statement)
    session.refresh(user, ["point_balance"])
    return entry


def add_at_counter(session: Session, user: User, yen: int, *, key: str) -> PointEntry:
    """Book the points of a purchase at the counter, and say so; return the booking.

    The same key books and says nothing the second time, and returns the first booking.
    """
    reason = f"店頭でのお買い物 {yen:,}円"
    entry = book(session, user, points_for(yen), reason=reason, key=key)
    if entry is None:
        return session.scalars(select(PointEntry).where(PointEntry.key == key)).one()
    points_added.send(None, entry=entry)
    return entry


def history(session: Session, user: User, *, limit: int = 10) -> Sequence[PointEntry]:
    """Return a member's latest bookings, newest first."""
    statement = (
        select(PointEntry)
        .where(PointEntry.user_id == user.id)
        .order_by(PointEntry.at.desc(), PointEntry.id.desc())
        .limit(limit)
    )
    return session.scalars(statement).all()
