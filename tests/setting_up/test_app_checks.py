"""What the shop hands over is looked at when the extension joins the app."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from flask_login import LoginManager

from flask_lineconnect import LineConnect
from flask_lineconnect import UsageError
from tests.small_shop import SETTINGS
from tests.small_shop import SmallMembership
from tests.small_shop import SmallOrders
from tests.small_shop import SmallShop
from tests.small_shop import db


class AsyncShop(SmallShop):
    """One who writes everything with ``async``."""

    async def sign_up(self, profile: Any) -> Any:  # type: ignore[override]  # the mistake
        """Register."""


class AsyncOrders(SmallOrders):
    """The same at the order desk."""

    async def find(self, member: Any, number: str) -> Any:  # type: ignore[override]  # the mistake
        """Look for it."""


class AsyncMembership(SmallMembership):
    """The same at the member desk."""

    async def use_coupon(self, member: Any, key: str) -> None:  # type: ignore[override]  # the mistake
        """Use it."""


class ShopWithOrders(SmallShop):
    """A desk with the mistake."""

    orders = AsyncOrders()


class ShopWithMembership(SmallShop):
    """Another one."""

    membership = AsyncMembership()


@pytest.mark.parametrize(
    ("shop", "named"),
    [
        (AsyncShop(), "AsyncShop.sign_up"),
        (ShopWithOrders(), "AsyncOrders.find"),
        (ShopWithMembership(), "AsyncMembership.use_coupon"),
    ],
    ids=["adapter", "orders", "membership"],
)
def test_what_is_asked_in_the_middle_of_a_transaction_can_not_be_async(
    shop: SmallShop, named: str
) -> None:
    app = Flask("shop")
    app.config.update(SETTINGS, SQLALCHEMY_DATABASE_URI="sqlite://")
    db.init_app(app)
    LoginManager(app)
    with pytest.raises(UsageError, match=rf"{named} is `async def`.*asgiref"):
        LineConnect(db=db, shop=shop).init_app(app)
