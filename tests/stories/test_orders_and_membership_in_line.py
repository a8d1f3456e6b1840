"""Journey 7: orders and membership inside LINE, from the first link to a question in the chat."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import ConsoleMessage
from playwright.sync_api import FrameLocator
from playwright.sync_api import Page
from playwright.sync_api import expect
from sqlalchemy import select

from demo_shop.extensions import db
from demo_shop.members import make_member
from demo_shop.models import Inquiry
from demo_shop.models import Order
from demo_shop.models import OrderLine
from demo_shop.models import Product
from demo_shop.models import User
from flask_lineconnect.linking import accounts
from flask_lineconnect.models import Account
from flask_lineconnect.outbox.preferences import declined_by

from .conftest import Street
from .people import in_app
from .people import log_in_to_shop
from .people import open_chat
from .people import tap_rich_menu

PASSWORD = "a password for tests"
PAGES = (
    "orders",
    "orders/{order}",
    "orders/{order}/delivery",
    "membership",
    "membership/profile",
    "membership/preferences",
    "membership/coupons",
    "membership/coupons/KMRB-TEA300",
    "membership/favourites",
    "link",
)


@dataclass(frozen=True)
class Customer:
    """A member with one order that has not left the shop."""

    name: str
    email: str
    order: str


def _customer(street: Street, name: str, *, line_user_id: str | None = None) -> Customer:
    """Make a member with an order; linked already if a LINE user is named."""
    email = f"{abs(hash(name))}@mail.example"
    number = f"K-{abs(hash(name)) % 10**6:06d}"
    with street.app.app_context():
        member = make_member(db.session(), email=email, name=name, password=PASSWORD)
        tea = db.session.scalars(select(Product).where(Product.stock > 5)).first()
        assert member
        assert tea
        lines = [OrderLine(product=tea, quantity=2, price=tea.price)]
        where = {"name": name, "postal_code": "604-8005", "address": "京都市", "phone": "075"}
        order = Order(number=number, user=member, total=2 * tea.price, lines=lines, **where)
        db.session.add(order)
        db.session.flush()
        if line_user_id is not None:
            _link(street, line_user_id, member)
        db.session.commit()
    return Customer(name, email, number)


def _link(street: Street, line_user_id: str, member: User) -> None:
    line = street.app.extensions["lineconnect"]
    account = accounts.ensure_account(line.session, line_user_id, now=line.clock())
    account.is_friend = True
    accounts.link(line, account, member.id, source=None, now=line.clock())


def _friend(street: Street, name: str) -> str:
    user_id = street.line.add_user(name)
    street.line.add_friend(user_id)
    return user_id


def _open_page(phone: Page, street: Street, user_id: str, tab: str) -> FrameLocator:
    """Open the card from the rich menu, and one of the tabs below it."""
    open_chat(phone, street, user_id)
    tap_rich_menu(phone, "ポイントカード")
    page = in_app(phone)
    page.locator(".lc-tabs").get_by_text(tab, exact=True).click()
    return page


def test_a_member_of_long_standing_links_inside_line(
    street: Street, open_browser: Callable[..., Page], shoot: Callable[..., None]
) -> None:
    customer = _customer(street, "高橋 みさき")
    user_id = _friend(street, "みさき")
    phone = open_browser()
    open_chat(phone, street, user_id)
    tap_rich_menu(phone, "ポイントカード")
    page = in_app(phone)
    page.get_by_role("link", name="ログインしてLINEと連携する").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("ログイン")
    page.locator("[autocomplete=email]").fill(customer.email)
    page.locator("[autocomplete=current-password]").fill(PASSWORD)
    page.locator("[autocomplete=current-password]").press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("LINEと連携しますか？")
    expect(page.locator("main")).to_contain_text("高橋 みさき さま")
    shoot(phone, "1-link")
    page.get_by_role("button", name="LINEと連携する").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("このLINEアカウントと連携しますか？")
    expect(page.locator(".lc-pair")).to_contain_text("みさき")
    expect(page.locator(".lc-pair")).to_contain_text("高橋 みさき さま")
    shoot(phone, "2-both-sides")
    assert _linked_member(street, user_id) is None
    page.get_by_role("button", name="連携する", exact=True).click()
    expect(page.locator(".lc-card")).to_contain_text("高橋 みさき")
    assert _linked_member(street, user_id) == customer.email


def _linked_member(street: Street, user_id: str) -> str | None:
    statement = (
        select(User.email)
        .join(Account, Account.member_id == User.id)
        .where(Account.line_user_id == user_id)
    )
    with street.app.app_context():
        return db.session.scalars(statement).one_or_none()


def test_an_order_gets_another_day_is_ordered_again_and_asked_about(
    street: Street, open_browser: Callable[..., Page], shoot: Callable[..., None]
) -> None:
    user_id = _friend(street, "ゆうこ")
    customer = _customer(street, "中島 ゆうこ", line_user_id=user_id)
    phone = open_browser()
    page = _open_page(phone, street, user_id, "ご注文")
    page.get_by_role("link", name=f"くわしく見る {customer.order}").click()
    expect(page.locator(".lc-way [aria-current=step]")).to_have_text("受付済み")
    shoot(phone, "3-order")
    page.get_by_role("link", name="お届け日時を変更する").click()
    page.locator(".lc-chips label").nth(2).click()
    page.get_by_text("18時から20時").click()
    shoot(phone, "4-delivery")
    page.get_by_role("button", name="この日時に変更する").click()
    expect(page.get_by_role("status")).to_have_text("お届け日時を変更しました。")
    expect(page.locator(".lc-facts")).to_contain_text("18時から20時")
    assert _slot(street, customer) == "18時から20時"

    page.get_by_role("link", name="この注文についてトークで問い合わせる").click()
    text = f"ご注文 {customer.order} について"
    expect(phone.locator("#text")).to_have_value(text)
    shoot(phone, "5-question")
    phone.locator("#text").press("Enter")
    street.line.wait_for_message(user_id, f"{text}ですね。ご用件をお書きください。")
    with street.app.app_context():
        asked = select(Inquiry.name).where(Inquiry.text == text)
        assert db.session.scalars(asked).one() == customer.name

    page = _open_page(phone, street, user_id, "ご注文")
    page.get_by_role("link", name=f"くわしく見る {customer.order}").click()
    page.get_by_role("button", name="もう一度注文する").click()
    expect(page.locator(".cart-lines li")).to_have_count(1)
    shoot(phone, "6-cart")


def _slot(street: Street, customer: Customer) -> str | None:
    statement = select(Order.delivery_slot).where(Order.number == customer.order)
    with street.app.app_context():
        return db.session.scalars(statement).one()


def test_what_a_member_wants_to_hear_is_kept_and_the_language_too(
    street: Street, open_browser: Callable[..., Page], shoot: Callable[..., None]
) -> None:
    user_id = _friend(street, "けいこ")
    _customer(street, "石井 けいこ", line_user_id=user_id)
    phone = open_browser()
    page = _open_page(phone, street, user_id, "会員")
    expect(page.get_by_role("heading", level=1)).to_have_text("石井 けいこ さま")
    shoot(phone, "7-membership")
    page.get_by_role("link", name="お知らせの設定").click()
    page.get_by_role("switch", name="カートの商品のお知らせ").click()
    shoot(phone, "8-preferences")
    page.get_by_role("button", name="保存する").click()
    expect(page.get_by_role("status")).to_have_text("保存しました。")
    line = street.app.extensions["lineconnect"]
    with street.app.app_context():
        account = accounts.ensure_account(line.session, user_id, now=line.clock())
        assert declined_by(line.session, account) == {"cart"}

    page.get_by_role("button", name="English").click()
    page.get_by_role("link", name="Message preferences").click()
    expect(page.get_by_role("switch", name="Reminders of your cart")).not_to_be_checked()


def test_all_of_it_works_without_a_script(
    street: Street, open_browser: Callable[..., Page], shoot: Callable[..., None]
) -> None:
    customer = _customer(street, "西村 たかし", line_user_id=_friend(street, "たかし"))
    page = open_browser(java_script_enabled=False)
    log_in_to_shop(page, street, customer.email, PASSWORD)
    page.goto(f"{street.shop}/line/liff/orders/{customer.order}/delivery")
    page.locator(".lc-chips label").first.click()
    page.get_by_text("午前中").click()
    page.get_by_role("button", name="この日時に変更する").click()
    expect(page.get_by_role("status")).to_have_text("お届け日時を変更しました。")
    assert _slot(street, customer) == "午前中"

    page.get_by_role("link", name="会員", exact=True).click()
    page.get_by_role("link", name="クーポン").click()
    page.get_by_role("link", name="豆大福").click()
    shoot(page, "9-coupon")
    page.get_by_role("button", name="クーポンを使う").click()
    expect(page.locator(".lc-stamp")).to_contain_text("使用済み")
    shoot(page, "10-used")
    page.get_by_role("link", name="会員", exact=True).click()
    page.get_by_role("link", name="会員情報").click()
    page.get_by_label("電話番号").fill("075-123-4567")
    page.get_by_role("button", name="保存する").click()
    expect(page.get_by_role("status")).to_have_text("保存しました。")


@pytest.mark.parametrize(
    ("screen", "options"),
    [
        # A small phone with letters of twice the size.
        ("large", {"viewport": {"width": 195, "height": 420}}),
        ("desk", {"viewport": {"width": 1280, "height": 800}, "color_scheme": "dark"}),
    ],
)
def test_the_pages_fit_and_say_nothing_to_the_console(
    street: Street,
    open_browser: Callable[..., Page],
    shoot: Callable[..., None],
    screen: str,
    options: dict[str, Any],
) -> None:
    name = f"森 {screen}"
    customer = _customer(street, name, line_user_id=_friend(street, name))
    page = open_browser(locale="en-US", **options)
    complaints: list[str] = []

    def hear(said: ConsoleMessage) -> None:
        # The browser asks by itself for a picture of the site, which the demo shop has elsewhere.
        if said.type == "error" and "favicon" not in said.location["url"]:
            complaints.append(said.text)

    page.on("console", hear)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    log_in_to_shop(page, street, customer.email, PASSWORD)
    for path in PAGES:
        page.goto(f"{street.shop}/line/liff/{path.format(order=customer.order)}")
        overflow = page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        assert overflow <= 0, f"{path} is {overflow} px wider than the screen"
        assert page.locator("h1").count() == 1, path
        shoot(page, f"{screen}-{path.split('/')[-1].format(order='order')}")
    assert complaints == []
