"""What the membership pages inside LINE learn, and what they may change."""

from collections.abc import Mapping
from collections.abc import Sequence

from flask import url_for
from flask_babel import gettext as _
from sqlalchemy import select

from flask_lineconnect import Coupon as ShownCoupon
from flask_lineconnect import Favourite
from flask_lineconnect import MemberDesk
from flask_lineconnect import Refused

from ..clock import today
from ..coupons import NoCoupon
from ..coupons import coupons_of
from ..coupons import use_coupon
from ..extensions import db
from ..favourites import favourites_of
from ..favourites import remove_favourite
from ..forms import ProfileForm
from ..models import Coupon
from ..models import User
from ..shop.texts import words


class KomorebiMembership(MemberDesk[User]):
    """The membership desk."""

    profile_form = ProfileForm

    def coupons(self, member: User) -> Sequence[ShownCoupon]:
        """Return the coupons of these days, used ones too."""
        return [
            ShownCoupon(
                key=coupon.code,
                title=words(coupon.title),
                text=words(coupon.text),
                expires_on=one.ends_on,
                barcode=coupon.code,
                is_usable=one.use is None,
                used_at=one.use.at if one.use else None,
            )
            for one in coupons_of(db.session(), member, today=today())
            for coupon in [one.coupon]
        ]

    def coupons_for_messages(self) -> Mapping[str, str]:
        """Return all coupons that there are."""
        found = db.session.execute(select(Coupon.code, Coupon.title).order_by(Coupon.id))
        return {code: title for code, title in found}

    def use_coupon(self, member: User, key: str) -> None:
        """Use one of them, once."""
        try:
            use_coupon(db.session(), member, key, today=today())
        except NoCoupon:
            raise Refused(_("このクーポンは、使用済みか、期限が切れています。")) from None

    def favourites(self, member: User) -> Sequence[Favourite]:
        """Return the products that the member kept."""
        return [
            Favourite(
                key=product.slug,
                name=words(product.name),
                url=url_for("store.product", slug=product.slug),
                image_url=url_for("store.picture", slug=product.slug),
                price=product.price,
                note="" if product.stock else _("在庫なし"),
            )
            for product in favourites_of(db.session(), member, limit=50)
        ]

    def remove_favourite(self, member: User, key: str) -> None:
        """Forget one of them."""
        remove_favourite(db.session(), member, key)
