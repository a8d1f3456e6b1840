"""What comes by the calendar: birthdays, anniversaries, points that expire, ranks, sleepers."""

from __future__ import annotations

from datetime import date
from datetime import datetime
from datetime import timedelta
from typing import Any

import pytest

from demo_shop.coupons import use_coupon
from demo_shop.extensions import db
from demo_shop.line.extension import line as extension
from demo_shop.models import Order
from demo_shop.models import PointEntry
from demo_shop.models import Product

from .stage import TOKYO
from .stage import Customer
from .stage import Stage

#: The people of this module, who are there before the scenarios are switched on.
People = dict[str, Customer]


@pytest.fixture(scope="module")
def people(stage: Stage) -> People:
    """Return customers with days of their own."""

    def points(amount: int, **more: Any) -> Customer:
        customer = stage.customer(point_balance=amount, **more)
        entry = PointEntry(
            user_id=customer.member_id, amount=amount, reason="", key=str(customer.member_id)
        )
        db.session.add(entry)
        return customer

    soon = date(2027, 1, 9)
    found = {
        "born in december": stage.customer("師走 花子", born_on=date(1990, 12, 25)),
        "uses the coupon": stage.customer(born_on=date(1990, 12, 25)),
        "made it up": stage.customer(born_on=date(1990, 12, 25), born_on_changed_at=stage.now),
        "born on a leap day": stage.customer(born_on=date(1992, 2, 29)),
        "ordered a year ago": stage.customer(),
        "ordered last week, too": stage.customer(),
        "has points": points(150, points_expire_on=soon),
        "buys meanwhile": points(150, points_expire_on=soon),
        "has few points": points(90, points_expire_on=soon),
        "is near silver": points(280),
        "is far from silver": points(100),
        "sleeps already": stage.customer(),
        "falls asleep": stage.customer(),
        "wakes up": stage.customer(),
    }
    begin = stage.now
    placed = {
        "ordered a year ago": [begin - timedelta(days=352)],
        "ordered last week, too": [begin - timedelta(days=352), begin + timedelta(days=6)],
        "sleeps already": [begin - timedelta(days=120)],
        "falls asleep": [begin - timedelta(days=88)],
        "wakes up": [begin - timedelta(days=88)],
    }
    for name, times in placed.items():
        for number, at in enumerate(times):
            _order(found[name], at, number)
    db.session.commit()
    return found


def _order(customer: Customer, at: datetime, number: int) -> None:
    order = Order(
        number=f"K-{customer.member_id}-{number}", user_id=customer.member_id, total=1,
        placed_at=at, name="", postal_code="", address="", phone="", status="delivered",
    )  # fmt: skip
    db.session.add(order)


@pytest.fixture(scope="module", autouse=True)
def practice(stage: Stage, people: People) -> None:
    stage.publish(
        *("birthday", "anniversary", "points_expiring_in_30_days", "points_expiring_in_7_days"),
        *("near_next_rank", "sleeping"),
        enrol="nobody",
    )
    stage.play()


def news(people: People) -> dict[str, str]:
    """Return what came to whom."""
    found = {name: "\n".join(customer.news()) for name, customer in people.items()}
    return {name: text for name, text in found.items() if text}


def test_a_year_of_days(stage: Stage, people: People, sencha: Product) -> None:
    """Told as one story: the clock goes forward for all of them."""
    assert news(people) == {}
    # Ninety days without an order; who slept already when it was switched on is left alone.
    stage.at(9, 59, days=3)
    assert news(people) == {}
    stage.at(10)
    found = news(people)
    birthdays, points = {"born in december", "uses the coupon"}, {"has points", "buys meanwhile"}
    assert set(found) == {"falls asleep", "wakes up", *birthdays, *points}
    assert "150ポイントの有効期限は1月9日(土)です" in found["has points"]
    assert "師走 花子様、もうすぐお誕生日ですね。" in found["born in december"]
    assert "お誕生日 500円引き" in found["born in december"]
    assert "ご無沙汰しております" in found["falls asleep"]
    assert "新しい商品" in found["falls asleep"]

    people["wakes up"].buy(sencha)
    with stage.app.test_request_context():
        coupon_of = people["uses the coupon"].member
        use_coupon(db.session(), coupon_of, "KMRB-BIRTHDAY", today=stage.now.date())
        db.session.commit()
    assert stage.ended("sleeping", people["wakes up"]) == ["goal"]

    _stop("points_expiring_in_30_days")
    _go(stage, date(2026, 12, 20))
    found = news(people)
    assert set(found) == {"ordered a year ago", "is near silver"}
    assert "はじめてのご注文の日が、今年もめぐってきました" in found["ordered a year ago"]
    assert "あと20ポイントで、次の会員ランクです" in found["is near silver"]

    _stop("anniversary", "near_next_rank")
    _go(stage, date(2026, 12, 24))
    assert "次のお買い物 200円引き" in news(people)["falls asleep"]

    people["buys meanwhile"].buy(sencha)
    _stop("sleeping")
    _go(stage, date(2027, 1, 2))
    found = news(people)
    assert set(found) == {"has points"}
    assert "あと7日です" in found["has points"]

    _stop("points_expiring_in_7_days")
    _go(stage, date(2027, 1, 6))
    found = news(people)
    assert set(found) == {"born in december"}
    assert "あと3日です" in found["born in december"]

    # The 28th is the birthday of whoever was born on the 29th.
    _go(stage, date(2027, 2, 12))
    assert news(people) == {}
    _go(stage, date(2027, 2, 13))
    assert set(news(people)) == {"born on a leap day"}


def _stop(*names: str) -> None:
    """Switch off what has been seen, so that its days are not gone through."""
    for name in names:
        extension.scenarios.stop(name)
    db.session.commit()


def _go(stage: Stage, day: date) -> None:
    """Go on to ten o'clock of a day; what was due meanwhile is too late then, and dropped."""
    stage.at(10, days=(day - stage.now.astimezone(TOKYO).date()).days)


def test_the_runs_say_how_they_ended(stage: Stage, people: People) -> None:
    assert stage.ended("birthday", people["made it up"]) == []
    assert stage.ended("sleeping", people["sleeps already"]) == []
    outcomes = stage.outcomes("birthday", people["uses the coupon"])
    assert [reason for step, _outcome, reason in outcomes if step == "still_there"] != [None]
