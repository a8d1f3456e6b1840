"""Bookings in the ready-made ledger of points, which open point cards show."""

from __future__ import annotations

from typing import Any

from ..errors import UsageError
from ..linking import accounts
from ..shop.point_ledger import Booking
from ..state import LineState
from . import card_codes


def book(
    line: LineState,
    member: Any,
    points: int,
    *,
    reason: str,
    key: str | None = None,
    by: str | None = None,
) -> bool:
    """Book a member's points, inside the caller's transaction; cards show them after the commit.

    :param by: Flask-Login's id of the staff who does it by hand.
    :return: whether it was booked now; not if its key was booked before.
    :raises Refused: the member has not as many points.
    :raises UsageError: there is no ledger, or the points, the reason or the key are none.
    """
    ledger = line.shop.point_ledger
    if ledger is None:
        raise UsageError("the adapter has no `point_ledger`; without one the shop keeps its points")
    member_id = accounts.member_key(line.session, member)
    one = Booking(points, reason, key, by)
    zone, now = line.config.zone, line.clock()
    if not ledger.book(line.session, member_id, one, now=now, zone=zone):
        return False
    card_codes.note_change(line.session, member_id)
    return True
