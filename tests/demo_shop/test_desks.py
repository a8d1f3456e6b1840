"""The demo shop's desks: what a press on the pages inside LINE does to the shop."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from datetime import timedelta

import pypdfium2
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func
from sqlalchemy import select
from werkzeug.test import TestResponse

from demo_shop.delivery import days_offered
from demo_shop.extensions import db
from demo_shop.members import make_member
from demo_shop.models import Coupon
from demo_shop.models import CouponUse
from demo_shop.models import Favourite
from demo_shop.models import Order
from demo_shop.models import OrderLine
from demo_shop.models import Product
from demo_shop.models import User
from demo_shop.models import utcnow
from flask_lineconnect.linking import accounts
from flask_lineconnect.state import LineState
from tests.people import token_in

ORDERS = "/line/liff/orders"
ONE = f"{ORDERS}/K-1"
MEMBERSHIP = "/line/liff/membership"


def _member(name: str) -> User:
    """Make a member without a password, whose hash would cost more than the rest of a test."""
    made = make_member(db.session(), email=f"{name}@b.example", name=name)
    assert made is not None
    db.session.commit()
    return made


def _log_in(client: FlaskClient, member: User) -> FlaskClient:
    with client.session_transaction() as session:
        session.update(_user_id=str(member.id), _fresh=True)
    return client


@pytest.fixture
def member(app: Flask) -> User:
    """Return a linked member with an order of tea and a cup, a favourite and a coupon."""
    made = _member("hanako")
    line: LineState = app.extensions["lineconnect"]
    account = accounts.ensure_account(line.session, "U" + "a" * 32, now=line.clock())
    accounts.link(line, account, made.id, source=None, now=line.clock())
    tea = Product(slug="tea", name="煎茶", category="tea", price=540, stock=5, description="")
    cup = Product(slug="cup", name="湯のみ", category="ware", price=2_200, stock=0, description="")
    lines = [OrderLine(product=tea, quantity=2, price=540)]
    lines.append(OrderLine(product=cup, quantity=1, price=2_200))
    db.session.add_all([tea, cup, _order(made, lines)])
    today = utcnow().date()
    db.session.add(Coupon(code="TEA", title="お茶", text="", ends_on=today + timedelta(days=2)))
    db.session.add(Coupon(code="OLD", title="昔", text="", ends_on=today - timedelta(days=2)))
    db.session.flush()
    db.session.add(Favourite(user_id=made.id, product_id=tea.id))
    db.session.commit()
    return made


@pytest.fixture
def phone(client: FlaskClient, member: User) -> FlaskClient:
    """Return the member's browser."""
    return _log_in(client, member)


def _order(user: User, lines: list[OrderLine]) -> Order:
    total = sum(line.subtotal for line in lines)
    where = {"name": "山田 花子", "postal_code": "604-8005", "address": "京都", "phone": "075"}
    return Order(number="K-1", user=user, total=total, lines=lines, **where)


def _send(client: FlaskClient, path: str, **form: str) -> TestResponse:
    token = token_in(client.get(f"{MEMBERSHIP}/profile"))
    return client.post(path, data={"csrf_token": token, **form})


def _cart(client: FlaskClient) -> dict[str, int]:
    with client.session_transaction() as session:
        return dict(session.get("cart", {}))


def _tea() -> Product:
    return db.session.scalars(select(Product).where(Product.slug == "tea")).one()


def test_ordering_again_fills_the_cart_with_what_there_is(phone: FlaskClient) -> None:
    assert _send(phone, f"{ONE}/reorder").location == "/cart"
    assert _cart(phone) == {str(_tea().id): 2}


def test_pressing_twice_fills_the_cart_once(phone: FlaskClient) -> None:
    for _press in range(2):
        _send(phone, f"{ONE}/reorder")
    assert _cart(phone) == {str(_tea().id): 2}


def test_pressing_twice_at_once_fills_the_cart_once(app: Flask, phone: FlaskClient) -> None:
    # Two requests with the same cookie; the browser keeps whichever answer comes last.
    token = token_in(phone.get(ONE))
    cookie = phone.get_cookie("session")
    assert cookie
    carts = []
    for _press in range(2):
        twin = app.test_client()
        twin.set_cookie("session", cookie.value)
        assert twin.post(f"{ONE}/reorder", data={"csrf_token": token}).location == "/cart"
        carts.append(_cart(twin))
    assert carts == [{str(_tea().id): 2}] * 2


def test_more_of_it_in_the_cart_stays(phone: FlaskClient) -> None:
    phone.post("/cart/add/tea", data={"quantity": "4"})
    _send(phone, f"{ONE}/reorder")
    assert _cart(phone) == {str(_tea().id): 4}


def test_what_is_sold_out_is_said(phone: FlaskClient) -> None:
    _tea().stock = 0
    db.session.commit()
    answer = _send(phone, f"{ONE}/reorder")
    assert "在庫がありません" in phone.get(answer.location).text
    assert _cart(phone) == {}


def _delivery() -> tuple[date | None, str | None]:
    db.session.rollback()
    order = db.session.scalars(select(Order)).one()
    return order.delivery_on, order.delivery_slot


@pytest.mark.parametrize(("language", "slot"), [("ja", "午前中"), ("en", "Morning")])
def test_a_delivery_is_changed_in_each_language(
    phone: FlaskClient, language: str, slot: str
) -> None:
    _send(phone, "/line/liff/language", language=language)
    day = days_offered(utcnow().date())[3]
    assert f'value="{slot}"' in phone.get(f"{ONE}/delivery").text
    _send(phone, f"{ONE}/delivery", day=day.isoformat(), slot=slot)
    assert _delivery() == (day, "午前中")


def test_an_order_that_left_meanwhile_is_not_changed(phone: FlaskClient) -> None:
    token = token_in(phone.get(f"{ONE}/delivery"))
    db.session.scalars(select(Order)).one().status = "shipped"
    db.session.commit()
    day = days_offered(utcnow().date())[3].isoformat()
    form = {"csrf_token": token, "day": day, "slot": "午前中"}
    answer = phone.post(f"{ONE}/delivery", data=form)
    assert "もう変更できません" in phone.get(answer.location).text
    assert _delivery() == (None, None)


def test_the_receipt_has_both_rates_and_is_japanese_in_each_language(phone: FlaskClient) -> None:
    _tea().name = "煎茶「あさつゆ」80g"
    order = db.session.scalars(select(Order)).one()
    order.status, order.delivery_on = "delivered", date(2026, 11, 13)
    db.session.commit()
    _send(phone, "/line/liff/language", language="en")
    assert "Asatsuyu" in phone.get(ONE).text
    document = pypdfium2.PdfDocument(phone.get(f"{ONE}/receipt.pdf").data)
    text = "".join(document[0].get_textpage().get_text_range().split())
    for part in (
        "煎茶「あさつゆ」80g※2540円1,080円",
        "2026年11月13日",
        "10%対象2,200円内消費税200円",
        "1,080円内消費税80円",
    ):
        assert part in text, part


def test_S10_2_anothers_order_and_coupon_are_unknown_ones(
    app: Flask, client: FlaskClient, member: User
) -> None:
    other = _member("kenta")
    line: LineState = app.extensions["lineconnect"]
    account = accounts.ensure_account(line.session, "U" + "b" * 32, now=line.clock())
    accounts.link(line, account, other.id, source=None, now=line.clock())
    db.session.commit()
    stranger = _log_in(client, other)
    for path in (ONE, f"{ONE}/delivery", f"{ONE}/receipt.pdf"):
        assert stranger.get(path).status_code == 404
    assert _send(stranger, f"{ONE}/reorder").status_code == 404
    assert _send(stranger, f"{MEMBERSHIP}/favourites", key="tea").status_code == 303
    assert db.session.scalar(select(func.count()).select_from(Favourite)) == 1


def test_a_coupon_is_shown_with_its_codes_and_used_once(phone: FlaskClient) -> None:
    listed = phone.get(f"{MEMBERSHIP}/coupons").text
    assert f'href="{MEMBERSHIP}/coupons/TEA"' in listed
    assert "OLD" not in listed
    path = f"{MEMBERSHIP}/coupons/TEA"
    page = phone.get(path).text
    assert page.count('role="img"') == 2
    assert _send(phone, path).location == path
    used = phone.get(path).text
    assert "使用済み" in used
    assert 'role="img"' not in used
    assert "<form" not in used
    answer = _send(phone, path)
    assert "使用済みか" in phone.get(answer.location).text


@pytest.mark.parametrize("code", ["OLD", "NONE"])
def test_a_coupon_that_is_over_or_unknown_is_not_there(phone: FlaskClient, code: str) -> None:
    path = f"{MEMBERSHIP}/coupons/{code}"
    assert phone.get(path).status_code == 404
    assert _send(phone, path).status_code == 404
    assert db.session.scalar(select(func.count()).select_from(CouponUse)) == 0


def test_two_presses_at_once_use_a_coupon_once(app: Flask, phone: FlaskClient) -> None:
    path = f"{MEMBERSHIP}/coupons/TEA"
    token = token_in(phone.get(path))
    cookie = phone.get_cookie("session")
    assert cookie
    start = threading.Barrier(4)

    def press(_number: int) -> str:
        twin = app.test_client()
        twin.set_cookie("session", cookie.value)
        start.wait()
        answer = twin.post(path, data={"csrf_token": token})
        return twin.get(answer.location).text

    with ThreadPoolExecutor(4) as pool:
        pages = list(pool.map(press, range(4)))
    assert sum("クーポンを使いました" in page for page in pages) == 1
    assert db.session.scalar(select(func.count()).select_from(CouponUse)) == 1


def test_a_favourite_is_removed(phone: FlaskClient) -> None:
    path = f"{MEMBERSHIP}/favourites"
    assert "煎茶" in phone.get(path).text
    answer = _send(phone, path, key="tea")
    page = phone.get(answer.location).text
    assert "お気に入りから外しました。" in page
    assert "煎茶" not in page


def test_the_profile_changes_the_member_and_leaves_the_address_of_the_login(
    phone: FlaskClient, member: User
) -> None:
    form = {
        "name": "山田 はな",
        "phone": "075-111-1111",
        "postal_code": "600-8001",
        "address": "京都",
    }
    _send(phone, f"{MEMBERSHIP}/profile", **form, email="x@evil.example", is_staff="1")
    db.session.rollback()
    db.session.refresh(member)
    assert (member.name, member.phone, member.postal_code) == (
        "山田 はな",
        "0751111111",
        "6008001",
    )
    assert (member.email, member.is_staff) == ("hanako@b.example", False)


def test_the_language_of_the_pages_inside_line_is_chosen_there(phone: FlaskClient) -> None:
    phone.post("/language", data={"language": "ja"})
    _send(phone, "/line/liff/language", language="en")
    assert "Order again" in phone.get(ONE).text
    # The newest choice counts, wherever it was made.
    assert "Cart" in phone.get("/cart").text
