"""The inspector in real Chromium: what was said is there, newest first, and can be filtered."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page
from playwright.sync_api import expect

from flask_lineconnect import Emulator


def _talk(line: Emulator) -> None:
    line.set_up(messaging_channel={"webhook_url": "http://127.0.0.1:9/line/webhook"})
    user_id = line.add_user("佐藤 さくら")
    line.add_friend(user_id)
    line.write(user_id, "<b>こんにちは</b>")


def test_calls_and_webhooks_are_listed_and_filtered(page: Page, line_emulator: Emulator) -> None:
    complaints: list[str] = []
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    page.goto(f"{line_emulator.url}/inspector")
    expect(page.locator("#nothing")).to_be_visible()
    _talk(line_emulator)
    page.request.get(f"{line_emulator.url}/v2/bot/info")
    records = page.locator(".record:visible")
    expect(records).to_have_count(3)
    expect(records.filter(has_text="/v2/bot/info")).to_contain_text("401")
    page.locator("#filter").fill("webhook こんにちは")
    expect(records).to_have_count(1)
    records.locator("summary").click()
    expect(records.locator("pre").first).to_contain_text("<b>こんにちは</b>")
    expect(records.locator("pre").last).to_have_text("could_not_connect")
    line_emulator.reset()
    expect(page.locator(".record")).to_have_count(0)
    assert complaints == []


@pytest.mark.browser_context_args(locale="en-US")
def test_it_speaks_english_and_fits_a_phone(page: Page, line_emulator: Emulator) -> None:
    _talk(line_emulator)
    page.set_viewport_size({"width": 320, "height": 568})
    page.goto(f"{line_emulator.url}/inspector")
    expect(page.locator("h1")).to_have_text("Calls and webhooks")
    page.locator(".record summary").first.click()
    overflow = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert page.evaluate(overflow) <= 0
