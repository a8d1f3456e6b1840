"""What LINE's pages and messages learn about the shop's members."""

import sys
from collections.abc import Sequence
from typing import ClassVar

from flask import current_app
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from sqlalchemy import or_
from sqlalchemy import select

from flask_lineconnect import DEFAULT_CATEGORIES
from flask_lineconnect import Category
from flask_lineconnect import LineProfile
from flask_lineconnect import MemberNotice
from flask_lineconnect import MemberQuery
from flask_lineconnect import NextRank
from flask_lineconnect import OrderEvents
from flask_lineconnect import OwnerNotice
from flask_lineconnect import PointBalance
from flask_lineconnect import PointChange
from flask_lineconnect import ShopAdapter
from flask_lineconnect import StaffRole
from flask_lineconnect import fold_digits

from ..extensions import db
from ..forms import MemberForm
from ..members import make_member
from ..models import User
from ..models import rank_label
from ..points import RANKS
from ..points import balance_of
from ..points import history
from ..points import rank_after
from ..points import standing_of
from ..shop.texts import number
from ..shop.texts import reason
from .inquiries import KomorebiInquiries
from .membership import KomorebiMembership
from .orders import KomorebiOrders
from .products import KomorebiProducts

LEAF = (
    '<svg viewBox="0 0 32 32"><path d="M16 3c8 5 11 11 8 18-2 5-6 7-8 8-2-1-6-3-8-8-3-7 0-13 '
    '8-18z"/><path d="M16 9v18M16 15l5-3M16 20l5-3M16 17l-5-3M16 22l-5-3"/></svg>'
)


#: Of digits by which staff look for members.
SHORTEST_NUMBER = 4


class KomorebiShop(ShopAdapter[User]):
    """Komorebi-do, as the extension sees it."""

    model = User
    name = lazy_gettext("こもれび堂")
    theme: ClassVar = {
        "ground": "#faf6ee",
        "ink": "#33291f",
        "action": "#7a4b2a",
        "accent": "#4c6a32",
        "card": "#5b3a22",
        "heading": '"Hiragino Mincho ProN", "Yu Mincho", "Noto Serif CJK JP", serif',
    }
    mark = LEAF
    sign_up_form = MemberForm
    set_password_endpoint = "account.set_password"
    terms_endpoint = "store.terms"
    orders = KomorebiOrders()
    order_events = OrderEvents("order.placed", value="total", undone=("order.cancelled",))
    membership = KomorebiMembership()
    products = KomorebiProducts()
    inquiries = KomorebiInquiries()
    categories: ClassVar = (
        *DEFAULT_CATEGORIES,
        Category("booking", lazy_gettext("ご予約のお知らせ")),
        Category("viewed", lazy_gettext("ご覧になった商品のご案内"), is_marketing=True),
    )
    card_barcode = "jan13"
    has_card_codes = True

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
        """Return the balance that the counter sees, too, and what becomes of it."""
        standing, balance = standing_of(db.session(), member), balance_of(member)
        zone = current_app.config["SHOP_ZONE"]
        return PointBalance(
            balance,
            expiring_points=balance,
            expires_on=standing.expires_at and standing.expires_at.astimezone(zone).date(),
            rank=member.rank_label,
            next_rank=_next_rank(member, standing.collected),
        )

    def point_history(
        self, member: User, *, before: str | None, limit: int
    ) -> Sequence[PointChange]:
        """Return the member's bookings."""
        found = history(db.session(), member, before=before, limit=limit)
        return [
            PointChange(entry.key, entry.at, entry.amount, reason(entry.reason)) for entry in found
        ]

    def staff_role(self, user: User) -> StaffRole | None:
        """Let the shop's staff into the console, as its owner."""
        return "owner" if user.is_staff else None

    def find_members(self, text: str) -> MemberQuery:
        """Find members by name, e-mail address, or the number on their card or of their phone."""
        digits = fold_digits(text)
        found = [column.contains(text, autoescape=True) for column in (User.name, User.email)]
        if len(digits) >= SHORTEST_NUMBER:
            found += [User.card_number.startswith(digits), User.phone.contains(digits)]
        return select(User.id).where(or_(*found))

    def tell_member(self, member: User, notice: MemberNotice) -> None:
        """Show the mail where the demo runs; a real shop would send it."""
        print(f"\n  To {member.email}: {notice.text}\n", file=sys.stderr, flush=True)

    def tell_owner(self, notice: OwnerNotice) -> None:
        """Show it where the demo runs; a real shop would send a mail."""
        print(f"\n  To the owner of {self.name}: {notice.text}\n", file=sys.stderr, flush=True)


def _next_rank(member: User, collected: int) -> NextRank | None:
    rank = rank_after(member.rank)
    if rank is None:
        return None
    missing = _("あと%(points)sポイント", points=number(RANKS[rank] - collected))
    return NextRank(rank_label(rank), missing, progress=collected / RANKS[rank])
