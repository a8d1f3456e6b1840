"""Which products members looked at: noted of those alone who allow it, and forgotten with that."""

from __future__ import annotations

from sqlalchemy import delete
from sqlalchemy.orm import Session

from .clock import utcnow
from .models import Product
from .models import ProductView
from .models import User
from .signals import product_viewed


def note_view(session: Session, user: User, product: Product) -> bool:
    """Note a look in the caller's transaction; return whether it was noted."""
    if user.views_allowed_at is None:
        return False
    view = session.get(ProductView, (user.id, product.id))
    if view is None:
        session.add(ProductView(user_id=user.id, product_id=product.id))
    else:
        view.times, view.last_at = view.times + 1, utcnow()
    product_viewed.send(None, user=user, product=product)
    return True


def allow_views(session: Session, user: User, is_allowed: bool) -> None:
    """Keep a member's choice, in the caller's transaction."""
    if is_allowed:
        user.views_allowed_at = user.views_allowed_at or utcnow()
        return
    user.views_allowed_at = None
    session.execute(delete(ProductView).where(ProductView.user_id == user.id))
