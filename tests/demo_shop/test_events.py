"""What the demo shop tells of its members, from the pages on which it happens."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func
from sqlalchemy import select

from demo_shop.cart import CartLine
from demo_shop.clock import utcnow
from demo_shop.extensions import db
from demo_shop.models import Booking
from demo_shop.models import Favourite
from demo_shop.models import Order
from demo_shop.models import Product
from demo_shop.models import ProductView
from demo_shop.models import User
from demo_shop.orders import place_order
from demo_shop.stock import PER_ITEM
from demo_shop.stock import WAVES
from demo_shop.stock import set_stock
from flask_lineconnect.models import MemberEvent

ADDRESS = {"name": "花子", "postal_code": "6048005", "address": "京都市", "phone": "0750000000"}


def make_member(name: str = "花子", **more: Any) -> User:
    number = db.session.scalar(select(func.count()).select_from(User)) or 0
    member = User(email=f"m{number}@mail.example", name=name, card_number=f"{number:013d}", **more)
    db.session.add(member)
    db.session.commit()
    return member


def log_in(client: FlaskClient, member: User) -> FlaskClient:
    with client.session_transaction() as session:
        session.update(_user_id=str(member.id), _fresh=True)
    return client


@pytest.fixture
def tea(app: Flask) -> Product:
    tea = Product(
        slug="tea", name="煎茶", category="tea", price=1_000, stock=9, description="", cycle_days=30
    )
    db.session.add(tea)
    db.session.commit()
    return tea


@pytest.fixture
def member(app: Flask) -> User:
    return make_member()


@pytest.fixture
def customer(client: FlaskClient, member: User) -> FlaskClient:
    """Return the member's browser."""
    return log_in(client, member)


@pytest.fixture
def staff(app: Flask) -> FlaskClient:
    """Return the browser of the staff."""
    return log_in(app.test_client(), make_member("店主", is_staff=True))


def told(*names: str) -> list[tuple[str, dict[str, Any]]]:
    db.session.rollback()
    events = db.session.scalars(select(MemberEvent).order_by(MemberEvent.id))
    return [(one.name, one.facts) for one in events if not names or one.name in names]


def order_of(member: User, tea: Product, **more: Any) -> Order:
    order = place_order(db.session(), member, [CartLine(tea, 2)], ADDRESS, **more)
    db.session.commit()
    return order


def test_an_order_is_told_of_at_each_step(member: User, tea: Product, staff: FlaskClient) -> None:
    order = order_of(member, tea, payment="transfer")
    number = order.number
    base = f"/back-office/orders/{order.id}"
    # Not before it is paid.
    staff.post(f"{base}/ship", data={"tracking_number": "4000"})
    for what in ("pay", "ship", "go-out", "deliver"):
        staff.post(f"{base}/{what}", data={"tracking_number": "4000"})
    orders = [(name, facts) for name, facts in told() if name.startswith("order.")]
    assert [name for name, _facts in orders] == [
        *("order.placed", "order.paid", "order.shipped", "order.out_for_delivery"),
        "order.delivered",
    ]
    assert all(facts["number"] == number for _name, facts in orders)
    assert orders[0][1]["lines"] == ["煎茶 × 2　2,000円"]
    assert orders[0][1]["payment"] == "transfer"
    assert orders[2][1]["tracking"] == "4000"
    assert orders[4][1]["is_first"] is True
    [bought] = told("product.bought")
    assert bought[1] == {"product": "tea"}
    [(_name, delivered)] = told("product.delivered")
    # Two of them last 60 days; a tenth before that.
    assert delivered["use_up_on"] == (utcnow() + timedelta(days=54, hours=9)).date().isoformat()


def test_a_cancelled_order_gives_back_stock_and_points(
    member: User, tea: Product, staff: FlaskClient
) -> None:
    order = order_of(member, tea)
    path = f"/back-office/orders/{order.id}"
    assert member.point_balance == 20
    staff.post(f"{path}/cancel")
    staff.post(f"{path}/ship", data={"tracking_number": "1"})
    assert [name for name, _facts in told("order.cancelled", "order.shipped")] == [
        "order.cancelled"
    ]
    assert (tea.stock, member.point_balance) == (9, 0)
    assert staff.get("/back-office").status_code == 200


def test_bookings_are_told_of_and_classes_by_their_own_names(
    customer: FlaskClient, member: User, staff: FlaskClient
) -> None:
    from demo_shop.bookings import times_offered

    first, second = (at.isoformat() for at in times_offered()[:2])
    customer.post("/bookings", data={"menu": "tea", "starts_at": first})
    [booking] = db.session.scalars(select(Booking))
    customer.post(f"/bookings/{booking.id}/move", data={"starts_at": second})
    customer.post(f"/bookings/{booking.id}/move", data={"starts_at": second})
    customer.post(f"/bookings/{booking.id}/cancel")
    for _time in range(2):
        customer.post("/bookings", data={"menu": "class", "starts_at": first})
    here, away = db.session.scalars(select(Booking).where(Booking.menu == "class"))
    staff.post(f"/back-office/bookings/{here.id}/arrived")
    staff.post(f"/back-office/bookings/{away.id}/missed")
    assert "茶席" in customer.get("/bookings").text
    found = told()
    assert [name for name, _facts in found] == [
        *("booking.made", "booking.changed", "booking.cancelled"),
        *("seminar.booked", "seminar.booked", "seminar.ended", "seminar.ended"),
    ]
    assert [facts.get("was_there") for _name, facts in found[-2:]] == [True, False]


def test_a_cart_is_told_of_once_for_each_version(
    customer: FlaskClient, member: User, tea: Product
) -> None:
    customer.post("/cart/add/tea")
    customer.get("/cart")
    customer.get("/checkout")
    customer.post("/cart/add/tea")
    customer.post("/cart/change/tea", data={"quantity": "0"})
    customer.get("/cart")
    assert told() == [
        ("cart.changed", {"count": 1, "products": ["tea"]}),
        ("cart.changed", {"count": 2, "products": ["tea"]}),
        ("cart.emptied", {}),
    ]


def test_a_visitors_cart_becomes_the_members_once_they_log_in(
    client: FlaskClient, member: User, tea: Product
) -> None:
    client.post("/cart/add/tea")
    assert told() == []
    log_in(client, member).get("/checkout")
    assert told() == [("cart.changed", {"count": 1, "products": ["tea"]})]


def test_looks_are_noted_of_those_alone_who_allow_it(
    customer: FlaskClient, member: User, tea: Product
) -> None:
    customer.get("/products/tea")
    assert told() == []
    customer.post("/my-page/wishes", data={"sees_views": "y", "born_on": "1990-12-03"})
    customer.get("/products/tea")
    customer.get("/products/tea")
    assert [name for name, _facts in told()] == ["product.viewed"] * 2
    assert db.session.scalars(select(ProductView.times)).all() == [2]
    assert str(member.born_on) == "1990-12-03"
    customer.post("/my-page/wishes", data={})
    assert db.session.scalars(select(ProductView)).all() == []
    customer.get("/products/tea")
    assert len(told("product.viewed")) == 2


def test_favourites_hear_of_stock_in_waves_the_longest_first(
    customer: FlaskClient, member: User, tea: Product, staff: FlaskClient
) -> None:
    customer.post("/products/tea/keep")
    now = utcnow()
    others = [make_member(f"会員{number}") for number in range(7)]
    for place, other in enumerate(others):
        at = now - timedelta(days=10 - place)
        db.session.add(Favourite(user_id=other.id, product_id=tea.id, at=at))
    db.session.commit()
    shelf = {"price": "1000"}
    staff.post("/back-office/products/tea", data={"stock": "0", **shelf})
    staff.post("/back-office/products/tea", data={"stock": "1", **shelf})
    staff.post("/back-office/products/tea", data={"stock": "2", **shelf})
    db.session.rollback()
    rows = select(MemberEvent).where(MemberEvent.name == "favourite.restocked")
    events = db.session.scalars(rows.order_by(MemberEvent.facts["tell_at"].as_string())).all()
    turns: dict[str, list[Any]] = {}
    for one in events:
        turns.setdefault(one.facts["tell_at"], []).append(one.member_id)
    in_turn = [*(other.id for other in others), member.id]
    assert [sorted(some) for some in turns.values()] == [
        sorted(in_turn[:3]), sorted(in_turn[3:6]), sorted(in_turn[6:])
    ]  # fmt: skip


def test_waves_have_an_end(app: Flask, tea: Product) -> None:
    tea.stock = 0
    members = [make_member(f"会員{number}") for number in range(PER_ITEM * WAVES + 1)]
    db.session.add_all(Favourite(user_id=one.id, product_id=tea.id) for one in members)
    db.session.commit()
    set_stock(db.session(), tea, 1)
    db.session.commit()
    assert len(told("favourite.restocked")) == PER_ITEM * WAVES


@pytest.mark.parametrize(("price", "is_told"), [(951, 0), (900, 1), (1_050, 0)])
def test_a_fall_of_the_price_is_told_if_it_is_worth_it(
    app: Flask, tea: Product, member: User, staff: FlaskClient, price: int, is_told: int
) -> None:
    lately = make_member("先週買った人")
    db.session.add_all([Favourite(user_id=one.id, product_id=tea.id) for one in (member, lately)])
    order_of(lately, tea)
    staff.post("/back-office/products/tea", data={"stock": "9", "price": str(price)})
    # Once in thirty days.
    staff.post("/back-office/products/tea", data={"stock": "9", "price": "1000"})
    staff.post("/back-office/products/tea", data={"stock": "9", "price": str(price)})
    found = db.session.scalars(
        select(MemberEvent.member_id).where(MemberEvent.name == "favourite.price_lowered")
    ).all()
    assert found == [member.id] * is_told


def test_points_and_ranks_are_told_of(
    customer: FlaskClient, member: User, staff: FlaskClient
) -> None:
    staff.post(f"/counter/{member.card_number}", data={"yen": "30000", "key": "k"})
    assert told("points.booked") == [
        ("points.booked", {"amount": 300, "balance": 300, "is_at_counter": True})
    ]
    [(_name, raised)] = told("rank.raised")
    assert raised["rank"] == "silver"
    assert str(member.points_expire_on) == raised["until"]
