"""Which member event tells of an order, what it was worth, and which one takes it back.

The results of messages are counted by it; see ``marketing/results/attribution.py``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..errors import UsageError
from .money import check_currency


@dataclass(frozen=True, slots=True)
class OrderEvents:
    """Which member events tell of orders, what they are worth, and what takes them back.

    Orders and what takes them back are told of the same subject:
    ``line.emit("order.cancelled", member, subject=order)``.

    :ivar placed: the member event that tells of an order.
    :ivar value: its fact with the amount: an ``int``, or a ``Decimal``, in the currency's main
        unit, tax included.
    :ivar undone: the events that say that the order counts no more: cancelled, returned.
    :ivar currency: of all amounts, by the code of ISO 4217.
    :raises UsageError: the currency is no such code, or ``undone`` is one text.
    """

    placed: str = "order.placed"
    value: str = "total"
    undone: Sequence[str] = ("order.cancelled",)
    currency: str = "JPY"

    def __post_init__(self) -> None:
        """Refuse a mistake where the value is made."""
        check_currency(self.currency)
        if isinstance(self.undone, str):
            raise UsageError(
                f"OrderEvents.undone is a list of events: write undone=({self.undone!r},)"
            )
