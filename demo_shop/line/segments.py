"""Whom the shop speaks to: named queries, and the rules of ``segments.toml``."""

from datetime import datetime
from datetime import timedelta

from sqlalchemy import select

from flask_lineconnect import LineBlueprint
from flask_lineconnect import MemberQuery

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
