"""What the membership pages inside LINE ask of a shop: a :class:`MemberDesk` and its values.

The desk is the attribute ``membership`` of the shop's adapter; ``shop.py`` is the adapter itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field
from datetime import date
from datetime import datetime
from typing import Any
from typing import ClassVar
from typing import Generic
from typing import TypeVar

from wtforms import Form

from .money import Amount
from .money import check_currency

Member = TypeVar("Member")


@dataclass(frozen=True, slots=True)
class Coupon:
    """One coupon of a member's.

    :ivar key: names it among the member's coupons, in addresses.
    :ivar text: its conditions.
    :ivar barcode: ASCII text that the register reads, shown as a barcode and as a QR code.
    :ivar is_usable: whether a button is offered that calls :meth:`MemberDesk.use_coupon`.
    :ivar used_at: aware; a used one is shown with it.
    :ivar amount: what it takes off, shown below the title; leave it out where the title says it.
    :ivar currency: of the amount, by the code of ISO 4217.
    :raises UsageError: the currency is no such code.
    """

    key: str
    title: str
    text: str = ""
    expires_on: date | None = None
    barcode: str | None = None
    is_usable: bool = False
    used_at: datetime | None = None
    amount: Amount | None = field(default=None, kw_only=True)
    currency: str = field(default="JPY", kw_only=True)

    def __post_init__(self) -> None:
        """Refuse a mistake where the value is made."""
        check_currency(self.currency)


@dataclass(frozen=True, slots=True)
class Favourite:
    """Something that a member wants to find again.

    :ivar key: names it among the member's favourites, in addresses.
    :ivar note: what is to be said of it now, for example 「在庫わずか」.
    :ivar price: tax included; whole yen, or of another currency its main unit.
    :ivar currency: of the price, by the code of ISO 4217.
    :raises UsageError: the currency is no such code.
    """

    key: str
    name: str
    url: str | None = None
    image_url: str | None = None
    price: Amount | None = None
    note: str = ""
    currency: str = field(default="JPY", kw_only=True)

    def __post_init__(self) -> None:
        """Refuse a mistake where the value is made."""
        check_currency(self.currency)


class MemberDesk(Generic[Member]):
    """Answers for the membership pages; nothing is required, and what is missing is not shown.

    The member is always the one in the session.
    """

    #: The shop's own form of what a member may change; fields are filled from the attributes of
    #: the same name. ``None``: nothing can be changed inside LINE.
    profile_form: ClassVar[type[Form] | None] = None

    def save_profile(self, member: Member, form: Form) -> None:
        """Keep what the form says, validated, in the caller's transaction.

        :raises Refused: the shop says no; its message is shown above the form.
        """
        form.populate_obj(member)

    def coupons(self, member: Member) -> Sequence[Coupon] | None:
        """Return the member's coupons, or ``None`` where the shop has no coupons."""
        return None

    def coupons_for_messages(self) -> Mapping[str, Any]:
        """Return the coupons that a message may show: their keys, each with a label for the owner.

        Whether a member has one, and may still use it, is asked of :meth:`coupons` when the
        message is sent.
        """
        return {}

    def use_coupon(self, member: Member, key: str) -> None:
        """Use one of the member's own coupons, in the caller's transaction; two presses use one.

        :raises Refused: it is unknown, used or expired; its message is shown.
        """
        raise NotImplementedError("a usable coupon needs MemberDesk.use_coupon")

    def favourites(self, member: Member) -> Sequence[Favourite] | None:
        """Return the member's favourites, or ``None`` where the shop keeps none."""
        return None

    def remove_favourite(self, member: Member, key: str) -> None:
        """Forget one of the member's favourites, in the caller's transaction."""
        raise NotImplementedError("favourites need MemberDesk.remove_favourite")
