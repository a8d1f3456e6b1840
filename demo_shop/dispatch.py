"""The way of an order through the shop, step by step; each is told in its own transaction."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select
from sqlalchemy import update
from sqlalchemy.orm import Session
from sqlalchemy.orm import selectinload

from .clock import today
from .clock import utcnow
from .delivery import CHANGEABLE
from .models import CANCELLED
from .models import Order
from .models import Product
from .points import book
from .signals import order_moved

CARRIER = "ゆうパック"
#: Days from shipping to the door, where the customer chose none.
_ON_THE_WAY = timedelta(days=2)


class WrongStep(Exception):
    """The order is not where this could be done."""


def open_orders(session: Session) -> list[Order]:
    """Return the orders that are on their way, the oldest first."""
    is_open = Order.status.in_([*CHANGEABLE, "shipped"])
    statement = select(Order).where(is_open).options(selectinload(Order.lines))
    return list(session.scalars(statement.order_by(Order.placed_at).limit(50)))


def pay(session: Session, order: Order) -> None:
    """Note that a bank transfer has come in.

    :raises WrongStep: it is paid, is to be paid at the door, or is cancelled.
    """
    if order.payment != "transfer" or order.paid_at or order.status == CANCELLED:
        raise WrongStep(order.number)
    order.paid_at = utcnow()
    if order.status == "received":
        order.status = "preparing"
    order_moved.send(None, order=order, what="paid")


def ship(session: Session, order: Order, tracking_number: str) -> None:
    """Hand an order to the carrier.

    :raises WrongStep: it is not in the shop, or not paid.
    """
    if order.status not in CHANGEABLE or (order.payment == "transfer" and not order.paid_at):
        raise WrongStep(order.number)
    order.status, order.tracking_number = "shipped", tracking_number
    order.delivery_on = order.delivery_on or today() + _ON_THE_WAY
    order_moved.send(None, order=order, what="shipped")


def go_out(session: Session, order: Order) -> None:
    """Note that the carrier brings an order today.

    :raises WrongStep: the carrier has not got it.
    """
    if order.status != "shipped":
        raise WrongStep(order.number)
    order.delivery_on = today()
    order_moved.send(None, order=order, what="out_for_delivery")


def deliver(session: Session, order: Order) -> None:
    """Note that an order has arrived.

    :raises WrongStep: the carrier has not got it.
    """
    if order.status != "shipped":
        raise WrongStep(order.number)
    order.status, order.delivery_on = "delivered", today()
    order_moved.send(None, order=order, what="delivered")


def cancel(session: Session, order: Order) -> None:
    """Cancel an order that has not left the shop: stock and points go back.

    :raises WrongStep: it has left.
    """
    if order.status not in CHANGEABLE:
        raise WrongStep(order.number)
    order.status = CANCELLED
    for line in order.lines:
        session.execute(
            update(Product)
            .where(Product.id == line.product_id)
            .values(stock=Product.stock + line.quantity)
        )
    taken = min(order.points_earned, order.user.point_balance)
    if taken:
        reason = f"ご注文のキャンセル {order.number}"
        book(session, order.user, -taken, reason=reason, key=f"cancelled:{order.number}")
    order_moved.send(None, order=order, what="cancelled")
