"""What people asked in the chat and staff have not answered yet."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session
from sqlalchemy.orm import joinedload

from .models import Inquiry
from .models import Order
from .orders import orders_of

#: Orders beside an inquiry that names none.
LATEST = 2


def open_inquiries(session: Session) -> Sequence[Inquiry]:
    """Return what waits for an answer, the longest wait first."""
    statement = (
        select(Inquiry)
        .where(~Inquiry.is_answered)
        .order_by(Inquiry.at, Inquiry.id)
        .limit(50)
        .options(joinedload(Inquiry.user))
    )
    return session.scalars(statement).all()


def orders_asked_about(session: Session, inquiry: Inquiry) -> Sequence[Order]:
    """Return the member's orders that an inquiry names, or the latest ones if it names none."""
    if inquiry.user is None:
        return ()
    found = orders_of(session, inquiry.user, limit=50)
    return [order for order in found if order.number in inquiry.text] or found[:LATEST]
