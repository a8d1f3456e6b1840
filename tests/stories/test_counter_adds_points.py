"""Journeys 3 and 4: staff add points, LINE tells the customer, who then asks for the balance."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page
from playwright.sync_api import expect
from sqlalchemy import select

from demo_shop.models import User
from demo_shop.seed import STAFF

from .conftest import Street
from .people import join_by_store_qr
from .people import log_in_to_shop
from .people import open_chat
from .people import write


def test_points_from_the_counter_reach_the_chat(
    street: Street, open_browser: Callable[..., Page], shoot: Callable[..., None]
) -> None:
    user_id = street.line.add_user("上野 さつき", email="satsuki@mail.example")
    join_by_store_qr(open_browser(), street, "上野 さつき")
    with street.app.app_context():
        db = street.app.extensions["sqlalchemy"]
        statement = select(User.card_number).where(User.email == "satsuki@mail.example")
        number = db.session.scalars(statement).one()

    staff = open_browser()
    log_in_to_shop(staff, street, *STAFF)
    staff.goto(f"{street.shop}/counter")
    staff.get_by_label("カード番号").fill(number)
    staff.keyboard.press("Enter")
    expect(staff.get_by_text("上野 さつき").first).to_be_visible()
    shoot(staff, "1-counter")
    staff.get_by_label("お買い上げ金額").fill("3280")
    staff.get_by_role("button", name="ポイントをつける").click()
    expect(staff.locator("body")).to_contain_text("32ポイント")
    shoot(staff, "2-points-added")

    phone = open_browser()
    open_chat(phone, street, user_id)
    expect(phone.locator("#messages")).to_contain_text("+32")
    shoot(phone, "3-message")
    write(phone, "ポイント残高")
    expect(phone.locator("#messages")).to_contain_text("ポイント残高は32ポイントです")
    shoot(phone, "4-balance")

    desk = open_browser(viewport={"width": 1120, "height": 900}, device_scale_factor=1)
    open_chat(desk, street, user_id)
    expect(desk.locator("#messages")).to_contain_text("ポイント残高は32ポイントです")
    expect(desk.locator("#rich-menu")).to_be_visible()
    shoot(desk, "5-phone-page")
