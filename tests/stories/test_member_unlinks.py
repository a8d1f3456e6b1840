"""A member ends the link: LINE is told, the session ends, the card is gone."""

from __future__ import annotations

import time
from collections.abc import Callable

from playwright.sync_api import Page
from playwright.sync_api import expect

from .conftest import Street
from .people import in_app
from .people import join_by_store_qr
from .people import open_chat
from .people import tap_rich_menu


def test_a_member_who_came_with_line_unlinks(
    street: Street, open_browser: Callable[..., Page], shoot: Callable[..., None]
) -> None:
    name = "連携をやめる人"
    user_id = street.line.add_user(name, email="leaving@mail.example")
    page = open_browser()
    join_by_store_qr(page, street, name)
    page.goto(f"{street.shop}/my-page")
    page.get_by_role("link", name="LINEとの連携を解除する").click()
    expect(page.locator("main")).to_contain_text(name)
    expect(page.get_by_role("alert")).to_contain_text("ほかにログインする方法がありません")
    shoot(page, "1-warning")
    page.get_by_role("checkbox", name="ログインできなくなることを承知して解除します").check()
    page.get_by_role("button", name="連携を解除する").click()
    expect(page.get_by_role("heading", name="連携を解除しました")).to_be_visible()
    shoot(page, "2-unlinked")
    page.goto(f"{street.shop}/my-page")
    expect(page).not_to_have_url(f"{street.shop}/my-page")

    _wait_until_told(street, user_id)
    phone = open_browser()
    open_chat(phone, street, user_id)
    tap_rich_menu(phone, "ポイントカード")
    expect(in_app(phone).get_by_role("heading", name="会員登録が完了します")).to_be_visible()
    shoot(phone, "3-invited-again")


def _wait_until_told(street: Street, user_id: str) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        user = next(one for one in street.line.users() if one["user_id"] == user_id)
        if user["granted"] == []:
            return
        time.sleep(0.1)
    raise AssertionError("LINE was not told")
