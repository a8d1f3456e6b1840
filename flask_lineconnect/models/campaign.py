"""Campaigns that an owner plans, for whom each began, and what LINE accepted for each member."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger
from sqlalchemy import Boolean
from sqlalchemy import ForeignKey
from sqlalchemy import Index
from sqlalchemy import Integer
from sqlalchemy import String
from sqlalchemy.orm import Mapped
from sqlalchemy.orm import mapped_column

from .account import Account
from .base import LineBase
from .base import MemberKey
from .base import UtcDateTime
from .base import partial_index
from .outbox import Campaign
from .scenario import PublishedScenario


class CampaignMember(LineBase):
    """One member for whom a campaign was meant when it began; never drawn again."""

    __tablename__ = "lineconnect_campaign_member"

    campaign_id: Mapped[int] = mapped_column(
        ForeignKey(Campaign.id, ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    member_id: Mapped[Any] = mapped_column(
        MemberKey, primary_key=True, index=True, info={"ondelete": "CASCADE"}
    )
    #: The LINE account that was linked then; absent for whoever had none.
    account_id: Mapped[int | None] = mapped_column(
        ForeignKey(Account.id, ondelete="CASCADE"), index=True
    )
    #: The variant on whose side they are, also those to whom nothing is sent.
    variant: Mapped[str] = mapped_column(String(40), default="")
    is_held_out: Mapped[bool] = mapped_column(Boolean, default=False)
    #: Why nothing was sent to them: a rule of the outbox's at the beginning, or ``template``.
    reason: Mapped[str | None] = mapped_column(String(40))


class Touch(LineBase):
    """One message that LINE accepted for a member; written with LINE's answer, never changed.

    Messages are forgotten earlier; what they brought is counted by these.
    """

    __tablename__ = "lineconnect_touch"
    __table_args__ = (
        Index("ix_lineconnect_touch_member", "member_id", "accepted_at"),
        partial_index("touch_campaign", "campaign_id", "variant", where="campaign_id IS NOT NULL"),
        partial_index("touch_scenario", "scenario_id", "step", where="scenario_id IS NOT NULL"),
        partial_index("touch_account", "account_id", where="account_id IS NOT NULL"),
        Index("ix_lineconnect_touch_at", "accepted_at"),
    )

    id: Mapped[int] = mapped_column(
        BigInteger().with_variant(Integer(), "sqlite"), primary_key=True
    )
    member_id: Mapped[Any] = mapped_column(MemberKey, info={"ondelete": "CASCADE"})
    account_id: Mapped[int | None] = mapped_column(ForeignKey(Account.id, ondelete="CASCADE"))
    campaign_id: Mapped[int | None] = mapped_column(ForeignKey(Campaign.id, ondelete="CASCADE"))
    scenario_id: Mapped[int | None] = mapped_column(
        ForeignKey(PublishedScenario.id, ondelete="CASCADE")
    )
    #: Of a scenario.
    step: Mapped[str] = mapped_column(String(60), default="")
    #: Of a campaign with several.
    variant: Mapped[str] = mapped_column(String(40), default="")
    #: Of a message of its own; batches have none. That row is forgotten earlier.
    message_id: Mapped[int | None] = mapped_column(BigInteger().with_variant(Integer(), "sqlite"))
    category: Mapped[str] = mapped_column(String(40))
    accepted_at: Mapped[datetime] = mapped_column(UtcDateTime)
