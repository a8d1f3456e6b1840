"""What members do in the shop, told in the transaction in which they do it."""

from typing import Any

from flask_lineconnect import Fact
from flask_lineconnect import LineBlueprint

from ..models import Order
from ..models import PointEntry
from ..models import Product
from ..models import User
from ..signals import cart_changed
from ..signals import order_placed
from ..signals import points_booked
from .extension import line

events = LineBlueprint("events", __name__)

events.member_event(
    "order.placed",
    label="ご注文",
    facts={
        "number": Fact(str, "注文番号"),
        "total": Fact(int, "合計（円）"),
        "products": Fact(list[str], "商品"),
        "categories": Fact(list[str], "分類"),
    },
)
events.member_event(
    "points.booked",
    label="ポイントの増減",
    facts={"amount": Fact(int, "ポイント"), "balance": Fact(int, "残高")},
)
events.member_event(
    "cart.changed",
    label="カートの変更",
    facts={"count": Fact(int, "点数"), "products": Fact(list[str], "商品")},
)


@order_placed.connect
def tell_order(_sender: object, order: Order, **_more: Any) -> None:
    """Tell of an order."""
    products = [one.product for one in order.lines]
    line.emit(
        "order.placed",
        order.user,
        subject=order,
        number=order.number,
        total=order.total,
        products=[product.slug for product in products],
        categories=sorted({product.category for product in products}),
    )


@points_booked.connect
def tell_points(_sender: object, user: User, entry: PointEntry, **_more: Any) -> None:
    """Tell of points that came or went."""
    balance = user.point_balance
    line.emit("points.booked", user, subject=entry, amount=entry.amount, balance=balance)


@cart_changed.connect
def tell_cart(_sender: object, user: User, products: list[Product], count: int) -> None:
    """Tell of a cart, which is in the member's browser and in no table."""
    slugs = [product.slug for product in products]
    line.emit("cart.changed", user, subject=f"cart:{user.id}", count=count, products=slugs)
