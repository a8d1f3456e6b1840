"""The pictures of the owner's handbook, taken of the demo with its history: ``make handbook``.

They are in ``docs/images/handbook``, in Japanese and English: what an owner sees from the first
login to the month's report. What the demo has none of, such as a message and a draft, is written
first, as an owner writes it.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from collections.abc import Mapping
from contextlib import contextmanager
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from threading import Thread

from PIL import Image
from playwright.sync_api import Browser
from playwright.sync_api import Page
from playwright.sync_api import ViewportSize
from playwright.sync_api import sync_playwright
from werkzeug.serving import make_server

from demo_shop.seed import STAFF

from .conftest import ROOT
from .conftest import Street
from .conftest import open_demo
from .people import log_in_to_shop

PICTURES = ROOT / "docs" / "images" / "handbook"
CONSOLE = "/line-admin"
DESK: ViewportSize = {"width": 1180, "height": 900}
PHONE: ViewportSize = {"width": 390, "height": 780}
#: The pages, by the names of their pictures.
PAGES = {
    "home": "/",
    "inbox": "/inbox",
    "messages": "/messages",
    "composer": "{message}",
    "people": "/people",
    "notes": "{member}",
    "build": "/segments/gifts_in_december/edit",
    "audience": "{campaign}/audience",
    "time": "{campaign}/time",
    "confirm": "{campaign}/confirm",
    "campaigns": "/campaigns",
    "results": "{results}",
    "scenarios": "/scenarios",
    "scenario": "/scenarios/birthday",
    "store-qr": "/store-qr",
    "poster": "/store-qr/print?label=shelf-3&size=a5",
    "reports": "/reports",
    "rfm": "/reports/rfm",
    "cohorts": "/reports/cohorts",
    "audit": "/audit",
}
ON_PHONE = {"home": "/"}
#: Of a shop whose menus are data; the demo's comes from a template.
MENUS = {"menu": "{menu}", "menus": "/menus"}
LANGUAGES = {"ja": "日本語", "en": "English"}
#: The campaign whose results are shown: some were held out, and it had an effect.
TOLD = "お月見だんご"
#: What is brought into view of a long page: to its top, or to its end.
PARTS = {"composer": ("#message-0-title", "start"), "notes": ("#notes", "end")}
_INTO_VIEW = "(part, block) => { part.style.scrollMargin = '40px'; part.scrollIntoView({block}); }"
#: In English its table is wider than its place.
JAPANESE_ONLY = ("rfm",)
#: A menu's picture, and what is on it: words, what a tap does, and with what.
MENU_PICTURE = ROOT / "demo_shop" / "line" / "rich_menu.png"
AREAS = (
    ("ポイントカード", "card", ""),
    ("ポイント残高", "message", "ポイント残高"),
    ("ご注文", "orders", ""),
    ("お買いもの", "link", "https://komorebi.example/"),
    ("店舗のご案内", "message", "店舗のご案内"),
    ("マイページ", "link", "https://komorebi.example/me"),
)


def main() -> None:
    """Open the demo and take all pictures."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as data,
        open_demo(Path(data), options=["--history"]) as street,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"))
        page = _enter(browser, street, "ja", DESK)
        names = {
            "message": _write_message(page, street),
            "member": _write_notes(page, street),
            "campaign": _write_campaign(page, street),
            "results": _find_results(page, street),
        }
        page.context.close()
        for language in LANGUAGES:
            _walk(browser, street, language, _paths(PAGES, names))
            _walk(browser, street, language, ON_PHONE, size=PHONE)
        with _without_template(street) as other:
            page = _enter(browser, other, "ja", DESK)
            names = {"menu": _make_menu(page, other)}
            page.context.close()
            for language in LANGUAGES:
                _walk(browser, other, language, _paths(MENUS, names))
        browser.close()


def _enter(browser: Browser, street: Street, language: str, size: ViewportSize) -> Page:
    context = browser.new_context(viewport=size, locale="ja-JP", device_scale_factor=1)
    context.set_default_timeout(180_000)
    page = context.new_page()
    log_in_to_shop(page, street, *STAFF)
    page.goto(f"{street.shop}{CONSOLE}/more")
    page.locator("main").get_by_role("button", name=LANGUAGES[language]).click()
    return page


def _paths(pages: Mapping[str, str], names: Mapping[str, str]) -> dict[str, str]:
    return {picture: path.format(**names) for picture, path in pages.items()}


def _walk(
    browser: Browser,
    street: Street,
    language: str,
    paths: Mapping[str, str],
    *,
    size: ViewportSize = DESK,
) -> None:
    page = _enter(browser, street, language, size)
    kind = "" if size == DESK else "-phone"
    for name, path in paths.items():
        if language != "ja" and name in JAPANESE_ONLY:
            continue
        answer = page.goto(f"{street.shop}{CONSOLE}{path}")
        if answer is None or answer.status != 200:
            raise RuntimeError(f"{name}: {answer and answer.status}")
        if name in PARTS:
            part, block = PARTS[name]
            page.locator(part).evaluate(_INTO_VIEW, block)
        _show_a_member(page)
        _keep(page, PICTURES / f"{name}{kind}.{language}.webp")
    page.context.close()


def _show_a_member(page: Page) -> None:
    """Let the phone beside a message show it to somebody, in place of the longest values."""
    if (chosen := page.locator("#message-member")).count():
        with page.expect_response("**/messages/preview*"):
            chosen.select_option(index=1)


def _keep(page: Page, path: Path) -> None:
    page.wait_for_load_state("networkidle")
    picture = Image.open(BytesIO(page.screenshot(animations="disabled")))
    picture.convert("RGB").save(path, quality=80, method=6)


def _write_message(page: Page, street: Street) -> str:
    """Save a message of two bubbles; return the path of its page."""
    page.goto(f"{street.shop}{CONSOLE}/messages/new")
    page.get_by_role("button", name="文章とボタン").click()
    page.locator("[name=message-1-text-ja]").fill(
        "お気に入りのお茶は、オンラインでもお求めいただけます。"
    )
    page.locator("[name=message-1-label-ja]").fill("お茶を見る")
    page.locator("[name=message-1-to-ja]").fill("/")
    page.locator("#label").fill("秋の新茶のご案内")
    page.locator("textarea").first.fill("{{ name }}様、秋の新茶が入りました。")
    page.get_by_role("button", name="保存する", exact=True).click()
    return _path(page.get_by_role("link", name="秋の新茶のご案内").get_attribute("href"))


def _write_notes(page: Page, street: Street) -> str:
    """Put tags on a member and keep a note; return the page's path."""
    page.goto(f"{street.shop}{CONSOLE}/people?show=linked")
    page.locator("main table a, main li a.grow").first.click()
    for tag in ("贈りもの", "お茶の教室"):
        page.locator("#tag").fill(tag)
        page.get_by_role("button", name="付ける").click()
        page.get_by_role("button", name=f"タグ「{tag}」を外す").wait_for()
    page.locator("#note").fill("のし紙は毎回「御礼」。お電話は午前中がよいとのことです。")
    page.get_by_role("button", name="メモを残す").click()
    page.locator(".lc-notes").wait_for()
    return _path(page.url)


def _write_campaign(page: Page, street: Street) -> str:
    """Write a draft of two texts with people held out; return the path of its steps."""
    page.goto(f"{street.shop}{CONSOLE}/campaigns/new")
    page.locator("#to").select_option("segment:tea_again")
    page.locator("#label").fill("秋の新茶、お久しぶりの方へ")
    page.get_by_role("button", name="内容へ進む").click()
    page.locator("#texta-0-text-ja").fill("秋の新茶が入りました。")
    page.get_by_role("button", name="もう1つの文面とくらべる").click()
    page.locator("#textb-0-text-ja").fill("{{ name }}様、秋の新茶をいちばんにお届けします。")
    page.get_by_role("button", name="日時へ進む").click()
    page.locator("#hold-out").fill("10")
    page.get_by_role("button", name="費用と確認へ進む").click()
    page.wait_for_url("**/confirm")
    return _path(page.url).removesuffix("/confirm")


def _find_results(page: Page, street: Street) -> str:
    page.goto(f"{street.shop}{CONSOLE}/campaigns")
    return _path(page.get_by_role("link", name=TOLD).first.get_attribute("href"))


@contextmanager
def _without_template(street: Street) -> Iterator[Street]:
    """Open a second door to the shop, by which its menus are data."""
    street.app.extensions["lineconnect"].rich_menu = None
    server = make_server("127.0.0.1", 0, street.app, threaded=True)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield replace(street, shop=f"http://127.0.0.1:{server.server_port}")
    finally:
        server.shutdown()
        thread.join()


def _make_menu(page: Page, street: Street) -> str:
    """Make a menu of a picture, and publish nothing; return the path of its page."""
    page.goto(f"{street.shop}{CONSOLE}/menus/new")
    page.locator("#title").fill("メニュー")
    page.locator("#image").set_input_files(MENU_PICTURE)
    for number, (label, way, value) in enumerate(AREAS):
        page.locator(f"[name=label-{number}]").fill(label)
        page.locator(f"[name=way-{number}]").select_option(way)
        page.locator(f"[name=value-{number}]").fill(value)
    page.get_by_role("button", name="保存する").click()
    page.get_by_role("link", name="編集する").wait_for()
    return _path(page.url)


def _path(address: str | None) -> str:
    """Return an address of the console's without what stands before its own part."""
    assert address
    return address.split(CONSOLE, 1)[1]


if __name__ == "__main__":
    main()
