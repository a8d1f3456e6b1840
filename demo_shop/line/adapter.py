"""What LINE's pages and messages learn about the shop's members."""

from typing import ClassVar

from flask_lineconnect import LineProfile
from flask_lineconnect import PointBalance
from flask_lineconnect import ShopAdapter

from ..extensions import db
from ..forms import MemberForm
from ..members import make_member
from ..models import User
from ..points import balance_of
from .membership import KomorebiMembership
from .orders import KomorebiOrders


class KomorebiShop(ShopAdapter[User]):
    """Komorebi-do, as the extension sees it."""

    model = User
    name = "こもれび堂"
    theme: ClassVar = {
        "--lc-brand": "#7a4b2a",
        "--lc-action": "#7a4b2a",
        "--lc-on-action": "#ffffff",
        "--lc-card": "#5b3a22",
    }
    sign_up_form = MemberForm
    orders = KomorebiOrders()
    membership = KomorebiMembership()

    def sign_up(self, profile: LineProfile) -> User | None:
        """Make a member without a password; an e-mail address in use means: log in first."""
        return make_member(
            db.session(),
            email=profile.email or "",
            name=profile.display_name,
            phone=profile.answers["phone"],
        )

    def may_log_in(self, member: User) -> bool:
        """Keep locked members out, and staff with their passwords."""
        return member.is_active and not member.is_staff

    def has_other_login(self, member: User) -> bool:
        """Tell whether the member has set a password."""
        return member.password_hash is not None

    def member_name(self, member: User) -> str:
        """Return the member's own name."""
        return member.name

    def card_number(self, member: User) -> str:
        """Return the number on the member's card."""
        return member.card_number

    def points(self, member: User) -> PointBalance:
        """Return the balance that the counter sees, too."""
        return PointBalance(balance_of(member), rank=member.rank_label)
