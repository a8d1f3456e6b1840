"""What campaigns are planned: for whom, what, and when."""

from datetime import date
from datetime import datetime
from typing import Any

from sqlalchemy import JSON
from sqlalchemy import String
from sqlalchemy import Text
from sqlalchemy.orm import Mapped
from sqlalchemy.orm import mapped_column

from .base import LineBase
from .base import UtcDateTime
from .base import partial_index

PLAN_STATES = ("draft", "planned", "running", "paused", "finished", "cancelled")
#: Of a plan that begins by itself when its time comes.
IS_PLANNED = "next_at IS NOT NULL AND state IN ('planned', 'running')"


class CampaignPlan(LineBase):
    """A campaign as an owner wrote it; each time it begins, there is one more ``Campaign``.

    State: ``draft`` → ``planned`` (its time is to come, or comes again) → ``running`` →
    ``finished``; ``paused`` and back; ``cancelled``.
    """

    __tablename__ = "lineconnect_campaign_plan"
    __table_args__ = (partial_index("campaign_plan_next", "next_at", where=IS_PLANNED),)

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(60), unique=True)
    label: Mapped[str] = mapped_column(Text)
    #: Grows with each change: whoever changes an older one is told.
    version: Mapped[int] = mapped_column(default=1)
    state: Mapped[str] = mapped_column(String(10), default="draft")
    #: As ``marketing/campaigns/reading.py`` writes it.
    definition: Mapped[dict[str, Any]] = mapped_column(JSON)
    #: When it begins, or begins again.
    next_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    #: Of one that comes again: the day that names that time.
    next_day: Mapped[date | None]
    #: Why it could not begin: a segment or an attribute is gone.
    problem: Mapped[str | None] = mapped_column(Text)
    #: Who of the shop's staff wants it to begin, by Flask-Login's id, where another one has to let
    #: it go; and which version they mean.
    asked_by: Mapped[str | None] = mapped_column(String(255))
    asked_version: Mapped[int | None]
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)
