"""Journey 5: a link from the chat opens the shop logged in; the order is confirmed in LINE."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import FrameLocator
from playwright.sync_api import Page
from playwright.sync_api import expect

from .conftest import Street
from .people import in_app
from .people import join_by_store_qr
from .people import open_chat
from .people import tap_rich_menu
from .people import write


def test_a_customer_buys_two_things_from_the_chat(
    street: Street, open_browser: Callable[..., Page], shoot: Callable[..., None]
) -> None:
    user_id = street.line.add_user("江口 なぎさ", email="nagisa@mail.example")
    join_by_store_qr(open_browser(), street, "江口 なぎさ")

    phone = open_browser()
    open_chat(phone, street, user_id)
    write(phone, "お店は？")
    phone.locator("#quick-replies").get_by_text("お店を見る").click()
    shop = in_app(phone)
    expect(shop.locator("header")).to_contain_text("江口 なぎさ")
    shoot(phone, "1-shop-in-line")
    for position in (0, 1):
        shop.locator("a[href*='/products/']").nth(position * 2).click()
        shop.get_by_role("button", name="カートに入れる").click()
        # Whoever goes on before the answer is there leaves without the cart.
        expect(shop.locator(".cart-lines li")).to_have_count(position + 1)
        if position == 0:
            shop.get_by_role("link", name="こもれび堂").first.click()
    shoot(phone, "2-cart")
    shop.get_by_role("link", name="ご注文手続きへ").click()
    _fill_address(shop)
    shoot(phone, "3-checkout")
    shop.get_by_role("button", name="注文を確定する").click()
    expect(shop.locator("main")).to_contain_text("ありがとうございます")
    shoot(phone, "4-ordered")
    phone.locator("#browser-close").click()
    expect(phone.locator("#messages")).to_contain_text("ご注文ありがとうございます")
    shoot(phone, "5-confirmation")
    tap_rich_menu(phone, "ご注文")
    orders = in_app(phone)
    expect(orders.locator(".lc-order")).to_have_count(1)
    expect(orders.locator(".lc-order li")).to_have_count(2)
    shoot(phone, "6-orders-in-line")


def _fill_address(shop: FrameLocator) -> None:
    """Fill in what a new member has not given yet."""
    shop.get_by_label("郵便番号").fill("604-8005")
    shop.get_by_label("ご住所").fill("京都府京都市中京区恵比須町 1-2")
    shop.get_by_label("電話番号").fill("090-0000-0000")


def test_the_real_in_app_browser_is_logged_in_by_itself(
    street: Street, open_browser: Callable[..., Page], shoot: Callable[..., None]
) -> None:
    user_id = street.line.add_user("大野 かえで", email="kaede@mail.example")
    join_by_store_qr(open_browser(), street, "大野 かえで")
    in_line = open_browser(
        user_agent=(
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 "
            "(KHTML, like Gecko) Mobile/15E148 Safari Line/14.9.0"
        )
    )
    in_line.goto(f"{street.line.url}/phone/{user_id}/open?url={street.shop}/my-page")
    expect(in_line).to_have_url(f"{street.shop}/my-page")
    expect(in_line.locator("body")).to_contain_text("大野 かえで")
    shoot(in_line, "7-my-page")
