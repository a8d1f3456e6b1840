"""Favourites: back in stock in waves, price lowered; several products, one message."""

from __future__ import annotations

import pytest

from demo_shop.extensions import db
from demo_shop.models import Product

from .stage import Customer
from .stage import Stage


@pytest.fixture(scope="module", autouse=True)
def practice(stage: Stage) -> None:
    stage.publish("restock", "price_down")


def fill_shelf(stage: Stage, product: Product, stock: int, price: int | None = None) -> None:
    form = {"stock": str(stock), "price": str(price or product.price)}
    stage.staff().post(f"/back-office/products/{product.slug}", data=form)
    stage.play()


def keeper(stage: Stage, *products: Product) -> Customer:
    customer = stage.customer()
    for product in products:
        customer.visit(f"/products/{product.slug}/keep", now="yes")
    return customer


def test_what_is_back_is_told_to_those_who_keep_it(stage: Stage, kyusu: Product) -> None:
    customer, other = keeper(stage, kyusu), stage.customer()
    fill_shelf(stage, kyusu, 0)
    fill_shelf(stage, kyusu, 5)
    assert customer.news() == []
    stage.later(minutes=15)
    [card] = customer.news()
    assert "お待たせしました" in card
    assert "急須「常滑」" in card
    assert "5,400円" in card
    assert other.news() == []
    # Once for each time that it is back.
    fill_shelf(stage, kyusu, 4)
    stage.later(days=1)
    assert customer.news() == []


def test_several_products_are_one_message_and_sold_out_ones_are_left_out(
    stage: Stage, sencha: Product, hojicha: Product, kyusu: Product
) -> None:
    customer = keeper(stage, sencha, hojicha, kyusu)
    for product in (sencha, hojicha, kyusu):
        fill_shelf(stage, product, 0)
        fill_shelf(stage, product, 9)
        stage.later(minutes=2)
    fill_shelf(stage, hojicha, 0)
    stage.later(minutes=15)
    [card] = customer.news()
    assert "煎茶" in card
    assert "急須" in card
    assert "ほうじ茶" not in card


def test_waves_follow_while_some_are_left(stage: Stage, kyusu: Product) -> None:
    fill_shelf(stage, kyusu, 0)
    db.session.execute(db.text("DELETE FROM favourite"))
    db.session.commit()
    customers = [keeper(stage, kyusu) for _number in range(7)]
    fill_shelf(stage, kyusu, 1)
    stage.later(minutes=15)
    assert [len(customer.news()) for customer in customers] == [1, 1, 1, 0, 0, 0, 0]
    stage.later(hours=2)
    assert [len(customer.news()) for customer in customers] == [0, 0, 0, 1, 1, 1, 0]
    # Somebody buys the last one.
    customers[0].buy(kyusu)
    stage.later(hours=2)
    assert [len(customer.news()) for customer in customers] == [0] * 7
    [(step, outcome, reason)] = stage.outcomes("restock", customers[6])
    assert (step, outcome) == ("back", "dropped")
    assert "no product" in str(reason)
    fill_shelf(stage, kyusu, 50)


def test_a_wave_of_the_night_comes_at_nine_and_staff_are_told_of_nothing(
    stage: Stage, kyusu: Product
) -> None:
    db.session.execute(db.text("DELETE FROM favourite"))
    db.session.commit()
    staff = stage.customer(is_staff=True)
    staff.visit("/products/kyusu/keep", now="yes")
    customers = [keeper(stage, kyusu) for _number in range(8)]
    stage.at(18)
    fill_shelf(stage, kyusu, 0)
    fill_shelf(stage, kyusu, 1)
    # Three at a time, of whom the first is staff: at 18:15, 20:15, and 22:15.
    stage.at(18, 15)
    assert [len(one.news()) for one in customers] == [1, 1, 0, 0, 0, 0, 0, 0]
    stage.at(20, 15)
    assert [len(one.news()) for one in customers] == [0, 0, 1, 1, 1, 0, 0, 0]
    stage.at(22, 15)
    assert [len(one.news()) for one in customers] == [0] * 8
    stage.at(9, days=1)
    assert [len(one.news()) for one in customers] == [0, 0, 0, 0, 0, 1, 1, 1]
    assert staff.news() == []
    assert [each[1] for each in stage.outcomes("restock", staff)] == ["skipped"]
    fill_shelf(stage, kyusu, 50)
    db.session.execute(
        db.text("UPDATE user SET is_staff = 0 WHERE id = :id"), {"id": staff.member_id}
    )
    db.session.commit()


def test_lower_prices_come_at_the_next_noon_in_one_message(
    stage: Stage, sencha: Product, hojicha: Product, kyusu: Product
) -> None:
    fill_shelf(stage, hojicha, 50)
    stage.at(9, days=1)
    customer = keeper(stage, sencha, hojicha, kyusu)
    fill_shelf(stage, sencha, 50, 1_100)
    fill_shelf(stage, kyusu, 50, 4_800)
    # Too little to be worth it.
    fill_shelf(stage, hojicha, 50, 850)
    stage.at(11, 59)
    assert customer.news() == []
    stage.at(12)
    [card] = customer.news()
    assert "1,100円" in card
    assert "4,800円" in card
    assert "ほうじ茶" not in card


def test_a_price_that_is_back_and_a_purchase_are_left_out(stage: Stage, hojicha: Product) -> None:
    stage.at(13)
    customer, buyer = keeper(stage, hojicha), keeper(stage, hojicha)
    buyer.buy(hojicha)
    fill_shelf(stage, hojicha, 50, 700)
    fill_shelf(stage, hojicha, 50, 864)
    stage.at(12, days=1)
    assert customer.news() == []
    assert stage.runs("price_down", buyer) == []
