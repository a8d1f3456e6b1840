"""Whom the shop speaks to: named queries, and the rules of ``segments.toml``."""

from datetime import datetime
from datetime import time
from datetime import timedelta

from flask import current_app
from sqlalchemy import select

from flask_lineconnect import LineBlueprint
from flask_lineconnect import MemberQuery

from ..clock import day_of
from ..models import Booking
from ..models import Order
from ..models import User

segments = LineBlueprint("segments", __name__)
segments.segments_from("segments.toml")


@segments.segment("lapsed", label="しばらくご購入のないお客さま")
def lapsed(now: datetime, days: int = 60) -> MemberQuery:
    """Return the members without an order in the last so many days."""
    since = now - timedelta(days=days)
    recent = select(Order.id).where(Order.user_id == User.id, Order.placed_at >= since)
    return select(User.id).where(~recent.exists())


@segments.segment("booked_tomorrow", label="明日ご予約がある")
def booked_tomorrow(now: datetime) -> MemberQuery:
    """Return the members who have booked a seat for tomorrow."""
    zone = current_app.config["SHOP_ZONE"]
    begin, end = (
        datetime.combine(day_of(now) + timedelta(days=days), time(), zone) for days in (1, 2)
    )
    is_tomorrow = begin <= Booking.starts_at, Booking.starts_at < end
    return select(Booking.user_id).where(Booking.status == "booked", *is_tomorrow)
