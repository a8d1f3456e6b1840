"""The customer's journey as one strip of pictures: phone, by day and by night, in both languages.

``python -m tests.stories.strip`` leaves ``screenshots/journey.png``. With ``--before CHECKOUT``, of
another checkout with an environment of its own, each row of it stands above today's.
"""

from __future__ import annotations

import argparse
import secrets
import shutil
import tempfile
from collections.abc import Callable
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import Browser
from playwright.sync_api import Page
from playwright.sync_api import sync_playwright

from demo_shop.seed import HANAKO

from .conftest import PHONE
from .conftest import ROOT
from .conftest import SCREENSHOTS
from .conftest import Street
from .conftest import open_demo
from .people import log_in_to_shop

#: Pixels in the strip: the width of a phone, and between two of them.
WIDTH, GAP = 260, 16
GROUND = "#8a8f98"
KINDS = [(locale, scheme) for locale in ("ja-JP", "en-US") for scheme in ("light", "dark")]
NAMES = {"ja-JP": "佐藤 さくら", "en-US": "Sakura Sato"}
_SUBMIT = "form button.lc-button-main[type=submit]"


def main() -> None:
    """Walk the journey and lay its pictures side by side."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--before", type=Path, metavar="CHECKOUT")
    before: Path | None = parser.parse_args().before
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"))
        rows = [row for tree in (before, ROOT) if tree for row in _rows(browser, tree)]
        browser.close()
    count = len(KINDS)
    # Before and after of the same kind stand together.
    ordered = [row for kind in range(count) for row in rows[kind::count]]
    SCREENSHOTS.mkdir(exist_ok=True)
    _lay_out(ordered).save(SCREENSHOTS / "journey.png", optimize=True)
    print(SCREENSHOTS / "journey.png")


def _rows(browser: Browser, tree: Path) -> Iterator[list[Image.Image]]:
    """Walk the demo of a checkout, once for each language and light."""
    with tempfile.TemporaryDirectory() as data, open_demo(Path(data), tree) as street:
        for locale, scheme in KINDS:
            options = {**PHONE, "device_scale_factor": 1, "locale": locale, "color_scheme": scheme}
            yield _walk(browser, street, options)


def _walk(browser: Browser, street: Street, options: dict[str, Any]) -> list[Image.Image]:
    pictures: list[Image.Image] = []

    def look(page: Page) -> None:
        page.wait_for_timeout(400)
        pictures.append(Image.open(BytesIO(page.screenshot(animations="disabled"))).convert("RGB"))

    for visit in (_new_customer, _known_member):
        context = browser.new_context(**options)
        visit(context.new_page(), street, NAMES[options["locale"]], look)
        context.close()
    return pictures


def _new_customer(page: Page, street: Street, name: str, look: Callable[[Page], None]) -> None:
    """The store's QR code, the form, the card, orders and membership; and how it may end."""
    email = f"{secrets.token_hex(4)}@mail.example"
    user_id = street.line.add_user(name, email=email)
    for path in ("/", "/store"):
        page.goto(street.shop + path)
        look(page)
    _log_in(page, street, user_id, page.request.get(f"{street.shop}/line/login", max_redirects=0))
    look(page)
    page.locator("[name=accepts_terms]").check()
    page.locator(_SUBMIT).last.click()
    page.wait_for_url(lambda url: "/sign-up" not in url)
    for path in ("/line/liff", "/line/liff/membership", "/line/unlink"):
        page.goto(street.shop + path)
        look(page)
    page.goto(f"{street.line.url}/phone/{user_id}#chat")
    look(page)


def _known_member(page: Page, street: Street, name: str, look: Callable[[Page], None]) -> None:
    """Two people are compared before they are linked."""
    log_in_to_shop(page, street, *HANAKO)
    look(page)
    page.goto(f"{street.shop}/line/link")
    token = page.locator("form[action*='/line/link'] [name=csrf_token]").first.input_value()
    answer = page.request.post(
        f"{street.shop}/line/link", form={"csrf_token": token}, max_redirects=0
    )
    _log_in(page, street, street.line.add_user(name), answer)
    look(page)


def _log_in(page: Page, street: Street, user_id: str, answer: Any) -> None:
    page.goto(street.shop + street.line.browser(user_id).log_in(answer.headers["location"]))


def _lay_out(rows: list[list[Image.Image]]) -> Image.Image:
    """Return one picture of all rows."""
    height = max(picture.height * WIDTH // picture.width for row in rows for picture in row)
    columns = max(map(len, rows))
    size = columns * (WIDTH + GAP) + GAP, len(rows) * (height + GAP) + GAP
    whole = Image.new("RGB", size, GROUND)
    for down, row in enumerate(rows):
        for across, picture in enumerate(row):
            small = picture.resize((WIDTH, picture.height * WIDTH // picture.width))
            place = GAP + across * (WIDTH + GAP), GAP + down * (height + GAP)
            whole.paste(small, place)
    return whole.quantize(256)


if __name__ == "__main__":
    main()
