"""What the order pages inside LINE learn, and what they may change."""

from collections.abc import Sequence
from datetime import date

from flask import url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext

from flask_lineconnect import DeliveryOffer
from flask_lineconnect import Issuer
from flask_lineconnect import OrderDesk
from flask_lineconnect import OrderDetail
from flask_lineconnect import OrderLine
from flask_lineconnect import OrderSummary
from flask_lineconnect import Parcel
from flask_lineconnect import Refused

from .. import cart
from ..clock import day_of
from ..clock import today
from ..delivery import CHANGEABLE
from ..delivery import SLOTS
from ..delivery import TooLate
from ..delivery import change_delivery
from ..delivery import days_offered
from ..dispatch import CARRIER
from ..extensions import db
from ..models import CANCELLED
from ..models import STATES
from ..models import Order
from ..models import User
from ..orders import order_by_number
from ..orders import orders_of
from ..shop.texts import day as written_day
from ..shop.texts import postal_code as written_code
from ..shop.texts import words

TRACKING = "https://trackings.post.japanpost.jp/services/srv/search/direct?reqCodeNo1={}"


class KomorebiOrders(OrderDesk[User]):
    """The order desk."""

    question = lazy_gettext("ご注文 {number} について")
    issuer = Issuer(
        name="こもれび堂",
        address="京都府京都市中京区恵比須町 12-8",
        phone="075-000-0000",
        registration_number="T1234567890123",
    )

    def page(self, member: User, *, offset: int, limit: int) -> Sequence[OrderSummary]:
        """Return the latest orders with their pictures."""
        found = orders_of(db.session(), member, offset=offset, limit=limit)
        return [_detail(order) for order in found]

    def find(self, member: User, number: str) -> OrderDetail | None:
        """Return one order with its way, its parcel, and what can be done with it."""
        order = order_by_number(db.session(), member, number)
        return None if order is None else _detail(order)

    def reorder(self, member: User, number: str) -> str:
        """See that the cart holds what is there of the order."""
        order = order_by_number(db.session(), member, number)
        lines = [line for line in order.lines if line.product.stock] if order else []
        if not lines:
            raise Refused(_("申し訳ありません。いまは在庫がありません。"))
        for line in lines:
            cart.hold(line.product, min(line.quantity, line.product.stock))
        return url_for("store.show_cart")

    def change_delivery(self, member: User, number: str, day: date, slot: str | None) -> None:
        """Change the order, unless it has left the shop meanwhile."""
        chosen = _slots()[slot or ""]
        try:
            change_delivery(db.session(), member, number, day, chosen, today=today())
        except (TooLate, ValueError):
            raise Refused(_("申し訳ありません。このご注文は、もう変更できません。")) from None


def _detail(order: Order) -> OrderDetail:
    number = order.tracking_number
    return OrderDetail(
        number=order.number,
        placed_at=order.placed_at,
        total=order.total,
        status=order.status_label,
        lines=_lines(order),
        url=url_for("account.order", number=order.number),
        steps=[str(label) for label in STATES.values()] if order.status != CANCELLED else (),
        step=list(STATES).index(order.status) if order.status != CANCELLED else 0,
        parcels=[Parcel(number, CARRIER, TRACKING.format(number))] if number else (),
        facts=_facts(order),
        delivery=_offer(order) if order.status in CHANGEABLE else None,
        can_reorder=True,
        paid_on=_paid_on(order),
        addressee=order.name,
    )


def _paid_on(order: Order) -> date | None:
    """Return when it was paid: by transfer, or to the carrier at the door."""
    if order.payment == "transfer":
        return order.paid_at and day_of(order.paid_at)
    return order.delivery_on if order.status == "delivered" else None


def _lines(order: Order) -> list[OrderLine]:
    return [
        OrderLine(
            name=words(line.product.name),
            quantity=line.quantity,
            image_url=url_for("store.picture", slug=line.product.slug),
            price=line.price,
            tax_percent=line.product.tax_percent,
        )
        for line in order.lines
    ]


def _facts(order: Order) -> dict[str, str]:
    facts = {}
    if order.delivery_on:
        label = _("お届け日") if order.status == "delivered" else _("お届け予定")
        slot = f" {_(order.delivery_slot)}" if order.delivery_slot else ""
        facts[label] = written_day(order.delivery_on) + slot
    name = _("%(name)s さま", name=order.name)
    facts[_("お届け先")] = f"〒{written_code(order.postal_code)}\n{order.address}\n{name}"
    facts[_("お支払い")] = order.payment_label
    return facts


def _offer(order: Order) -> DeliveryOffer:
    return DeliveryOffer(
        days=days_offered(today()),
        slots=list(_slots()),
        day=order.delivery_on,
        slot=_(order.delivery_slot) if order.delivery_slot else None,
    )


def _slots() -> dict[str, str]:
    """Return the carrier's times of the day by what they are called on the page."""
    return {_(slot): slot for slot in SLOTS}
