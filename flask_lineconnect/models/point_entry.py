"""The ready-made ledger of points: bookings, and what is left of each."""

from datetime import date
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger
from sqlalchemy import Index
from sqlalchemy import Integer
from sqlalchemy import String
from sqlalchemy import UniqueConstraint
from sqlalchemy.orm import Mapped
from sqlalchemy.orm import mapped_column

from .base import LineBase
from .base import MemberKey
from .base import UtcDateTime
from .base import partial_index

#: Of what gives points that are not spent yet.
HAS_REST = "remaining > 0"
#: Of a reason, and of a key, in characters.
MAX_REASON, MAX_POINT_KEY = 200, 100


class PointEntry(LineBase):
    """One booking of a member's points; nothing of it changes but what is left."""

    __tablename__ = "lineconnect_point_entry"
    __table_args__ = (
        UniqueConstraint("member_id", "key", name="uq_lineconnect_point_entry_key"),
        Index("ix_lineconnect_point_entry_of", "member_id", "id"),
        partial_index("point_entry_rest", "expires_at", "member_id", "remaining", where=HAS_REST),
    )

    id: Mapped[int] = mapped_column(
        BigInteger().with_variant(Integer(), "sqlite"), primary_key=True
    )
    member_id: Mapped[Any] = mapped_column(MemberKey, info={"ondelete": "CASCADE"})
    #: Given, or negative: spent or taken back.
    points: Mapped[int]
    #: What is neither spent nor taken back of points that were given.
    remaining: Mapped[int] = mapped_column(default=0)
    reason: Mapped[str] = mapped_column(String(MAX_REASON))
    #: By which a booking is made once, however often it is asked for.
    key: Mapped[str | None] = mapped_column(String(MAX_POINT_KEY))
    booked_at: Mapped[datetime] = mapped_column(UtcDateTime)
    #: The last day on which they can be spent, by the shop's clocks, and the moment of its end.
    expires_on: Mapped[date | None]
    expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    #: Flask-Login's id of the staff who booked it by hand.
    booked_by: Mapped[str | None] = mapped_column(String(255))
