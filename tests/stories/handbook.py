"""The pictures of the owner's handbook, taken of the demo with its history: ``make handbook``.

They are in ``docs/images/handbook``, in Japanese and English: what an owner sees from the first
login to the month's report.
"""

from __future__ import annotations

import shutil
import tempfile
from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser
from playwright.sync_api import Page
from playwright.sync_api import sync_playwright

from demo_shop.seed import STAFF

from .conftest import ROOT
from .conftest import Street
from .conftest import open_demo
from .people import log_in_to_shop

PICTURES = ROOT / "docs" / "images" / "handbook"
CONSOLE = "/line-admin"
DESK, PHONE = {"width": 1180, "height": 820}, {"width": 390, "height": 780}
#: The pages, by the names of their pictures.
PAGES = {
    "home": "/",
    "inbox": "/inbox",
    "people": "/people",
    "segments": "/segments",
    "build": "/segments/gifts_in_december/edit",
    "campaigns": "/campaigns",
    "scenarios": "/scenarios",
    "scenario": "/scenarios/birthday",
    "store-qr": "/store-qr",
    "poster": "/store-qr/print?label=shelf-3&size=a5",
    "reports": "/reports",
    "audit": "/audit",
}
ON_PHONE = ("home", "inbox")
LANGUAGES = {"ja": "日本語", "en": "English"}


def main() -> None:
    """Open the demo and take all pictures."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as data,
        open_demo(Path(data), options=["--history"]) as street,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"))
        for language in LANGUAGES:
            for size, names in ((DESK, tuple(PAGES)), (PHONE, ON_PHONE)):
                _walk(browser, street, language, size, names)
        browser.close()


def _walk(
    browser: Browser, street: Street, language: str, size: dict[str, int], names: tuple[str, ...]
) -> None:
    context = browser.new_context(viewport=size, locale="ja-JP", device_scale_factor=1)
    context.set_default_timeout(180_000)
    page = context.new_page()
    log_in_to_shop(page, street, *STAFF)
    page.goto(f"{street.shop}{CONSOLE}/more")
    page.locator("main").get_by_role("button", name=LANGUAGES[language]).click()
    kind = "" if size == DESK else "-phone"
    for name in names:
        answer = page.goto(f"{street.shop}{CONSOLE}{PAGES[name]}")
        if answer is None or answer.status != 200:
            raise RuntimeError(f"{name}: {answer and answer.status}")
        _keep(page, PICTURES / f"{name}{kind}.{language}.webp")
    context.close()


def _keep(page: Page, path: Path) -> None:
    page.wait_for_load_state("networkidle")
    picture = Image.open(BytesIO(page.screenshot(animations="disabled")))
    picture.convert("RGB").save(path, quality=80, method=6)


if __name__ == "__main__":
    main()
