"""What messages brought: orders that belong to them, counts of everything, LINE's own figures."""

from datetime import date
from datetime import datetime
from typing import Any

from sqlalchemy import JSON
from sqlalchemy import BigInteger
from sqlalchemy import ForeignKey
from sqlalchemy import Index
from sqlalchemy import Integer
from sqlalchemy import String
from sqlalchemy import UniqueConstraint
from sqlalchemy.orm import Mapped
from sqlalchemy.orm import mapped_column

from .base import LineBase
from .base import MemberKey
from .base import UtcDateTime
from .member_event import MemberEvent
from .outbox import Campaign
from .scenario import PublishedScenario


class Attribution(LineBase):
    """One order, what it was worth, and the message that it belongs to, if there is one.

    Made when the event that tells of the order is handled, and anew when a window changes.
    """

    __tablename__ = "lineconnect_attribution"
    __table_args__ = (
        Index("ix_lineconnect_attribution_ordered", "ordered_at"),
        Index("ix_lineconnect_attribution_member", "member_id", "ordered_at"),
        Index("ix_lineconnect_attribution_campaign", "campaign_id", "ordered_at"),
        Index("ix_lineconnect_attribution_scenario", "scenario_id", "ordered_at"),
    )

    #: The member event that tells of the order.
    order_event_id: Mapped[int] = mapped_column(
        BigInteger().with_variant(Integer(), "sqlite"),
        ForeignKey(MemberEvent.id, ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
    )
    member_id: Mapped[Any] = mapped_column(MemberKey, info={"ondelete": "CASCADE"})
    ordered_at: Mapped[datetime] = mapped_column(UtcDateTime)
    #: In the smallest unit of the shop's currency: yen, cents. Exact on every database.
    value: Mapped[int] = mapped_column(BigInteger)
    #: ``direct``: after a tap on a link; ``indirect``: soon after the message alone; ``none``: it
    #: belongs to no message.
    kind: Mapped[str] = mapped_column(String(10))
    #: Whose message it was: the last one's before the order.
    campaign_id: Mapped[int | None] = mapped_column(ForeignKey(Campaign.id, ondelete="SET NULL"))
    scenario_id: Mapped[int | None] = mapped_column(
        ForeignKey(PublishedScenario.id, ondelete="SET NULL")
    )
    step: Mapped[str] = mapped_column(String(60), default="")
    variant: Mapped[str] = mapped_column(String(40), default="")
    #: The link that was tapped last; absent where the order is indirect.
    link_id: Mapped[int | None] = mapped_column(BigInteger)
    touched_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    #: The first message within the same window, for whoever asks what began it.
    first_campaign_id: Mapped[int | None]
    first_scenario_id: Mapped[int | None]
    first_step: Mapped[str] = mapped_column(String(60), default="")
    #: When the order was cancelled or came back; it counts for nothing since.
    returned_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class ResultCount(LineBase):
    """How often something happened on one day of the shop's, because of one message.

    Changed in the transaction that writes the fact; what is absent is 0 or an empty text, so that
    the key is whole on every database.
    """

    __tablename__ = "lineconnect_result_count"

    campaign_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, default=0)
    scenario_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, default=0)
    step: Mapped[str] = mapped_column(String(60), primary_key=True, default="")
    variant: Mapped[str] = mapped_column(String(40), primary_key=True, default="")
    link_id: Mapped[int] = mapped_column(
        BigInteger, primary_key=True, autoincrement=False, default=0
    )
    day: Mapped[date] = mapped_column(primary_key=True)
    #: One of ``marketing/results/counts.py``'s FIGURES.
    figure: Mapped[str] = mapped_column(String(20), primary_key=True)
    #: Of sales, in the smallest unit of the shop's currency.
    number: Mapped[int] = mapped_column(BigInteger)
    #: The part of the number whose facts were erased or are older than they are kept for.
    forgotten: Mapped[int] = mapped_column(BigInteger, default=0)


class ResultPerson(LineBase):
    """That a member did something because of a message: once each, however often they did it.

    Written and taken back together with the count of such people.
    """

    __tablename__ = "lineconnect_result_person"
    __table_args__ = (
        UniqueConstraint(
            *("figure", "campaign_id", "scenario_id", "step", "variant", "member_id"),
            name="uq_lineconnect_result_person",
        ),
        # For the end of what is kept.
        Index("ix_lineconnect_result_person_day", "day"),
    )

    id: Mapped[int] = mapped_column(
        BigInteger().with_variant(Integer(), "sqlite"), primary_key=True
    )
    #: ``clickers`` or ``buyers``.
    figure: Mapped[str] = mapped_column(String(20))
    #: 0 or an empty text where there is none, as in the counts.
    campaign_id: Mapped[int] = mapped_column(default=0)
    scenario_id: Mapped[int] = mapped_column(default=0)
    step: Mapped[str] = mapped_column(String(60), default="")
    variant: Mapped[str] = mapped_column(String(40), default="")
    member_id: Mapped[Any] = mapped_column(MemberKey, index=True, info={"ondelete": "CASCADE"})
    #: Of the shop's zone: when they did it first.
    day: Mapped[date]


class LineInsight(LineBase):
    """LINE's own figures of one aggregation unit, kept: LINE forgets them after a month.

    LINE tells nothing where fewer than 20 people did something; that is absent, and never 0.
    """

    __tablename__ = "lineconnect_line_insight"

    #: Sent with the messages as their aggregation unit.
    unit: Mapped[str] = mapped_column(String(30), primary_key=True)
    campaign_id: Mapped[int | None] = mapped_column(
        ForeignKey(Campaign.id, ondelete="CASCADE"), index=True
    )
    scenario_id: Mapped[int | None] = mapped_column(
        ForeignKey(PublishedScenario.id, ondelete="CASCADE"), index=True
    )
    step: Mapped[str] = mapped_column(String(60), default="")
    #: Days of LINE's own zone, UTC+9.
    first_day: Mapped[date]
    last_day: Mapped[date]
    #: People who saw a message of the unit, and who tapped one, as LINE counts.
    seen: Mapped[int | None]
    tapped: Mapped[int | None]
    #: LINE's whole answer.
    answer: Mapped[dict[str, Any]] = mapped_column(JSON)
    fetched_at: Mapped[datetime] = mapped_column(UtcDateTime)
