"""The cart: product ids and quantities in the browser's session."""

from __future__ import annotations

from dataclasses import dataclass

from flask import session as browser_session
from sqlalchemy import select
from sqlalchemy.orm import Session

from .models import Product

KEY = "cart"
MAX_QUANTITY = 20


@dataclass(frozen=True, slots=True)
class CartLine:
    """One product in the cart."""

    product: Product
    quantity: int

    @property
    def subtotal(self) -> int:
        """Price of the line in yen."""
        return self.product.price * self.quantity


def _quantities() -> dict[str, int]:
    quantities: dict[str, int] = browser_session.get(KEY, {})
    return dict(quantities)


def add(product: Product, quantity: int = 1) -> None:
    """Put something into the cart."""
    set_quantity(product.id, _quantities().get(str(product.id), 0) + quantity)


def set_quantity(product_id: int, quantity: int) -> None:
    """Change how many of something are in the cart; none takes it out."""
    quantities = _quantities()
    if quantity > 0:
        quantities[str(product_id)] = min(quantity, MAX_QUANTITY)
    else:
        quantities.pop(str(product_id), None)
    browser_session[KEY] = quantities


def hold(product: Product, quantity: int) -> None:
    """See that at least so many of something are in the cart; asking twice changes nothing."""
    set_quantity(product.id, max(quantity, _quantities().get(str(product.id), 0)))


def version() -> str:
    """Return what names the cart as it is now; a changed one is another."""
    return ",".join(f"{key}:{quantity}" for key, quantity in sorted(_quantities().items()))


def clear() -> None:
    """Empty the cart."""
    browser_session.pop(KEY, None)


def lines(session: Session) -> list[CartLine]:
    """Return what is in the cart, in the order in which it was put there."""
    quantities = {int(key): quantity for key, quantity in _quantities().items()}
    found = {
        product.id: product
        for product in session.scalars(select(Product).where(Product.id.in_(quantities)))
    }
    return [CartLine(found[key], quantity) for key, quantity in quantities.items() if key in found]


def total(cart: list[CartLine]) -> int:
    """Return the sum in yen."""
    return sum(line.subtotal for line in cart)


def count() -> int:
    """Return how many things are in the cart."""
    return sum(_quantities().values())
