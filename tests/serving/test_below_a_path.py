"""A shop below ``/shop/`` of its host, behind nginx with TLS; LINE is another site."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Browser
from playwright.sync_api import Page
from playwright.sync_api import expect

from .authority import Authority
from .names import FOREIGN_LINE
from .names import SHOP_BELOW
from .street import Served
from .street import open_street

BASE_URL = f"https://{SHOP_BELOW}/shop"
LINE_APP = (
    "Mozilla/5.0 (Linux; Android 15; V2319) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Version/4.0 Chrome/144.0.0.0 Mobile Safari/537.36 Line/15.12.1"
)
#: Milliseconds.
PATIENCE = 60_000
NAME = "道の下の人"
#: What a page with a form does, in a shop whose pages have none.
SEND_NOTE = """(token) => {
  document.body.innerHTML = `<form method="post" action="/shop/note">
    <input name="_csrf" value="${token}"><input name="text" value="お茶をひとつ"></form>`;
  document.forms[0].submit();
}"""


@pytest.fixture(scope="module")
def street(
    tmp_path_factory: pytest.TempPathFactory, authority: Authority, tls_ports: dict[str, int]
) -> Iterator[Served]:
    """Open the small shop below a path, and LINE under a name of another site."""
    folder: Path = tmp_path_factory.mktemp("below")
    settings = {
        "SECRET_KEY": "a secret key for tests only",
        "TESTING": "true",
        "SQLALCHEMY_DATABASE_URI": f"sqlite:///{folder / 'shop.db'}",
        # The scripts must find the header under its other name.
        "WTF_CSRF_FIELD_NAME": "_csrf",
        "WTF_CSRF_HEADERS": '["X-XSRF-Token"]',
    }
    with open_street(
        folder,
        authority,
        tls_ports,
        app="tests.serving.small:make_app()",
        settings=settings,
        path="/shop",
        shop_name=SHOP_BELOW,
        line_name=FOREIGN_LINE,
    ) as served:
        yield served


def _open_browser(browser: Browser, user_agent: str | None = None) -> Page:
    page = browser.new_context(locale="ja-JP", user_agent=user_agent).new_page()
    page.set_default_timeout(PATIENCE)
    return page


def _open_in_line(page: Page, street: Served, user_id: str, url: str) -> None:
    page.goto(f"{street.line.url}/phone/{user_id}/open?{urlencode({'url': url})}")


def test_a_customer_stays_below_the_path_from_the_qr_code_to_the_unlinking(
    street: Served, browser: Browser
) -> None:
    user_id = street.line.add_user(NAME)
    visitor = _open_browser(browser)
    visitor.goto(f"{BASE_URL}/line/login?source=store")
    visitor.get_by_role("button", name=NAME).click()
    visitor.get_by_role("button", name="許可する").click()
    visitor.get_by_role("button", name="友だち追加する").click()
    expect(visitor).to_have_url(f"{BASE_URL}/line/sign-up")
    visitor.get_by_role("button", name="登録して").click()
    expect(visitor).to_have_url(f"{BASE_URL}/line/liff")

    # LINE's own browser logs in by itself, and its card is drawn by LINE's word alone.
    phone = _open_browser(browser, LINE_APP)
    _open_in_line(phone, street, user_id, f"{BASE_URL}/private")
    expect(phone).to_have_url(f"{BASE_URL}/private")
    expect(phone.locator("body")).to_have_text("private")
    liff_id = street.line.settings(BASE_URL)["LINECONNECT_LIFF_ID"]
    window = _open_browser(browser, f"{LINE_APP} LIFF")
    _open_in_line(window, street, user_id, f"{street.line.url}/{liff_id}")
    expect(window.locator("#card")).to_be_visible()
    assert window.url.partition("#")[0] == f"{BASE_URL}/line/liff"

    # A form that the login interrupts comes back to its own view.
    sender = _open_browser(browser, LINE_APP)
    _open_in_line(sender, street, user_id, f"{BASE_URL}/token")
    sender.evaluate(SEND_NOTE, sender.locator("body").inner_text())
    expect(sender).to_have_url(f"{BASE_URL}/line/kept-form")
    with sender.expect_response(f"{BASE_URL}/note") as answer:
        sender.get_by_role("button", name="送信する").click()
    assert answer.value.status == 200

    street.line.write(user_id, "残高")
    street.line.wait_for_message(user_id, "120ポイント", timeout=60)

    visitor.goto(f"{BASE_URL}/line/unlink")
    visitor.get_by_role("button", name="連携を解除する").click()
    expect(visitor.get_by_role("heading", name="連携を解除しました")).to_be_visible()
    visitor.goto(f"{BASE_URL}/private")
    expect(visitor).to_have_url(f"{BASE_URL}/log-in?next=%2Fshop%2Fprivate")


def test_what_a_campaign_links_to_opens_below_the_path(street: Served, browser: Browser) -> None:
    user_id = street.line.add_user("配信を読む人")
    visitor = _open_browser(browser)
    visitor.goto(f"{BASE_URL}/line/login")
    visitor.get_by_role("button", name="配信を読む人").click()
    visitor.get_by_role("button", name="許可する").click()
    visitor.get_by_role("button", name="友だち追加する").click()
    visitor.get_by_role("button", name="登録して").click()
    expect(visitor).to_have_url(f"{BASE_URL}/line/liff")
    visitor.goto(f"{BASE_URL}/begin")
    expect(visitor.locator("body")).to_have_text("begun")

    message = street.line.wait_for_message(user_id, "新しいお茶です")
    [address] = re.findall(r'https://[^"\'\s]+', str(message))
    assert address.startswith(f"{BASE_URL}/line/")
    phone = _open_browser(browser, LINE_APP)
    _open_in_line(phone, street, user_id, address)
    expect(phone).to_have_url(f"{BASE_URL}/private")
    expect(phone.locator("body")).to_have_text("private")
