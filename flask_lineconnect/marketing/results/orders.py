"""The shop's orders as its member events tell of them, in SQL."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import BigInteger
from sqlalchemy import ColumnElement
from sqlalchemy import cast
from sqlalchemy import func

from ...errors import UsageError
from ...shop.money import decimals
from ...state import LineState
from ..event_kinds import EventKinds
from ..segments.fact_sql import fact_value
from ..values import ValueType


@dataclass(frozen=True, slots=True)
class Orders:
    """What the adapter's ``order_events`` mean, checked against the events that are declared.

    :ivar places: decimals of the currency: amounts are whole numbers of its smallest unit.
    """

    placed: str
    value: str
    type: ValueType
    undone: Sequence[str]
    currency: str
    places: int

    def worth(self, dialect: str) -> ColumnElement[int]:
        """Return what a :class:`MemberEvent` is worth, in the currency's smallest unit.

        An event that an earlier version of the shop told without the amount is worth 0.
        """
        value = fact_value(self.value, self.type, dialect) * 10**self.places
        if self.type.python is Decimal:
            value = func.round(value)
        return func.coalesce(cast(value, BigInteger), 0)

    def amount(self, units: int) -> Decimal:
        """Return an amount in the currency's main unit."""
        return Decimal(units).scaleb(-self.places)


def orders_of(line: LineState) -> Orders | None:
    """Return how the shop's orders are told; ``None`` where the adapter does not say.

    :raises UsageError: it names an event or a fact that nobody declared, or no amount.
    """
    said = line.shop.order_events
    if said is None:
        return None
    kinds = line.part(EventKinds)
    kind = kinds.get(said.placed).type_of(said.value)
    if kind.python not in (int, Decimal) or kind.is_list:
        raise UsageError(
            f"ShopAdapter.order_events: the fact {said.value} of {said.placed} is no amount; an "
            "int or a Decimal is needed"
        )
    for name in said.undone:
        kinds.get(name)
    places = decimals(0, said.currency)
    return Orders(said.placed, said.value, kind, tuple(said.undone), said.currency, places)
