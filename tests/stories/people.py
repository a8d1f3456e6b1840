"""What people do at the counter, in the shop and on their phones."""

from __future__ import annotations

from playwright.sync_api import FrameLocator
from playwright.sync_api import Page
from playwright.sync_api import expect

from .conftest import Street


def log_in_at_line(page: Page, name: str, *, add_friend: bool = True) -> None:
    """Choose a LINE user, allow what the shop asks for, and add it as a friend or not."""
    page.get_by_role("button", name=name).click()
    page.get_by_role("button", name="許可する").click()
    page.get_by_role("button", name="友だち追加する" if add_friend else "あとで").click()


def register(page: Page) -> None:
    """Accept the prefilled registration form."""
    page.get_by_label("会員規約").check()
    page.get_by_role("button", name="登録して").click()


def join_by_store_qr(page: Page, street: Street, name: str) -> None:
    """Scan the store QR, log in with LINE and register."""
    page.goto(f"{street.shop}/store")
    page.locator("a.lc-store-qr").click()
    log_in_at_line(page, name)
    register(page)
    expect(page).to_have_url(f"{street.shop}/line/liff")


def open_chat(page: Page, street: Street, user_id: str) -> None:
    """Open the chat with the shop on a LINE user's phone."""
    page.goto(f"{street.line.url}/phone/{user_id}#chat")
    expect(page.locator("#phone")).to_have_attribute("data-ready", "true")


def in_app(page: Page) -> FrameLocator:
    """Return the page inside the phone's in-app browser."""
    return page.frame_locator("#browser-page iframe")


def tap_rich_menu(page: Page, label: str) -> None:
    """Tap an area of the rich menu, which opens first if it is closed."""
    if not page.locator("#rich-menu").is_visible():
        opener = "#chat-bar" if page.locator("#chat-bar").is_visible() else "#keyboard-button"
        page.locator(opener).click()
    page.locator("#rich-menu").get_by_role("button", name=label, exact=True).click()


def write(page: Page, text: str) -> None:
    """Write into the chat."""
    field = page.locator("#text")
    if not field.is_visible():
        page.locator("#keyboard-button").click()
    field.fill(text)
    field.press("Enter")


def log_in_to_shop(page: Page, street: Street, email: str, password: str) -> None:
    """Log in with e-mail address and password."""
    page.goto(f"{street.shop}/log-in")
    page.locator("[autocomplete=email]").fill(email)
    page.locator("[autocomplete=current-password]").fill(password)
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: "/log-in" not in url)
