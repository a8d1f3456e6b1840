"""Links in messages that lead through the shop's own host, and who followed them."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger
from sqlalchemy import ForeignKey
from sqlalchemy import Index
from sqlalchemy import Integer
from sqlalchemy import String
from sqlalchemy import Text
from sqlalchemy.orm import Mapped
from sqlalchemy.orm import mapped_column

from .account import Account
from .base import LineBase
from .base import MemberKey
from .base import UtcDateTime
from .base import partial_index
from .outbox import Campaign
from .scenario import PublishedScenario

#: ``repeat``: the same person once more, at once; ``preview``: fetched ahead, or for a picture of
#: the page; ``robot``: any other program.
CLICK_KINDS = ("person", "repeat", "preview", "robot")


class TrackedLink(LineBase):
    """Where one link of a message leads, and what it belongs to; never changed."""

    __tablename__ = "lineconnect_tracked_link"
    __table_args__ = (
        partial_index("tracked_link_campaign", "campaign_id", where="campaign_id IS NOT NULL"),
        partial_index("tracked_link_scenario", "scenario_id", where="scenario_id IS NOT NULL"),
        # Messages that were sent name a link by its id, which must never come again.
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(
        BigInteger().with_variant(Integer(), "sqlite"), primary_key=True
    )
    #: SHA-256 of what it belongs to, its place in the message and its target; in hexadecimal.
    key: Mapped[str] = mapped_column(String(64), unique=True)
    campaign_id: Mapped[int | None] = mapped_column(ForeignKey(Campaign.id, ondelete="CASCADE"))
    scenario_id: Mapped[int | None] = mapped_column(
        ForeignKey(PublishedScenario.id, ondelete="CASCADE")
    )
    #: Of a scenario.
    step: Mapped[str] = mapped_column(String(60), default="")
    #: Of a campaign or a step whose message has several.
    variant: Mapped[str] = mapped_column(String(40), default="")
    #: Where it stands if in no message of theirs: ``menu:NAME``, ``qr:LABEL``, ``message``.
    source: Mapped[str] = mapped_column(String(100), default="")
    #: What is written on it, for the owner.
    label: Mapped[str] = mapped_column(String(100), default="")
    target: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    #: From when it leads nowhere any more.
    expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class Click(LineBase):
    """One time that a tracked link was opened."""

    __tablename__ = "lineconnect_click"
    __table_args__ = (
        Index("ix_lineconnect_click_link", "link_id", "clicked_at"),
        Index("ix_lineconnect_click_member", "member_id", "clicked_at"),
        partial_index("click_account", "account_id", where="account_id IS NOT NULL"),
        # For the end of what is kept.
        Index("ix_lineconnect_click_clicked_at", "clicked_at"),
        # A browser names its click by the id, which must never come again.
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(
        BigInteger().with_variant(Integer(), "sqlite"), primary_key=True
    )
    link_id: Mapped[int] = mapped_column(ForeignKey(TrackedLink.id, ondelete="CASCADE"))
    #: The message that it stood in, if the message went to one person; it may be gone by now.
    message_id: Mapped[int | None] = mapped_column(BigInteger().with_variant(Integer(), "sqlite"))
    #: For whom the message was; of a link that many got, who was logged in on the page behind it.
    member_id: Mapped[Any | None] = mapped_column(MemberKey, info={"ondelete": "CASCADE"})
    account_id: Mapped[int | None] = mapped_column(ForeignKey(Account.id, ondelete="CASCADE"))
    clicked_at: Mapped[datetime] = mapped_column(UtcDateTime)
    #: One of :data:`CLICK_KINDS`.
    kind: Mapped[str] = mapped_column(String(10))
