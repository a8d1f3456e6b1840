"""Phones that can't read our scripts, and fingers that the system takes away."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from playwright.sync_api import Browser
from playwright.sync_api import Page
from playwright.sync_api import Route
from playwright.sync_api import expect

from flask_lineconnect.state import LineState

from .people import add_member
from .people import link
from .people import open_as

pytestmark = pytest.mark.xdist_group("liff")
SHOP = "http://127.0.0.1:5999"


def _show(browser: Browser, client: FlaskClient, change: Callable[[str], str]) -> Page:
    """Open the card's page as the test client gets it, changed on its way."""
    page = browser.new_context(has_touch=True, locale="ja-JP", service_workers="block").new_page()

    def answer(route: Route) -> None:
        path = route.request.url.removeprefix(SHOP)
        if path == route.request.url:
            route.abort()
            return
        if path.startswith(("/line/login", "/line/liff/changes")):
            # One would lead to LINE, and the other never ends; here the page stays.
            route.fulfill(status=204)
            return
        with client.get(path, headers={"Accept": route.request.headers["accept"]}) as found:
            html = change(found.get_data(as_text=True)) if found.mimetype == "text/html" else None
            body = found.data if html is None else html
            route.fulfill(status=found.status_code, body=body, headers=dict(found.headers))

    page.route("**/*", answer)
    page.goto(f"{SHOP}/line/liff")
    return page


def test_a_phone_that_reads_no_script_of_ours_gets_the_plain_way(
    browser: Browser, client: FlaskClient
) -> None:
    def spoil(html: str) -> str:
        assert "?.body ??" in html
        # What an engine before iOS 13.4 makes of it: a sign that it does not know.
        return html.replace("?.body ??", "?.# ??").replace("opening.js", "not-read.js")

    page = _show(browser, client, spoil)
    # Once by itself, to LINE Login, which is on another host; afterwards there is a link.
    expect(page.locator("#plain")).to_be_visible()
    expect(page.locator("#opening")).to_be_hidden()
    assert page.evaluate("sessionStorage.getItem('lc-plain')") == "1"
    href = page.locator("#plain a").get_attribute("href")
    assert href == "/line/login?next=/line/liff"
    page.context.close()


def test_a_phone_that_reads_them_never_sees_it(browser: Browser, client: FlaskClient) -> None:
    page = _show(browser, client, lambda html: html)
    page.wait_for_load_state("domcontentloaded")
    assert page.evaluate("sessionStorage.getItem('lc-plain')") is None
    expect(page.locator("#plain")).to_be_hidden()
    page.context.close()


def test_the_card_logs_nothing(browser: Browser, client: FlaskClient, line: LineState) -> None:
    member = add_member(line)
    link(line, member)
    page = _show(browser, open_as(client, member), lambda html: html)
    logged: list[str] = []
    # LINE's SDK is on another host, which this page can't reach.
    page.on(
        "console",
        lambda one: None if "Failed to load" in one.text else logged.append(one.text),
    )
    page.wait_for_timeout(1_000)
    with page.expect_response(f"{SHOP}/line/liff"):
        page.evaluate("document.getElementById('refresh').click()")
    page.wait_for_timeout(500)
    assert logged == []
    page.context.close()


def test_a_cancelled_pull_leaves_the_card_in_its_place(
    browser: Browser, client: FlaskClient, line: LineState
) -> None:
    member = add_member(line)
    link(line, member)
    page = _show(browser, open_as(client, member), lambda html: html)
    pulled = "document.querySelector('main').style.getPropertyValue('--lc-pulled')"
    page.wait_for_function("performance.getEntriesByName(location.href).length > 0")
    touch = """(type, y) => dispatchEvent(Object.assign(new Event(type), {
        touches: [{clientY: y}], changedTouches: [{clientY: y}]}))"""
    send = f"([type, y]) => ({touch})(type, y)"
    # The script comes after the paint.
    page.wait_for_function(
        f"() => {{ ({touch})('touchstart', 10); ({touch})('touchmove', 60);"
        f" return {pulled} === '25px'; }}"
    )
    page.evaluate(send, ["touchcancel", 60])
    assert page.evaluate(pulled) == "0px"
    page.context.close()
