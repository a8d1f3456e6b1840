"""The order pages: whose they are, what they show, what a press changes."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from flask_lineconnect import LineProfile
from flask_lineconnect import OrderDetail
from flask_lineconnect import OrderLine
from flask_lineconnect import ShopAdapter
from flask_lineconnect.state import LineState
from tests.conftest import DATABASES
from tests.conftest import MakeApp
from tests.people import add_member
from tests.people import link
from tests.people import open_as
from tests.people import token_in
from tests.small_shop import DAYS
from tests.small_shop import Purchase
from tests.small_shop import SmallOrders
from tests.small_shop import User
from tests.small_shop import db

on_both = pytest.mark.parametrize("database", DATABASES, indirect=True)
ONE = "/line/liff/orders/N-1"
WAYS = [
    ("GET", ONE),
    ("GET", f"{ONE}/delivery"),
    ("POST", f"{ONE}/delivery"),
    ("POST", f"{ONE}/reorder"),
    ("GET", f"{ONE}/receipt.pdf"),
]


class BareShop(ShopAdapter[User]):
    """A shop without desks."""

    model = User

    def sign_up(self, profile: LineProfile) -> User | None:
        """Register nobody."""
        return None


@pytest.fixture
def app(make_app: MakeApp) -> Flask:
    """Return the small shop, whose official account has a name."""
    return make_app(LINECONNECT_BASIC_ID="@smallshop")


@pytest.fixture
def hanako(hanako: User) -> User:
    """Return a linked member with one order."""
    _add(hanako, "N-1")
    return hanako


def _add(member: User, *numbers: str, step: int = 0) -> None:
    db.session.add_all(Purchase(user_id=member.id, number=one, step=step) for one in numbers)
    db.session.commit()


def _purchase() -> Purchase:
    db.session.rollback()
    return db.session.scalars(select(Purchase).where(Purchase.number == "N-1")).one()


def _send(client: FlaskClient, path: str, **form: str) -> TestResponse:
    token = token_in(client.get(ONE))
    return client.post(path, data={"csrf_token": token, **form})


def _numbers(answer: TestResponse) -> list[str]:
    return re.findall(r'href="/line/liff/orders/(N-\d+)"', answer.text)


def test_the_list_turns_its_pages(phone: FlaskClient, hanako: User) -> None:
    _add(hanako, *(f"N-{number}" for number in range(2, 24)))
    first, last = phone.get("/line/liff/orders"), phone.get("/line/liff/orders?page=3")
    assert _numbers(first) == [f"N-{number}" for number in range(23, 13, -1)]
    assert (first.text.count('rel="next"'), first.text.count('rel="prev"')) == (1, 0)
    assert _numbers(last) == ["N-3", "N-2", "N-1"]
    assert (last.text.count('rel="next"'), last.text.count('rel="prev"')) == (0, 1)


@pytest.mark.parametrize("number", ["0", "-3", "x", "9" * 30, ""])
def test_a_page_that_does_not_exist_is_no_error(phone: FlaskClient, number: str) -> None:
    answer = phone.get(f"/line/liff/orders?page={number}")
    assert answer.status_code == 200


@on_both
def test_a_name_with_a_nul_is_of_nothing(phone: FlaskClient) -> None:
    base = "/line/liff"
    gone = {"csrf_token": token_in(phone.get(ONE)), "key": "a\0b"}
    for path in ("/points?before=a%00b", "/orders/a%00b", "/membership/coupons/a%00b"):
        assert phone.get(base + path).status_code == 404, path
    assert phone.post(f"{base}/membership/favourites", data=gone).status_code == 404


@pytest.mark.parametrize("step", [0, 1, 2])
def test_the_way_of_an_order_is_a_list_with_its_current_step(
    phone: FlaskClient, step: int, hanako: User
) -> None:
    _add(hanako, "N-9", step=step)
    answer = phone.get("/line/liff/orders/N-9").text
    steps = re.findall(
        r"<li( class=\"lc-done\")?( aria-current=\"step\")?>(受付|発送|お届け)", answer
    )
    assert [bool(done) for done, _current, _label in steps] == [at <= step for at in range(3)]
    assert [bool(current) for _done, current, _label in steps] == [at == step for at in range(3)]
    assert 'href="https://carrier.example/4000"' in answer


@on_both
@pytest.mark.parametrize(("method", "path"), WAYS)
def test_S10_2_anothers_order_is_an_unknown_one(
    phone: FlaskClient, app: Flask, line: LineState, method: str, path: str
) -> None:
    kenta = add_member(line, "鈴木 健太")
    link(line, kenta, "b")
    stranger = open_as(app.test_client(), kenta)
    form = {"csrf_token": token_in(stranger.get("/line/liff/membership/profile"))}
    form |= {"day": DAYS[1].isoformat(), "slot": "朝"}
    answers = [
        stranger.open(one, method=method, data=form if method == "POST" else None)
        for one in (path, path.replace("N-1", "N-777"))
    ]
    assert [one.status_code for one in answers] == [404, 404]
    assert len({re.sub(r'nonce[-=]\S+|csrf\S+ value="\S+"', "", one.text) for one in answers}) == 1
    assert (_purchase().deliver_on, _purchase().is_wanted_again) == (None, False)


def test_S6_3_a_press_needs_the_token_of_this_session(phone: FlaskClient) -> None:
    for method, path in WAYS:
        if method == "POST":
            answer = phone.post(path, data={"day": DAYS[1].isoformat(), "slot": "朝"})
            assert (answer.status_code, "csrf" in answer.text) == (400, True)
    assert phone.get(f"{ONE}/reorder").status_code == 405
    assert (_purchase().deliver_on, _purchase().is_wanted_again) == (None, False)


@on_both
def test_an_order_is_wanted_again_and_the_shop_says_where_to_go(phone: FlaskClient) -> None:
    answer = _send(phone, f"{ONE}/reorder")
    assert (answer.status_code, answer.location) == (303, "/private")
    assert _purchase().is_wanted_again


def test_what_the_shop_refuses_is_said_on_the_orders_page_once(
    phone: FlaskClient, hanako: User
) -> None:
    _add(hanako, "N-2")
    answer = _send(phone, "/line/liff/orders/N-2/reorder")
    assert answer.location == "/line/liff/orders/N-2"
    assert 'role="alert">売り切れです。' in phone.get(answer.location).text
    assert "売り切れです" not in phone.get(answer.location).text


@on_both
def test_a_delivery_is_changed_to_what_was_offered(phone: FlaskClient) -> None:
    answer = _send(phone, f"{ONE}/delivery", day="2030-01-11", slot="朝")
    assert (answer.status_code, answer.location) == (303, ONE)
    assert _purchase().deliver_on == date(2030, 1, 11)
    assert 'role="status">お届け日時を変更しました。' in phone.get(ONE).text


@pytest.mark.parametrize(
    "form",
    [
        {"day": "2030-01-12", "slot": "朝"},
        {"day": "2030-01-11", "slot": "昼"},
        {"day": "2030-01-11"},
        {"day": "now", "slot": "朝"},
        {},
    ],
)
def test_what_was_not_offered_changes_nothing(phone: FlaskClient, form: dict[str, str]) -> None:
    answer = _send(phone, f"{ONE}/delivery", **form)
    assert _purchase().deliver_on is None
    assert 'role="alert">この日時には、お届けできません。' in phone.get(answer.location).text


def test_an_order_that_has_left_is_not_moved(phone: FlaskClient) -> None:
    token = token_in(phone.get(f"{ONE}/delivery"))
    _purchase().step = 1
    db.session.commit()
    form: dict[str, Any] = {"csrf_token": token, "day": "2030-01-11", "slot": "朝"}
    answer = phone.post(f"{ONE}/delivery", data=form)
    assert "もう変更できません" in phone.get(answer.location).text
    assert _purchase().deliver_on is None
    assert phone.get(f"{ONE}/delivery").status_code == 404


def test_a_receipt_is_there_when_the_order_is_paid(phone: FlaskClient) -> None:
    assert "receipt.pdf" not in phone.get(ONE).text
    assert phone.get(f"{ONE}/receipt.pdf").status_code == 404
    _purchase().step = 2
    db.session.commit()
    assert f'href="{ONE}/receipt.pdf"' in phone.get(ONE).text
    answer = phone.get(f"{ONE}/receipt.pdf")
    assert (answer.mimetype, answer.data[:5]) == ("application/pdf", b"%PDF-")
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Content-Disposition"] == "inline; filename=receipt-N-1.pdf"


def test_sums_that_do_not_match_give_no_receipt_and_the_shop_is_told(
    phone: FlaskClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    _purchase().step = 2
    db.session.commit()
    detail = SmallOrders._detail
    monkeypatch.setattr(SmallOrders, "_detail", lambda *args: replace(detail(*args), total=1_100))
    assert "receipt.pdf" not in phone.get(ONE).text
    assert "order N-1: the lines add up to 1080 and the total is 1100" in caplog.text
    assert phone.get(f"{ONE}/receipt.pdf").status_code == 404


def test_the_chat_opens_with_the_orders_number_typed_in(phone: FlaskClient) -> None:
    text = "%E3%81%94%E6%B3%A8%E6%96%87%20N-1%20%E3%81%AB%E3%81%A4%E3%81%84%E3%81%A6"
    assert f'href="https://line.me/R/oaMessage/%40smallshop/?{text}"' in phone.get(ONE).text


def test_without_an_account_name_there_is_no_button_for_the_chat(
    make_app: MakeApp,
) -> None:
    app = make_app()
    with app.app_context():
        member = add_member(app.extensions["lineconnect"])
        link(app.extensions["lineconnect"], member)
        _add(member, "N-1")
        answer = open_as(app.test_client(), member).get(ONE).text
    assert "N-1" in answer
    assert "oaMessage" not in answer


def test_a_shop_without_a_desk_has_no_order_pages(
    phone: FlaskClient, line: LineState, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert 'href="/line/liff/orders"' in phone.get("/line/liff").text
    monkeypatch.setattr(line, "shop", BareShop())
    assert 'href="/line/liff/orders"' not in phone.get("/line/liff").text
    assert phone.get("/line/liff/orders").status_code == 404
    assert phone.get(ONE).status_code == 404


def test_S10_2_a_press_after_the_session_is_refused_and_does_nothing(
    app: Flask, client: FlaskClient, hanako: User
) -> None:
    token = client.get("/token").text
    answer = client.post(f"{ONE}/reorder", data={"csrf_token": token})
    assert (answer.status_code, "session" in answer.text) == (400, True)
    assert not _purchase().is_wanted_again


class DollarOrders(SmallOrders):
    """Orders in another currency."""

    def _detail(self, purchase: Purchase, member: User) -> OrderDetail:
        lines = [OrderLine("Tea", 2, price=Decimal("46.58"))]
        found = super()._detail(purchase, member)
        return replace(found, currency="USD", total=Decimal("93.16"), lines=lines)


def test_amounts_of_another_currency(line: LineState, client: FlaskClient, hanako: User) -> None:
    orders, line.shop.orders = line.shop.orders, DollarOrders()
    try:
        open_as(client, hanako)
        assert "<strong>$93.16</strong>" in client.get("/line/liff/orders").text
        page = client.get(ONE).text
        assert page.count("$93.16") == 2
        assert "円" not in page
    finally:
        line.shop.orders = orders
