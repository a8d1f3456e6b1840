"""Quick-fill in a real browser: offered inside LINE only, filled in on a tap, never needed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask
from playwright.sync_api import FrameLocator
from playwright.sync_api import Page
from playwright.sync_api import expect

from flask_lineconnect.testing.plugin import Emulator
from tests.conftest import MakeApp
from tests.emulator.serving import serving

PROFILE = {
    "family-name": "佐藤",
    "given-name": "さくら",
    "family-name-kana": "サトウ",
    "sex-enum": 2,
    "bday-year": 1990,
    "bday-month": 4,
    "bday-day": 1,
    "tel": "09012345678",
    "postal-code": "6048001",
}
FIELDS = "display_name* family_name_kana birthday gender phone postal_code building"


@pytest.fixture
def user_id(line_emulator: Emulator) -> str:
    """Return a LINE user who has filled in the common profile."""
    user_id = line_emulator.add_user("さくら")
    line_emulator.set_up(users=[{"user_id": user_id, "common_profile": PROFILE}])
    return user_id


@pytest.fixture
def shop_url(make_app: MakeApp, line_emulator: Emulator) -> Iterator[str]:
    """Serve the small shop, whose LIFF app is a verified MINI App."""
    app = Flask("front")
    with serving(app) as url:
        line_emulator.set_up(
            base_url=url,
            liff_apps=[{"liff_id": "1650000001-DemoCard", "has_quick_fill": True}],
        )
        shop = make_app(
            **line_emulator.settings(url),
            LINECONNECT_QUICK_FILL=True,
            LINECONNECT_SIGN_UP_FIELDS=FIELDS,
        )
        # The address is known only now; the server goes on with the shop behind it.
        app.wsgi_app = shop.wsgi_app  # type: ignore[method-assign]  # Flask's own way
        yield url


def _open_card(page: Page, emulator: Emulator, user_id: str) -> FrameLocator:
    page.goto(f"{emulator.url}/phone/{user_id}/open?url={emulator.url}/1650000001-DemoCard")
    return page.frame_locator("body")


def test_a_tap_fills_the_form_with_the_common_profile(
    page: Page, line_emulator: Emulator, shop_url: str, user_id: str
) -> None:
    problems: list[str] = []
    page.on("console", lambda message: problems.append(message.text))
    page.route("**/favicon.ico", lambda route: route.fulfill(body=""))
    page.goto(
        f"{line_emulator.url}/phone/{user_id}/open?url={line_emulator.url}/1650000001-DemoCard"
    )
    page.get_by_role("button", name="LINEの登録情報を入力する").click()

    expect(page.get_by_label("お名前")).to_have_value("佐藤 さくら")
    expect(page.get_by_label("姓（かな）")).to_have_value("サトウ")
    expect(page.get_by_label("生年月日")).to_have_value("1990-04-01")
    expect(page.get_by_label("女性")).to_be_checked()
    expect(page.get_by_label("電話番号")).to_have_value("09012345678")
    expect(page.get_by_label("郵便番号")).to_have_value("6048001")
    expect(page.get_by_label("建物名")).to_have_value("")
    page.get_by_role("button", name="登録して").click()
    expect(page).to_have_url(f"{shop_url}/line/liff")
    assert problems == []


def test_without_a_verified_app_the_form_is_as_ever(
    page: Page, line_emulator: Emulator, shop_url: str, user_id: str
) -> None:
    line_emulator.set_up(liff_apps=[{"liff_id": "1650000001-DemoCard", "has_quick_fill": False}])
    page.goto(
        f"{line_emulator.url}/phone/{user_id}/open?url={line_emulator.url}/1650000001-DemoCard"
    )
    button = page.get_by_role("button", name="LINEの登録情報を入力する")
    button.click()
    expect(button).to_be_hidden()
    expect(page.get_by_label("お名前")).to_have_value("さくら")
