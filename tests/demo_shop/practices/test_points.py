"""Points and ranks: added at the till, on demand in the chat, rank up."""

from __future__ import annotations

import pytest

from demo_shop.extensions import db
from demo_shop.models import Product
from flask_lineconnect.engines.work import work_until_idle
from flask_lineconnect.testing.chat import open_chat

from .stage import Customer
from .stage import Stage


@pytest.fixture(scope="module", autouse=True)
def practice(stage: Stage) -> None:
    stage.publish("points_added", "rank_raised")


def buy_at_counter(customer: Customer, yen: int) -> None:
    number = customer.member.card_number
    key = f"{number}-{yen}"
    customer.stage.staff().post(f"/counter/{number}", data={"yen": str(yen), "key": key})
    customer.stage.play()


def test_points_of_a_purchase_come_with_the_balance(stage: Stage) -> None:
    customer = stage.customer()
    buy_at_counter(customer, 3_280)
    [card] = customer.news()
    assert "32ポイントがつきました。残高は32ポイントです。" in card
    assert "+32" in card
    # The same form sent again, and a purchase that earns nothing.
    buy_at_counter(customer, 3_280)
    buy_at_counter(customer, 99)
    assert customer.news() == []


def test_points_of_an_order_stand_in_its_own_message(stage: Stage, sencha: Product) -> None:
    customer = stage.customer()
    customer.buy(sencha)
    assert customer.news() == []


def test_a_new_rank_is_told_of_once(stage: Stage) -> None:
    customer = stage.customer()
    buy_at_counter(customer, 30_000)
    told = customer.news()
    assert sum("300ポイント" in text for text in told) == 1
    [rank] = [text for text in told if "シルバー会員になりました" in text]
    assert "12月7日" in rank
    buy_at_counter(customer, 40_000)
    buy_at_counter(customer, 50_000)
    assert sum("ゴールド会員になりました" in text for text in customer.news()) == 1


def test_a_rank_of_the_night_is_told_of_in_the_morning(stage: Stage) -> None:
    customer = stage.customer()
    stage.at(23, 30)
    buy_at_counter(customer, 30_000)
    assert len(customer.news()) == 1
    stage.at(7, days=1)
    assert "シルバー会員" in customer.news()[0]


def test_a_rank_of_another_year_is_told_of_again(stage: Stage) -> None:
    customer = stage.customer()
    buy_at_counter(customer, 30_000)
    assert any("シルバー会員になりました" in text for text in customer.news())
    # The rank is over, and reached once more.
    stage.later(days=400)
    customer.member.rank = "regular"
    db.session.commit()
    buy_at_counter(customer, 31_000)
    [rank] = [text for text in customer.news() if "シルバー会員になりました" in text]
    assert "1月" in rank
    # Two ranks at once are two messages.
    other = stage.customer()
    buy_at_counter(other, 150_000)
    told = other.news()
    for said in ("シルバー会員になりました", "ゴールド会員になりました"):
        assert sum(said in text for text in told) == 1


def test_the_balance_is_answered_on_demand(stage: Stage) -> None:
    customer = stage.customer()
    buy_at_counter(customer, 1_000)
    with open_chat(stage.app, stage.emulator, customer.user_id) as chat:
        [answer] = chat.say("ポイント残高")
    work_until_idle(stage.line)
    assert "10" in answer["text"]
