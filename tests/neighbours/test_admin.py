"""Flask-Admin beside us: its views of the shop's members, and its own templates and blueprints."""

from __future__ import annotations

import pytest
from flask import Flask
from flask_admin import Admin
from flask_admin.contrib.sqla import ModelView

from tests.small_shop import User
from tests.small_shop import db

from . import journey
from .conftest import OpenShop


def _administer(app: Flask) -> None:
    admin = Admin(app, name="小さな店")
    admin.add_view(ModelView(User, db, name="会員"))


@pytest.mark.parametrize("order", ["before", "after"])
def test_the_whole_journey(open_shop: OpenShop, order: str) -> None:
    shop = open_shop(**{order: (_administer,)})
    journey.walk(shop)
    owner = shop.browser()
    owner.open("/admin/user/")
    assert owner.page.status_code == 200
    assert "佐藤 さくら" in owner.page.text
