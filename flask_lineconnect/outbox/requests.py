"""What a worker holds in its hands: the shop's rules, and requests to LINE that are fixed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field
from datetime import timedelta

from ..categories import Category
from ..config import Config
from ..line_api.sender import Kind
from ..models import OutboxBatch
from ..models import OutboxMessage
from ..plans import JAPANESE_PLANS
from ..shop import OwnerNotice
from .budget import Budget
from .policy import Policy

Model = type[OutboxMessage] | type[OutboxBatch]


@dataclass(frozen=True, slots=True)
class Rules:
    """The shop's rules for sending and for spending."""

    policy: Policy
    budget: Budget

    @classmethod
    def of(cls, config: Config, categories: Sequence[Category]) -> Rules:
        """Return the rules that a shop's settings describe."""
        plans = {**JAPANESE_PLANS, **(config.plans or {})}
        return cls(
            Policy(
                categories=categories,
                zone=config.zone,
                quiet_hours=config.quiet_hours,
                marketing_cap=config.marketing_cap or None,
                cap_period=timedelta(days=config.marketing_cap_days),
            ),
            Budget(
                plan=plans[config.plan] if config.plan else None,
                yen=config.monthly_budget_yen,
                reserve=config.quota_reserve,
                alert_at=config.quota_alerts,
            ),
        )


@dataclass(frozen=True, slots=True)
class Request:
    """One request to LINE; repeated, it is the same to the byte.

    :ivar row_id: of the message or the batch.
    :ivar claim: the number by which this worker may write to that row.
    :ivar is_uncertain: whether LINE may have taken an earlier try.
    :ivar to: JSON, a LINE user ID or a list of them.
    :ivar messages: JSON, LINE's message objects.
    """

    kind: Kind
    row_id: int
    claim: int
    attempt: int
    is_uncertain: bool
    to: str
    messages: str
    retry_key: str
    recipients: int
    quota_month: str
    campaign_id: int | None

    @property
    def model(self) -> Model:
        """The table in which its row is."""
        return OutboxMessage if self.kind == "push" else OutboxBatch

    @property
    def body(self) -> bytes:
        """What is posted to LINE."""
        return f'{{"to":{self.to},"messages":{self.messages}}}'.encode()


@dataclass(slots=True)
class Claimed:
    """What one claim brought.

    :ivar count: rows that were looked at; 0 if nothing is due.
    """

    count: int = 0
    requests: list[Request] = field(default_factory=list)
    notices: list[OwnerNotice] = field(default_factory=list)
