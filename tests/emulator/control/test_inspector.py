"""The inspector in real Chromium: what was said is there, newest first, and can be filtered."""

from __future__ import annotations

import json
import shutil
import subprocess

import pytest
import requests
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


def test_a_call_is_copied_as_curl_and_works(page: Page, line_emulator: Emulator) -> None:
    """What is copied is run by a shell, which puts its own token in."""
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    form = {
        "grant_type": "client_credentials",
        "client_id": "1650000002",
        "client_secret": "fedcba9876543210fedcba9876543210",
    }
    answer = requests.post(f"{line_emulator.url}/oauth2/v3/token", data=form, timeout=60)
    token = answer.json()["access_token"]
    user_id = line_emulator.users()[0]["user_id"]
    body = {"to": user_id, "messages": [{"type": "text", "text": "It's 朝"}]}
    headers = {"Authorization": f"Bearer {token}"}
    requests.post(
        f"{line_emulator.url}/v2/bot/message/push", json=body, headers=headers, timeout=60
    )
    page.goto(f"{line_emulator.url}/inspector")
    page.evaluate("navigator.clipboard.writeText = async (text) => { window.copied = text; }")
    record = page.locator(".record", has_text="/v2/bot/message/push")
    record.locator("summary").click()
    record.get_by_role("button", name="curlをコピー").click()
    command = page.evaluate("window.copied")

    assert token not in command
    done = subprocess.run(
        ["sh", "-c", f"{command} -s"],
        env={"PATH": "/usr/bin:/bin", "LINE_TOKEN": token, "NO_PROXY": "*"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(done.stdout)["sentMessages"]
