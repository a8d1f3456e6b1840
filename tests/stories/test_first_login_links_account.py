"""Journeys 1 and 2: a visitor scans the store QR, registers, and finds the card in the chat."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page
from playwright.sync_api import expect
from sqlalchemy import select

from demo_shop.models import User
from flask_lineconnect.models import Account
from flask_lineconnect.state import LineState

from .conftest import Street
from .people import in_app
from .people import log_in_at_line
from .people import open_chat
from .people import register
from .people import tap_rich_menu


def test_a_visitor_becomes_a_linked_member_with_a_card(
    street: Street, open_browser: Callable[..., Page], shoot: Callable[..., None]
) -> None:
    user_id = street.line.add_user("青木 みなと", email="minato@mail.example")
    page = open_browser()
    page.goto(f"{street.shop}/store")
    shoot(page, "1-store")
    page.locator("a.lc-store-qr").click()
    shoot(page, "2-line-login")
    page.get_by_role("button", name="青木 みなと").click()
    shoot(page, "3-consent")
    page.get_by_role("button", name="許可する").click()
    shoot(page, "4-add-friend")
    page.get_by_role("button", name="友だち追加する").click()
    expect(page.get_by_label("お名前")).to_have_value("青木 みなと")
    expect(page.get_by_label("メールアドレス")).to_have_value("minato@mail.example")
    shoot(page, "5-registration")
    register(page)
    expect(page).to_have_url(f"{street.shop}/line/liff")
    page.goto(f"{street.shop}/line/liff")
    expect(page.locator(".lc-code svg")).to_have_count(2)
    shoot(page, "6-card")
    member = _member_of(street, user_id)
    assert (member.name, member.email) == ("青木 みなと", "minato@mail.example")
    assert len(member.card_number) == 13
    number = page.locator(".lc-number").inner_text()
    assert member.card_number in "".join(filter(str.isdigit, number))


def _member_of(street: Street, user_id: str) -> User:
    with street.app.app_context():
        line: LineState = street.app.extensions["lineconnect"]
        account = line.session.scalars(select(Account).where(Account.line_user_id == user_id)).one()
        assert account.is_friend
        assert account.link_source == "store"
        member = line.session.get(User, account.member_id)
        assert member is not None
        return member


def test_the_rich_menu_opens_the_card_without_typing(
    street: Street, open_browser: Callable[..., Page], shoot: Callable[..., None]
) -> None:
    user_id = street.line.add_user("石田 ひかり", email="hikari@mail.example")
    shop_page = open_browser()
    shop_page.goto(f"{street.shop}/store")
    shop_page.locator("a.lc-store-qr").click()
    log_in_at_line(shop_page, "石田 ひかり")
    register(shop_page)
    expect(shop_page).to_have_url(f"{street.shop}/line/liff")

    phone = open_browser()
    open_chat(phone, street, user_id)
    expect(phone.locator("#messages")).to_contain_text("友だち追加ありがとうございます")
    expect(phone.locator("#rich-menu")).to_be_visible()
    shoot(phone, "7-chat")
    tap_rich_menu(phone, "ポイントカード")
    card = in_app(phone)
    expect(card.locator(".lc-card")).to_contain_text("石田 ひかり")
    expect(card.locator(".lc-code svg").first).to_be_visible()
    shoot(phone, "8-card-in-line")
