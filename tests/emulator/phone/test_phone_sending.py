"""The phone page: what a person sends beside text, picks, switches and takes back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from playwright.sync_api import Page
from playwright.sync_api import expect

from flask_lineconnect.testing.plugin import Emulator

from .conftest import Bot
from .conftest import in_app
from .conftest import plain_png
from .conftest import text


def said(emulator: Emulator, user_id: str) -> list[dict[str, Any]]:
    """Return what the user sent, oldest first."""
    return [entry["message"] for entry in emulator.chat(user_id) if entry["from"] == "user"]


def test_a_sticker_and_a_place_are_sent(
    phone: Page,
    emulator: Emulator,
    user_id: str,
) -> None:
    phone.get_by_role("button", name="スタンプやファイルを送る").click()
    phone.get_by_role("button", name="スタンプ 2").click()
    expect(phone.locator(".message.own .sticker")).to_be_visible()
    expect(phone.locator("#attachments")).to_be_hidden()
    phone.get_by_role("button", name="スタンプやファイルを送る").click()
    phone.get_by_role("button", name="位置情報").click()
    expect(phone.locator(".message.own .place")).to_contain_text("こもれび堂")

    assert [message["type"] for message in said(emulator, user_id)] == ["sticker", "location"]


def test_a_photo_is_sent_shown_and_taken_back(
    phone: Page,
    emulator: Emulator,
    user_id: str,
    tmp_path: Path,
) -> None:
    picture = tmp_path / "cat.png"
    picture.write_bytes(plain_png(60, 40))
    phone.get_by_role("button", name="スタンプやファイルを送る").click()
    with phone.expect_file_chooser() as chooser:
        phone.get_by_role("button", name="写真・動画・音声").click()
    chooser.value.set_files(picture)

    shown = phone.locator(".message.own .photo img")
    expect(shown).to_be_visible()
    assert shown.evaluate("(image) => image.naturalWidth") == 60
    assert said(emulator, user_id)[0]["contentProvider"] == {"type": "line"}

    phone.locator(".message.own").hover()
    phone.get_by_role("button", name="送信取消").click()
    expect(shown).to_have_count(0)
    assert emulator.chat(user_id) == []


def test_a_picker_posts_what_was_chosen(
    phone: Page,
    emulator: Emulator,
    bot: Bot,
    user_id: str,
) -> None:
    action = {
        "type": "datetimepicker",
        "label": "日時を選ぶ",
        "data": "deliver",
        "mode": "datetime",
        "initial": "2026-08-14T10:00",
        "min": "2026-08-14t09:00",
        "max": "2026-08-20T18:00",
    }
    emulator.set_up(messaging_channel={"webhook_url": "http://127.0.0.1:9/nobody"})
    bot.push(
        user_id,
        text("いつ届けますか", quickReply={"items": [{"type": "action", "action": action}]}),
    )
    phone.locator("#quick-replies").get_by_role("button").click()
    field = phone.locator("#picked")
    expect(field).to_have_value("2026-08-14T10:00")
    assert field.get_attribute("min") == "2026-08-14T09:00"
    field.fill("2026-08-15T11:30")
    phone.get_by_role("button", name="決める").click()
    expect(phone.locator("#picker")).to_be_hidden()
    phone.wait_for_timeout(300)

    bodies = [json.loads(one["body"]) for one in emulator.webhooks()]
    assert bodies[-1]["events"][0]["postback"] == {
        "data": "deliver",
        "params": {"datetime": "2026-08-15T11:30"},
    }


def test_M30_a_tap_switches_the_rich_menu(
    phone: Page,
    bot: Bot,
) -> None:
    switch = {"type": "richmenuswitch", "richMenuAliasId": "orders", "data": "to-orders"}
    bot.publish_menu({"type": "message", "label": "注文", "text": "注文"})
    orders = bot.menu_ids[-1]
    bot.post("/v2/bot/richmenu/alias", json={"richMenuAliasId": "orders", "richMenuId": orders})
    bot.publish_menu({**switch, "label": "切り替える"})
    phone.get_by_role("button", name="切り替える", exact=True).click()

    expect(phone.locator("#rich-menu").get_by_role("button", name="注文")).to_be_visible()


def test_C12_dots_show_that_an_answer_is_coming(
    phone: Page,
    bot: Bot,
    user_id: str,
) -> None:
    bot.post("/v2/bot/chat/loading/start", json={"chatId": user_id, "loadingSeconds": 60})
    expect(phone.get_by_role("status", name="返信を用意しています")).to_be_visible()
    bot.push(user_id, text("お待たせしました"))
    expect(phone.get_by_role("status", name="返信を用意しています")).to_be_hidden()


def test_a_liff_app_takes_as_much_of_the_screen_as_it_asks_for(
    phone: Page,
    emulator: Emulator,
    bot: Bot,
    user_id: str,
    shop_url: str,
) -> None:
    heights = {}
    for view in ("full", "tall", "compact"):
        liff_id = "1650000001-DemoCard"
        app = {"liff_id": liff_id, "view_type": view, "endpoint_url": f"{shop_url}/pages/1"}
        emulator.set_up(liff_apps=[app])
        bot.push(user_id, text(f"https://liff.line.me/{liff_id} {view}"))
        phone.locator(".message", has_text=view).get_by_role("link").click()
        expect(in_app(phone).get_by_role("heading", name="Page 1")).to_be_visible()
        box = phone.locator("#browser-page").bounding_box()
        assert box
        heights[view] = box["height"]
        phone.get_by_role("button", name="閉じる").click()
        expect(phone.locator("#browser")).to_be_hidden()

    assert heights["full"] > heights["tall"] > heights["compact"] > 0.3 * heights["full"]


def test_L33_the_app_is_unlinked_in_the_accounts_menu(
    phone: Page,
    emulator: Emulator,
    user_id: str,
) -> None:
    menu = phone.get_by_role("button", name="メニュー", exact=True)
    menu.click()
    expect(phone.get_by_role("button", name="連動を解除")).to_have_count(0)
    emulator.set_up(users=[{"user_id": user_id, "granted": ["openid", "profile"]}])
    phone.get_by_role("button", name="連動を解除").click()
    menu.click()
    expect(phone.get_by_role("button", name="連動を解除")).to_have_count(0)

    assert emulator.users()[0]["granted"] == []
