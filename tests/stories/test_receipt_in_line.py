"""The receipt opens where the order is: in the phone, over the page that has it."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page
from playwright.sync_api import expect
from sqlalchemy import select

from demo_shop.models import User
from demo_shop.seed import HANAKO
from flask_lineconnect.linking import accounts
from flask_lineconnect.models import Account

from .conftest import Street
from .people import in_app
from .people import open_chat
from .people import tap_rich_menu


def test_the_receipt_opens_in_the_phone(
    street: Street, open_browser: Callable[..., Page], shoot: Callable[..., None]
) -> None:
    user_id = _phone_of_hanako(street)
    phone = open_browser()
    open_chat(phone, street, user_id)
    tap_rich_menu(phone, "ポイントカード")
    in_app(phone).locator(".lc-tabs").get_by_text("ご注文", exact=True).click()
    delivered = in_app(phone).locator(".lc-order").filter(has_text="お届け済み").first
    delivered.get_by_role("link", name="くわしく見る").click()
    link = in_app(phone).get_by_role("link", name="領収書（PDF）")
    expect(link).to_be_visible()
    order_page = phone.frame(url="**/liff/orders/*")
    assert order_page

    with phone.expect_response("**/receipt.pdf") as told:
        link.click()

    assert told.value.headers["content-type"] == "application/pdf"
    document = phone.locator("#browser-page iframe").last
    expect(document).to_have_attribute("src", f"{order_page.url}/receipt.pdf")
    assert document.get_attribute("sandbox") is None
    phone.wait_for_timeout(1_000)
    assert not [frame.url for frame in phone.frames if frame.url.startswith("chrome-error:")]
    shoot(phone, "receipt_in_the_phone")
    # The page below waits.
    phone.get_by_role("button", name="戻る", exact=True).click()
    expect(phone.locator("#browser-page iframe")).to_have_count(1)
    expect(link).to_be_visible()


def _phone_of_hanako(street: Street) -> str:
    """Return the LINE user of the member of long standing; another story may have linked her."""
    with street.app.app_context():
        line = street.app.extensions["lineconnect"]
        hanako = line.session.scalars(select(User).where(User.email == HANAKO[0])).one()
        linked = line.session.scalars(select(Account).where(Account.member_id == hanako.id)).first()
        if linked:
            return str(linked.line_user_id)
        user_id = street.line.add_user("花子")
        street.line.add_friend(user_id)
        account = accounts.ensure_account(line.session, user_id, now=line.clock())
        account.is_friend = True
        accounts.link(line, account, hanako.id, source=None, now=line.clock())
        line.session.commit()
    return user_id
