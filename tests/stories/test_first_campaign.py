"""A first campaign, to whoever bought tea and not lately: sent in twelve clicks, and read."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator
from playwright.sync_api import Page
from playwright.sync_api import expect
from sqlalchemy import select

from demo_shop.cart import CartLine
from demo_shop.extensions import db
from demo_shop.models import Product
from demo_shop.models import User
from demo_shop.orders import place_order
from demo_shop.seed import STAFF
from flask_lineconnect.testing.time_machine import travelling
from tests.browsers.street import open_plain_street

from .cards import LINE_APP
from .cards import Member
from .cards import add_member
from .conftest import Street
from .people import log_in_to_shop

CONSOLE = "/line-admin"
DESK = {"width": 1280, "height": 900}
TOKYO = ZoneInfo("Asia/Tokyo")
TEA = "sencha-asatsuyu"
ADDRESS = {
    "name": "山田 花子",
    "postal_code": "6048005",
    "address": "京都府京都市中京区 1",
    "phone": "0750000000",
}
#: So often an owner may have to point at something.
MOST_CLICKS = 12


@dataclass(slots=True)
class Hand:
    """A hand on a mouse, which counts."""

    clicks: int = 0

    def press(self, at: Locator) -> None:
        """Click on something."""
        self.clicks += 1
        at.click()

    def choose(self, at: Locator, value: str) -> None:
        """Open a list and choose from it: two clicks."""
        self.clicks += 2
        at.select_option(value)

    def write(self, at: Locator, text: str) -> None:
        """Click into a field and type."""
        self.press(at)
        at.press_sequentially(text)


def _order(street: Street, member: Member, *, days_ago: int) -> None:
    with street.app.app_context():
        tea = db.session.scalars(select(Product).where(Product.slug == TEA)).one()
        user = db.session.get_one(User, member.id)
        order = place_order(db.session(), user, [CartLine(tea, 1)], ADDRESS)
        clock = street.app.extensions["lineconnect"].clock
        order.placed_at = clock() - timedelta(days=days_ago)
        db.session.commit()


def _send(page: Page, hand: Hand) -> None:
    """Make a campaign from the first page, and send it."""
    hand.press(page.locator(".lc-side").get_by_role("link", name="配信", exact=True))
    hand.press(page.get_by_role("link", name="配信を作る"))
    hand.choose(page.get_by_label("だれに送りますか"), "segment:tea_again")
    # The count follows the choice by itself.
    expect(page.locator("#cost")).to_contain_text("1人")
    hand.press(page.get_by_role("button", name="内容へ進む"))
    hand.write(page.locator("#texta-0-text-ja"), "秋の新茶が入りました。")
    hand.press(page.get_by_role("button", name="日時へ進む"))
    expect(page.locator("#held")).to_contain_text("送らない人がいないと")
    hand.press(page.get_by_role("button", name="費用と確認へ進む"))
    expect(page.get_by_role("link", name="お茶を買った、60日買っていない")).to_be_visible()
    hand.press(page.get_by_role("button", name="1人に送る"))
    expect(page.get_by_role("status")).to_contain_text("それまでは取り消せます")


def _next_morning(now: datetime) -> datetime:
    """Return a time at which advertising is sent."""
    local = now.astimezone(TOKYO)
    return (local + timedelta(days=1)).replace(hour=10, minute=0, second=0, microsecond=0)


def _faults(page: Page, width: int) -> list[str]:
    page.set_viewport_size({"width": width, "height": 800})
    over = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    wide = ["too wide"] if page.evaluate(over) > 0 else []
    return [*wide, *(str(one["id"]) for one in Axe().run(page).response["violations"])]


def test_an_owner_sends_a_first_campaign_and_reads_what_it_brought(
    tmp_path: Path, open_browser: Callable[..., Page], shoot: Callable[..., None]
) -> None:
    with open_plain_street(tmp_path) as street, travelling(street.app, street.line):
        state = street.app.extensions["lineconnect"]
        street.app.config["SHOP_CLOCK"] = lambda: state.clock()
        longing = add_member(street, "お茶 好子", yen=0)
        recent = add_member(street, "先週 買子", yen=0)
        _order(street, longing, days_ago=100)
        _order(street, recent, days_ago=10)
        street.line.add_friend(longing.line_user_id)
        street.line.travel(to=_next_morning(street.line.now()))
        page = open_browser(viewport=DESK, device_scale_factor=1, is_mobile=False)
        log_in_to_shop(page, street, *STAFF)
        page.goto(f"{street.shop}{CONSOLE}/")
        hand = Hand()
        _send(page, hand)

        street.line.travel(minutes=2)
        message = street.line.wait_for_message(longing.line_user_id, "秋の新茶")
        assert "秋の新茶" not in str(street.line.received(recent.line_user_id))
        address = re.search(r"'uri': '([^']+)'", str(message))
        assert address
        open_browser(**LINE_APP).goto(address[1])
        _order(street, longing, days_ago=0)
        street.line.travel(days=7)

        page.reload()
        hand.press(page.get_by_role("link", name=re.compile("60日買っていない")))
        assert hand.clicks <= MOST_CLICKS
        expect(page.locator(".lc-say").first).to_contain_text("比べる相手（送らない人）がいない")
        tiles = page.locator(".lc-tiles")
        for words in ("届いた1人", "反応1人", "反応からの購入1件"):
            expect(tiles).to_contain_text(words)
        for width in (1280, 360):
            assert _faults(page, width) == []
            shoot(page, f"results-{width}")
