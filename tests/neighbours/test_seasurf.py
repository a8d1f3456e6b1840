"""Flask-SeaSurf, whose tokens stand in no form of ours; ours are asked for all the same."""

from __future__ import annotations

import pytest
from flask_seasurf import SeaSurf

from . import journey
from .conftest import OpenShop

# It reads the clock in a way that Python 3.12 and newer ones warn of.
pytestmark = pytest.mark.filterwarnings(r"ignore:datetime\.datetime\.utcnow:DeprecationWarning")

#: Otherwise it does nothing while an app is tested.
ON = {"CSRF_DISABLE": False}


@pytest.mark.parametrize("order", ["before", "after"])
def test_the_whole_journey(open_shop: OpenShop, order: str) -> None:
    journey.walk(open_shop(**{order: (SeaSurf,)}, **ON))


def test_S6_3_our_forms_still_need_our_token(open_shop: OpenShop) -> None:
    shop = open_shop(before=(SeaSurf,), **ON)
    browser = shop.browser()
    browser.open("/line/liff")
    browser.post("/line/liff/language", language="en", csrf_token="planted")
    assert browser.page.status_code == 400


def test_the_shops_own_views_stay_protected(open_shop: OpenShop) -> None:
    shop = open_shop(before=(SeaSurf,), **ON)
    browser = shop.browser()
    browser.open("/")
    browser.post("/logout")
    assert browser.page.status_code == 403
