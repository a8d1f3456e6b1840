"""LINE's URL scheme: a chat opens with a text typed in."""

from __future__ import annotations

from urllib.parse import quote

import pytest
import requests
from playwright.sync_api import Page
from playwright.sync_api import expect

from flask_lineconnect.testing.plugin import Emulator

TEXT = "ご注文 K-1 について & <b>100%</b>"


@pytest.mark.parametrize("end", ["", "/"])
def test_the_page_shows_the_text_as_it_is(line_emulator: Emulator, end: str) -> None:
    text = quote(TEXT, safe="")
    answer = requests.get(f"{line_emulator.url}/R/oaMessage/%40demoshop{end}?{text}", timeout=60)
    assert answer.status_code == 200
    assert "ご注文 K-1 について &amp; &lt;b&gt;100%&lt;/b&gt;" in answer.text


def test_another_account_is_not_there(line_emulator: Emulator) -> None:
    answer = requests.get(f"{line_emulator.url}/R/oaMessage/%40other/?hello", timeout=60)
    assert answer.status_code == 404


def test_only_the_phones_own_browser_may_type(page: Page, line_emulator: Emulator) -> None:
    user_id = line_emulator.add_user("佐藤 さくら")
    line_emulator.add_friend(user_id)
    page.goto(f"{line_emulator.url}/phone/{user_id}#chat")
    expect(page.locator("#phone")).to_have_attribute("data-ready", "true")
    framed = page.evaluate(
        """(url) => new Promise((resolve) => {
          const frame = document.createElement("iframe");
          window.addEventListener("message", (event) => setTimeout(() => resolve(event.data), 50));
          frame.src = url;
          document.querySelector("#browser-page").append(frame);
        })""",
        f"{line_emulator.url}/R/oaMessage/%40demoshop/?hello",
    )
    assert framed == {"type": "line.openChat", "text": "hello"}
    expect(page.locator("#text")).to_have_value("")
