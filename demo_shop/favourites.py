"""Products that a member wants to find again."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import delete
from sqlalchemy import select
from sqlalchemy.orm import Session

from .models import Favourite
from .models import Product
from .models import User
from .signals import favourite_added


def add_favourite(session: Session, user: User, product: Product) -> bool:
    """Keep a product for a member, in the caller's transaction; return whether it is new."""
    if session.get(Favourite, (user.id, product.id)) is not None:
        return False
    session.add(Favourite(user_id=user.id, product_id=product.id))
    session.flush()
    favourite_added.send(None, user=user, product=product)
    return True


def is_favourite(session: Session, user: User, product: Product) -> bool:
    """Tell whether a member keeps a product."""
    return session.get(Favourite, (user.id, product.id)) is not None


def remove_favourite(session: Session, user: User, slug: str) -> None:
    """Forget a member's favourite product, in the caller's transaction."""
    product_ids = select(Product.id).where(Product.slug == slug)
    session.execute(
        delete(Favourite).where(Favourite.user_id == user.id, Favourite.product_id.in_(product_ids))
    )


def favourites_of(session: Session, user: User, *, limit: int = 10) -> Sequence[Product]:
    """Return a member's favourite products, the latest first."""
    statement = (
        select(Product)
        .join(Favourite, Favourite.product_id == Product.id)
        .where(Favourite.user_id == user.id)
        .order_by(Favourite.at.desc(), Product.id)
        .limit(limit)
    )
    return session.scalars(statement).all()


def recommended(session: Session) -> Sequence[Product]:
    """Return a few products that are there to be bought."""
    statement = select(Product).where(Product.stock > 0).order_by(Product.id).limit(5)
    return session.scalars(statement).all()
