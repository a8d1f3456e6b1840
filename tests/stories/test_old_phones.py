"""Phones of years ago: what they can't read is taken away from a Chromium of today."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext
from playwright.sync_api import Page
from playwright.sync_api import Route
from playwright.sync_api import expect

from tests.emulator.liff_sdk.conftest import real_sdk as real_sdk
from tests.serving.routes import ask
from tests.web.browser_data import forget_styles

from .cards import CARD
from .cards import LINE_APP
from .cards import add_member
from .cards import buy
from .cards import open_in_line
from .cards import read_codes
from .conftest import Open
from .conftest import Shoot
from .conftest import Street
from .people import log_in_at_line

#: What no engine before iOS 13.4 reads; the whole module is lost with it.
_NEWER_SYNTAX = re.compile(rb"\?\.(?=[\w(\[])|\?\?(?=\s)")
_MODULE = re.compile(rb'<script type="module"')
#: The preferences are the last.
PAGES = {
    "home": "/",
    "card": CARD,
    "orders": f"{CARD}/orders",
    "preferences": f"{CARD}/membership/preferences",
}
Change = Callable[[bytes], bytes]


def _unreadable(text: bytes) -> bytes:
    """Spoil what such a phone can't parse, so that nothing else of the module runs."""
    return _NEWER_SYNTAX.sub(b" @ ", text)


def _without_modules(text: bytes) -> bytes:
    """Make modules a kind of script that the phone does not know."""
    return _MODULE.sub(b'<script type="unknown"', text)


def _change(context: BrowserContext, street: Street, change: Change, kinds: set[str]) -> None:
    """Change the shop's documents and scripts on their way."""

    def answer(route: Route) -> None:
        if route.request.resource_type not in kinds:
            route.fallback()
            return
        found = ask(route)
        found.body = change(found.body)
        found.fulfill(route)

    context.route(re.compile(re.escape(street.shop) + "/"), answer)


@pytest.mark.parametrize("change", [_unreadable, _without_modules])
def test_a_phone_that_reads_no_script_of_ours_gets_the_plain_card(
    street: Street, open_browser: Open, shoot: Shoot, change: Change
) -> None:
    member = add_member(street, f"とてもふるい電話の人{change.__name__}")
    phone = open_browser(service_workers="block")
    _change(phone.context, street, change, {"document", "script"})
    phone.goto(f"{street.shop}{CARD}")
    # By itself to LINE's login, instead of a ghost for ever.
    log_in_at_line(phone, member.name)
    expect(phone.locator(".lc-holder")).to_contain_text(member.name)
    assert read_codes(phone.locator(".lc-codes").screenshot())["EAN-13"] == member.card_number
    shoot(phone, f"card-{change.__name__}")
    # News come with a reload.
    buy(street, member, 3_000)
    phone.reload()
    expect(phone.locator(".lc-balance strong")).to_have_text("150")


def test_inside_line_such_a_phone_gets_it_without_a_tap(street: Street, open_browser: Open) -> None:
    member = add_member(street, "LINEの中のふるい電話の人")
    street.line.add_friend(member.line_user_id)
    phone = open_browser(**LINE_APP)
    _change(phone.context, street, _unreadable, {"document", "script"})
    open_in_line(phone, street, member)
    expect(phone.locator(".lc-holder")).to_contain_text(member.name)


def test_a_phone_that_could_not_fetch_them_gets_it_as_well(
    street: Street, open_browser: Open
) -> None:
    member = add_member(street, "電波のわるい人")
    street.line.add_friend(member.line_user_id)
    phone = open_browser(**LINE_APP)
    phone.context.route("**/session.js", lambda route: route.abort())
    open_in_line(phone, street, member)
    expect(phone.locator(".lc-holder")).to_contain_text(member.name)


def test_the_plain_way_is_gone_by_itself_once(street: Street, open_browser: Open) -> None:
    phone = open_browser(service_workers="block")
    _change(phone.context, street, _unreadable, {"document", "script"})
    phone.goto(f"{street.shop}{CARD}")
    phone.wait_for_url(re.compile(re.escape(street.line.url)))
    # Whoever comes back has not logged in, or keeps no cookies.
    phone.goto(f"{street.shop}{CARD}")
    expect(phone.locator("#plain")).to_be_visible()
    expect(phone.locator("#opening")).to_be_hidden()
    phone.locator("#plain a").click()
    phone.wait_for_url(re.compile(re.escape(street.line.url)))


def test_a_phone_that_reads_our_scripts_never_sees_the_plain_way(
    street: Street, open_browser: Open
) -> None:
    member = add_member(street, "いまの電話の人")
    phone = open_browser(**LINE_APP)
    open_in_line(phone, street, member)
    expect(phone.locator(".lc-holder")).to_contain_text(member.name)
    assert phone.evaluate("sessionStorage.getItem('lc-plain')") is None


@pytest.mark.parametrize("ios", [15.0, 13.4])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_can_be_read_without_the_styles_of_later_years(
    street: Street, open_browser: Open, shoot: Shoot, scheme: str, ios: float
) -> None:
    member = add_member(street, f"iOS{ios}の人{scheme}")
    phone = open_browser(**LINE_APP, color_scheme=scheme)
    _change(
        phone.context,
        street,
        lambda css: forget_styles(css.decode(), ios=ios).encode(),
        {"stylesheet"},
    )
    open_in_line(phone, street, member)
    expect(phone.locator(".lc-holder")).to_contain_text(member.name)
    for name, path in PAGES.items():
        phone.goto(f"{street.shop}{path}")
        shoot(phone, f"ios-{ios:g}-{scheme}-{name}")
        assert _unreadable_words(phone) == [], path
        assert _is_opaque(phone, "header.top" if name == "home" else "nav.lc-tabs"), path
    for tick in phone.locator("[name=wanted]").all():
        # On and off can be told apart.
        is_on = tick.is_checked()
        before = tick.screenshot()
        tick.click()
        assert tick.is_checked() is not is_on
        phone.mouse.move(0, 0)
        phone.evaluate("document.activeElement.blur()")
        assert tick.screenshot() != before


def _unreadable_words(page: Page) -> list[str]:
    found = Axe().run(page, options={"runOnly": ["color-contrast"]}).response["violations"]
    return [f"{node['html'][:120]}" for one in found for node in one["nodes"]]


def _is_opaque(page: Page, selector: str) -> bool:
    """Return whether what a page scrolls under something can't be seen through it."""
    colour = page.locator(selector).evaluate("(one) => getComputedStyle(one).backgroundColor")
    return not re.search(r"rgba\(.+, 0(\.\d+)?\)", str(colour))
