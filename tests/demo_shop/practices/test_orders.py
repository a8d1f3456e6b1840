"""Trigger notices of orders: confirmed, paid, shipped, out for delivery, delivered, cancelled."""

from __future__ import annotations

import pytest

from demo_shop.models import Product

from .stage import Stage
from .stage import addresses


@pytest.fixture(scope="module", autouse=True)
def practice(stage: Stage) -> None:
    stage.publish(
        *("order_confirmed", "order_paid", "order_shipped", "out_for_delivery"),
        *("order_delivered", "order_cancelled"),
    )


def test_each_step_of_an_order_comes_to_the_phone(stage: Stage, sencha: Product) -> None:
    customer = stage.customer()
    order = customer.buy(sencha, 2, payment="transfer")
    [confirmed] = customer.news()
    assert f"ご注文ありがとうございます（{order.number}）" in confirmed
    assert "煎茶「あさつゆ」80g × 2　2,592円" in confirmed
    assert "ご入金待ちです" in confirmed
    assert "25ポイントがつきました。残高は25ポイントです。" in confirmed
    stage.order_goes_on(order, "pay")
    [paid] = customer.news()
    assert "ご入金を確認しました" in paid
    assert "2,592円" in paid
    stage.order_goes_on(order, "ship")
    [shipped] = customer.news()
    assert "ゆうパック 伝票番号 412345678901" in shipped
    assert "お届け予定は12月9日(水)です" in shipped
    message = stage.emulator.received(customer.user_id)[-1]
    assert addresses(message) == [f"http://127.0.0.1:5999/orders/{order.number}"]
    stage.order_goes_on(order, "go-out")
    assert "本日" in customer.news()[0]
    stage.order_goes_on(order, "deliver")
    assert f"ご注文 {order.number} をお届けしました" in customer.news()[0]


def test_an_order_paid_at_the_door_awaits_no_money(stage: Stage, sencha: Product) -> None:
    customer = stage.customer()
    order = customer.buy(sencha)
    assert "お届けの際に代金をお支払いください" in customer.news()[0]
    stage.order_goes_on(order, "cancel")
    assert "キャンセルを承りました" in customer.news()[0]


def test_at_night_no_parcel_is_announced(stage: Stage, sencha: Product) -> None:
    customer = stage.customer()
    order = customer.buy(sencha)
    customer.news()
    stage.at(23, 30)
    stage.order_goes_on(order, "ship")
    assert customer.news() == []
    stage.at(7, days=1)
    assert "発送しました" in customer.news()[0]


def test_what_staff_do_at_night_is_told_of_in_the_morning(stage: Stage, sencha: Product) -> None:
    customer = stage.customer()
    paid, cancelled = customer.buy(sencha, payment="transfer"), customer.buy(sencha)
    customer.news()
    stage.at(23, 30)
    stage.order_goes_on(paid, "pay")
    stage.order_goes_on(cancelled, "cancel")
    assert customer.news() == []
    stage.at(7, days=1)
    said = "".join(customer.news())
    assert "ご入金を確認しました" in said
    assert "キャンセルを承りました" in said


def test_whoever_chose_english_reads_english(stage: Stage, sencha: Product) -> None:
    customer = stage.customer("Sakura Sato")
    customer.account.language = "en"
    stage.line.session.commit()
    order = customer.buy(sencha)
    stage.order_goes_on(order, "ship")
    confirmed, shipped = customer.news()
    assert "Thank you for your order" in confirmed
    assert "Your order is on its way" in shipped


def test_whoever_declined_or_blocked_gets_nothing(stage: Stage, sencha: Product) -> None:
    customer = stage.customer()
    customer.account.is_friend = False
    stage.line.session.commit()
    customer.buy(sencha)
    assert customer.news() == []
    assert stage.outcomes("order_confirmed", customer) == [("confirm", "dropped", "not a friend")]


def test_two_parcels_of_one_customer_are_two_messages(stage: Stage, sencha: Product) -> None:
    customer = stage.customer()
    orders = [customer.buy(sencha) for _time in range(2)]
    customer.news()
    for order in orders:
        stage.order_goes_on(order, "ship")
    assert len(customer.news()) == 2
