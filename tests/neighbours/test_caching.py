"""Flask-Caching beside us, with a cached page of the shop's on the customer's way."""

from __future__ import annotations

import pytest
from flask import Flask
from flask_caching import Cache

from . import journey
from .conftest import OpenShop


def _cache(app: Flask) -> None:
    cache = Cache(app, config={"CACHE_TYPE": "SimpleCache", "CACHE_DEFAULT_TIMEOUT": 300})
    app.add_url_rule("/cached", view_func=cache.cached()(lambda: "cached"), endpoint="cached")


@pytest.mark.parametrize("order", ["before", "after"])
def test_the_whole_journey(open_shop: OpenShop, order: str) -> None:
    shop = open_shop(**{order: (_cache,)})
    visitor = shop.browser()
    assert [visitor.open("/cached") for _again in range(2)] == [f"{shop.base_url}/cached"] * 2
    journey.walk(shop)
