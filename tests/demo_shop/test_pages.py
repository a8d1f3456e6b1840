"""The shop's pages, as people and their browsers use them."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC
from datetime import datetime
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func
from sqlalchemy import select

from demo_shop.extensions import db
from demo_shop.line.extension import line as extension
from demo_shop.members import make_member
from demo_shop.models import Inquiry
from demo_shop.models import Order
from demo_shop.models import PointEntry
from demo_shop.models import Product
from demo_shop.models import User
from demo_shop.points import history
from flask_lineconnect.engines.work import SCHEDULE
from flask_lineconnect.linking import accounts
from flask_lineconnect.models import OutboxMessage
from tests.conftest import ApartClient

LogIn = Callable[[str], FlaskClient]
PASSWORD = "a password for tests"
HANAKO = {"email": "hanako@shop.example", "password": PASSWORD}
ADDRESS = {
    "name": "山田 花子",
    "postal_code": "604-8005",
    "address": "京都府京都市中京区恵比須町 1-2",
    "phone": "090-0000-0000",
}


@pytest.fixture
def shop(app: Flask) -> Flask:
    """Return the shop with two products and three people."""
    app.test_client_class = ApartClient
    for slug, stock in (("sencha", 3), ("yunomi", 10)):
        product = Product(
            slug=slug, name=slug, category="tea", price=1_280, stock=stock, description=""
        )
        db.session.add(product)
    for name in ("hanako", "taro", "staff"):
        email = f"{name}@shop.example"
        member = make_member(db.session(), email=email, name=name, password=PASSWORD)
        assert member is not None
        member.is_staff = name == "staff"
    db.session.commit()
    return app


@pytest.fixture
def hanako(shop: Flask) -> User:
    """Return a member."""
    return db.session.scalars(select(User).where(User.name == "hanako")).one()


@pytest.fixture
def log_in(shop: Flask) -> LogIn:
    """Return a function that gives a browser in which somebody is logged in."""

    def enter(name: str) -> FlaskClient:
        # The browser's requests write to the same database: no transaction may stay open here.
        db.session.rollback()
        browser = shop.test_client()
        form = {"email": f"{name}@shop.example", "password": PASSWORD}
        assert browser.post("/log-in", data=form).status_code == 302
        return browser

    return enter


def _count(model: type[Order] | type[PointEntry]) -> int:
    return db.session.scalar(select(func.count()).select_from(model)) or 0


def _buy(browser: FlaskClient) -> str:
    browser.post("/cart/add/sencha", data={"quantity": 2})
    answer = browser.post("/checkout", data=ADDRESS)
    assert answer.status_code == 302, answer.text
    return answer.location


@pytest.mark.parametrize(
    "path", ["/", "/?category=tea", "/?category=nothing", "/products/sencha", "/cart", "/store"]
)
def test_everybody_sees_the_store(shop: Flask, path: str) -> None:
    answer = shop.test_client().get(path)
    assert answer.status_code == 200
    assert "こもれび堂" in answer.text


def test_an_order_is_shown_wherever_it_belongs(log_in: LogIn) -> None:
    browser = log_in("hanako")
    complete = _buy(browser)
    number = db.session.scalars(select(Order.number)).one()
    assert complete == f"/orders/{number}/complete"
    for path in (complete, f"/orders/{number}", "/orders", "/my-page"):
        assert number in browser.get(path).text
    assert "+25" in browser.get("/my-page").text


def test_what_is_out_of_stock_is_not_sold(log_in: LogIn) -> None:
    browser = log_in("hanako")
    browser.post("/cart/add/yunomi")
    browser.post("/cart/add/sencha", data={"quantity": 4})
    assert "在庫が足りません" in browser.post("/checkout", data=ADDRESS).text
    assert (_count(Order), _count(PointEntry)) == (0, 0)
    assert db.session.scalars(select(Product.stock).order_by(Product.id)).all() == [3, 10]


def test_a_quantity_is_changed_and_taken_out(shop: Flask) -> None:
    browser = shop.test_client()
    browser.post("/cart/add/sencha", data={"quantity": "-5"})
    browser.post("/cart/change/sencha", data={"quantity": "3"})
    assert "3,840円" in browser.get("/cart").text
    browser.post("/cart/change/sencha", data={"quantity": "many"})
    assert "まだ何も" in browser.get("/cart").text
    assert browser.post("/cart/change/nothing", data={"quantity": "1"}).status_code == 404


def test_a_bad_address_is_asked_again(log_in: LogIn) -> None:
    browser = log_in("hanako")
    browser.post("/cart/add/sencha")
    answer = browser.post("/checkout", data={**ADDRESS, "postal_code": "12"})
    assert "123-4567" in answer.text
    assert 'aria-invalid="true"' in answer.text
    assert _count(Order) == 0


@pytest.mark.parametrize("end", ["", "/complete"])
def test_an_order_is_its_owners_only(log_in: LogIn, end: str) -> None:
    _buy(log_in("hanako"))
    address = f"/orders/{db.session.scalars(select(Order.number)).one()}{end}"
    answers = {name: log_in(name).get(address).status_code for name in ("hanako", "taro", "staff")}
    assert answers == {"hanako": 200, "taro": 404, "staff": 404}


@pytest.mark.parametrize("path", ["/checkout", "/my-page", "/orders", "/orders/K-1", "/counter"])
def test_private_pages_ask_for_a_login(shop: Flask, path: str) -> None:
    answer = shop.test_client().get(path)
    assert answer.status_code == 302
    assert answer.location.startswith("/log-in?next=%2F")


@pytest.mark.parametrize(
    ("wanted", "reached"),
    [
        ("/orders?page=2", "/orders?page=2"),
        ("", "/my-page"),
        ("///evil.example/", "/my-page"),
        ("//[", "/my-page"),
        ("/\\/evil.example/", "/my-page"),
        ("javascript:alert(1)", "/my-page"),
        ("evil.example", "/my-page"),
    ],
)
def test_a_login_returns_to_this_shop_only(shop: Flask, wanted: str, reached: str) -> None:
    browser = shop.test_client()
    assert browser.get("/log-in", query_string={"next": wanted}).status_code == 200
    assert browser.post("/log-in", data={**HANAKO, "next": wanted}).location == reached
    # Who is logged in already goes there at once, and nowhere else either.
    assert browser.get("/log-in", query_string={"next": wanted}).location == reached


def test_a_login_renews_the_session_but_keeps_the_cart(shop: Flask) -> None:
    browser = shop.test_client()
    browser.post("/cart/add/sencha", data={"quantity": 2})
    with browser.session_transaction() as cookie:
        cookie["planted"] = "by somebody else"
    browser.post("/log-in", data=HANAKO)
    with browser.session_transaction() as cookie:
        assert "planted" not in cookie
        assert cookie["cart"] == {"1": 2}
    browser.post("/log-out")
    with browser.session_transaction() as cookie:
        assert "_user_id" not in cookie
        assert cookie["cart"] == {"1": 2}


def test_registering_logs_in(shop: Flask) -> None:
    browser = shop.test_client()
    form = {"name": "田中 さくら", "email": "Sakura@Shop.example", "accepts_terms": "y"}
    form |= {"password": "long enough", "repeated": "long enough"}
    assert browser.post("/register", data=form).location == "/my-page"
    assert "sakura<wbr>@shop.example" in browser.get("/my-page").text
    assert "登録できません" in shop.test_client().post("/register", data=form).text


def test_the_counter_says_who_may_enter(log_in: LogIn, hanako: User) -> None:
    card = f"/counter/{hanako.card_number}"
    member, staff = log_in("taro"), log_in("staff")
    for path in ("/counter", card):
        refused = member.get(path)
        assert refused.status_code == 403
        assert "スタッフ専用" in refused.text
        assert staff.get(path).status_code == 200
    assert "見つかりません" in staff.post("/counter", data={"card_number": "123"}).text


def test_the_counter_lists_what_is_asked_until_it_is_answered(log_in: LogIn) -> None:
    db.session.add(Inquiry(name="佐藤 さくら", text="<b>急須の蓋</b>"))
    db.session.commit()
    browser = log_in("staff")
    assert "&lt;b&gt;急須の蓋" in browser.get("/counter").text
    assert log_in("taro").post("/counter/inquiries/1").status_code == 403
    assert "急須の蓋" in browser.get("/counter").text
    assert browser.post("/counter/inquiries/1").location == "/counter"
    assert "急須の蓋" not in browser.get("/counter").text
    assert browser.post("/counter/inquiries/2").status_code == 404


def test_staff_answer_beside_the_order_that_was_asked_about(log_in: LogIn, hanako: User) -> None:
    hanako_pages = log_in("hanako")
    for _number in range(2):
        hanako_pages.post("/cart/add/sencha", data={"quantity": 1})
        hanako_pages.post("/checkout", data=ADDRESS)
    orders = db.session.scalars(select(Order).order_by(Order.id)).all()
    db.session.add_all(
        [
            Inquiry(name="hanako", user_id=hanako.id, text=f"ご注文 {orders[0].number} について"),
            Inquiry(name="佐藤 さくら", text="営業時間は？"),
        ]
    )
    db.session.commit()
    browser = log_in("staff")
    page = browser.get("/counter/inquiries/1").text
    assert orders[0].number in page
    assert page.count("/orders/") == 1
    assert hanako_pages.get("/counter/inquiries/1").status_code == 403
    answer = "/counter/inquiries/1/answer"
    assert "お返事を入力してください" in browser.post(answer, data={"text": " "}).text
    assert browser.post(answer, data={"text": "本日発送します。"}).location == "/counter"
    listed = browser.get("/counter").text
    assert "お返事しました" in listed
    assert "について" not in listed
    # Somebody who is no member can't be written to from here.
    assert "<textarea" not in browser.get("/counter/inquiries/2").text


def test_a_purchase_that_earns_no_points_sends_nothing(
    app: Flask, log_in: LogIn, hanako: User
) -> None:
    with app.app_context():
        account = accounts.ensure_account(db.session(), "U" + "1" * 32, now=datetime.now(UTC))
        account.member_id = hanako.id
        extension.scenarios.publish("points_added")
        db.session.commit()
    staff, card = log_in("staff"), f"/counter/{hanako.card_number}"
    for key, yen, messages in (("a", "９９円", 0), ("b", "１００", 1)):
        assert staff.post(card, data={"yen": yen, "key": key}).location == "/counter"
        with app.app_context():
            while sum(do(app.extensions["lineconnect"]) for do in SCHEDULE):
                pass
            count = select(func.count()).select_from(OutboxMessage)
            assert db.session.scalar(count) == messages
        said = staff.get("/counter").text
        assert ("ポイントがつきません" in said) == (not messages)
        assert "0ポイントを" not in said
    with app.app_context():
        assert [entry.amount for entry in history(db.session(), hanako)] == [1]


def test_pages_promise_no_points_where_there_are_none(app: Flask, log_in: LogIn) -> None:
    with app.app_context():
        product = db.session.scalars(select(Product).limit(1)).one()
        product.price, slug = 99, product.slug
        db.session.commit()
    hanako = log_in("hanako")
    hanako.post(f"/cart/add/{slug}", data={"quantity": "1"})
    for path in (f"/products/{slug}", "/cart", "/checkout"):
        page = hanako.get(path).text
        assert "99円" in page
        assert "たまります" not in page, path


def test_points_at_the_counter_are_added_once(log_in: LogIn, hanako: User) -> None:
    card = hanako.card_number
    browser = log_in("staff")
    found = browser.post("/counter", data={"card_number": " ".join(card)})
    assert found.location == f"/counter/{card}"
    for _press in range(2):
        answer = browser.post(found.location, data={"yen": "3280", "key": "one purchase"})
        assert answer.location == "/counter"
    assert "残高は32ポイントです" in browser.get("/counter").text
    assert db.session.scalars(select(PointEntry.amount)).all() == [32]


def test_a_page_that_booked_already_says_what_it_booked(log_in: LogIn, hanako: User) -> None:
    path = f"/counter/{hanako.card_number}"
    browser = log_in("staff")
    browser.post(path, data={"yen": "3280", "key": "one purchase"}, follow_redirects=True)
    back = {"yen": "9900", "key": "one purchase"}
    page = browser.post(path, data=back, follow_redirects=True).text
    assert "99ポイントをつけました" not in page
    assert "32ポイントを記録済みです" in page
    assert db.session.scalars(select(PointEntry.amount)).all() == [32]


def test_a_card_scanned_into_the_amount_is_refused(log_in: LogIn, hanako: User) -> None:
    card = hanako.card_number
    answer = log_in("staff").post(f"/counter/{card}", data={"yen": card, "key": "k"})
    assert answer.status_code == 200
    assert 'aria-invalid="true"' in answer.text
    assert _count(PointEntry) == 0


def test_every_form_needs_its_token(shop: Flask) -> None:
    shop.config["WTF_CSRF_ENABLED"] = True
    for rule in shop.url_map.iter_rules():
        if "POST" in (rule.methods or ()) and not rule.endpoint.startswith("lineconnect."):
            values: dict[str, Any] = {
                name: 1 if name.endswith(("_id", "number")) else "sencha" for name in rule.arguments
            }
            with shop.test_request_context():
                path = shop.url_for(rule.endpoint, **values)
            answer = shop.test_client().post(path)
            assert (path, answer.status_code) == (path, 400)
            assert "もう一度お試しください" in answer.text


def test_a_form_with_its_token_is_accepted(shop: Flask) -> None:
    shop.config["WTF_CSRF_ENABLED"] = True
    browser = shop.test_client()
    page = browser.get("/products/sencha").text
    token = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert token is not None
    answer = browser.post("/cart/add/sencha", data={"csrf_token": token[1]})
    assert answer.location == "/cart"


def test_private_pages_are_not_kept_by_browsers(log_in: LogIn, shop: Flask) -> None:
    answer = log_in("hanako").get("/my-page")
    assert answer.headers["Cache-Control"] == "no-store"
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert not re.search(r"<script>|\sstyle=|\son\w+=", answer.text)
    assert "Cache-Control" not in shop.test_client().get("/").headers


def test_the_language_is_chosen_and_kept(shop: Flask) -> None:
    browser = shop.test_client()
    assert '<html lang="en">' in browser.get("/", headers={"Accept-Language": "en"}).text
    answer = browser.post("/language", data={"language": "en", "next": "/store"})
    assert answer.location == "/store"
    assert "Visit our shop" in browser.get("/store").text
    browser.post("/language", data={"language": "tlh"})
    assert '<html lang="en">' in browser.get("/").text


def test_a_missing_page_is_a_page_of_the_shop(shop: Flask) -> None:
    for path in ("/nothing", "/products/nothing"):
        answer = shop.test_client().get(path)
        assert answer.status_code == 404
        assert "ページが見つかりません" in answer.text
    assert shop.test_client().get("/pictures/..%2Fshop.png").status_code == 404
