"""Looked at but not bought: only with consent, once a week at the most."""

from __future__ import annotations

import pytest

from demo_shop.models import Product

from .stage import Customer
from .stage import Stage


@pytest.fixture(scope="module", autouse=True)
def practice(stage: Stage) -> None:
    stage.publish("viewed")


def visitor(stage: Stage) -> Customer:
    customer = stage.customer()
    customer.visit("/my-page/wishes", sees_views="y")
    return customer


def test_what_was_looked_at_comes_the_next_evening(
    stage: Stage, sencha: Product, kyusu: Product
) -> None:
    customer = visitor(stage)
    customer.visit("/products/kyusu")
    for _time in range(2):
        customer.visit("/products/sencha")
    stage.at(20, days=1)
    text, cards = customer.news()
    assert "最近ご覧の商品をまとめました" in text
    assert cards.index("煎茶") < cards.index("急須")
    # Once a week.
    customer.visit("/products/kyusu")
    stage.at(20, days=2)
    assert customer.news() == []
    stage.at(20, days=5)
    customer.visit("/products/kyusu")
    stage.at(20, days=1)
    assert len(customer.news()) == 2


def test_without_consent_nothing_is_noted(stage: Stage, sencha: Product) -> None:
    customer = stage.customer()
    customer.visit("/products/sencha")
    stage.at(20, days=1)
    assert customer.news() == []
    assert stage.runs("viewed", customer) == []


def test_consent_that_is_taken_back_ends_it(stage: Stage, sencha: Product) -> None:
    customer = visitor(stage)
    customer.visit("/products/sencha")
    customer.visit("/my-page/wishes", born_on="")
    stage.at(20, days=1)
    assert customer.news() == []


def test_whoever_bought_it_or_put_it_into_the_cart_is_left_alone(
    stage: Stage, sencha: Product
) -> None:
    for what in ("buy", "put_into_cart"):
        customer = visitor(stage)
        customer.visit("/products/sencha")
        getattr(customer, what)(sencha)
        stage.at(20, days=1)
        assert customer.news() == []
