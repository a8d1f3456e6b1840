"""The consoles page: what only LINE's web consoles can do, by forms in a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import requests
from playwright.sync_api import Page
from playwright.sync_api import expect

from flask_lineconnect import Emulator
from flask_lineconnect.emulator.messaging.chats import AUTO_REPLY
from flask_lineconnect.emulator.messaging.friendship import GREETING
from flask_lineconnect.testing.emulator import run_emulator

CALLBACK = "https://shop.example/line/callback"


@pytest.fixture
def fresh() -> Iterator[Emulator]:
    """Run an emulator whose channels are as LINE makes them."""
    with run_emulator(None, "--fresh") as emulator:
        yield emulator


def _state(emulator: Emulator) -> dict[str, Any]:
    found: dict[str, Any] = requests.get(f"{emulator.url}/_emulator/state", timeout=60).json()
    return found


def test_what_is_saved_stays(page: Page, fresh: Emulator) -> None:
    page.goto(f"{fresh.url}/consoles")
    login = page.get_by_role("region", name="LINEログインチャネル")
    expect(login.get_by_text("開発中", exact=True)).to_be_visible()
    login.get_by_label("コールバックURL").fill(CALLBACK)
    login.get_by_label("リンクされたLINE公式アカウント").check()
    login.get_by_role("button", name="保存する").click()
    expect(login.get_by_role("status")).to_have_text("保存しました。")
    expect(login.get_by_label("コールバックURL")).to_have_value(CALLBACK)
    expect(login.get_by_label("リンクされたLINE公式アカウント")).to_be_checked()
    login.get_by_role("button", name="公開する").click()
    expect(login.get_by_text("公開済み", exact=True)).to_be_visible()
    expect(login.get_by_role("button", name="公開する")).to_have_count(0)
    channel = _state(fresh)["login_channel"]
    assert channel["callback_urls"] == [CALLBACK]
    assert channel["status"] == "published"


def test_a_callback_that_is_no_address(page: Page, fresh: Emulator) -> None:
    page.goto(f"{fresh.url}/consoles")
    page.get_by_label("コールバックURL").fill("shop.example/line/callback")
    page.get_by_role("button", name="保存する").first.click()
    expect(page.get_by_role("alert")).to_contain_text("1行に1つずつ")
    expect(page.get_by_label("コールバックURL")).to_have_value("shop.example/line/callback")
    assert _state(fresh)["login_channel"]["callback_urls"] == []


def test_what_line_says_by_itself_until_it_is_off(page: Page, fresh: Emulator) -> None:
    first, second = (user["user_id"] for user in fresh.users()[:2])
    fresh.add_friend(first)
    fresh.write(first, "こんにちは")
    said = [one["message"]["text"] for one in fresh.chat(first) if one["from"] == "bot"]
    assert said == [GREETING, AUTO_REPLY]
    page.goto(f"{fresh.url}/consoles")
    account = page.get_by_role("region", name="応答設定")
    account.get_by_label("あいさつメッセージ").uncheck()
    account.get_by_label("応答メッセージ").uncheck()
    account.get_by_role("button", name="保存する").click()
    expect(account.get_by_role("status")).to_be_visible()
    fresh.add_friend(second)
    fresh.write(second, "こんにちは")
    assert [one for one in fresh.chat(second) if one["from"] == "bot"] == []


@pytest.mark.parametrize("path", ["login", "login/publish", "messaging", "account"])
def test_another_site_changes_nothing(line_emulator: Emulator, path: str) -> None:
    before = _state(line_emulator)
    origin = {"Origin": "https://evil.example"}
    answer = requests.post(f"{line_emulator.url}/consoles/{path}", headers=origin, timeout=60)
    assert answer.status_code == 403
    assert _state(line_emulator)["login_channel"] == before["login_channel"]
    assert _state(line_emulator)["messaging_channel"] == before["messaging_channel"]
