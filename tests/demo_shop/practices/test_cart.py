"""Cart left behind: after an hour, again the next noon, once for each version of the cart."""

from __future__ import annotations

import pytest

from demo_shop.extensions import db
from demo_shop.models import Inquiry
from demo_shop.models import Product
from flask_lineconnect.models import Preference

from .stage import Stage


@pytest.fixture(scope="module", autouse=True)
def practice(stage: Stage) -> None:
    stage.publish("cart_left")


def test_a_cart_is_remembered_an_hour_after_its_last_change(
    stage: Stage, sencha: Product, kyusu: Product
) -> None:
    customer = stage.customer()
    customer.put_into_cart(sencha)
    stage.later(minutes=50)
    customer.put_into_cart(kyusu, 2)
    stage.later(minutes=50)
    assert customer.news() == []
    stage.later(minutes=10)
    text, cards = customer.news()
    assert "お買い忘れはありませんか？" in text
    assert "煎茶「あさつゆ」80gなど3点" in text
    assert "5,400円" in cards
    stage.at(12, days=1)
    assert "お取り置きではございません" in customer.news()[0]
    stage.later(days=3)
    assert customer.news() == []
    assert stage.ended("cart_left", customer) == ["restarted", "finished"]


def test_whoever_buys_is_not_reminded(stage: Stage, sencha: Product) -> None:
    customer = stage.customer()
    customer.buy(sencha)
    stage.later(hours=2)
    assert customer.news() == []
    assert stage.ended("cart_left", customer) == ["goal"]


def test_whoever_buys_after_the_first_reminder_gets_no_second(
    stage: Stage, sencha: Product
) -> None:
    customer = stage.customer()
    customer.put_into_cart(sencha)
    stage.later(hours=1)
    assert len(customer.news()) == 2
    customer.buy(sencha)
    stage.later(days=2)
    assert customer.news() == []


def test_an_emptied_cart_is_forgotten(stage: Stage, sencha: Product) -> None:
    customer = stage.customer()
    customer.put_into_cart(sencha)
    customer.visit("/cart/change/sencha", quantity="0")
    stage.later(days=2)
    assert customer.news() == []
    assert stage.ended("cart_left", customer) == ["exit: cart.emptied"]


def test_a_changed_cart_is_a_new_one(stage: Stage, sencha: Product, kyusu: Product) -> None:
    customer = stage.customer()
    stage.at(10, days=1)
    customer.put_into_cart(sencha)
    stage.later(hours=1)
    assert len(customer.news()) == 2
    customer.put_into_cart(kyusu)
    stage.later(hours=1)
    assert "など2点" in customer.news()[0]


def test_what_is_sold_out_by_then_is_not_praised(stage: Stage, kyusu: Product) -> None:
    customer = stage.customer()
    stage.at(10, days=1)
    customer.put_into_cart(kyusu)
    kyusu.stock = 0
    db.session.commit()
    stage.later(days=2)
    assert customer.news() == []
    assert {outcome for _step, outcome, _reason in stage.outcomes("cart_left", customer)} == {
        "dropped"
    }
    kyusu.stock = 50
    db.session.commit()


def test_at_night_it_waits_for_the_morning(stage: Stage, sencha: Product) -> None:
    customer = stage.customer()
    stage.at(22, days=1)
    customer.put_into_cart(sencha)
    stage.later(hours=2)
    assert customer.news() == []
    stage.at(9)
    assert len(customer.news()) == 2


def test_nobody_is_courted_who_waits_for_an_answer(stage: Stage, sencha: Product) -> None:
    customer = stage.customer()
    stage.at(10, days=1)
    customer.put_into_cart(sencha)
    db.session.add(Inquiry(user_id=customer.member_id, name="", text="届きません"))
    db.session.commit()
    stage.later(days=2)
    assert customer.news() == []


def test_whoever_declined_such_messages_gets_none(stage: Stage, sencha: Product) -> None:
    customer = stage.customer()
    db.session.add(
        Preference(
            account_id=customer.account.id, category="cart", is_wanted=False,
            changed_at=stage.line.clock(),
        )
    )  # fmt: skip
    db.session.commit()
    stage.at(10, days=1)
    customer.put_into_cart(sencha)
    stage.later(hours=2)
    assert customer.news() == []
    assert ("remind", "dropped", "declined") in stage.outcomes("cart_left", customer)


def test_nobody_gets_more_than_two_advertisements_a_week(
    stage: Stage, sencha: Product, kyusu: Product
) -> None:
    customer = stage.customer()
    stage.at(10, days=1)
    for quantity in (1, 2, 3):
        customer.put_into_cart(sencha, quantity)
        stage.later(hours=1)
    # A text and its card are one message.
    assert len(customer.news()) == 4
    assert stage.outcomes("cart_left", customer)[-1] == ("remind", "dropped", "frequency cap")
    stage.later(days=8)
    customer.put_into_cart(kyusu)
    stage.later(hours=1)
    assert len(customer.news()) == 2
