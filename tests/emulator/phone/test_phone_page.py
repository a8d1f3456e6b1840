"""The phone page, in a real browser, against the running emulator."""

from __future__ import annotations

import re
from datetime import UTC
from datetime import datetime

import pytest
from playwright.sync_api import Page
from playwright.sync_api import expect

from flask_lineconnect.testing.plugin import Emulator

from .conftest import Bot
from .conftest import bubble
from .conftest import flex
from .conftest import in_app
from .conftest import text


def test_the_list_counts_unread_messages_until_the_chat_is_opened(
    page: Page, emulator: Emulator, bot: Bot, user_id: str, complaints: list[str]
) -> None:
    page.goto(f"{emulator.url}/phone/{user_id}")
    bot.push(user_id, text("新茶が入りました"), text("お待ちしています"))
    talk = page.get_by_role("button", name="お待ちしています")
    expect(talk.get_by_label("未読 2")).to_be_visible()
    talk.click()
    expect(page.get_by_text("新茶が入りました")).to_be_visible()
    page.get_by_role("button", name="トーク一覧へ戻る").click()
    expect(talk).to_be_visible()
    expect(page.locator(".unread")).to_have_count(0)


def test_what_the_user_writes_reaches_the_account(
    phone: Page, emulator: Emulator, user_id: str
) -> None:
    phone.get_by_label("メッセージを入力").fill("ポイント残高")
    phone.keyboard.press("Enter")
    expect(phone.locator(".message.own .bubble")).to_have_text("ポイント残高")
    sent = [entry["message"]["text"] for entry in emulator.chat(user_id) if entry["from"] == "user"]
    assert sent == ["ポイント残高"]


def test_messages_appear_without_a_reload_and_the_newest_is_in_view(
    phone: Page, bot: Bot, user_id: str
) -> None:
    for start in range(0, 15, 5):
        bot.push(user_id, *(text(f"お知らせ {start + at}") for at in range(5)))
    expect(phone.get_by_role("log").get_by_text("お知らせ 14", exact=True)).to_be_in_viewport()


def test_days_go_by_lines_clock(phone: Page, emulator: Emulator, bot: Bot, user_id: str) -> None:
    emulator.freeze(datetime(2027, 11, 30, 1, 0, tzinfo=UTC))
    # The token of the fixture lives a quarter of an hour.
    bot.headers = {"Authorization": f"Bearer {emulator.long_lived_token()}"}
    days = phone.locator(".day")
    for message, far in (("初日", 0), ("翌日", 1), ("三十日目", 29), ("三十一日目", 1)):
        emulator.travel(days=far)
        bot.push(user_id, text(message))
        expect(phone.get_by_role("log").get_by_text(message, exact=True)).to_be_visible()
        expect(days.last).to_have_text("今日")
    expect(days).to_have_text(["11月30日(火)", "12月1日(水)", "昨日", "今日"])
    emulator.travel(days=1)
    expect(days).to_have_text(["2027年11月30日", "2027年12月1日", "2027年12月30日", "昨日"])


def test_text_is_text_and_its_addresses_are_links(
    phone: Page, bot: Bot, user_id: str, shop_url: str
) -> None:
    bot.push(user_id, text(f"<b>太字</b>ではなく {shop_url}/pages/1 をどうぞ。"))
    expect(phone.locator(".bubble").last).to_contain_text("<b>太字</b>ではなく")
    phone.get_by_role("link", name=f"{shop_url}/pages/1").click()
    expect(in_app(phone).get_by_role("heading")).to_have_text("Page 1")


def test_an_action_never_runs_script(phone: Page, emulator: Emulator, user_id: str) -> None:
    phone.evaluate("""async () => {
      const { actionPerformer } = await import('/static/phone/actions.js');
      const opened = [];
      const perform = actionPerformer({
        browser: { open: (url) => opened.push(url) }, composer: {}, toast: () => {},
      });
      for (const uri of ['javascript:alert(1)', 'data:text/html,x', 'tel:0312345678', undefined]) {
        perform({ type: 'uri', uri });
      }
      perform({ type: 'unheard-of' });
      if (opened.length) throw new Error(opened.join());
    }""")


def test_quick_replies_speak_for_the_user_and_go_away(
    phone: Page, emulator: Emulator, bot: Bot, user_id: str
) -> None:
    action = {"type": "message", "label": "営業時間", "text": "営業時間を教えて"}
    items = [{"type": "action", "action": action}]
    bot.push(user_id, text("何かお探しですか", quickReply={"items": items}))
    phone.get_by_role("button", name="営業時間").click()
    expect(phone.locator(".message.own .bubble")).to_have_text("営業時間を教えて")
    expect(phone.locator("#quick-replies")).to_be_hidden()


def test_a_button_of_a_template_posts_back(
    phone: Page, emulator: Emulator, bot: Bot, user_id: str
) -> None:
    yes = {"type": "postback", "label": "はい", "data": "again=1", "displayText": "お願いします"}
    no = {"type": "message", "label": "いいえ", "text": "いいえ"}
    template = {"type": "confirm", "text": "もう一度注文しますか", "actions": [yes, no]}
    bot.push(user_id, {"type": "template", "altText": "確認", "template": template})
    phone.get_by_role("button", name="はい").click()
    expect(phone.locator(".message.own .bubble")).to_have_text("お願いします")


def test_a_flex_receipt_is_laid_out(phone: Page, bot: Bot, user_id: str, shop_url: str) -> None:
    name = {"type": "text", "text": "煎茶", "flex": 0, "size": "sm"}
    price = {"type": "text", "text": "1,280円", "align": "end", "size": "sm", "color": "#c0392b"}
    row = {"type": "box", "layout": "horizontal", "contents": [name, price]}
    opened = {"type": "uri", "label": "注文を見る", "uri": f"{shop_url}/pages/1"}
    button = {"type": "button", "style": "primary", "action": opened}
    footer = {"type": "box", "layout": "vertical", "contents": [button]}
    bot.push(user_id, flex(bubble(row, {"type": "separator", "margin": "lg"}, footer=footer)))
    left = phone.get_by_text("煎茶", exact=True).bounding_box()
    right = phone.get_by_text("1,280円", exact=True)
    assert left
    expect(right).to_have_css("color", "rgb(192, 57, 43)")
    box = right.bounding_box()
    assert box
    assert box["x"] > left["x"]
    assert abs(box["y"] - left["y"]) < 2
    phone.get_by_role("button", name="注文を見る").click()
    expect(in_app(phone).get_by_role("heading")).to_have_text("Page 1")


def test_an_address_of_lines_url_scheme_types_into_the_chat(
    phone: Page, bot: Bot, emulator: Emulator, user_id: str
) -> None:
    address = f"{emulator.url}/R/oaMessage/%40demoshop/?%E6%B3%A8%E6%96%87%201%20%26%20%3Cb%3E"
    button = {"type": "button", "action": {"type": "uri", "label": "問い合わせる", "uri": address}}
    bot.push(user_id, flex(bubble(button)))
    phone.get_by_role("button", name="問い合わせる").click()
    expect(phone.locator("#browser")).to_be_hidden()
    expect(phone.locator("#text")).to_be_focused()
    expect(phone.locator("#text")).to_have_value("注文 1 & <b>")
    assert all(entry["from"] == "bot" for entry in emulator.chat(user_id))


def test_a_flex_carousel_scrolls_inside_the_phone(phone: Page, bot: Bot, user_id: str) -> None:
    bubbles = [bubble({"type": "text", "text": f"品 {number}"}, size="kilo") for number in range(4)]
    bot.push(user_id, flex({"type": "carousel", "contents": bubbles}))
    expect(phone.get_by_text("品 3", exact=True)).to_be_attached()
    scroll = "node => [node.scrollWidth > node.clientWidth, node.clientWidth <= 390]"
    assert phone.locator(".cards").evaluate(scroll) == [True, True]


def test_an_unknown_message_shows_its_alternative_text(phone: Page, emulator: Emulator) -> None:
    shown = phone.evaluate("""async () => {
      const { renderMessage } = await import('/static/phone/messages.js');
      return renderMessage({ type: 'hologram', altText: 'ホログラム' }, () => {}).textContent;
    }""")
    assert shown == "ホログラム"


def test_blocking_and_unblocking(phone: Page, emulator: Emulator, bot: Bot, user_id: str) -> None:
    phone.get_by_role("button", name="メニュー", exact=True).click()
    phone.locator("#account-menu").get_by_role("button", name="ブロック").click()
    expect(phone.get_by_text("ブロック中です")).to_be_visible()
    bot.push(user_id, text("届かない知らせ"))
    phone.locator("#relation-bar").get_by_role("button", name="ブロック解除").click()
    expect(phone.locator("#relation-bar")).to_be_hidden()
    expect(phone.get_by_text("届かない知らせ")).to_have_count(0)


def test_adding_the_account(page: Page, emulator: Emulator, complaints: list[str]) -> None:
    stranger = emulator.add_user("渡辺 直美")
    page.goto(f"{emulator.url}/phone/{stranger}#chat")
    page.get_by_role("button", name="友だち追加").click()
    expect(page.locator("#relation-bar")).to_be_hidden()


def test_the_rich_menu_opens_closes_and_speaks(
    phone: Page, emulator: Emulator, bot: Bot, user_id: str, shop_url: str
) -> None:
    bot.publish_menu(
        {"type": "message", "label": "残高", "text": "ポイント残高"},
        {"type": "uri", "label": "お店", "uri": f"{shop_url}/pages/1"},
    )
    phone.reload()
    phone.get_by_role("button", name="残高").click()
    expect(phone.locator(".message.own .bubble")).to_have_text("ポイント残高")
    phone.get_by_role("button", name="お店", exact=True).click()
    expect(in_app(phone).get_by_role("heading")).to_have_text("Page 1")
    phone.get_by_role("button", name="閉じる").click()
    phone.get_by_role("button", name="お店のメニュー").click()
    expect(phone.locator("#rich-menu")).to_be_hidden()
    phone.get_by_role("button", name="メニューとキーボードを切り替える").click()
    expect(phone.get_by_label("メッセージを入力")).to_be_focused()


def test_the_in_app_browser_goes_back_page_by_page_and_closes(
    phone: Page, bot: Bot, user_id: str, shop_url: str
) -> None:
    bot.push(user_id, text(f"{shop_url}/pages/1"))
    phone.get_by_role("link", name="pages/1").click()
    heading = in_app(phone).get_by_role("heading")
    for number in (1, 2):
        expect(heading).to_have_text(f"Page {number}")
        expect(phone.locator("#browser-progress")).to_be_hidden()
        in_app(phone).get_by_role("link", name="Next").click()
    expect(heading).to_have_text("Page 3")
    for number in (2, 1):
        phone.get_by_role("button", name="戻る", exact=True).click()
        expect(heading).to_have_text(f"Page {number}")
    phone.get_by_role("button", name="戻る", exact=True).click()
    expect(phone.get_by_role("dialog")).to_be_hidden()


def test_a_page_in_the_phone_cannot_take_the_phone_away(
    page: Page, emulator: Emulator, bot: Bot, user_id: str, shop_url: str
) -> None:
    page.goto(f"{emulator.url}/phone/{user_id}#chat")
    bot.push(user_id, text(f"{shop_url}/pages/1"))
    page.get_by_role("link", name="pages/1").click()
    in_app(page).get_by_role("button", name="Break out").click()
    expect(in_app(page).get_by_role("heading")).to_have_text("Page 1")
    assert page.url.startswith(emulator.url)


@pytest.mark.parametrize("way", ["from the chat", "from a page that asks"])
def test_a_pdf_opens_in_the_phone(
    page: Page, emulator: Emulator, bot: Bot, user_id: str, shop_url: str, way: str
) -> None:
    page.goto(f"{emulator.url}/phone/{user_id}#chat")
    bot.push(user_id, text(f"{shop_url}/paper.pdf"), text(f"{shop_url}/paper"))

    with page.expect_response(f"{shop_url}/paper.pdf") as told:
        if way == "from the chat":
            page.get_by_role("link", name="paper.pdf").click()
        else:
            page.get_by_role("link", name=re.compile("paper$")).click()
            in_app(page).get_by_role("button", name="Show").click()

    assert told.value.headers["content-type"] == "application/pdf"
    page.wait_for_timeout(1_000)
    shown = [frame.url for frame in page.frames]
    assert f"{shop_url}/paper.pdf" in shown
    assert not [url for url in shown if url.startswith("chrome-error:")]
    page.get_by_role("button", name="戻る", exact=True).click()
    if way == "from a page that asks":
        expect(in_app(page).get_by_role("button", name="Show")).to_be_visible()
    else:
        expect(page.get_by_role("dialog")).to_be_hidden()


def test_a_new_user_gets_a_phone(page: Page, emulator: Emulator, complaints: list[str]) -> None:
    page.goto(f"{emulator.url}/phone")
    page.get_by_label("新しいLINEユーザーを作る").fill("渡辺 直美")
    page.get_by_role("button", name="作る").click()
    expect(page).to_have_url(re.compile(r"/phone/U[0-9a-f]{32}$"))
    expect(page.get_by_role("heading", name="渡辺 直美 の電話")).to_be_attached()
