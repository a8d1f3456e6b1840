"""A shop below a path of its host, as a proxy with ``X-Forwarded-Prefix`` serves it."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import pytest
from flask_wtf import CSRFProtect

from flask_lineconnect.testing.plugin import LineBrowser
from tests import small_shop
from tests.people import IN_APP

from . import journey
from .browser import Browser
from .conftest import OpenShop
from .journey import Shop

BASE_URL = "https://shop.example/shop"
#: What an HTML page names as an address on its own host.
_ADDRESS = re.compile(r'\b(?:href|src|action|data-[\w-]*url)="(/[^"]*)"')


@pytest.fixture
def shop(open_shop: OpenShop) -> Shop:
    """Return the small shop below ``/shop``."""
    small_shop.notes.clear()
    return open_shop(
        BASE_URL,
        before=(CSRFProtect,),
        LINECONNECT_TERMS_URL="/terms",
        LINECONNECT_PRIVACY_URL="/privacy",
    )


@pytest.fixture
def person(shop: Shop) -> LineBrowser:
    """Return a LINE user."""
    return shop.emulator.browser(shop.emulator.add_user("佐藤 さくら"))


def _assert_all_below(browser: Browser) -> None:
    addresses = _ADDRESS.findall(browser.page.text)
    assert addresses, browser.page.text
    assert [one for one in addresses if not one.startswith("/shop/")] == [], browser.address


def test_the_whole_journey(shop: Shop) -> None:
    journey.walk(shop, accepts_terms="y")


def test_the_whole_journey_with_the_path_among_flasks_settings(open_shop: OpenShop) -> None:
    journey.walk(open_shop(f"{BASE_URL}/", before=(CSRFProtect,), APPLICATION_ROOT="/shop"))


def test_every_page_leads_below_the_path(shop: Shop, person: LineBrowser) -> None:
    browser = shop.browser()
    with shop.app.app_context():
        address = shop.state.url_for("lineconnect.login", source="store")
    journey.come_back(browser, person, browser.open(address))
    _assert_all_below(browser)
    assert 'href="/shop/terms"' in browser.page.text
    assert 'href="/shop/privacy"' in browser.page.text
    browser.send(display_name="佐藤 さくら", accepts_terms="y")
    pages = ("liff", "liff/points", "liff/orders", "liff/membership", "liff/membership/profile")
    for page in (*pages, "liff/membership/preferences", "unlink", "link"):
        assert browser.open(f"line/{page}") == f"{BASE_URL}/line/{page}"
        assert browser.page.status_code == 200, page
        _assert_all_below(browser)
    visitor = shop.browser()
    for page in ("liff", "liff/link", "callback?state=x&code=y", "sign-up"):
        visitor.open(f"line/{page}")
        _assert_all_below(visitor)


def test_a_login_without_a_page_to_return_to_ends_at_home(shop: Shop, person: LineBrowser) -> None:
    journey.register(shop, shop.browser(), person, accepts_terms="y")
    again = shop.browser()
    assert journey.come_back(again, person, again.open("line/login")) == f"{BASE_URL}/"


def test_a_page_of_ones_own_choice_lies_below(open_shop: OpenShop) -> None:
    for given in ("/private", "/shop/private"):
        shop = open_shop(BASE_URL, LINECONNECT_DEFAULT_PAGE=given)
        assert shop.state.config.default_page == "/shop/private"


def test_a_kept_form_goes_back_to_its_view(shop: Shop, person: LineBrowser) -> None:
    journey.register(shop, shop.browser(), person, accepts_terms="y")
    phone = shop.browser(IN_APP)
    phone.open("token")
    begun = phone.post("note?tab=2", csrf_token=phone.page.text, text="お茶をひとつ")
    assert journey.come_back(phone, person, begun) == f"{BASE_URL}/line/kept-form"
    _assert_all_below(phone)
    assert phone.send() == f"{BASE_URL}/note?tab=2"
    assert small_shop.notes == ["お茶をひとつ"]


def test_unlinking_asks_the_shops_own_login_first(shop: Shop) -> None:
    visitor = shop.browser()
    visitor.open("line/unlink")
    assert urlsplit(visitor.address).path == "/shop/log-in"
    assert visitor.page.text == "log in, then /shop/line/unlink"


def test_the_card_and_its_worker_are_one_scope(shop: Shop, person: LineBrowser) -> None:
    browser = shop.browser()
    journey.register(shop, browser, person, accepts_terms="y")
    journey.show_card(shop, browser)
    worker = re.search(r'data-worker="([^"]+)"', browser.page.text)
    assert worker
    assert worker[1].startswith("/shop/line/liff/worker.js")
    browser.open(worker[1])
    assert browser.page.headers["Service-Worker-Allowed"] == "/shop/line/liff"


def test_the_qr_code_of_a_page_opens_that_page(shop: Shop, person: LineBrowser) -> None:
    visitor = shop.browser()
    visitor.open("line/liff/orders")
    qr = re.search(r'src="([^"]*phone\.svg[^"]*)"', visitor.page.text)
    assert qr
    visitor.open(qr[1].replace("&amp;", "&"))
    assert visitor.page.mimetype == "image/svg+xml", visitor.page.text


def test_changes_in_line_come_back_to_their_page(shop: Shop, person: LineBrowser) -> None:
    browser = shop.browser()
    journey.register(shop, browser, person, accepts_terms="y")
    browser.open("line/liff/membership")
    here = f"{BASE_URL}/line/liff/membership"
    assert browser.send(action="/language", language="en") == here
    browser.open("line/liff/membership/profile")
    assert urlsplit(browser.send(name="さくら")).path == "/shop/line/liff/membership"


def test_LINE_is_told_the_addresses_below_the_path(shop: Shop) -> None:
    with shop.app.app_context():
        invitation = shop.state.url_for("lineconnect.chat_link_page", linkToken="x")
        assert invitation == f"{BASE_URL}/line/chat-link?linkToken=x"
        assert shop.state.url_for("lineconnect.webhook") == f"{BASE_URL}/line/webhook"
