"""Every page, in both languages, light and dark, from a small phone to a desk: it fits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page

from demo_shop.seed import HANAKO
from demo_shop.seed import STAFF

from .conftest import Street
from .people import log_in_to_shop

SCREENS: dict[str, dict[str, Any]] = {
    "phone-light-ja": {"viewport": {"width": 390, "height": 844}},
    "phone-dark-en": {
        "viewport": {"width": 390, "height": 844},
        "color_scheme": "dark",
        "locale": "en-US",
    },
    "small-light-en": {"viewport": {"width": 320, "height": 568}, "locale": "en-US"},
    "desk-light-en": {"viewport": {"width": 1280, "height": 800}, "locale": "en-US"},
    "desk-dark-ja": {"viewport": {"width": 1280, "height": 800}, "color_scheme": "dark"},
}
VISITOR = ("/", "/store", "/products/yunomi-ruri", "/cart", "/log-in", "/register", "/nowhere")
FAILED_LOGIN = "/line/callback?state=foreign&code=dead"
MEMBER = ("/my-page", "/orders", "/bookings", "/line/link")
STAFF_ONLY = ("/counter", "/back-office")
#: In the page's own language; a translation that is missing would show the Japanese.
WORDS = {"ja": "カート", "en": "Cart"}


@pytest.mark.parametrize("screen", SCREENS)
def test_pages_fit_and_say_nothing_to_the_console(
    street: Street, open_browser: Callable[..., Page], shoot: Callable[..., None], screen: str
) -> None:
    page = open_browser(**{"device_scale_factor": 1, **SCREENS[screen]})
    complaints: list[str] = []
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    for path in (*VISITOR, FAILED_LOGIN):
        _look(page, street, path, screen, shoot)
    log_in_to_shop(page, street, *HANAKO)
    for path in MEMBER:
        _look(page, street, path, screen, shoot)
    page.context.clear_cookies()
    log_in_to_shop(page, street, *STAFF)
    for path in STAFF_ONLY:
        _look(page, street, path, screen, shoot)
    # The browser itself notes the two addresses that are meant to fail.
    assert [text for text in complaints if "404" not in text and "400" not in text] == []


def _look(page: Page, street: Street, path: str, screen: str, shoot: Callable[..., None]) -> None:
    page.goto(street.shop + path)
    overflow = page.evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
    assert overflow <= 0, f"{path} is {overflow} px wider than the screen {screen}"
    name = path.split("?")[0].strip("/").replace("/", "-") or "home"
    shoot(page, f"{screen}-{name}")


def test_the_language_follows_the_browser_and_the_switch(
    street: Street, open_browser: Callable[..., Page]
) -> None:
    page = open_browser(locale="en-US")
    page.goto(f"{street.shop}/cart")
    assert page.locator("h1").inner_text() == WORDS["en"]
    page.get_by_role("button", name="日本語").click()
    assert page.locator("h1").inner_text() == WORDS["ja"]
