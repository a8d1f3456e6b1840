"""What all workers share about sending: the month's quota, pauses, and LINE's request rates."""

from datetime import datetime

from sqlalchemy import Float
from sqlalchemy import String
from sqlalchemy import Text
from sqlalchemy.orm import Mapped
from sqlalchemy.orm import mapped_column

from .base import LineBase
from .base import UtcDateTime


class QuotaMonth(LineBase):
    """One month's messages: what LINE grants and counts, and what we count ourselves."""

    __tablename__ = "lineconnect_quota_month"

    #: ``2026-11``, in LINE's zone.
    month: Mapped[str] = mapped_column(String(7), primary_key=True)
    #: LINE's limit; ``None`` without one, or until it was read.
    granted: Mapped[int | None]
    #: LINE's own count, when it was read last.
    line_used: Mapped[int] = mapped_column(default=0)
    read_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    #: When LINE was asked last, whether it answered or not.
    asked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    #: Recipients of our requests that were accepted or may be.
    own_used: Mapped[int] = mapped_column(default=0)
    #: What LINE has counted beyond that: sent by hand, for example. Never less than it was.
    foreign_used: Mapped[int] = mapped_column(default=0)
    #: The highest of the alert thresholds that the owner was told of.
    alerted: Mapped[float] = mapped_column(Float, default=0.0)


class SendingPause(LineBase):
    """Why nothing, or no advertising, is sent for a while."""

    __tablename__ = "lineconnect_sending_pause"

    #: ``unauthorized``, ``quota``, ``budget`` or ``reserve``; also ``unfit`` and ``undecided``,
    #: which are told as rarely and stop nothing.
    reason: Mapped[str] = mapped_column(String(20), primary_key=True)
    until: Mapped[datetime] = mapped_column(UtcDateTime)
    since: Mapped[datetime] = mapped_column(UtcDateTime)
    is_for_marketing_only: Mapped[bool] = mapped_column(default=False)
    detail: Mapped[str] = mapped_column(Text, default="")


class Pace(LineBase):
    """When the next request to one of LINE's endpoints may be made, by all workers together."""

    __tablename__ = "lineconnect_pace"

    endpoint: Mapped[str] = mapped_column(String(40), primary_key=True)
    #: Seconds since 1970.
    free_at: Mapped[float] = mapped_column(Float)
