"""Flask-Limiter with limits for the whole app: LINE writes as often as customers do."""

from __future__ import annotations

from functools import partial

import pytest
from flask import Flask
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address

from . import journey
from .conftest import OpenShop
from .journey import Shop


def _limit(app: Flask, *, default: str = "200 per hour", whole: str = "2000 per hour") -> None:
    Limiter(
        get_remote_address,
        app=app,
        default_limits=[default],
        application_limits=[whole],
        storage_uri="memory://",
    )


@pytest.mark.parametrize("order", ["before", "after"])
def test_the_whole_journey(open_shop: OpenShop, order: str) -> None:
    journey.walk(open_shop(**{order: (_limit,)}))


def _post_webhook(shop: Shop) -> int:
    return shop.browser().fetch(f"{shop.base_url}/line/webhook", data=b"{}").status_code


@pytest.mark.parametrize("order", ["before", "after"])
def test_webhooks_are_not_counted(open_shop: OpenShop, order: str) -> None:
    shop = open_shop(**{order: (partial(_limit, default="1 per hour", whole="3 per hour"),)})
    # Unsigned; it is the view that says so.
    assert [_post_webhook(shop) for _again in range(6)] == [400] * 6
    visitor = shop.browser()
    assert [(visitor.open("/"), visitor.page.status_code)[1] for _again in range(2)] == [200, 429]


def test_what_a_page_fetches_by_itself_is_not_counted(open_shop: OpenShop) -> None:
    shop = open_shop(after=(partial(_limit, default="1 per hour"),))
    with shop.app.test_request_context():
        style = shop.app.url_for("lineconnect.liff_static", filename="liff.css")
    visitor = shop.browser()
    for _again in range(3):
        visitor.open(style)
        assert visitor.page.status_code == 200
