"""What messages cost: their share of the month's bill, as the plan makes it."""

from __future__ import annotations

from datetime import datetime
from decimal import ROUND_HALF_UP
from decimal import Decimal

from ...models import QuotaMonth
from ...outbox import budget
from ...outbox.rules import Rules
from ...state import LineState

_SEN = Decimal("0.01")


def cost_of(line: LineState, messages: int, at: datetime) -> Decimal | None:
    """Return the yen of messages without tax; ``None`` without a plan.

    A month's fee and its extra messages, spread evenly over what was sent, or over what the fee
    covers where that is more.
    """
    plan = line.part(Rules).budget.plan
    if plan is None:
        return None
    month = line.session.get(QuotaMonth, budget.month_of(at))
    sent = max(messages, 0 if month is None else budget.used(month))
    extra = plan.extra_cost(sent)
    if extra is None:
        return None
    bill = plan.fee + extra
    each = bill / max(sent, plan.free, 1)
    return (messages * each).quantize(_SEN, ROUND_HALF_UP)
