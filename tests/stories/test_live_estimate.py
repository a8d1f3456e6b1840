"""The number of people follows what an owner puts together, without a press."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import Page
from playwright.sync_api import expect

from demo_shop.seed import STAFF

from .conftest import Street
from .people import log_in_to_shop

CONSOLE = "/line-admin"


def test_the_number_follows_the_sentence(street: Street, open_browser: Callable[..., Page]) -> None:
    page = open_browser(is_mobile=False, viewport={"width": 1280, "height": 900})
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    log_in_to_shop(page, street, *STAFF)
    page.goto(f"{street.shop}{CONSOLE}/segments/new")
    counted = page.locator("[data-estimate] .lc-figure")
    expect(counted).to_have_text(re.compile(r"^\d+人$"))
    page.get_by_label("何について").select_option("attribute:order_count")
    page.get_by_label("くらべ方").select_option("at_least")
    page.get_by_label("値", exact=True).fill("0")
    expect(counted).to_have_text(re.compile(r"^[1-9]\d*人$"))
    page.get_by_label("値", exact=True).fill("1000")
    expect(counted).to_have_text("0人")
    expect(page.locator("[data-total]")).to_contain_text("届く人 0人")
    page.get_by_label("値", exact=True).fill("")
    expect(page.locator("[data-estimate] .lc-help")).to_contain_text("数を入れてください")
    assert complaints == []
