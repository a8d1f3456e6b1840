"""The ready-made ledger of points, for shops that keep none: bookings that are spent and expire.

Each booking that gives points is a lot of its own, and what is spent comes out of those that end
first. A balance is what is left of them; what was lost by time is seen in the history, and needs no
booking.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC
from datetime import date
from datetime import datetime
from datetime import time
from datetime import timedelta
from datetime import tzinfo
from typing import Any

from flask import current_app
from sqlalchemy import ColumnElement
from sqlalchemy import CompoundSelect
from sqlalchemy import and_
from sqlalchemy import func
from sqlalchemy import inspect
from sqlalchemy import literal
from sqlalchemy import null
from sqlalchemy import or_
from sqlalchemy import select
from sqlalchemy import text
from sqlalchemy import union_all
from sqlalchemy.orm import Session

from ..errors import Refused
from ..errors import UsageError
from ..i18n import gettext as _
from ..models import PointEntry
from ..models.base import insert_if_absent
from ..models.point_entry import HAS_REST
from ..models.point_entry import MAX_POINT_KEY
from ..models.point_entry import MAX_REASON
from ..models.sqlite import begin_writing
from .points import PointBalance
from .points import PointChange

#: The most points of one booking.
MAX_POINTS = 10_000_000
_DAY = timedelta(days=1)
#: Behind the id of a booking: the line of its end.
_END = "x"


@dataclass(frozen=True, slots=True)
class Booking:
    """What is to be booked.

    :ivar points: to give, or negative: to take.
    :ivar reason: in the shop's words; the member reads it.
    :ivar key: by which it is booked once, such as the order's number; ``None``: each time.
    :ivar by: Flask-Login's id of the staff who does it by hand.
    """

    points: int
    reason: str
    key: str | None = None
    by: str | None = None


@dataclass(frozen=True, slots=True)
class PointLedger:
    """A ledger of points that the extension keeps, as :attr:`ShopAdapter.point_ledger`.

    :ivar valid_days: how long points can be spent, the day of their booking not counted; ``None``:
        for ever.
    """

    valid_days: int | None = 365

    def __post_init__(self) -> None:
        """Refuse days that no points could be spent on."""
        if self.valid_days is not None and not 1 <= self.valid_days <= 36_500:
            raise UsageError("PointLedger: valid_days is 1 to 36500, or None")

    def balance_of(self, member: Any) -> PointBalance:
        """Return a member's points, and those that end first."""
        session, member_id = _of(member)
        now = _now()
        left = func.sum(PointEntry.remaining)
        statement = (
            select(PointEntry.expires_on, left)
            .where(PointEntry.member_id == member_id, text(HAS_REST), is_valid(now))
            .group_by(PointEntry.expires_on)
        )
        lots: dict[date | None, int] = {
            day: int(number) for day, number in session.execute(statement)
        }
        first = min((day for day in lots if day is not None), default=None)
        return PointBalance(sum(lots.values()), lots.get(first, 0) if first else 0, first)

    def history_of(self, member: Any, *, before: str | None, limit: int) -> Sequence[PointChange]:
        """Return what happened to a member's points, the latest first; what was lost by time, too.

        :param before: the key of the line behind which to begin; an unknown one finds nothing.
        """
        session, member_id = _of(member)
        lines = _lines(member_id, _now()).subquery("lines")
        at, is_end, number = lines.c.at, lines.c.is_end, lines.c.id
        statement = select(lines).order_by(at.desc(), is_end.desc(), number.desc()).limit(limit)
        if before is not None:
            place = _place(session, member_id, before)
            if place is None:
                return ()
            then, was_end, last = place
            is_same = at == then
            statement = statement.where(
                or_(
                    at < then,
                    and_(is_same, is_end < was_end),
                    and_(is_same, is_end == was_end, number < last),
                )
            )
        return [
            PointChange(
                f"{row.id}{_END if row.is_end else ''}",
                row.at,
                row.points,
                _("有効期限が過ぎました") if row.is_end else row.reason,
            )
            for row in session.execute(statement)
        ]

    def book(
        self, session: Session, member_id: Any, one: Booking, *, now: datetime, zone: tzinfo
    ) -> bool:
        """Book points, inside the caller's transaction.

        :param zone: of the shop's clocks.
        :return: whether it was booked now; not if its key was booked before.
        :raises Refused: the member has not as many points as are to be taken.
        :raises UsageError: the points, the reason or the key are none.
        """
        _require_sound(one)
        begin_writing(session)
        lots = _locked_lots(session, member_id, now) if one.points < 0 else []
        if one.key is not None and _is_booked(session, member_id, one.key):
            return False
        missing = -one.points - sum(lot.remaining for lot in lots)
        if missing > 0:
            raise Refused(_("ポイントが%(points)s足りません。", points=missing), step="points")
        expires_on = self._last_day(now, zone) if one.points > 0 else None
        is_made = insert_if_absent(
            session,
            PointEntry,
            member_id=member_id,
            points=one.points,
            remaining=max(0, one.points),
            reason=one.reason,
            key=one.key,
            booked_at=now,
            expires_on=expires_on,
            expires_at=None if expires_on is None else _end_of(expires_on, zone),
            booked_by=one.by,
        )
        if is_made:
            _take(lots, -one.points)
            session.flush()
        return is_made

    def _last_day(self, now: datetime, zone: tzinfo) -> date | None:
        if self.valid_days is None:
            return None
        return now.astimezone(zone).date() + self.valid_days * _DAY


def is_valid(now: datetime) -> ColumnElement[bool]:
    """Tell of bookings whether their points can be spent."""
    return or_(PointEntry.expires_at.is_(None), PointEntry.expires_at > now)


def _now() -> datetime:
    """Return the time of the extension's clock, which tests move; it stands a floor above."""
    now: datetime = current_app.extensions["lineconnect"].clock()
    return now


def _of(member: Any) -> tuple[Session, Any]:
    state = inspect(member)
    if state.session is None:
        raise UsageError("the member is in no session")
    return state.session, state.mapper.primary_key_from_instance(member)[0]


def _lines(member_id: Any, now: datetime) -> CompoundSelect[Any]:
    is_theirs = PointEntry.member_id == member_id
    booked = select(
        PointEntry.id,
        PointEntry.booked_at.label("at"),
        literal(0).label("is_end"),
        PointEntry.points.label("points"),
        PointEntry.reason.label("reason"),
    ).where(is_theirs)
    ended = select(
        PointEntry.id, PointEntry.expires_at, literal(1), -PointEntry.remaining, null()
    ).where(is_theirs, text(HAS_REST), PointEntry.expires_at <= now)
    return union_all(booked, ended)


def _place(session: Session, member_id: Any, key: str) -> tuple[datetime, int, int] | None:
    """Return where a line stands among the member's own."""
    digits = key.removesuffix(_END)
    if not (digits.isascii() and digits.isdecimal() and len(digits) < 19):
        return None
    entry = session.get(PointEntry, int(digits))
    if entry is None or entry.member_id != member_id:
        return None
    is_end = key.endswith(_END)
    at = entry.expires_at if is_end else entry.booked_at
    return None if at is None else (at, int(is_end), entry.id)


def _locked_lots(session: Session, member_id: Any, now: datetime) -> Sequence[PointEntry]:
    """Return what the member can spend, what ends first before the others; nobody else takes it."""
    # No end is the last one, in whichever order a database puts NULL.
    order = PointEntry.expires_at.is_(None), PointEntry.expires_at, PointEntry.id
    statement = (
        select(PointEntry)
        .where(PointEntry.member_id == member_id, text(HAS_REST), is_valid(now))
        .order_by(*order)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return session.scalars(statement).all()


def _is_booked(session: Session, member_id: Any, key: str) -> bool:
    is_it = PointEntry.member_id == member_id, PointEntry.key == key
    return session.scalar(select(PointEntry.id).where(*is_it)) is not None


def _take(lots: Sequence[PointEntry], points: int) -> None:
    for lot in lots:
        taken = min(lot.remaining, points)
        lot.remaining -= taken
        points -= taken


def _end_of(day: date, zone: tzinfo) -> datetime:
    return datetime.combine(day + _DAY, time(), zone).astimezone(UTC)


def _require_sound(one: Booking) -> None:
    if not one.points or abs(one.points) > MAX_POINTS:
        raise UsageError(f"points are booked from 1 to {MAX_POINTS}, or as negative ones")
    if not one.reason.strip() or len(one.reason) > MAX_REASON:
        raise UsageError(f"a reason of 1 to {MAX_REASON} characters is needed")
    if one.key is not None and not 1 <= len(one.key) <= MAX_POINT_KEY:
        raise UsageError(f"a key has 1 to {MAX_POINT_KEY} characters")
