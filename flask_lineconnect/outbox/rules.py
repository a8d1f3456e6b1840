"""The shop's rules for sending and spending, from its settings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from ..config.plans import JAPANESE_PLANS
from ..config.settings import Config
from ..shop.categories import Category
from .budget import Budget
from .policy import Policy


@dataclass(frozen=True, slots=True)
class Rules:
    """The shop's rules for sending and for spending.

    :ivar names_units: whether LINE is told which messages to count together.
    """

    policy: Policy
    budget: Budget
    names_units: bool = False

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
                hold_out=config.hold_out_percent,
            ),
            Budget(
                plan=plans[config.plan] if config.plan else None,
                yen=config.monthly_budget_yen,
                reserve=config.quota_reserve,
                alert_at=config.quota_alerts,
            ),
            names_units=config.line_insight,
        )
