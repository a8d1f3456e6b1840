"""What the order pages inside LINE ask of a shop: an :class:`OrderDesk`, and the values it answers.

The desk is the attribute ``orders`` of the shop's adapter; ``shop.py`` is the adapter itself.
"""

from __future__ import annotations

import re
from abc import ABC
from abc import abstractmethod
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field
from datetime import date
from datetime import datetime
from importlib.util import find_spec
from typing import Any
from typing import Generic
from typing import TypeVar

from ..errors import UsageError
from .money import Amount
from .money import check_currency

Member = TypeVar("Member")

#: Source: National Tax Agency of Japan, "Registration number of qualified invoice issuers".
_REGISTRATION_NUMBER = re.compile(r"T[0-9]{13}")


@dataclass(frozen=True, slots=True)
class OrderLine:
    """One line of an order.

    :ivar image_url: absolute or starting with a slash.
    :ivar price: of one piece, in the order's currency, tax included; a discount is negative.
        Receipts need it.
    :ivar tax_percent: the rate in the price: 10, or 8 for food.
    """

    name: str
    quantity: int
    image_url: str | None = None
    price: Amount | None = None
    tax_percent: int = 10


@dataclass(frozen=True, slots=True)
class OrderSummary:
    """One order as the list shows it.

    :ivar number: stands in addresses, so it has no slash.
    :ivar placed_at: aware, UTC.
    :ivar total: tax included; whole yen, or of another currency its main unit, with decimals as
        ``Decimal("93.16")``.
    :ivar status: the shop's own label, for example 「発送済み」.
    :ivar url: the order's page in the shop.
    :ivar currency: of all its amounts, by the code of ISO 4217: ``TWD``, ``THB``, ``USD`` ...
    :raises UsageError: the currency is no such code.
    """

    number: str
    placed_at: datetime
    total: Amount
    status: str
    lines: Sequence[OrderLine] = ()
    url: str | None = None
    currency: str = field(default="JPY", kw_only=True)

    def __post_init__(self) -> None:
        """Refuse a mistake where the value is made."""
        check_currency(self.currency)


@dataclass(frozen=True, slots=True)
class Parcel:
    """What the carrier brings; ``url`` is the carrier's page that follows it."""

    number: str
    carrier: str = ""
    url: str | None = None


@dataclass(frozen=True, slots=True)
class DeliveryOffer:
    """When an order could be delivered, as long as that can be changed.

    :ivar slots: times of the day, in the shop's words; empty where there is no such choice.
    :ivar day: what is chosen now; so is ``slot``.
    """

    days: Sequence[date]
    slots: Sequence[str] = ()
    day: date | None = None
    slot: str | None = None


@dataclass(frozen=True, slots=True)
class OrderDetail(OrderSummary):
    """One order as its own page shows it; what is left out is not shown.

    :ivar steps: the way of every order, in the shop's words, 「受付」 to 「お届け」; ``step`` is
        the index of the one that is reached.
    :ivar facts: what else there is to know, such as 「お届け先」, by its label.
    :ivar delivery: what can be chosen instead; without it, the delivery can't be changed.
    :ivar can_reorder: whether :meth:`OrderDesk.reorder` is offered.
    :ivar paid_on: the day of the payment; without it, there is no receipt yet.
    :ivar addressee: to whom the receipt is written.
    """

    steps: Sequence[str] = ()
    step: int = 0
    parcels: Sequence[Parcel] = ()
    facts: Mapping[str, str] = field(default_factory=dict)
    delivery: DeliveryOffer | None = None
    can_reorder: bool = False
    paid_on: date | None = None
    addressee: str = ""


@dataclass(frozen=True, slots=True)
class Issuer:
    """Who issues receipts (領収書), as they must name it.

    :ivar registration_number: ``T`` and 13 digits, of issuers of qualified invoices.
    :ivar font: path of a TrueType font to put into the PDF. By default the reader's own Japanese
        font is used, which every phone and PDF program has.
    :raises UsageError: the number has another form, or the extra ``receipt`` is not installed.
    """

    name: str
    address: str
    phone: str = ""
    registration_number: str | None = None
    font: str | None = None

    def __post_init__(self) -> None:
        """Refuse a mistake when the shop is written, and not when a customer asks."""
        number = self.registration_number
        if number is not None and not _REGISTRATION_NUMBER.fullmatch(number):
            raise UsageError(f"{number!r} is no registration number: T and 13 digits are needed")
        if find_spec("reportlab") is None:
            raise UsageError("receipts need `pip install 'flask-lineconnect[receipt]'`")


class OrderDesk(ABC, Generic[Member]):
    """Answers for the order pages; :meth:`page` and :meth:`find` are required.

    The member is always the one in the session, and every answer is about their own orders alone.
    """

    #: Who issues receipts; without it there are none.
    issuer: Issuer | None = None

    #: What the button that opens the chat has typed in, for a hook of the shop's; ``None``: none.
    question: Any = "ご注文 {number} について"

    @abstractmethod
    def page(self, member: Member, *, offset: int, limit: int) -> Sequence[OrderSummary]:
        """Return the member's orders, newest first, from ``offset`` on, at most ``limit``.

        An :class:`OrderDetail` is an :class:`OrderSummary`, too.
        """

    @abstractmethod
    def find(self, member: Member, number: str) -> OrderDetail | None:
        """Return one of the member's own orders; ``None`` if it is unknown or another's."""

    def reorder(self, member: Member, number: str) -> str:
        """Prepare the same purchase again, in the caller's transaction; return the path to go to.

        Only for orders with :attr:`OrderDetail.can_reorder`. Let two presses at once do what one
        does: set quantities in the cart, add nothing to them.

        :raises Refused: it can't be done; its message is shown.
        """
        raise NotImplementedError("an order with can_reorder needs OrderDesk.reorder")

    def change_delivery(self, member: Member, number: str, day: date, slot: str | None) -> None:
        """Change when an order is delivered, in the caller's transaction.

        Day and slot are of :attr:`OrderDetail.delivery`; the order may have left since.

        :raises Refused: it can't be done any more; its message is shown.
        """
        raise NotImplementedError("an order with a delivery offer needs OrderDesk.change_delivery")
