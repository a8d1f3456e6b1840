"""Tells what members do, in the transaction in which they do it; nothing is sent here."""

from datetime import date
from datetime import datetime
from typing import Any

from sqlalchemy import Select
from sqlalchemy import func
from sqlalchemy import select

from ..clock import today
from ..dispatch import CARRIER
from ..extensions import db
from ..models import CANCELLED
from ..models import Booking
from ..models import Coupon
from ..models import Order
from ..models import OrderLine
from ..models import PointEntry
from ..models import Product
from ..models import User
from ..points import AT_COUNTER
from ..recommending import usual_interval
from ..shop.texts import money
from ..shop.texts import words
from ..signals import booking_moved
from ..signals import cart_changed
from ..signals import coupon_used
from ..signals import favourite_added
from ..signals import favourite_back
from ..signals import order_moved
from ..signals import order_placed
from ..signals import points_booked
from ..signals import price_lowered
from ..signals import product_viewed
from ..signals import rank_raised
from .extension import line

#: A reminder to buy again comes a little before the last one is used up.
BEFORE_IT_ENDS = 0.9
#: What the class calls what a seat at tea has another name for.
OF_CLASSES = {
    "made": "seminar.booked",
    "changed": "seminar.changed",
    "cancelled": "seminar.cancelled",
}


@order_placed.connect
def tell_order(_sender: object, order: Order, **_more: Any) -> None:
    """Tell of an order, and of each product in it."""
    with line.in_language_of(order.user):
        lines = [
            f"{words(one.product.name)} × {one.quantity}　{money(one.subtotal)}"
            for one in order.lines[:20]
        ]
    # The order's own event is the last one: its message waits for none behind it.
    for product in _each(order):
        line.emit("product.bought", order.user, subject=product, product=product.slug)
    line.emit(
        "order.placed",
        order.user,
        subject=order,
        number=order.number,
        total=order.total,
        eta=order.delivery_on,
        payment=order.payment,
        earned=order.points_earned,
        lines=lines,
        **_products(order),
    )


@order_moved.connect
def tell_move(_sender: object, order: Order, what: str, **_more: Any) -> None:
    """Tell how an order goes on."""
    facts: dict[str, Any] = {"number": order.number}
    if what == "paid":
        facts["total"] = order.total
    elif what == "shipped":
        slot = order.delivery_slot
        tracking = order.tracking_number or ""
        facts |= {"carrier": CARRIER, "tracking": tracking, "eta": order.delivery_on, "slot": slot}
    elif what == "out_for_delivery":
        facts["slot"] = order.delivery_slot
    elif what == "delivered":
        is_trial = all(one.product.is_trial for one in order.lines)
        facts |= {**_products(order), "is_first": _is_first(order), "is_trial": is_trial}
        _tell_delivered(order)
    line.emit(f"order.{what}", order.user, subject=order, **facts)


def _tell_delivered(order: Order) -> None:
    for one in order.lines:
        line.emit(
            "product.delivered",
            order.user,
            subject=one.product,
            product=one.product.slug,
            use_up_on=_use_up_on(one),
        )


def _use_up_on(one: OrderLine) -> date | None:
    interval = usual_interval(db.session(), one.product)
    return None if interval is None else today() + interval * one.quantity * BEFORE_IT_ENDS


def _is_first(order: Order) -> bool:
    earlier = select(func.count()).where(
        Order.user_id == order.user_id,
        Order.status != CANCELLED,
        Order.placed_at < order.placed_at,
    )
    return db.session.scalar(earlier) == 0


def _each(order: Order) -> list[Product]:
    return list({one.product.id: one.product for one in order.lines}.values())


def _products(order: Order) -> dict[str, Any]:
    products = _each(order)
    return {
        "products": [product.slug for product in products],
        "categories": sorted({product.category for product in products}),
    }


@cart_changed.connect
def tell_cart(_sender: object, user: User, products: list[Product], count: int) -> None:
    """Tell of a cart, which is in the member's browser and in no table."""
    subject = f"cart:{user.id}"
    if not count:
        line.emit("cart.emptied", user, subject=subject)
        return
    slugs = [product.slug for product in products]
    line.emit("cart.changed", user, subject=subject, count=count, products=slugs)


@favourite_added.connect
def tell_favourite(_sender: object, user: User, product: Product) -> None:
    """Tell of a product that a member keeps."""
    line.emit("favourite.added", user, subject=product, product=product.slug)


@favourite_back.connect
def tell_restock(
    _sender: object, product: Product, members: Select[Any], tell_at: datetime
) -> None:
    """Tell of a product that is back, for a wave of those who keep it, in one statement."""
    slug = product.slug
    line.emit_many("favourite.restocked", members, subject=product, product=slug, tell_at=tell_at)


@price_lowered.connect
def tell_price(_sender: object, product: Product, members: Select[Any]) -> None:
    """Tell of a lower price, for all who keep the product, in one statement."""
    slug, price = product.slug, product.price
    line.emit_many("favourite.price_lowered", members, subject=product, product=slug, price=price)


@product_viewed.connect
def tell_view(_sender: object, user: User, product: Product) -> None:
    """Tell of a product that a member looked at who allows it."""
    line.emit("product.viewed", user, subject=product, product=product.slug)


@booking_moved.connect
def tell_booking(_sender: object, booking: Booking, what: str) -> None:
    """Tell of a seat at tea, or of one in a class."""
    facts: dict[str, Any] = {"menu": booking.menu_label, "starts_at": booking.starts_at}
    name = f"booking.{what}"
    if booking.menu == "class":
        name = OF_CLASSES.get(what, "seminar.ended")
        if name == "seminar.ended":
            facts["was_there"] = what == "arrived"
    line.emit(name, booking.user, subject=booking, **facts)


@points_booked.connect
def tell_points(_sender: object, user: User, entry: PointEntry, **_more: Any) -> None:
    """Tell of points that came or went, and let open cards show them."""
    if not entry.amount:
        return
    line.emit(
        "points.booked",
        user,
        subject=entry,
        amount=entry.amount,
        balance=user.point_balance,
        is_at_counter=entry.reason.startswith(AT_COUNTER),
    )
    line.points_changed(user)


@rank_raised.connect
def tell_rank(_sender: object, user: User, until: date) -> None:
    """Tell of a member's new rank."""
    line.emit("rank.raised", user, rank=user.rank, until=until)


@coupon_used.connect
def tell_coupon(_sender: object, user: User, coupon: Coupon) -> None:
    """Tell of a coupon that was used."""
    line.emit("coupon.used", user, subject=coupon, code=coupon.code)
