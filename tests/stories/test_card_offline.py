"""The last card without a network, and whose it is."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page
from playwright.sync_api import expect

from tests.emulator.liff_sdk.conftest import real_sdk as real_sdk

from .cards import CARD
from .cards import add_member
from .cards import open_outside
from .cards import read_codes
from .conftest import Open
from .conftest import Shoot
from .conftest import Street
from .people import log_in_to_shop

#: Playwright leaves the network of a service worker alone, so a page's own requests fail here.
OFFLINE = """
const online = window.fetch;
window.fetch = (...asked) => navigator.onLine ? online(...asked) : Promise.reject(new TypeError());
"""


_KEPT = "caches.open('lineconnect-card').then(async (c) => (await c.keys()).length)"


def _wait_for_kept(page: Page, count: int) -> None:
    for _look in range(100):
        if page.evaluate(_KEPT) == count:
            return
        page.wait_for_timeout(100)
    raise AssertionError(f"{page.evaluate(_KEPT)} cards are kept, not {count}")


def test_S5_5_the_last_card_is_there_offline_until_the_logout(
    street: Street, open_browser: Open, shoot: Shoot
) -> None:
    member = add_member(street, "地下のお店の人")
    phone = open_browser()
    phone.add_init_script(OFFLINE)
    open_outside(phone, street, member.name)
    _wait_for_kept(phone, 1)
    # What the worker keeps is enough; the browser may throw away the rest at any time.
    phone.context.new_cdp_session(phone).send("Network.clearBrowserCache")
    phone.context.set_offline(True)
    phone.goto(f"{street.shop}{CARD}")
    expect(phone.locator("#offline")).to_contain_text("オフラインです")
    assert read_codes(phone.locator(".lc-codes").screenshot())["EAN-13"] == member.card_number
    expect(phone.locator("#pay")).to_be_hidden()
    shoot(phone, "offline")
    phone.context.set_offline(False)
    phone.evaluate("dispatchEvent(new Event('online'))")
    expect(phone.locator("#offline")).to_be_hidden()

    phone.goto(f"{street.shop}/my-page")
    phone.get_by_role("button", name="ログアウト").click()
    # This page knows nothing of the worker.
    _wait_for_kept(phone, 0)
    phone.context.set_offline(True)
    with pytest.raises(Exception, match="ERR_"):
        phone.goto(f"{street.shop}{CARD}")


def test_S5_5_a_card_that_came_with_a_login_is_kept_as_well(
    street: Street, open_browser: Open
) -> None:
    member = add_member(street, "またログインする人")
    phone = open_browser()
    phone.add_init_script(OFFLINE)
    open_outside(phone, street, member.name)
    _wait_for_kept(phone, 1)
    for name in ("session", re.compile("lineconnect_card$")):
        phone.context.clear_cookies(name=name)
    _wait_for_kept(phone, 0)
    # The SDK still has the token, and the worker is at work from the beginning.
    with phone.expect_response("**/liff/session"):
        phone.reload()
    _wait_for_kept(phone, 1)
    phone.context.set_offline(True)
    phone.reload()
    expect(phone.locator("#offline")).to_contain_text("オフラインです")
    expect(phone.locator(".lc-holder")).to_contain_text(member.name)


def test_S5_5_another_person_never_sees_the_kept_card(street: Street, open_browser: Open) -> None:
    before, after = add_member(street, "さきの人"), add_member(street, "あとの人")
    phone = open_browser()
    open_outside(phone, street, before.name)
    _wait_for_kept(phone, 1)
    # A login by the shop's own door, without a logout; then the network goes at once.
    phone.context.clear_cookies(name="session")
    log_in_to_shop(phone, street, after.email, "a password for tests")
    phone.context.set_offline(True)
    with pytest.raises(Exception, match="ERR_"):
        phone.goto(f"{street.shop}{CARD}")
    phone.context.set_offline(False)
    phone.goto(f"{street.shop}{CARD}")
    _wait_for_kept(phone, 1)
    phone.context.set_offline(True)
    phone.goto(f"{street.shop}{CARD}")
    expect(phone.locator(".lc-holder")).to_contain_text(after.name)
