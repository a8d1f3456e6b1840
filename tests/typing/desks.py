"""The desks as a shop writes them: the member's type goes from the adapter to each method."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC
from datetime import date
from datetime import datetime
from typing import assert_type

from wtforms import Form
from wtforms import StringField

from flask_lineconnect import Coupon
from flask_lineconnect import DeliveryOffer
from flask_lineconnect import Favourite
from flask_lineconnect import Issuer
from flask_lineconnect import LineProfile
from flask_lineconnect import MemberDesk
from flask_lineconnect import OrderDesk
from flask_lineconnect import OrderDetail
from flask_lineconnect import OrderLine
from flask_lineconnect import OrderSummary
from flask_lineconnect import Parcel
from flask_lineconnect import Refused
from flask_lineconnect import ShopAdapter
from tests.small_shop import User


class Orders(OrderDesk[User]):
    """All that an order desk can do."""

    issuer = Issuer("店", "京都市", phone="075-000-0000", registration_number="T1234567890123")
    question = "注文 {number} の件"

    def page(self, member: User, *, offset: int, limit: int) -> Sequence[OrderSummary]:
        """Return a list."""
        assert_type(member, User)
        found = self.find(member, "1")
        return [found] if found else []

    def find(self, member: User, number: str) -> OrderDetail | None:
        """Return one order."""
        return OrderDetail(
            number=number,
            placed_at=datetime.now(UTC),
            total=540,
            status="受付",
            lines=[OrderLine("お茶", 1, price=540, tax_percent=8)],
            steps=["受付", "お届け"],
            parcels=[Parcel("4000", url="https://carrier.example/4000")],
            facts={"お支払い": "代金引換"},
            delivery=DeliveryOffer([date(2030, 1, 1)]),
            can_reorder=True,
        )

    def reorder(self, member: User, number: str) -> str:
        """Return a path, or refuse."""
        if member.is_locked:
            raise Refused("ご注文いただけません。")
        return "/cart"

    def change_delivery(self, member: User, number: str, day: date, slot: str | None) -> None:
        """Change it."""
        assert_type(day.isoformat(), str)


class ProfileForm(Form):
    """What may be changed."""

    name = StringField()


class Membership(MemberDesk[User]):
    """All that a member desk can do."""

    profile_form = ProfileForm

    def save_profile(self, member: User, form: Form) -> None:
        """Keep it, by another way than the default."""
        member.name = str(form.data["name"])

    def coupons(self, member: User) -> Sequence[Coupon] | None:
        """Return one."""
        return [Coupon("tea", "お茶 100円引き", barcode="TEA100", is_usable=True)]

    def use_coupon(self, member: User, key: str) -> None:
        """Refuse."""
        raise Refused("使用済みです。")

    def favourites(self, member: User) -> Sequence[Favourite] | None:
        """Return one."""
        return [Favourite("tea", "お茶", url="/tea", price=540)]


class Shop(ShopAdapter[User]):
    """An adapter with both desks."""

    model = User
    orders = Orders()
    membership = Membership()

    def sign_up(self, profile: LineProfile) -> User | None:
        """Register."""
        return User(name=profile.display_name)


class OtherMember:
    """A member of another shop."""


class OtherDesk(MemberDesk[OtherMember]):
    """A desk for other members."""


class Mixed(ShopAdapter[User]):
    """A desk of another member model is a mistake that the type checker finds."""

    model = User
    membership = OtherDesk()  # type: ignore[assignment]

    def sign_up(self, profile: LineProfile) -> User | None:
        """Register."""
        return None


assert_type(Shop().orders.find(User(), "1"), OrderDetail | None)
