"""What messages cost: LINE's plans for official accounts in Japan, and the shop's budget.

Source: LINE for Business, "Price plans" (Japan, since June 2023), without tax. The prices of extra
messages come from third parties and are ``LINECONNECT_PLANS`` to the shop that knows better.
"""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan of LINE's.

    :ivar fee: yen a month.
    :ivar free: messages that the fee covers.
    :ivar tiers: what extra messages cost: up to so many of them (``None``: all others) so many yen
        each. Empty: there are no extra messages.
    """

    fee: int
    free: int
    tiers: Sequence[tuple[int | None, Decimal]] = ()

    def extra_cost(self, messages: int) -> Decimal | None:
        """Return what so many messages a month cost beyond the fee; ``None``: can't be bought."""
        extra, cost, counted = max(0, messages - self.free), Decimal(0), 0
        for up_to, price in self.tiers:
            some = (extra if up_to is None else min(extra, up_to)) - counted
            cost += max(0, some) * price
            counted += max(0, some)
        return cost if counted == extra else None

    def messages_for(self, yen: int) -> int:
        """Return how many messages a month cost at most so much beyond the fee."""
        left, bought = Decimal(yen), 0
        for up_to, price in self.tiers:
            affordable = int(left / price)
            some = affordable if up_to is None else min(affordable, up_to - bought)
            bought += some
            left -= some * price
            if some == affordable:
                break
        return self.free + bought


#: Of August 2026; the last price is a guess on the safe side, for LINE's falls further.
JAPANESE_PLANS: Mapping[str, Plan] = {
    "communication": Plan(0, 200),
    "light": Plan(5_000, 5_000),
    "standard": Plan(
        15_000,
        30_000,
        ((50_000, Decimal("3.0")), (100_000, Decimal("2.8")), (None, Decimal("2.8"))),
    ),
}


@dataclass(frozen=True, slots=True)
class Estimate:
    """What sending would cost, before anything is sent.

    :ivar recipients: who would be sent it now.
    :ivar left: messages that this month still allows; ``None``: any number.
    :ivar yen: what they add to LINE's bill; ``None`` without a plan, or if they can't be bought.
    """

    recipients: int
    left: int | None
    yen: Decimal | None

    @property
    def fits(self) -> bool:
        """Tell whether the quota and the budget suffice."""
        return self.left is None or self.recipients <= self.left


def read_plans(value: object) -> Mapping[str, Plan]:
    """Read plans from a setting.

    :raises ValueError: it has another shape.
    """
    try:
        return {name: _plan(**fields) for name, fields in dict(value).items()}  # type: ignore[call-overload]
    except (TypeError, ValueError, ArithmeticError):
        raise ValueError(
            'must be plans by name, such as {"standard": {"fee": 15000, "free": 30000, "tiers": '
            "[[50000, 3.0], [null, 2.8]]}}"
        ) from None


def _plan(fee: int, free: int, tiers: Sequence[Sequence[Any]] = ()) -> Plan:
    read = tuple(
        (None if up_to is None else int(up_to), Decimal(str(price))) for up_to, price in tiers
    )
    if any(price <= 0 for _up_to, price in read):
        raise ValueError("a message costs something")
    return Plan(int(fee), int(free), read)
