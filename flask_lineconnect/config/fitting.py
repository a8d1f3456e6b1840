"""Settings that must fit each other; each one alone was read by ``values.py``."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence

from ..errors import ConfigError
from .plans import JAPANESE_PLANS
from .plans import Plan


def check_plan(plan: str | None, plans: Mapping[str, Plan] | None, budget: int | None) -> None:
    """Refuse a plan that is nobody's.

    :raises ConfigError: the plan is unknown, or there is a budget without one.
    """
    known = {**JAPANESE_PLANS, **(plans or {})}
    if plan is not None and plan not in known:
        raise ConfigError(
            f"LINECONNECT_PLAN must be one of: {', '.join(known)}; or describe "
            f"{plan!r} in LINECONNECT_PLANS."
        )
    if plan is None and budget is not None:
        raise ConfigError(
            "LINECONNECT_MONTHLY_BUDGET_YEN needs LINECONNECT_PLAN, which says what messages "
            "cost; set it."
        )


def check_forwards(addresses: Sequence[str], base_url: str, url_prefix: str) -> None:
    """Refuse to pass webhooks on to ourselves, which would never end.

    :raises ConfigError: one of the addresses is the shop's own webhook.
    """
    own = base_url + ("" if url_prefix == "/" else url_prefix) + "/webhook"
    if any(one.partition("?")[0] == own for one in addresses):
        raise ConfigError(
            "LINECONNECT_FORWARD_WEBHOOKS has the shop's own webhook, so each would come back for "
            "ever; name the other tool's address"
        )
