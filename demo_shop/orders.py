"""Orders: placed against the stock, found again by their owner only."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy import update
from sqlalchemy.orm import Session
from sqlalchemy.orm import selectinload

from .cart import CartLine
from .cart import total
from .models import Order
from .models import OrderLine
from .models import Product
from .models import User
from .models import utcnow
from .points import book
from .points import points_for
from .signals import order_placed


class OutOfStock(Exception):
    """Somebody else was faster."""

    def __init__(self, product: Product):
        super().__init__(product.name)
        self.product = product


def place_order(
    session: Session,
    user: User,
    cart: Sequence[CartLine],
    address: Mapping[str, str],
    *,
    key: str | None = None,
    payment: str = "cod",
) -> Order:
    """Place an order in the caller's transaction, take its stock, book its points.

    :param address: ``name``, ``postal_code``, ``address`` and ``phone``.
    :param key: names the press of the button; the same key returns the first order.
    :param payment: one of ``PAYMENTS``.
    :raises OutOfStock: there is not enough of a product; the caller rolls back.
    :raises IntegrityError: the same key at the same moment; the caller rolls back and asks again.
    """
    before = _order_by_key(session, user, key)
    if before is not None:
        return before
    for line in cart:
        _take_stock(session, line)
    yen = total(list(cart))
    order = Order(
        number=_new_number(),
        key=key,
        user=user,
        total=yen,
        points_earned=points_for(yen),
        payment=payment,
        lines=[
            OrderLine(product=line.product, quantity=line.quantity, price=line.product.price)
            for line in cart
        ],
        **address,
    )
    session.add(order)
    session.flush()
    book(
        session,
        user,
        order.points_earned,
        reason=f"ご注文 {order.number}",
        key=f"order:{order.number}",
    )
    order_placed.send(None, order=order)
    return order


def _order_by_key(session: Session, user: User, key: str | None) -> Order | None:
    if key is None:
        return None
    statement = select(Order).where(Order.key == key, Order.user_id == user.id)
    return session.scalars(statement).one_or_none()


def _take_stock(session: Session, line: CartLine) -> None:
    statement = (
        update(Product)
        .where(Product.id == line.product.id, Product.stock >= line.quantity)
        .values(stock=Product.stock - line.quantity)
        .execution_options(synchronize_session=False)
    )
    if getattr(session.execute(statement), "rowcount", 0) != 1:
        raise OutOfStock(line.product)


def _new_number() -> str:
    return f"K-{utcnow():%y%m}-{secrets.randbelow(10**6):06d}"


def orders_of(session: Session, user: User, *, limit: int = 20, offset: int = 0) -> Sequence[Order]:
    """Return a member's latest orders with their lines, newest first."""
    statement = (
        select(Order)
        .where(Order.user_id == user.id)
        .options(selectinload(Order.lines))
        .order_by(Order.placed_at.desc(), Order.id.desc())
        .limit(limit)
        .offset(offset)
    )
    return session.scalars(statement).all()


def order_by_number(session: Session, user: User, number: str) -> Order | None:
    """Return one of a member's own orders."""
    statement = (
        select(Order)
        .where(Order.number == number, Order.user_id == user.id)
        .options(selectinload(Order.lines))
    )
    return session.scalars(statement).one_or_none()
