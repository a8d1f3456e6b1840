"""The one door between the extension and the shop's own models.

A shop writes one subclass of :class:`ShopAdapter`; everything that the extension must know or have
decided about members, points and orders is asked there. Next on the reading path: ``extension.py``.
"""

from __future__ import annotations

from abc import ABC
from abc import abstractmethod
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field
from typing import TYPE_CHECKING
from typing import Any
from typing import ClassVar
from typing import Generic
from typing import Literal
from typing import TypeVar
from typing import get_args

from wtforms import Form

from ..i18n import lazy_gettext as _
from .categories import DEFAULT_CATEGORIES
from .categories import INVITATION
from .categories import Category
from .inquiry_desk import InquiryDesk
from .member_desk import MemberDesk
from .product_desk import ProductDesk

if TYPE_CHECKING:
    from sqlalchemy import Select

    from .order_desk import OrderDesk
    from .point_ledger import PointLedger
    from .points import PointBalance
    from .points import PointChange
from .order_events import OrderEvents

Member = TypeVar("Member")
Barcode = Literal["code128", "jan13"]
LinkChange = Literal["linked", "unlinked"]
#: What staff may do in the console: everything; all but sending to many and what can't be undone;
#: or look.
StaffRole = Literal["owner", "editor", "viewer"]
#: Columns with which shops mark who is staff, and who is locked out.
_NOT_FOR_LINE = (
    "is_staff",
    "is_admin",
    "is_superuser",
    "is_locked",
    "is_banned",
    "is_blocked",
    "is_suspended",
    "is_deleted",
)
#: Columns in which shops, and the extensions that they use, keep what proves a password.
_PASSWORDS = ("password_hash", "password", "hashed_password", "pw_hash", "password_digest")


@dataclass(frozen=True, slots=True)
class LineProfile:
    """What LINE told us about a person, and what the person confirmed in the registration form.

    :ivar line_user_id: ``U`` and 32 hexadecimal digits, the verified ``sub``.
    :ivar display_name: the name in LINE, or the one that the person typed over it.
    :ivar picture_url: absent for people without a picture.
    :ivar email: absent unless the person granted it. Never proof of being an existing member.
    :ivar answers: the other fields of :attr:`ShopAdapter.sign_up_form`, by field name.
    """

    line_user_id: str
    display_name: str
    picture_url: str | None = None
    email: str | None = None
    answers: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RichMenu:
    """The menu below the chat, published by ``flask line setup``.

    :ivar template: a JSON template of LINE's rich menu object, in which ``url_for`` and
        ``liff_url`` give absolute addresses.
    :ivar image: path of the PNG or JPEG, relative to the app's root, up to 1 MB.
    :ivar images: the same in other languages, for members who chose them on a page, for example
        ``{"en": "line/rich_menu.en.png"}``. The template is rendered in each of them.
    :ivar track: whether its links lead through the shop, so that taps on them are counted.
    """

    template: str
    image: str
    images: Mapping[str, str] = field(default_factory=dict)
    track: bool = False


@dataclass(frozen=True, slots=True)
class OwnerNotice:
    """Something about sending that the shop's owner must know.

    :ivar kind: ``quota``, ``budget``, ``reserve`` or ``unauthorized``, for which sending stopped;
        ``alert``: a share of the month's messages is gone; ``unfit``: a delivery to many waits,
        because it does not fit into what is left; ``undecided``: of some messages nobody knows
        whether LINE took them.
    :ivar text: what happened and what to do.
    """

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class MemberNotice:
    """Something about a member's link that the member must know.

    :ivar kind: ``linked`` or ``unlinked``.
    :ivar text: what happened, and what to do about it, in the language of whoever did it.
    """

    kind: LinkChange
    text: str


class ShopAdapter(ABC, Generic[Member]):
    """What the extension asks of a shop; :attr:`model` and :meth:`sign_up` are required."""

    #: The member model; the type of its single-column primary key becomes ours.
    model: type[Member]

    #: The shop's name, shown on the extension's pages; a lazily translated text has one in each
    #: language.
    name: Any = ""

    #: The look of the extension's pages: colours ``ground``, ``ink``, ``action``, ``accent`` and
    #: ``card``, as ``"#7a4b2a"``, and ``heading``, a list of fonts. All others, and those of the
    #: night, are derived from them.
    theme: ClassVar[Mapping[str, str]] = {}

    #: The shop's mark, which stands before its name: an ``<svg>`` element in one colour.
    mark: ClassVar[str] = ""

    #: The bars on the point card: ``"code128"``, for any number, or ``"jan13"``, for numbers of
    #: twelve digits with or without their check digit.
    card_barcode: ClassVar[Barcode] = "code128"

    #: Offer a code on the card that pays once, within a minute; the counter takes it with
    #: :meth:`LineConnect.redeem_card_code`.
    has_card_codes: ClassVar[bool] = False

    #: The kinds of messages that the shop sends; members decline them one by one.
    categories: ClassVar[Sequence[Category]] = DEFAULT_CATEGORIES

    #: A WTForms form shown before :meth:`sign_up`. Fields named ``display_name`` and ``email`` are
    #: prefilled from LINE; the others arrive in :attr:`LineProfile.answers`. ``None``: the
    #: extension's own form with exactly these two.
    sign_up_form: ClassVar[type[Form] | None] = None

    #: The column of :attr:`model` by which a member is told from the next one whose row gets the
    #: same key: when the row was made, or something random of its own. It must never change.
    #: ``None``: a column with one of the usual names, such as ``created_at``, if there is one.
    member_mark: ClassVar[str | None] = None

    #: The column of :attr:`model` with the name of a member's time zone, such as ``Asia/Tokyo``, by
    #: which the waits of scenarios go. ``None``, and where it is empty: the shop's zone.
    member_zone: ClassVar[str | None] = None

    #: The endpoint of the shop's own page on which a member without a password sets one, for
    #: example ``"account.set_password"``. It gets ``next``, a path to come back to.
    set_password_endpoint: ClassVar[str | None] = None

    #: The endpoint of the shop's own page with its terms, for example ``"store.terms"``; the
    #: registration form links to it where its tick ``accepts_terms`` names them.
    terms_endpoint: ClassVar[str | None] = None

    #: How the label of that tick calls the terms.
    terms_name: ClassVar[Any] = _("会員規約")

    #: Answers for the order pages inside LINE; without one, there are no such pages.
    orders: OrderDesk[Member] | None = None

    #: Which member event tells of an order, and what it was worth: with it, the results of messages
    #: have orders and sales.
    order_events: ClassVar[OrderEvents | None] = None

    #: Answers for the membership pages: profile, coupons, favourites.
    membership: MemberDesk[Member] = MemberDesk()

    #: Answers for products in messages: their cards, and lists of them.
    products: ProductDesk[Member] = ProductDesk()

    #: The ready-made ledger of points, for shops that have none of their own; the shop books with
    #: :meth:`LineConnect.book_points`, and staff correct in the console.
    point_ledger: ClassVar[PointLedger | None] = None

    #: Questions that staff are to answer, for the console's inbox; without one, there is no inbox.
    inquiries: InquiryDesk[Member] | None = None

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Refuse a subclass that forgot ``model``, when it is written and not when it is used."""
        super().__init_subclass__(**kwargs)
        if not hasattr(cls, "model"):
            raise TypeError(f"{cls.__name__} needs `model`, the shop's member model")
        if cls.card_barcode not in get_args(Barcode):
            raise TypeError(f"{cls.__name__}.card_barcode must be one of {get_args(Barcode)}")
        if INVITATION.name in {category.name for category in cls.categories}:
            raise TypeError(
                f"{cls.__name__}.categories has {INVITATION.name!r}, which is for invitations to "
                "link; give the category another name"
            )

    @abstractmethod
    def sign_up(self, profile: LineProfile) -> Member | None:
        """Make a new member, added to the session and not committed.

        ``None`` says that this person seems to be a member already: they are asked to log in first
        and to link then. E-mail equality alone never links.

        :raises Refused: the shop says no; its message is shown above the form.
        """

    def may_log_in(self, member: Member) -> bool:
        """Decide whether LINE may log this member in, and be linked at all.

        LINE Login must not open the shop's own tools, nor a locked door. By default whoever is not
        Flask-Login's ``is_active`` is refused, and whoever has one of the usual marks of staff or
        of a lock, such as ``is_staff`` or ``is_locked``; a shop with other marks asks them here.
        """
        is_marked = any(_is_set(getattr(member, name, False)) for name in _NOT_FOR_LINE)
        return bool(getattr(member, "is_active", True)) and not is_marked

    def has_other_login(self, member: Member) -> bool:
        """Tell whether a member can log in without LINE.

        Who can't is led to :attr:`set_password_endpoint` before unlinking. By default whoever has a
        password in a column with one of the usual names, such as ``password_hash``, and nobody
        else: a way in must not be promised where there is none.
        """
        return any(getattr(member, name, None) for name in _PASSWORDS)

    def member_name(self, member: Member) -> str | None:
        """Return how a page addresses the member; ``None``: by the name in LINE.

        Messages of scenarios have it as ``name``, and never the name in LINE.
        """
        return None

    def card_number(self, member: Member) -> str | None:
        """Return the digits of the member's point card, or ``None`` where the shop has no cards."""
        return None

    def points(self, member: Member) -> PointBalance | None:
        """Return the member's points, or ``None`` where the shop has no points.

        By default those of :attr:`point_ledger`.
        """
        return None if self.point_ledger is None else self.point_ledger.balance_of(member)

    def point_history(
        self, member: Member, *, before: str | None, limit: int
    ) -> Sequence[PointChange]:
        """Return what happened to the member's points, newest first, at most ``limit``.

        The card links to it where a shop has written this method, or has :attr:`point_ledger`.

        :param before: begin behind the line with this :attr:`PointChange.key`. It comes from the
            page's address: look for it among the member's own lines only.
        """
        if self.point_ledger is None:
            return ()
        return self.point_ledger.history_of(member, before=before, limit=limit)

    def staff_role(self, user: Any) -> StaffRole | None:
        """Return what somebody who is logged in to the shop may do in the console; ``None``: enter.

        Without this method there is no console. It is asked at every request of it, and never of
        whoever LINE logged in.

        :param user: Flask-Login's user, a member or somebody of another model.
        """
        return None

    def find_members(self, text: str) -> Select[Any] | None:
        """Return the keys of the members whom staff look for in the console, as a ``select``.

        By names, numbers of cards, e-mail addresses: as the shop lets its staff. By default they
        are found by the names that linked members have in LINE.

        :param text: as it was typed, without blanks around it.
        """
        return None

    def tell_member(self, member: Member, notice: MemberNotice) -> None:
        """Tell a member by another way than LINE, for example by mail, that a link has changed.

        Called after the commit, by whichever process changed it; may commit. LINE's side gets a
        message by itself. By default nobody is told here: write it, or somebody who links a LINE
        account to another person's membership goes unnoticed by that person.
        """

    def tell_owner(self, notice: OwnerNotice) -> None:
        """Tell the shop's owner, for example by mail, of something about sending; may commit.

        Called once for each occasion, by whichever process noticed. By default the log has it.
        """


def _is_set(value: Any) -> bool:
    """Tell whether a column is true; a method of the same name says nothing."""
    return isinstance(value, int) and bool(value)
