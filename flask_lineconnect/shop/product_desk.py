"""What messages ask of a shop's products: a :class:`ProductDesk` and its values.

The desk is the attribute ``products`` of the shop's adapter. It is asked when a message is sent, so
that price, picture and stock are those of that moment, for many members at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field
from datetime import datetime
from typing import Any
from typing import ClassVar
from typing import Generic
from typing import TypeVar

from .money import Amount
from .money import check_currency

Member = TypeVar("Member")


@dataclass(frozen=True, slots=True)
class Product:
    """A product as messages show it; in a text it is its name.

    :ivar key: names it in facts of member events.
    :ivar url: the page that its button opens, as ``url_for`` makes it.
    :ivar image_url: a picture, shown 20:13; LINE takes ``https://`` alone.
    :ivar price: tax included; whole yen, or of another currency its main unit.
    :ivar note: what is to be said of it now, for example 「残りわずか」, while it is true.
    :ivar was: the price before, shown struck through; leave it out unless the law lets you show it.
    :ivar currency: of the prices, by the code of ISO 4217.
    :raises UsageError: the currency is no such code.
    """

    key: str
    name: str
    url: str | None = None
    image_url: str | None = None
    price: Amount | None = None
    note: str = ""
    was: Amount | None = field(default=None, kw_only=True)
    currency: str = field(default="JPY", kw_only=True)

    def __post_init__(self) -> None:
        """Refuse a mistake where the value is made."""
        check_currency(self.currency)

    def __str__(self) -> str:
        return self.name


class ProductDesk(Generic[Member]):
    """Answers for products in messages; nothing is required, and what is missing is not offered."""

    #: Lists that a message may show, by name, each with a label for the owner, for example
    #: ``{"bestsellers": "よく売れている商品"}``.
    lists: ClassVar[Mapping[str, Any]] = {}

    def find(self, keys: Sequence[str]) -> Sequence[Product]:
        """Return the products of these keys that can be bought now, in any order.

        Those that are sold out or withdrawn are left out: nobody is sent a message about them.
        """
        return ()

    def listed(self, name: str, members: Mapping[Any, datetime]) -> Mapping[Any, Sequence[Product]]:
        """Return the products of one of the lists for each of these members, the best first.

        Who is missing in the answer, or has no product in it, is not sent the message.

        :param members: by their keys, up to some hundreds: since when it counts for each, aware,
            for lists of what is new; it is when the scenario began for them.
        """
        raise NotImplementedError(f"the list {name!r} needs ProductDesk.listed")
