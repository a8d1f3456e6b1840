"""Journey 6: a member of long standing logs in with the password and links LINE to it."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page
from playwright.sync_api import expect
from sqlalchemy import func
from sqlalchemy import select

from demo_shop.models import User
from demo_shop.seed import HANAKO
from flask_lineconnect.models import Account

from .conftest import Street
from .people import in_app
from .people import log_in_at_line
from .people import log_in_to_shop
from .people import open_chat
from .people import tap_rich_menu


def test_an_existing_member_keeps_her_account(
    street: Street, open_browser: Callable[..., Page], shoot: Callable[..., None]
) -> None:
    user_id = street.line.add_user("はなこ", email="another@mail.example")
    members_before = _count_members(street)
    page = open_browser()
    log_in_to_shop(page, street, *HANAKO)
    page.goto(f"{street.shop}/my-page")
    shoot(page, "1-my-page")
    page.get_by_role("button", name="LINEと連携する").click()
    log_in_at_line(page, "はなこ")
    expect(page.locator("main")).to_contain_text("はなこ")
    expect(page.locator("main")).to_contain_text("山田 花子")
    shoot(page, "2-confirm")
    page.get_by_role("button", name="連携する", exact=True).click()
    expect(page).to_have_url(f"{street.shop}/my-page")
    shoot(page, "3-linked")
    assert _count_members(street) == members_before
    assert _member_email(street, user_id) == HANAKO[0]

    phone = open_browser()
    open_chat(phone, street, user_id)
    tap_rich_menu(phone, "ポイントカード")
    expect(in_app(phone).locator(".lc-card")).to_contain_text("山田 花子")
    expect(in_app(phone).locator(".lc-balance")).to_contain_text("1,240")
    shoot(phone, "4-card")


def _count_members(street: Street) -> int:
    with street.app.app_context():
        session = street.app.extensions["sqlalchemy"].session
        return int(session.scalar(select(func.count()).select_from(User)))


def _member_email(street: Street, user_id: str) -> str:
    with street.app.app_context():
        session = street.app.extensions["sqlalchemy"].session
        statement = (
            select(User.email)
            .join(Account, Account.member_id == User.id)
            .where(Account.line_user_id == user_id)
        )
        return str(session.scalars(statement).one())
