"""What messages learn about the shop's products, when they are sent."""

from collections.abc import Mapping
from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar

from flask import url_for
from flask_babel import gettext as _
from sqlalchemy import select

from flask_lineconnect import Product as ShownProduct
from flask_lineconnect import ProductDesk

from .. import recommending
from ..extensions import db
from ..models import Product
from ..models import User
from ..shop.texts import words


class KomorebiProducts(ProductDesk[User]):
    """The desk of products."""

    lists: ClassVar[Mapping[str, str]] = {
        "bestsellers": "よく売れている商品",
        "new_arrivals": "新しい商品",
        "bought_together": "いっしょに選ばれている商品",
        "viewed": "最近ご覧の商品",
        "favourites_back": "再入荷したお気に入り",
        "favourites_lowered": "値下げしたお気に入り",
    }

    def find(self, keys: Sequence[str]) -> Sequence[ShownProduct]:
        """Return those that are in stock."""
        statement = select(Product).where(Product.slug.in_(keys), Product.stock > 0)
        return [shown(product) for product in db.session.scalars(statement)]

    def listed(
        self, name: str, members: Mapping[int, datetime]
    ) -> Mapping[int, Sequence[ShownProduct]]:
        """Return one of the lists, in one statement for all members."""
        session = db.session()
        if name in ("bestsellers", "new_arrivals"):
            find = getattr(recommending, name)
            same = [shown(product) for product in find(session)]
            return dict.fromkeys(members, same)
        found = {
            "bought_together": lambda: recommending.bought_together(session, members),
            "viewed": lambda: recommending.viewed(session, members),
            "favourites_back": lambda: recommending.back_in_stock(session, members),
            "favourites_lowered": lambda: recommending.lowered(session, members),
        }[name]()
        return {key: [shown(product) for product in products] for key, products in found.items()}


def shown(product: Product) -> ShownProduct:
    """Return a product as a card shows it."""
    return ShownProduct(
        key=product.slug,
        name=words(product.name),
        url=url_for("store.product", slug=product.slug),
        image_url=url_for("store.picture", slug=product.slug),
        price=product.price,
        note=_("残りわずか") if product.stock <= recommending.FEW_LEFT else "",
    )
