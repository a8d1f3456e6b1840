"""Step messages after the link, a trial and a class; branches, and the aim that ends them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from demo_shop.extensions import db
from demo_shop.line.extension import line as extension
from demo_shop.models import Booking
from demo_shop.models import Order
from demo_shop.models import Product
from flask_lineconnect.linking import accounts

from .stage import TOKYO
from .stage import Customer
from .stage import Stage


@pytest.fixture(scope="module", autouse=True)
def practice(stage: Stage) -> None:
    stage.publish("welcome", "trial", "seminar", "seminar_moved", "after_seminar")


@pytest.fixture(autouse=True)
def something_sells(stage: Stage, kyusu: Product) -> None:
    if not getattr(something_sells, "done", False):
        stage.customer().receive(kyusu, 3)
        something_sells.done = True  # type: ignore[attr-defined]


def test_whoever_linked_is_welcomed_step_by_step(stage: Stage) -> None:
    customer = stage.customer(created_at=stage.now)
    assert "ご連携ありがとうございます" in customer.news()[0]
    stage.at(20, days=2)
    assert "お気に入りに入れておけます" in customer.news()[0]
    stage.at(20, days=4)
    assert "いま選ばれている商品" in customer.news()[0]
    stage.at(20, days=4)
    assert "次のお買い物 200円引き" in customer.news()[0]
    stage.later(days=2)
    assert stage.ended("welcome", customer) == ["finished"]


def test_the_way_depends_on_what_they_did(stage: Stage) -> None:
    customer = stage.customer()
    customer.visit("/products/sencha/keep", now="yes")
    customer.news()
    stage.at(20, days=2)
    assert customer.news() == []
    stage.at(20, days=4)
    assert "いま選ばれている商品" in customer.news()[0]


def test_the_first_order_is_the_aim(stage: Stage, sencha: Product) -> None:
    customer = stage.customer()
    customer.news()
    customer.buy(sencha)
    stage.at(20, days=12)
    assert customer.news() == []
    assert stage.ended("welcome", customer) == ["goal"]


def test_the_coupon_for_a_first_order_is_for_whoever_has_none(
    stage: Stage, sencha: Product
) -> None:
    customer, new = stage.customer(), stage.customer()
    db.session.add(
        Order(
            number="K-earlier", user_id=customer.member_id, total=1, status="delivered",
            placed_at=stage.now - timedelta(days=60),
            name="", postal_code="", address="", phone="",
        )
    )  # fmt: skip
    db.session.commit()
    stage.at(20, days=2)
    stage.at(20, days=4)
    for one in (customer, new):
        assert "いま選ばれている商品" in one.news()[-1]
    stage.at(20, days=4)
    assert customer.news() == []
    assert ("coupon", "skipped") in [each[:2] for each in stage.outcomes("welcome", customer)]
    assert "次のお買い物 200円引き" in new.news()[0]


def test_whoever_links_again_is_not_welcomed_again(stage: Stage) -> None:
    customer = stage.customer()
    customer.news()
    extension.unlink(customer.member)
    db.session.commit()
    stage.play()
    assert stage.ended("welcome", customer) == ["unlinked"]
    account = accounts.ensure_account(stage.line.session, customer.user_id, now=stage.line.clock())
    accounts.link(stage.line, account, customer.member_id, source=None, now=stage.line.clock())
    db.session.commit()
    stage.play()
    assert not any("ご連携ありがとう" in text for text in customer.news())


def test_a_trial_is_followed_up_until_the_full_order(
    stage: Stage, trial: Product, sencha: Product
) -> None:
    customer, buyer, looker = (stage.customer() for _number in range(3))
    for one in (customer, buyer, looker):
        one.receive(trial)
        one.news()
    # The welcome ended with the order; a recent order is given three days.
    stage.at(12, days=4)
    for one in (customer, buyer, looker):
        assert any("おいしい淹れ方" in text for text in one.news())
    buyer.buy(sencha)
    looker.put_into_cart(sencha)
    stage.at(12, days=4)
    assert any("お試しのあとに" in text for text in customer.news())
    assert buyer.news() == []
    assert looker.news() == []
    assert "goal" in stage.ended("trial", buyer)


def sign_up(customer: Customer, *, days: int) -> Booking:
    day = customer.stage.now.astimezone(TOKYO) + timedelta(days=days)
    at = day.replace(hour=14, minute=0, second=0, microsecond=0)
    customer.visit("/bookings", menu="class", starts_at=at.isoformat())
    found = select(Booking).where(Booking.user_id == customer.member_id)
    return db.session.scalars(found).first() or Booking()


@pytest.mark.parametrize(
    ("what", "said"), [("arrived", "ご参加ありがとうございました"), ("missed", "お会いできず")]
)
def test_a_class_is_reminded_of_and_followed_up(
    stage: Stage, what: str, said: str, sencha: Product
) -> None:
    customer = stage.customer()
    customer.news()
    booking = sign_up(customer, days=1)
    assert "お申し込みありがとうございます" in customer.news()[0]
    stage.at(18)
    assert "明日14:00から" in customer.news()[0]
    stage.at(13, days=1)
    assert "お気をつけて" in customer.news()[0]
    stage.at(16)
    stage.staff().post(f"/back-office/bookings/{booking.id}/{what}")
    stage.play()
    assert said in customer.news()[0]
    stage.at(12, days=7)
    assert any("教室で使った道具" in text for text in customer.news())
    stage.later(minutes=10)
    customer.buy(sencha)
    stage.later(days=10)
    assert stage.ended("after_seminar", customer) == ["finished"]


def test_a_purchase_after_the_class_is_its_aim(stage: Stage, sencha: Product) -> None:
    customer = stage.customer()
    booking = sign_up(customer, days=1)
    stage.at(16, days=1)
    stage.staff().post(f"/back-office/bookings/{booking.id}/arrived")
    stage.play()
    customer.buy(sencha)
    customer.news()
    stage.at(12, days=8)
    assert customer.news() == []
    assert stage.ended("after_seminar", customer) == ["goal"]
