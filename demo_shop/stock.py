"""Stock and prices, and who is to hear of them: those who keep the product."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import Select
from sqlalchemy import select
from sqlalchemy import update
from sqlalchemy.orm import Session

from .clock import utcnow
from .models import CANCELLED
from .models import Favourite
from .models import Order
from .models import OrderLine
from .models import Product
from .signals import favourite_back
from .signals import price_lowered

#: Those who keep a product are told in waves: for each one in stock so many at once, the next ones
#: so much later, if some are left. Who is not reached by then is not told.
PER_ITEM, BETWEEN, WAVES = 3, timedelta(hours=2), 12
#: By how much a price must fall to be worth a message: of a hundred, and in yen.
LEAST_PERCENT, LEAST_YEN = 5, 100
#: Who bought it so lately would be angry, and nobody is told of the same product more often.
JUST_BOUGHT, ONCE_IN = timedelta(days=14), timedelta(days=30)


def set_stock(session: Session, product: Product, stock: int) -> None:
    """Set how many there are, in the caller's transaction; what was sold out is back then."""
    is_back = product.stock == 0 and stock > 0
    product.stock = stock
    if is_back:
        _tell_waves(session, product)


def set_price(session: Session, product: Product, price: int) -> None:
    """Set the price, in the caller's transaction; a fall that is worth it is told."""
    before, now = product.price, utcnow()
    product.price = price
    fall = before - price
    is_lower = fall >= LEAST_YEN and fall * 100 >= before * LEAST_PERCENT
    was_told = product.lowered_at is not None and product.lowered_at > now - ONCE_IN
    if not is_lower or was_told:
        return
    product.price_before, product.lowered_at = before, now
    session.flush()
    recent = (
        select(Order.id)
        .join(OrderLine, OrderLine.order_id == Order.id)
        .where(
            Order.user_id == Favourite.user_id,
            OrderLine.product_id == product.id,
            Order.status != CANCELLED,
            Order.placed_at > now - JUST_BOUGHT,
        )
        .exists()
    )
    price_lowered.send(None, product=product, members=_keepers(product).where(~recent))


def _tell_waves(session: Session, product: Product) -> None:
    """Let the members be told who keep it, the longest first, each in their turn."""
    size, now = PER_ITEM * product.stock, utcnow()
    is_theirs = Favourite.product_id == product.id
    session.execute(
        update(Favourite)
        .where(is_theirs)
        .values(back_at=now)
        .execution_options(synchronize_session=False)
    )
    in_turn = _keepers(product).order_by(Favourite.at, Favourite.user_id)
    keepers = len(session.scalars(in_turn.limit(size * WAVES)).all())
    for wave in range(-(-keepers // size)):
        members = in_turn.limit(size).offset(wave * size)
        favourite_back.send(None, product=product, members=members, tell_at=now + wave * BETWEEN)


def _keepers(product: Product) -> Select[Any]:
    return select(Favourite.user_id).where(Favourite.product_id == product.id)
