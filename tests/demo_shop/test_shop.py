"""The shop's own rules, which hold with and without LINE."""

from __future__ import annotations

import re
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC
from datetime import datetime
from datetime import timedelta
from datetime import timezone
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func
from sqlalchemy import select
from sqlalchemy.dialects import sqlite

from demo_shop.cart import CartLine
from demo_shop.extensions import db
from demo_shop.members import find_by_card
from demo_shop.members import make_member
from demo_shop.members import new_card_number
from demo_shop.models import Order
from demo_shop.models import PointEntry
from demo_shop.models import Product
from demo_shop.models import User
from demo_shop.models import UtcDateTime
from demo_shop.orders import OutOfStock
from demo_shop.orders import order_by_number
from demo_shop.orders import place_order
from demo_shop.points import add_at_counter
from demo_shop.seed import HANAKO
from demo_shop.seed import HANAKO_POINTS
from demo_shop.seed import STAFF
from demo_shop.seed import fill
from demo_shop.seed import is_empty

ADDRESS = {"name": "A", "postal_code": "604-8005", "address": "京都", "phone": "075-000-0000"}
FORM = {**ADDRESS, "name": "山田 花子"}


@pytest.fixture
def member(app: Flask) -> User:
    """Return a member with a password."""
    made = make_member(db.session(), email="a@b.example", name="A", password="long enough")
    assert made
    db.session.commit()
    return made


@pytest.fixture
def tea(app: Flask) -> Product:
    """Return a product with two in stock."""
    product = Product(
        slug="tea", name="お茶", category="tea", price=1_280, stock=2, description="お茶です"
    )
    db.session.add(product)
    db.session.commit()
    return product


def _log_in(client: FlaskClient, **form: str) -> str:
    form = {"email": "a@b.example", "password": "long enough", **form}
    return client.post("/log-in", data=form).location or ""


def test_an_order_takes_stock_and_books_points(member: User, tea: Product) -> None:
    order = place_order(db.session(), member, [CartLine(tea, 2)], ADDRESS)
    db.session.commit()
    db.session.refresh(tea)
    assert (order.total, order.points_earned, member.point_balance) == (2_560, 25, 25)
    assert tea.stock == 0


def test_the_last_one_is_sold_once(member: User, tea: Product) -> None:
    place_order(db.session(), member, [CartLine(tea, 2)], ADDRESS)
    db.session.commit()
    with pytest.raises(OutOfStock):
        place_order(db.session(), member, [CartLine(tea, 1)], ADDRESS)
    db.session.rollback()
    assert db.session.scalar(select(func.count()).select_from(Order)) == 1


def test_pressing_twice_orders_once(member: User, tea: Product) -> None:
    for _press in range(2):
        place_order(db.session(), member, [CartLine(tea, 1)], ADDRESS, key="a press")
        db.session.commit()
    assert db.session.scalar(select(func.count()).select_from(Order)) == 1


def test_pressing_twice_books_once(member: User) -> None:
    for _press in range(2):
        add_at_counter(db.session(), member, 3_280, key="counter:1")
    db.session.commit()
    assert member.point_balance == 32
    assert db.session.scalar(select(func.count()).select_from(PointEntry)) == 1


def test_a_card_number_has_a_check_digit() -> None:
    number = new_card_number()
    weights = [3 if place % 2 else 1 for place in range(13)]
    assert len(number) == 13
    assert sum(int(d) * w for d, w in zip(number, weights, strict=True)) % 10 == 0


def test_a_card_is_found_however_it_is_typed(member: User) -> None:
    spaced = f" {member.card_number[:4]} {member.card_number[4:8]}-{member.card_number[8:]} "
    assert find_by_card(db.session(), spaced) == member
    full_width = str.maketrans("0123456789", "０１２３４５６７８９")
    assert find_by_card(db.session(), member.card_number.translate(full_width)) == member


def test_times_are_utc_whatever_zone_the_database_answers_in() -> None:
    noon = datetime(2026, 11, 24, 12, tzinfo=timezone(timedelta(hours=9)))
    read = UtcDateTime().process_result_value(noon, sqlite.dialect())
    assert read == noon
    assert read is not None
    assert read.tzinfo == UTC


def test_an_address_makes_one_member(member: User) -> None:
    assert make_member(db.session(), email=" A@B.example ", name="B") is None


def test_registering_twice_at_once_makes_one_member(app: Flask) -> None:
    barrier = threading.Barrier(4)

    def register(_press: int) -> bool:
        with app.app_context():
            barrier.wait()
            member = make_member(db.session(), email="b@b.example", name="B")
            db.session.commit()
            return member is not None

    with ThreadPoolExecutor(4) as presses:
        assert sorted(presses.map(register, range(4))) == [False, False, False, True]


def test_an_order_belongs_to_its_owner(member: User, tea: Product, client: FlaskClient) -> None:
    order = place_order(db.session(), member, [CartLine(tea, 1)], ADDRESS)
    make_member(db.session(), email="b@b.example", name="B", password="long enough")
    db.session.commit()
    assert order_by_number(db.session(), member, order.number) == order
    _log_in(client, email="b@b.example")
    assert client.get(f"/orders/{order.number}").status_code == 404
    assert client.get("/orders/K-0000-000000").status_code == 404


def test_a_visitor_fills_a_cart_logs_in_and_buys(
    client: FlaskClient, member: User, tea: Product
) -> None:
    client.post("/cart/add/tea", data={"quantity": "2"})
    assert client.get("/checkout").location == "/log-in?next=%2Fcheckout"
    assert _log_in(client, next="/checkout") == "/checkout"
    location = client.post("/checkout", data=FORM).location or ""
    assert "ありがとうございます" in client.get(location).text
    assert "入っていません" in client.get("/cart").text


@pytest.mark.parametrize(
    "target", ["https://evil.example/", "//evil.example", "/\\evil.example", "/\t/evil.example"]
)
def test_a_login_leads_to_our_own_pages_only(
    client: FlaskClient, member: User, target: str
) -> None:
    assert _log_in(client, next=target) == "/my-page"


def test_a_wrong_password_and_an_unknown_address_look_alike(
    client: FlaskClient, member: User
) -> None:
    def answer(email: str) -> str:
        page = client.post("/log-in", data={"email": email, "password": "x"}).text
        # CSRF tokens hold the second in which they were made.
        return re.sub(r'name="csrf_token"[^>]*', "", page).replace(email, "…")

    assert "メールアドレスかパスワードが違います" in answer("a@b.example")
    assert answer("a@b.example") == answer("c@b.example")


def test_a_locked_member_stays_out(client: FlaskClient, member: User) -> None:
    member.is_locked = True
    db.session.commit()
    assert _log_in(client) == ""


def test_the_counter_is_for_staff(client: FlaskClient, member: User) -> None:
    assert "/log-in" in client.get("/counter").location
    _log_in(client)
    assert client.get("/counter").status_code == 403
    assert client.post(f"/counter/{member.card_number}", data={"yen": "100"}).status_code == 403


@pytest.mark.parametrize("yen", ["0", "-5", "1000001", "abc", ""])
def test_the_counter_books_sensible_amounts_only(
    client: FlaskClient, member: User, yen: str
) -> None:
    member.is_staff = True
    db.session.commit()
    _log_in(client)
    client.post(f"/counter/{member.card_number}", data={"yen": yen, "key": "k"})
    assert db.session.scalar(select(func.count()).select_from(PointEntry)) == 0


def test_the_seed_makes_a_believable_shop_whose_books_balance(app: Flask, pictures: Path) -> None:
    assert is_empty(db.session())
    fill(db.session(), pictures)
    assert not is_empty(db.session())
    sums = select(PointEntry.user_id, func.sum(PointEntry.amount)).group_by(PointEntry.user_id)
    booked = {user_id: amount for user_id, amount in db.session.execute(sums)}
    for user in db.session.scalars(select(User)):
        assert user.point_balance == booked.get(user.id, 0)
    people = {user.email: user for user in db.session.scalars(select(User))}
    assert people[HANAKO[0]].point_balance == HANAKO_POINTS
    assert people[STAFF[0]].is_staff
    statuses = set(db.session.scalars(select(Order.status)))
    assert statuses == {"received", "preparing", "shipped", "delivered"}
    for product in db.session.scalars(select(Product)):
        assert (pictures / f"{product.slug}.png").stat().st_size < 30_000


def test_an_ordinary_page_asks_the_database_little(
    app: Flask, client: FlaskClient, member: User, tea: Product
) -> None:
    from sqlalchemy import event

    for _order in range(2):
        tea.stock = 9
        db.session.commit()
        place_order(db.session(), member, [CartLine(tea, 1)], ADDRESS)
        db.session.commit()
    _log_in(client)
    asked: list[str] = []
    event.listen(db.engine, "before_cursor_execute", lambda *args: asked.append(args[2]))
    for page in ("/", "/products/tea", "/cart", "/orders", "/my-page"):
        asked.clear()
        assert client.get(page).status_code == 200
        assert len(asked) <= 5, (page, asked)
