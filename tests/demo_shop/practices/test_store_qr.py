"""Welcome by source: what the code on that shelf promised, and what the counter's did."""

from __future__ import annotations

import pytest

from demo_shop.extensions import db
from demo_shop.models import Coupon

from .stage import Stage


@pytest.fixture(scope="module", autouse=True)
def practice(stage: Stage) -> None:
    stage.publish("store_qr", "welcome")


def test_the_shelf_keeps_its_promise(stage: Stage) -> None:
    text, coupon = stage.customer(source="shelf-3").news()
    assert "お約束のクーポンです" in text
    assert "お茶 300円引き" in coupon


def test_the_counter_says_something_else(stage: Stage) -> None:
    [text] = stage.customer(source="store").news()
    assert "会員証をご提示ください" in text


def test_whoever_came_another_way_is_welcomed_as_usual(stage: Stage) -> None:
    for source in (None, "chat"):
        [text] = stage.customer(source=source).news()
        assert "ご連携ありがとうございます" in text


def test_a_promise_that_has_ended_is_not_made(stage: Stage) -> None:
    tea = db.session.query(Coupon).filter_by(code="KMRB-TEA300").one()
    tea.ends_on = tea.ends_on.replace(year=2020)
    db.session.commit()
    customer = stage.customer(source="shelf-3")
    assert customer.news() == []
    reasons = {step: reason for step, _outcome, reason in stage.outcomes("store_qr", customer)}
    assert "KMRB-TEA300" in str(reasons["shelf"])
