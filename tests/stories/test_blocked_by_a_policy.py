"""A proxy adds a policy of its own: the page says that it is no lost network."""

from __future__ import annotations

from playwright.sync_api import Route
from playwright.sync_api import expect

from tests.serving.routes import ask

from .cards import CARD
from .conftest import Open
from .conftest import Street


def test_the_card_says_what_keeps_lines_program_away(street: Street, open_browser: Open) -> None:
    phone = open_browser()

    def add_policy(route: Route) -> None:
        answer = ask(route)
        answer.headers["content-security-policy"] += ", default-src 'self'"
        answer.fulfill(route)

    phone.context.route(f"**{CARD}", add_policy)
    said: list[str] = []
    phone.on("console", lambda message: said.append(message.text))
    phone.goto(f"{street.shop}{CARD}")
    expect(phone.get_by_role("alert")).to_contain_text("お店のサイトの設定により")
    assert any("Content-Security-Policy keeps" in one for one in said)
