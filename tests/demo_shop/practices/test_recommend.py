"""Customers who bought A also bought B: ten days after the parcel."""

from __future__ import annotations

import pytest

from demo_shop.extensions import db
from demo_shop.models import Product

from .stage import Stage


@pytest.fixture(scope="module", autouse=True)
def practice(stage: Stage, kyusu_buyers: None) -> None:
    stage.publish("recommend")


@pytest.fixture(scope="module")
def kyusu_buyers(stage: Stage) -> None:
    """Let three customers buy tea and a pot, and five others sweets alone."""
    sencha, kyusu, yokan = (db.session.get_one(Product, number) for number in (1, 3, 4))
    for _number in range(3):
        customer = stage.customer()
        customer.buy(sencha)
        customer.buy(kyusu)
    for _number in range(5):
        stage.customer().buy(yokan)
    stage.later(days=8)


def test_what_others_also_bought_comes_after_ten_days(
    stage: Stage, sencha: Product, kyusu: Product
) -> None:
    customer, owner = stage.customer(), stage.customer()
    customer.receive(sencha)
    owner.buy(kyusu)
    owner.receive(sencha)
    stage.at(12, days=10)
    text, cards = customer.news()
    assert "煎茶「あさつゆ」80gをお選びの方に" in text
    assert "急須「常滑」" in cards
    assert "羊羹" not in cards
    # Whoever has it already is sent nothing.
    assert owner.news() == []
    assert ("also", "dropped") in [one[:2] for one in stage.outcomes("recommend", owner)]


def test_what_is_nearly_gone_is_not_recommended(
    stage: Stage, sencha: Product, kyusu: Product
) -> None:
    customer = stage.customer()
    customer.receive(sencha)
    kyusu.stock = 1
    db.session.commit()
    stage.at(12, days=10)
    assert customer.news() == []
    kyusu.stock = 50
    db.session.commit()


def test_whoever_ordered_meanwhile_needs_no_advice(
    stage: Stage, sencha: Product, hojicha: Product
) -> None:
    customer = stage.customer()
    customer.receive(sencha)
    stage.later(days=5)
    customer.buy(hojicha)
    stage.at(12, days=10)
    assert customer.news() == []
    assert stage.ended("recommend", customer) == ["goal"]
