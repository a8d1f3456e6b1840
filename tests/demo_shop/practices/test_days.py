"""The second order and replenishment: so long after something that came to the customer's door."""

from __future__ import annotations

import pytest

from demo_shop.models import Product

from .stage import Stage


@pytest.fixture(scope="module", autouse=True)
def practice(stage: Stage) -> None:
    stage.publish("second_order", "replenish")


def test_a_first_order_is_followed_up_until_the_second(
    stage: Stage, kyusu: Product, sencha: Product
) -> None:
    customer, buyer = stage.customer(), stage.customer()
    for one in (customer, buyer):
        one.receive(kyusu)
    stage.at(12, days=7)
    assert "急須「常滑」はいかがですか？" in customer.news()[0]
    assert len(buyer.news()) == 1
    buyer.buy(sencha)
    assert stage.ended("second_order", buyer) == ["goal"]
    stage.at(12, days=14)
    assert "いっしょに選ばれている商品です" in customer.news()[0]
    stage.at(12, days=24)
    assert "次のお買い物 200円引き" in customer.news()[0]
    assert not any("いっしょに選ばれて" in text for text in buyer.news())


def test_only_a_first_order_is_followed_up(stage: Stage, kyusu: Product, trial: Product) -> None:
    customer = stage.customer()
    customer.receive(trial)
    assert stage.runs("second_order", customer) == []
    stage.later(days=1)
    customer.receive(kyusu)
    assert stage.runs("second_order", customer) == []


def test_a_second_order_on_its_way_needs_no_word_for_the_second(
    stage: Stage, kyusu: Product, sencha: Product
) -> None:
    customer = stage.customer()
    first = customer.buy(kyusu)
    customer.buy(sencha)
    stage.later(minutes=1)
    stage.order_goes_on(first, "ship", "deliver")
    customer.news()
    for days in (7, 14, 24):
        stage.at(12, days=days)
    assert customer.news() == []
    assert [outcome[:2] for outcome in stage.outcomes("second_order", customer)] == [
        ("tips", "skipped"),
        ("goes_with", "skipped"),
        ("coupon", "skipped"),
    ]


def test_what_runs_out_is_offered_again_a_little_before(stage: Stage, sencha: Product) -> None:
    stage.at(10, days=1)
    customer = stage.customer()
    customer.receive(sencha, 2)
    # Two of them last sixty days.
    stage.at(12, days=7)
    stage.at(12, days=14)
    customer.news()
    stage.at(9, days=54 - 21)
    assert not any("なくなる頃" in text for text in customer.news())
    stage.at(10)
    text, card = customer.news()
    assert "煎茶「あさつゆ」80gは、そろそろなくなる頃でしょうか。" in text
    assert "もう一度注文する" in card


def test_whoever_bought_the_same_is_not_reminded_and_another_product_counts_for_itself(
    stage: Stage, sencha: Product, kyusu: Product
) -> None:
    same, other = stage.customer(), stage.customer()
    for one in (same, other):
        one.receive(sencha)
    stage.later(days=20)
    same.buy(sencha)
    other.buy(kyusu)
    assert stage.ended("replenish", same) == ["goal"]
    stage.at(10, days=7)
    assert not any("なくなる頃" in text for text in same.news())
    assert any("なくなる頃" in text for text in other.news())
