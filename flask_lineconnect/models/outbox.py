"""Messages that the shop decided to send, from that moment on."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON
from sqlalchemy import ForeignKey
from sqlalchemy import Index
from sqlalchemy import String
from sqlalchemy import Text
from sqlalchemy.orm import Mapped
from sqlalchemy.orm import mapped_column

from .account import Account
from .base import LineBase
from .base import MemberKey
from .base import UtcDateTime
from .base import partial_index
from .plan import CampaignPlan
from .scenario import ScenarioRun

#: States in which a row is on its way.
UNSENT = ("queued", "sending")
#: The same as a condition that the database recognises in its partial indexes.
IS_UNSENT = "state IN ('queued', 'sending')"
STATES = ("queued", "sending", "accepted", "refused", "expired", "cancelled")
CAMPAIGN_STATES = ("running", "paused", "finished", "cancelled")
IS_STRANGE_CAMPAIGN = "state NOT IN ('running', 'paused', 'finished', 'cancelled')"
#: Of a campaign whose messages are not all written yet.
IS_MAKING = "next_at IS NOT NULL AND state = 'running'"
#: States in which a row has come to its end; other states are another version's.
IS_ENDED = "state IN ('accepted', 'refused', 'expired', 'cancelled')"
#: In a state that this version does not know: a newer one's, which runs beside it.
IS_STRANGE = "state NOT IN ('queued', 'sending', 'accepted', 'refused', 'expired', 'cancelled')"
#: Still to be looked at; a batch's messages follow the batch.
IS_WAITING = f"next_attempt_at IS NOT NULL AND {IS_UNSENT}"
#: Of a message that a scenario's run put in.
IS_OF_RUN = "run_id IS NOT NULL"
#: Claimed by a worker, as itself and not as one of a batch.
IS_CLAIMED = "state = 'sending' AND next_attempt_at IS NOT NULL"
#: The column that says when a row ended, and of which rows it does.
ENDS = {
    "accepted_at": f"accepted_at IS NOT NULL AND {IS_ENDED}",
    "first_tried_at": f"accepted_at IS NULL AND first_tried_at IS NOT NULL AND {IS_ENDED}",
    "created_at": f"accepted_at IS NULL AND first_tried_at IS NULL AND {IS_ENDED}",
}


def _indexes(name: str) -> tuple[Index, ...]:
    """Return what both kinds of rows are found by: what is due, claimed, old or strange."""
    return (
        partial_index(f"{name}_waiting", "priority", "next_attempt_at", where=IS_WAITING),
        partial_index(f"{name}_claimed", "next_attempt_at", where=IS_CLAIMED),
        partial_index(f"{name}_strange", "state", where=IS_STRANGE),
        *(partial_index(f"{name}_{column}", column, where=where) for column, where in ENDS.items()),
    )


class Deliverable:
    """What a message to one account and a batch to many have in common.

    State: ``queued`` → ``sending`` → ``accepted``, ``refused`` (LINE said no), ``expired`` (too
    late, or no answer within the life of the retry key) or ``cancelled`` (nobody may be sent it).
    """

    category: Mapped[str] = mapped_column(String(40))
    #: 0 for what the customer waits for, 1 for advertising.
    priority: Mapped[int]
    #: LINE's message objects as JSON; never changed, so that a repeated request is the same.
    messages: Mapped[str] = mapped_column(Text)
    #: ``X-Line-Retry-Key``: fixed before the first try, so that a repeated call is sent once.
    retry_key: Mapped[str | None] = mapped_column(String(36), unique=True)
    state: Mapped[str] = mapped_column(String(10), default="queued")
    attempts: Mapped[int] = mapped_column(default=0)
    #: Counted with the attempts, and never back: the number by which a worker knows its own claim.
    claims: Mapped[int] = mapped_column(default=0)
    #: Whether LINE may have taken an earlier try of which nobody knows the answer.
    is_uncertain: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    #: From when a worker may take it; ``None`` when it is finished.
    next_attempt_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    #: After which it is no longer worth sending.
    expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    first_tried_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    accepted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    #: ``x-line-request-id`` of the request that LINE accepted.
    line_request_id: Mapped[str | None] = mapped_column(String(100))
    #: The month whose quota was reserved for it.
    quota_month: Mapped[str | None] = mapped_column(String(7))
    error: Mapped[str | None] = mapped_column(Text)


class Campaign(LineBase):
    """One message to many members; its batches, or messages of their own, carry it out.

    State: ``running`` ⇄ ``paused`` → ``finished`` or ``cancelled``.
    """

    __tablename__ = "lineconnect_campaign"
    __table_args__ = (
        partial_index("campaign_running", "id", where="state = 'running'"),
        partial_index("campaign_strange_state", "state", where=IS_STRANGE_CAMPAIGN),
        partial_index("campaign_making", "next_at", where=IS_MAKING),
        partial_index("campaign_plan", "plan_id", where="plan_id IS NOT NULL"),
        partial_index("campaign_finished", "finished_at", where="finished_at IS NOT NULL"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    #: Names it: beginning the same campaign again changes nothing.
    key: Mapped[str] = mapped_column(String(255), unique=True)
    category: Mapped[str] = mapped_column(String(40))
    state: Mapped[str] = mapped_column(String(10), default="running")
    #: Whether :meth:`LineConnect.begin_campaign` made its batches; else messages name it.
    is_batched: Mapped[bool] = mapped_column(default=False)
    #: How many accounts it was meant for when it began.
    recipients: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    #: The plan that it carries out, and that plan as it was at the beginning.
    plan_id: Mapped[int | None] = mapped_column(ForeignKey(CampaignPlan.id, ondelete="SET NULL"))
    definition: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    #: For how many members it was meant at the beginning, whether they may be sent it or not.
    meant: Mapped[int] = mapped_column(default=0, server_default="0")
    #: How many of those who might have been sent it are not, for comparison; and the share.
    held_out: Mapped[int] = mapped_column(default=0, server_default="0")
    holdout_percent: Mapped[int] = mapped_column(default=0, server_default="0")
    #: When more of its messages are written; ``None``: there are no more.
    next_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    #: The last member whose message is written.
    cursor: Mapped[Any | None] = mapped_column(MemberKey, info={"ondelete": None})
    #: Why its messages could not be written.
    problem: Mapped[str | None] = mapped_column(Text)
    #: For how many hours its messages get orders, after a tap and without one; ``None``: as the
    #: settings say.
    direct_hours: Mapped[int | None]
    indirect_hours: Mapped[int | None]


class OutboxBatch(Deliverable, LineBase):
    """The same message objects for up to 500 LINE accounts: one multicast request."""

    __tablename__ = "lineconnect_outbox_batch"
    __table_args__ = (
        *_indexes("outbox_batch"),
        partial_index("outbox_batch_unsent", "campaign_id", where=IS_UNSENT),
        Index("ix_lineconnect_outbox_batch_accounts", "first_account_id", "last_account_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    #: Of the batches that a campaign began with; others carry messages.
    campaign_id: Mapped[int | None] = mapped_column(
        ForeignKey(Campaign.id, ondelete="CASCADE"), index=True
    )
    #: The endpoint that it goes to; ``None``: a multicast.
    endpoint: Mapped[str | None] = mapped_column(String(12))
    #: JSON list: for whom it is.
    account_ids: Mapped[str] = mapped_column(Text)
    #: JSON list: to whom of them it goes, from the first try on.
    chosen_ids: Mapped[str | None] = mapped_column(Text)
    first_account_id: Mapped[int]
    last_account_id: Mapped[int]
    recipients: Mapped[int]
    #: JSON list of the same people, forgotten when LINE has answered.
    line_user_ids: Mapped[str | None] = mapped_column(Text)


class OutboxMessage(Deliverable, LineBase):
    """One to five message objects for one LINE account: a push, or one recipient of a batch."""

    __tablename__ = "lineconnect_outbox_message"
    __table_args__ = (
        *_indexes("outbox_message"),
        partial_index("outbox_message_batch", "batch_id", where="batch_id IS NOT NULL"),
        partial_index("outbox_message_campaign", "campaign_id", where=IS_UNSENT),
        # A campaign's end asks for all of its messages, and so does the database when it goes.
        partial_index("outbox_message_campaigned", "campaign_id", where="campaign_id IS NOT NULL"),
        partial_index("outbox_message_run", "run_id", where=IS_OF_RUN),
        # Links in a message name it by the id, which must never come again.
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey(Account.id, ondelete="CASCADE"), index=True)
    #: Names the message; enqueuing the same key again changes nothing.
    dedupe_key: Mapped[str | None] = mapped_column(String(255), unique=True)
    campaign_id: Mapped[int | None] = mapped_column(ForeignKey(Campaign.id, ondelete="SET NULL"))
    #: The batch that carries it, if others say the same.
    batch_id: Mapped[int | None] = mapped_column(ForeignKey(OutboxBatch.id, ondelete="SET NULL"))
    #: The run of a scenario that it comes from.
    run_id: Mapped[int | None] = mapped_column(ForeignKey(ScenarioRun.id, ondelete="SET NULL"))
