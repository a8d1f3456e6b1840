"""The journey of every customer, in whichever shop: from the store's QR code to coming back.

``walk`` takes any app that is joined to the emulator; it asks of the shop what the small shop of
these tests has: a page for members, a hook that answers a text, and that nobody is a member yet.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs
from urllib.parse import urlsplit

from flask import Flask
from sqlalchemy import select

from flask_lineconnect import LineConnect
from flask_lineconnect.engines.work import work_until_idle
from flask_lineconnect.login.unlink import WITHOUT_LOGIN
from flask_lineconnect.models import Account
from flask_lineconnect.state import LineState
from flask_lineconnect.testing.chat import LineChat
from flask_lineconnect.testing.plugin import Emulator
from flask_lineconnect.testing.plugin import LineBrowser
from tests.people import IN_APP

from .browser import Browser

#: The fixture ``line_chat``.
OpenChat = Callable[[Flask, str], LineChat]


@dataclass(frozen=True, kw_only=True)
class Shop:
    """A shop to walk through.

    :ivar line: the extension object that the app was joined with.
    :ivar members_page: a path, without the one below which the shop lies; it needs a login.
    :ivar question: a text for which the shop has a hook, for members only.
    :ivar answer: a part of what the hook answers.
    :ivar prepare: called with each browser before it opens anything.
    """

    app: Flask
    line: LineConnect
    emulator: Emulator
    open_chat: OpenChat
    members_page: str = "/private"
    question: str = "残高"
    answer: str = "120ポイント"
    prepare: Callable[[Browser], object] = lambda browser: None

    @property
    def state(self) -> LineState:
        """What the extension keeps for the app."""
        state: LineState = self.app.extensions["lineconnect"]
        return state

    @property
    def base_url(self) -> str:
        """The shop's public address."""
        return self.state.config.base_url

    def browser(self, user_agent: str = "Mozilla/5.0") -> Browser:
        """Return a new browser."""
        browser = Browser(self.app, self.base_url, user_agent)
        self.prepare(browser)
        return browser


def walk(shop: Shop, **answers: str) -> None:
    """Go the whole way: QR, login, register, card, hook, message, auto-login, unlink, come back.

    :param answers: what a person fills in besides the name to register.
    """
    user_id = shop.emulator.add_user("佐藤 さくら")
    person = shop.emulator.browser(user_id)
    browser = shop.browser()
    register(shop, browser, person, **answers)
    show_card(shop, browser)
    ask_in_chat(shop, user_id)
    hear_of_an_order(shop, user_id)
    phone = open_members_page_in_line(shop, person)
    open_card_in_line(shop, person)
    unlink(shop, browser)
    assert not is_let_in(shop, phone), "the phone's session outlived the link"
    # An ID token of the very second of the unlinking counts as one of before.
    time.sleep(1.1)
    register(shop, shop.browser(), person, **answers)
    open_card_in_line(shop, person)


def register(shop: Shop, browser: Browser, person: LineBrowser, **answers: str) -> None:
    """Scan the store's QR code, log in with LINE, and fill in the form."""
    with shop.app.app_context():
        address = shop.state.url_for("lineconnect.login", source="store")
    back = come_back(browser, person, browser.open(address))
    assert urlsplit(back).path.endswith("/sign-up"), (back, browser.page.text)
    home = browser.send(display_name="佐藤 さくら", **answers)
    assert is_below(shop, home), home
    assert browser.page.status_code == 200, browser.page.text
    assert is_let_in(shop, browser)


def come_back(browser: Browser, person: LineBrowser, authorize_url: str) -> str:
    """Go through LINE's screens and return to the shop; return where that ends."""
    assert authorize_url.startswith(person.url), (authorize_url, browser.page)
    return browser.open(person.log_in(authorize_url))


def show_card(shop: Shop, browser: Browser) -> None:
    """Open the card in a browser that is logged in."""
    browser.open(path_of(shop, "lineconnect.card"))
    assert browser.page.status_code == 200
    assert 'id="card"' in browser.page.text, browser.page.text


def ask_in_chat(shop: Shop, user_id: str) -> None:
    """Write to the shop: LINE's webhook, the inbox, the hook and its reply."""
    said = shop.open_chat(shop.app, user_id).say(shop.question)
    assert shop.answer in str(said), said


def hear_of_an_order(shop: Shop, user_id: str) -> None:
    """Get the message that the shop sends with an order."""
    with shop.app.app_context():
        state = shop.state
        account = state.session.scalars(
            select(Account).where(Account.line_user_id == user_id)
        ).one()
        member: Any = state.session.get(state.shop.model, account.member_id)
        shop.line.send(member, "ご注文を発送しました。", key=f"shipped:{account.id}")
        state.session.commit()
        work_until_idle(state)
    shop.emulator.wait_for_message(user_id, "発送しました")


def open_members_page_in_line(shop: Shop, person: LineBrowser) -> Browser:
    """Open a members' page in LINE's own browser: it logs in by itself and is there again."""
    phone = shop.browser(IN_APP)
    back = come_back(phone, person, phone.open(shop.base_url + shop.members_page))
    assert back == shop.base_url + shop.members_page
    assert phone.page.status_code == 200, phone.page.text
    return phone


def open_card_in_line(shop: Shop, person: LineBrowser) -> None:
    """Open the LIFF page in LINE: its script sends the ID token, and the card is drawn."""
    settings = shop.emulator.settings(shop.base_url)
    liff_url = f"{shop.emulator.url}/{settings['LINECONNECT_LIFF_ID']}"
    address = shop.emulator.browser(person.user_id).open_in_app(liff_url)
    phone = shop.browser(IN_APP)
    phone.open(address.partition("#")[0])
    assert 'id="opening"' in phone.page.text, phone.page.text
    token = data_of(phone, "csrf-token")
    id_token = parse_qs(urlsplit(address).fragment)["id_token"][0]
    answer = phone.fetch(
        data_of(phone, "session-url"),
        json={"id_token": id_token, "next": urlsplit(address).path, "draw": True},
        headers={data_of(phone, "csrf-header"): token},
    )
    assert answer.status_code == 200, answer.text
    said: Any = answer.json
    assert is_below(shop, said["location"]), said
    assert 'id="card"' in said["page"]
    show_card(shop, phone)


def unlink(shop: Shop, browser: Browser) -> None:
    """End the link on the member's own page; LINE is told."""
    browser.open(path_of(shop, "lineconnect.unlink"))
    browser.send(action="", **{WITHOUT_LOGIN: "yes"})
    assert browser.page.status_code == 200, browser.page.text
    with shop.app.app_context():
        work_until_idle(shop.state)
    assert not is_let_in(shop, browser)


def is_let_in(shop: Shop, browser: Browser) -> bool:
    """Tell whether the members' page knows the browser's person."""
    page = shop.base_url + shop.members_page
    before = browser.address, browser.page
    end = browser.open(page)
    is_in = end == page and browser.page.status_code == 200
    browser.address, browser.page = before
    return is_in


def is_below(shop: Shop, address: str) -> bool:
    """Tell whether an address or a path is one of the shop's, below its path if it has one."""
    base, parts = urlsplit(shop.base_url), urlsplit(address)
    return parts.netloc in {"", base.netloc} and parts.path.startswith(f"{base.path}/")


def path_of(shop: Shop, endpoint: str) -> str:
    """Return the public address of an endpoint."""
    with shop.app.app_context():
        return shop.state.url_for(endpoint)


def data_of(browser: Browser, name: str) -> str:
    """Return an attribute ``data-…`` of the page's body."""
    _before, _name, rest = browser.page.text.partition(f'data-{name}="')
    return str(rest.partition('"')[0])
