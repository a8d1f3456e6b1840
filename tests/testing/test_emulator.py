"""The client that tests drive the emulator with: people, browsers, the clock."""

from __future__ import annotations

from datetime import UTC
from datetime import datetime
from urllib.parse import parse_qs
from urllib.parse import urlencode
from urllib.parse import urlsplit

import pytest

from flask_lineconnect import UsageError
from flask_lineconnect.testing.plugin import Emulator

SHOP = "http://127.0.0.1:5999"


@pytest.fixture
def sakura(line_emulator: Emulator) -> str:
    """Return a user of a shop that nobody serves."""
    line_emulator.set_up(base_url=SHOP)
    return line_emulator.add_user("佐藤 さくら", email="sakura@mail.example")


def authorize_url(emulator: Emulator, **changes: str) -> str:
    query = {
        "response_type": "code",
        "client_id": "1650000001",
        "redirect_uri": f"{SHOP}/line/callback",
        "state": "abc",
        "scope": "openid profile",
        **changes,
    }
    return f"{emulator.url}/oauth2/v2.1/authorize?{urlencode(query)}"


def test_a_browser_logs_in(line_emulator: Emulator, sakura: str) -> None:
    start = authorize_url(line_emulator, bot_prompt="normal")

    callback = line_emulator.browser(sakura).log_in(start)

    query = parse_qs(urlsplit(callback).query)
    assert callback.startswith("/line/callback?")
    assert (query["state"], query["friendship_status_changed"]) == (["abc"], ["true"])
    assert [user["relation"] for user in line_emulator.users()][-1] == "friend"


def test_a_browser_cancels_or_skips(line_emulator: Emulator, sakura: str) -> None:
    browser, start = line_emulator.browser(sakura), authorize_url(line_emulator)

    assert "ACCESS_DENIED" in browser.log_in(start, allow=False)
    offered = authorize_url(line_emulator, bot_prompt="aggressive")
    assert "friendship_status_changed=false" in browser.log_in(offered, add_friend=False)


def test_a_browser_says_where_lines_login_ended(line_emulator: Emulator, sakura: str) -> None:
    start = authorize_url(line_emulator, redirect_uri="https://evil.example/")

    with pytest.raises(UsageError, match="400"):
        line_emulator.browser(sakura).log_in(start)


def test_a_liff_page_opens_with_credentials(line_emulator: Emulator, sakura: str) -> None:
    browser = line_emulator.browser(sakura)

    address = browser.open_in_app("https://liff.line.me/1650000001-DemoCard/orders?page=2")

    assert address.startswith(f"{SHOP}/line/liff?liff.state=%2Forders%3Fpage%3D2#")
    assert parse_qs(urlsplit(address).fragment)["access_token"]
    # Now it is the app's browser, where nobody is asked who they are.
    assert "code=" in browser.log_in(authorize_url(line_emulator))
    with pytest.raises(UsageError):
        browser.open_in_app("javascript:alert(1)")


def test_the_clock_stops_and_runs_again(line_emulator: Emulator, sakura: str) -> None:
    line_emulator.freeze(datetime(2026, 8, 14, tzinfo=UTC))
    line_emulator.write(sakura, "今日は何日")
    line_emulator.unfreeze()
    line_emulator.write(sakura, "今は")

    first, second = line_emulator.chat(sakura)
    assert first["at"] == "2026-08-14T00:00:00+00:00"
    assert second["at"] != first["at"]


def test_each_user_of_the_fixture_starts_afresh(line_emulator: Emulator) -> None:
    assert [user["display_name"] for user in line_emulator.users()] == [
        "佐藤 さくら",
        "鈴木 健太",
        "高橋 陽子",
        "Emma Wilson",
    ]
    assert line_emulator.calls() == line_emulator.webhooks() == line_emulator.faults() == []
