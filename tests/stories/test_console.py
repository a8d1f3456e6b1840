"""The owner's console, on a phone and at a desk: it fits, axe finds nothing, and it can be used."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC
from datetime import datetime
from datetime import timedelta
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page
from playwright.sync_api import expect

from demo_shop.extensions import db
from demo_shop.line.extension import line as extension
from demo_shop.models import Inquiry
from demo_shop.models import User
from demo_shop.seed import STAFF
from flask_lineconnect.models import SavedMessage
from flask_lineconnect.models import SourceLabel

from .cards import Member
from .cards import add_member
from .conftest import Street
from .people import log_in_to_shop

CONSOLE = "/line-admin"
PATHS = {
    "home": "/",
    "inbox": "/inbox",
    "case": "/inbox?key={question}",
    "campaigns": "/campaigns",
    "audience": "/campaigns/new?segment=tea_again",
    "message": "/campaigns/autumn/message",
    "time": "/campaigns/autumn/time",
    "confirm": "/campaigns/autumn/confirm",
    "scenarios": "/scenarios",
    "scenario": "/scenarios/cart_left",
    "rehearsal": "/scenarios/order_confirmed/rehearsal",
    "people": "/people",
    "nobody": "/people?q=nobody-is-called-so",
    "member": "/people/{member}",
    "unlink": "/people/{member}/unlink",
    "segments": "/segments",
    "segment": "/segments/tea_again",
    "build": "/segments/new",
    "messages": "/messages",
    "new message": "/messages/new",
    "kept message": "/messages/autumn/edit",
    "codes": "/store-qr",
    "poster": "/store-qr/print?label=till&size=a5",
    "cards": "/store-qr/print?label=till&size=card",
    "menus": "/menus",
    "menu": "/menus/template",
    "reports": "/reports",
    "month": "/reports?month={month}",
    "rfm": "/reports/rfm",
    "cohorts": "/reports/cohorts",
    "checks": "/checks",
    "audit": "/audit",
    "more": "/more",
}
AUTUMN = [
    {
        "text": {
            "ja": "{{ name }}様、ご無沙汰しております。\n秋の「たきび」が入りました。",
            "en": "Dear {{ name }}, our autumn tea has come.",
        },
        "button": {"label": "商品を見る", "url": "/"},
    },
    {
        "products": "favourites",
        "alt_text": "お気に入りのお茶があります",
        "button": "見る",
        "quick_replies": [
            {"label": "残高", "text": "ポイント残高"},
            {"label": "注文", "url": "liff:/orders"},
        ],
    },
]
PHONE = {"width": 360, "height": 780}
DESK = {"width": 1280, "height": 900}
#: What axe is asked for: WCAG 2.2 A and AA, and its best practices.
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}


@pytest.fixture(scope="module")
def names(street: Street) -> dict[str, Any]:
    """Return what stands in addresses, after some days of the shop's life."""
    member: Member = add_member(street, "すずらん 美咲<b>", yen=40_000)
    with street.app.app_context():
        state = street.app.extensions["lineconnect"]
        user = db.session.get_one(User, member.id)
        extension.send(user, "本日発送しました。明日お届けの予定です。")
        to, variants = (
            {"segment": "tea_again"},
            [{"name": name, "message": f"秋の新茶が入りました。{name}"} for name in ("a", "b")],
        )
        extension.campaigns.plan(
            "autumn", label="秋の新茶<b>", to=to, variants=variants, at="every monday at 10:00"
        )
        text = "先日いただいたお茶、今週中に届きますか？ 土曜に来客があります。"
        at = state.clock() - timedelta(hours=2, minutes=10)
        asked = Inquiry(user_id=user.id, name=user.name, text=text, at=at)
        db.session.add_all([asked, SourceLabel(label="till", created_at=state.clock())])
        db.session.add_all(
            [
                _saved("autumn", "秋のほうじ茶のご案内", AUTUMN),
                _saved("thanks", "お礼", {"text": "{{ name }}様、ありがとうございます。"}),
            ]
        )
        db.session.commit()
        month = f"{state.clock().astimezone(state.config.zone):%Y-%m}"
        return {"member": member.id, "question": asked.id, "month": month}


def _saved(name: str, label: str, message: object) -> SavedMessage:
    at = datetime(2026, 11, 1, tzinfo=UTC)
    return SavedMessage(
        name=name,
        label=label,
        version=1,
        message=json.dumps(message),
        is_phrase=not isinstance(message, list),
        updated_at=at,
        updated_by="1",
    )


def _open_as_owner(street: Street, open_browser: Callable[..., Page], **options: Any) -> Page:
    page = open_browser(device_scale_factor=1, is_mobile=False, **options)
    log_in_to_shop(page, street, *STAFF)
    return page


def _overflow(page: Page) -> int:
    width: int = page.evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
    return width


def _violations(page: Page) -> list[str]:
    # To axe, what lies behind a bar at the edge is too small; people scroll it out.
    page.evaluate(
        "for (const bar of document.querySelectorAll('.lc-tabbar, .lc-bar, .lc-top'))"
        " bar.style.setProperty('position', 'static')"
    )
    found = Axe().run(page, options=RULES).response["violations"]
    return [f"{one['id']}: {node['html'][:160]}" for one in found for node in one["nodes"]]


@pytest.mark.parametrize(
    ("language", "scheme", "size"),
    [
        ("ja", "light", PHONE),
        ("en", "dark", PHONE),
        ("ja", "dark", DESK),
        ("en", "light", DESK),
        ("ja", "light", DESK),
    ],
)
def test_every_page_of_the_console_fits_and_is_accessible(
    street: Street,
    names: dict[str, Any],
    open_browser: Callable[..., Page],
    shoot: Callable[..., None],
    language: str,
    scheme: str,
    size: dict[str, int],
) -> None:
    page = _open_as_owner(street, open_browser, viewport=size, color_scheme=scheme)
    complaints: list[str] = []
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(f"{street.shop}{CONSOLE}/more")
    page.locator("main").get_by_role(
        "button", name={"ja": "日本語", "en": "English"}[language]
    ).click()
    expect(page.locator("html")).to_have_attribute("lang", language)
    found: dict[str, list[str]] = {}
    for name, path in PATHS.items():
        answer = page.goto(f"{street.shop}{CONSOLE}{path.format(**names)}")
        assert answer
        assert answer.status == 200, name
        shoot(page, f"{name}-{size['width']}-{scheme}-{language}")
        wrong = [] if _overflow(page) <= 0 else [f"{_overflow(page)} pixels too wide"]
        if scheme == "dark" or (language, size) == ("ja", PHONE):
            wrong += _violations(page)
        if wrong:
            found[name] = wrong
    assert found == {}
    assert complaints == []


def test_an_owner_answers_a_customer_by_the_keyboard(
    street: Street, names: dict[str, Any], open_browser: Callable[..., Page]
) -> None:
    page = _open_as_owner(street, open_browser, viewport=DESK)
    page.goto(f"{street.shop}{CONSOLE}/")
    page.keyboard.press("g")
    page.keyboard.press("i")
    expect(page.get_by_role("heading", level=1)).to_have_text("受信箱")
    page.keyboard.press("r")
    page.keyboard.type("土曜までに届きます。")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("status")).to_contain_text("返信しました")
    page.keyboard.press("/")
    page.goto(f"{street.shop}{CONSOLE}/people")
    page.keyboard.press("/")
    page.keyboard.type("すずらん")
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="すずらん 美咲<b>")).to_be_visible()
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page.locator("#talk")).to_contain_text("土曜までに届きます。")


def test_a_segment_is_put_together_and_saved_by_pointing(
    street: Street, names: dict[str, Any], open_browser: Callable[..., Page]
) -> None:
    page = _open_as_owner(street, open_browser, viewport=DESK)
    page.goto(f"{street.shop}{CONSOLE}/segments/new")
    page.get_by_label("名前").fill("お茶を買った方")
    page.get_by_label("何について").select_option("attribute:order_count")
    # The choice has brought fields of its own.
    page.get_by_label("くらべ方").select_option("at_least")
    expect(page.get_by_label("値", exact=True)).to_be_visible()
    page.get_by_label("値", exact=True).fill("０")
    page.get_by_role("button", name="人数を数える").click()
    expect(page.locator("[data-counted]").get_by_text("条件に合う人")).to_be_visible()
    page.get_by_role("button", name="保存する").click()
    expect(page.get_by_role("status")).to_contain_text("お茶を買った方")


def test_a_message_is_written_with_the_phone_beside_it(
    street: Street, names: dict[str, Any], open_browser: Callable[..., Page]
) -> None:
    page = _open_as_owner(street, open_browser, viewport=DESK)
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(f"{street.shop}{CONSOLE}/messages/new")
    phone = page.locator(".lc-phone-screen")
    words = page.get_by_label("本文", exact=True)
    hostile = "<img src=x onerror=document.title=1>"
    words.fill(f"{hostile} ")
    expect(phone.locator(".bubble")).to_have_text(hostile, timeout=60_000)
    expect(phone.locator("img")).to_have_count(0)
    page.get_by_text("差し込む", exact=True).click()
    page.get_by_role("button", name="店名").click()
    expect(words).to_have_value(f"{hostile} {{{{ shop_name }}}}")
    expect(phone.locator(".bubble")).to_contain_text("こもれび堂", timeout=60_000)
    page.get_by_label("夜").check()
    expect(page.locator(".lc-phone-screen.night")).to_be_visible(timeout=60_000)
    page.get_by_role("button", name="文章とボタン").click()
    page.get_by_label("ボタンの文字", exact=True).fill("見る")
    page.get_by_role("button", name="吹き出し2を上へ動かす").click()
    expect(page.get_by_role("heading", level=2).first).to_contain_text("文章とボタン")
    page.get_by_label("名前（お客様には見えません）").fill("ためし")
    page.get_by_role("button", name="保存する").click()
    # Focus is at the first field that is wrong, and what was typed is there.
    expect(page.get_by_role("alert").first).to_contain_text("直すところが2か所")
    expect(page.get_by_label("本文", exact=True).first).to_be_focused()
    page.get_by_label("本文", exact=True).first.fill("どうぞ")
    page.get_by_label("開くアドレス").fill("/")
    page.get_by_role("button", name="保存する").click()
    expect(page.get_by_role("status")).to_contain_text("「ためし」を保存しました")
    assert complaints == []


def test_a_set_phrase_goes_into_the_answer(
    street: Street, names: dict[str, Any], open_browser: Callable[..., Page]
) -> None:
    page = _open_as_owner(street, open_browser, viewport=PHONE)
    page.goto(f"{street.shop}{CONSOLE}/people/{names['member']}")
    page.get_by_text("定型文", exact=True).click()
    page.get_by_role("button", name="お礼").click()
    expect(page.get_by_label("返信")).to_have_value("すずらん 美咲<b>様、ありがとうございます。")
