"""Trigger notices of bookings: made, the day before, changed, cancelled."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from demo_shop.extensions import db
from demo_shop.models import Booking

from .stage import TOKYO
from .stage import Customer
from .stage import Stage


@pytest.fixture(scope="module", autouse=True)
def practice(stage: Stage) -> None:
    stage.publish("booking_made", "booking_changed", "booking_cancelled")


def book(customer: Customer, *, days: int, hour: int = 14) -> Booking:
    customer.visit("/bookings", menu="tea", starts_at=_at(customer.stage, days, hour))
    found = select(Booking).where(Booking.user_id == customer.member_id)
    return db.session.scalars(found.order_by(Booking.id.desc())).first() or Booking()


def _at(stage: Stage, days: int, hour: int) -> str:
    day = (stage.now.astimezone(TOKYO) + timedelta(days=days)).replace(
        hour=hour, minute=0, second=0, microsecond=0
    )
    return day.isoformat()


def test_a_booking_is_confirmed_and_reminded_of_the_day_before(stage: Stage) -> None:
    customer = stage.customer()
    book(customer, days=3)
    assert "ご予約を承りました。\n12月10日(木) 14:00 茶席「一服」" in customer.news()[0]
    stage.at(17, 59, days=2)
    assert customer.news() == []
    stage.at(18)
    assert "明日14:00に茶席「一服」のご予約" in customer.news()[0]
    stage.later(days=2)
    assert customer.news() == []


def test_a_moved_booking_is_reminded_of_by_its_new_day(stage: Stage) -> None:
    customer = stage.customer()
    booking = book(customer, days=2)
    customer.visit(f"/bookings/{booking.id}/move", starts_at=_at(stage, 4, 11))
    made, changed = customer.news()
    assert "承りました" in made
    assert "ご予約を変更しました" in changed
    assert stage.ended("booking_made", customer) == ["exit: booking.changed"]
    stage.at(18, days=1)
    assert customer.news() == []
    stage.at(18, days=2)
    [reminder] = customer.news()
    assert "明日11:00" in reminder


def test_a_cancelled_booking_is_not_reminded_of(stage: Stage) -> None:
    customer = stage.customer()
    booking = book(customer, days=2)
    other = book(customer, days=2, hour=16)
    customer.news()
    customer.visit(f"/bookings/{booking.id}/cancel", now="yes")
    assert "ご予約をキャンセルしました" in customer.news()[0]
    stage.at(20, days=1)
    # The other one is still there.
    assert [("16:00" in text) for text in customer.news()] == [True]
    assert other.status == "booked"


def test_a_booking_after_six_for_tomorrow_is_confirmed_and_reminded_of_together(
    stage: Stage,
) -> None:
    customer = stage.customer()
    stage.at(21)
    book(customer, days=1)
    made, reminder = customer.news()
    assert "承りました" in made
    assert "明日14:00" in reminder


def test_a_booking_of_the_evening_before_needs_no_reminder(stage: Stage) -> None:
    customer = stage.customer()
    stage.at(23)
    book(customer, days=1, hour=11)
    assert len(customer.news()) == 1
    outcomes = {step: rest for step, *rest in stage.outcomes("booking_made", customer)}
    assert outcomes == {"made": ["queued", None], "day_before": ["dropped", "too late"]}
