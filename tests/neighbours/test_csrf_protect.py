"""Flask-WTF's ``CSRFProtect`` around the whole app, behind TLS, where it demands a referrer."""

from __future__ import annotations

import pytest
from flask_wtf import CSRFProtect

from tests import small_shop
from tests.people import IN_APP

from . import journey
from .conftest import OpenShop


@pytest.mark.parametrize("order", ["before", "after"])
def test_the_whole_journey(open_shop: OpenShop, order: str) -> None:
    journey.walk(open_shop(**{order: (CSRFProtect,)}))


def test_a_kept_form_reaches_the_shops_view(open_shop: OpenShop) -> None:
    small_shop.notes.clear()
    shop = open_shop(before=(CSRFProtect,))
    person = shop.emulator.browser(shop.emulator.add_user("佐藤 さくら"))
    journey.register(shop, shop.browser(), person)
    phone = shop.browser(IN_APP)
    phone.open("/token")
    begun = phone.post("/note", csrf_token=phone.page.text, text="お茶をひとつ")
    journey.come_back(phone, person, begun)
    assert phone.address.endswith("/line/kept-form")
    phone.send()
    assert phone.page.status_code == 200, phone.page.text
    assert small_shop.notes == ["お茶をひとつ"]
