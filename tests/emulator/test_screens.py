"""LINE's own screens, as the emulator imitates them, in a real browser."""

from __future__ import annotations

import re
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Page
from playwright.sync_api import expect

from flask_lineconnect.testing.plugin import Emulator

#: Nothing answers here: the tests end where the shop would begin.
SHOP = "http://127.0.0.1:5000"


def authorize_url(emulator: Emulator, **more: str) -> str:
    """Return the address that starts a web login."""
    emulator.set_up(base_url=SHOP)
    settings = emulator.settings(SHOP)
    query = {
        "response_type": "code",
        "client_id": settings["LINECONNECT_LOGIN_CHANNEL_ID"],
        "redirect_uri": f"{SHOP}/line/callback",
        "state": "abc123",
        "scope": "openid profile email",
        **more,
    }
    return f"{emulator.url}/oauth2/v2.1/authorize?{urlencode(query)}"


JAPANESE = {
    "notice": "これはLINEのサービスではありません",
    "log_in": "ログイン",
    "allow": "許可する",
    "add_friend": "友だち追加する",
    "permission": "ユーザー識別子",
}
ENGLISH = {
    "notice": "This is not LINE",
    "log_in": "Log in",
    "allow": "Allow",
    "add_friend": "Add friend",
    "permission": "User identifier",
}


def speaking(locale: str) -> pytest.MarkDecorator:
    """Give the test's browser a language."""
    return pytest.mark.browser_context_args(locale=locale)


@pytest.mark.parametrize(
    "says",
    [
        pytest.param(JAPANESE, marks=speaking("ja-JP"), id="ja"),
        pytest.param(ENGLISH, marks=speaking("en-US"), id="en"),
    ],
)
def test_a_login_with_the_friend_offer_in_both_languages(
    page: Page, line_emulator: Emulator, says: dict[str, str]
) -> None:
    page.route(f"{SHOP}/**", lambda route: route.fulfill(body="the shop"))
    line_emulator.add_user("渡辺 直美", email="naomi@example.com")
    page.goto(authorize_url(line_emulator, bot_prompt="aggressive"))
    expect(page.get_by_text(says["notice"])).to_be_visible()
    page.get_by_role("button", name=f"渡辺 直美 {says['log_in']}").click()
    expect(page.get_by_text(says["permission"])).to_be_visible()
    page.get_by_role("button", name=says["allow"]).click()
    page.get_by_role("button", name=says["add_friend"]).click()
    expect(page).to_have_url(re.compile(r"/line/callback\?.*friendship_status_changed=true"))


def test_an_unregistered_callback_gets_lines_own_error_page(
    page: Page, line_emulator: Emulator
) -> None:
    page.goto(authorize_url(line_emulator, redirect_uri="https://elsewhere.example/"))
    expect(page.get_by_role("heading", name="Bad Request")).to_be_visible()
    expect(page.get_by_text("LINE emulator")).to_be_visible()
