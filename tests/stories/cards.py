"""Members with a point card, how they open it, and the eyes that look at it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from io import BytesIO
from typing import Any
from urllib.parse import urlencode

import zxingcpp
from PIL import Image
from playwright.sync_api import Page
from playwright.sync_api import expect

from demo_shop.extensions import db
from demo_shop.line.extension import line
from demo_shop.members import make_member
from demo_shop.models import User
from demo_shop.points import add_at_counter
from flask_lineconnect.linking import accounts

from .conftest import Street
from .people import log_in_at_line

PASSWORD = "a password for tests"
#: LINE's own browser, which knows no service workers.
LINE_APP: dict[str, Any] = {
    "user_agent": (
        "Mozilla/5.0 (Linux; Android 15; V2319) AppleWebKit/537.36 (KHTML, like Gecko) "
        "Version/4.0 Chrome/144.0.0.0 Mobile Safari/537.36 Line/15.12.1 LIFF"
    ),
    "service_workers": "block",
}
CARD = "/line/liff"
#: LINE's SDK, wherever it comes from.
SDK = re.compile(r"/liff/edge/2/sdk\.js$")


@dataclass(frozen=True)
class Member:
    """A linked member of the demo shop."""

    id: int
    name: str
    email: str
    card_number: str
    line_user_id: str


def add_member(street: Street, name: str, *, yen: int = 12_000) -> Member:
    """Make a linked member who has bought something at the counter."""
    email = f"{name.encode().hex()}@mail.example"
    line_user_id = street.line.add_user(name, email=email)
    with street.app.app_context():
        state = street.app.extensions["lineconnect"]
        member = make_member(db.session(), email=email, name=name, password=PASSWORD)
        assert member is not None
        db.session.flush()
        account = accounts.ensure_account(state.session, line_user_id, now=state.clock())
        account.display_name, account.is_friend = name, True
        accounts.link(state, account, member.id, source=None, now=state.clock())
        if yen:
            add_at_counter(db.session(), member, yen, key=f"first:{member.id}")
        db.session.commit()
        return Member(member.id, name, email, member.card_number, line_user_id)


def buy(street: Street, member: Member, yen: int) -> None:
    """Let the counter add points, as another process does."""
    with street.app.app_context():
        user = db.session.get_one(User, member.id)
        add_at_counter(db.session(), user, yen, key=f"buy:{member.id}:{yen}")
        db.session.commit()


def unlink(street: Street, member: Member) -> None:
    """Let staff end a member's link."""
    with street.app.app_context():
        line.unlink(db.session.get_one(User, member.id))
        db.session.commit()


def open_in_line(page: Page, street: Street, member: Member, path: str = "") -> None:
    """Tap the rich menu in LINE's app, which hands credentials over; best with its user agent."""
    page.goto(phone_link(street, member.line_user_id, path))


def phone_link(street: Street, line_user_id: str, path: str = "") -> str:
    """Return what opens a LIFF page on the phone of a LINE user."""
    query = urlencode({"url": f"{liff_url(street)}{path}"})
    return f"{street.line.url}/phone/{line_user_id}/open?{query}"


def liff_url(street: Street) -> str:
    """Return the LIFF URL of the card."""
    return f"{street.line.url}/{street.app.config['LINECONNECT_LIFF_ID']}"


def open_outside(page: Page, street: Street, name: str) -> None:
    """Open the card in an ordinary browser, and log in at LINE."""
    page.goto(f"{street.shop}{CARD}")
    log_in_at_line(page, name, add_friend=False)
    expect(page.locator("#card")).to_be_visible()


def read_codes(image: bytes) -> dict[str, str]:
    """Return what a scanner reads in a picture, by the kind of code: `EAN-13`, `QR Code`."""
    found = zxingcpp.read_barcodes(Image.open(BytesIO(image)))
    return {str(code.format): code.text for code in found}
