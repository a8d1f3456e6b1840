"""Points: booked once by key, with the balance kept beside; ranks follow from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from datetime import timedelta

from sqlalchemy import and_
from sqlalchemy import func
from sqlalchemy import select
from sqlalchemy import tuple_
from sqlalchemy import update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from .clock import day_of
from .models import PointEntry
from .models import User
from .models import utcnow
from .signals import points_booked
from .signals import rank_raised

#: Yen of a purchase that earn one point.
YEN_PER_POINT = 100
#: Points collected within a year that make a rank, the lowest first.
RANKS = {"silver": 300, "gold": 1_000}
#: How the reason of a booking begins that was made at the counter.
AT_COUNTER = "店頭でのお買い物"
#: Points are lost a year after the last booking; a rank looks at the same time.
YEAR = timedelta(days=365)


@dataclass(frozen=True)
class Standing:
    """What a member's bookings of the last year say."""

    collected: int
    last_at: datetime | None

    @property
    def expires_at(self) -> datetime | None:
        """When the points are lost if nothing is booked until then."""
        return self.last_at and self.last_at + YEAR


def points_for(yen: int) -> int:
    """Return the points that a purchase earns."""
    return yen // YEN_PER_POINT


def balance_of(user: User) -> int:
    """Return the points that a member may spend."""
    return user.point_balance


class TooFewPoints(Exception):
    """The member has fewer points than were to be spent."""


def book(session: Session, user: User, amount: int, *, reason: str, key: str) -> PointEntry | None:
    """Book points in the caller's transaction; ``None`` if this key was booked before.

    :raises TooFewPoints: the balance would be below zero.
    """
    entry = PointEntry(user_id=user.id, amount=amount, reason=reason, key=key)
    try:
        with session.begin_nested():
            session.add(entry)
            session.flush()
            _move(session, user, amount)
    except IntegrityError:
        return None
    session.refresh(user, ["point_balance"])
    user.points_expire_on = day_of(entry.at + YEAR)
    _raise_rank(session, user)
    points_booked.send(None, user=user, entry=entry)
    return entry


def _move(session: Session, user: User, amount: int) -> None:
    statement = (
        update(User)
        .where(User.id == user.id, User.point_balance + amount >= 0)
        .values(point_balance=User.point_balance + amount)
        .returning(User.id)
        .execution_options(synchronize_session=False)
    )
    if session.execute(statement).first() is None:
        raise TooFewPoints


def standing_of(session: Session, user: User) -> Standing:
    """Return what decides about a member's rank and the points' end."""
    year = PointEntry.at > utcnow() - YEAR
    collected = func.sum(PointEntry.amount).filter(year, PointEntry.amount > 0)
    statement = select(func.coalesce(collected, 0), func.max(PointEntry.at))
    row = session.execute(statement.where(PointEntry.user_id == user.id)).one()
    return Standing(collected=row[0], last_at=row[1])


def rank_after(rank: str) -> str | None:
    """Return the rank above another; ``None`` at the top."""
    ladder = ["regular", *RANKS]
    return next(iter(ladder[ladder.index(rank) + 1 :]), None)


def _raise_rank(session: Session, user: User) -> None:
    """Let a member rise; who was promised a rank keeps it."""
    collected = standing_of(session, user).collected
    while (above := rank_after(user.rank)) and collected >= RANKS[above]:
        user.rank = above
        rank_raised.send(None, user=user, until=day_of(utcnow() + YEAR))


def spend(session: Session, user: User, amount: int, *, key: str) -> PointEntry | None:
    """Pay with points in the caller's transaction; ``None`` if this key was booked before.

    :raises TooFewPoints: the member has not as many.
    """
    return book(session, user, -amount, reason="ポイントでのお支払い", key=key)


def booked_as(session: Session, key: str) -> PointEntry | None:
    """Return what was booked by this key."""
    return session.scalars(select(PointEntry).where(PointEntry.key == key)).one_or_none()


def add_at_counter(session: Session, user: User, yen: int, *, key: str) -> PointEntry:
    """Book the points of a purchase at the counter; return the booking.

    The same key books nothing the second time, and returns the first booking.
    """
    reason = f"{AT_COUNTER} {yen:,}円"
    entry = book(session, user, points_for(yen), reason=reason, key=key)
    if entry is None:
        return session.scalars(select(PointEntry).where(PointEntry.key == key)).one()
    return entry


def history(
    session: Session, user: User, *, before: str | None = None, limit: int = 10
) -> Sequence[PointEntry]:
    """Return a member's latest bookings, newest first; purchases that earned nothing are none.

    :param before: the key of the last one that was seen; an unknown one finds nothing.
    """
    own = and_(PointEntry.user_id == user.id, PointEntry.amount != 0)
    if before is not None:
        seen = select(PointEntry.at, PointEntry.id).where(own, PointEntry.key == before)
        own = own & (tuple_(PointEntry.at, PointEntry.id) < seen.scalar_subquery())
    statement = (
        select(PointEntry)
        .where(own)
        .order_by(PointEntry.at.desc(), PointEntry.id.desc())
        .limit(limit)
    )
    return session.scalars(statement).all()
