"""The journey and the card in WebKit, which is LINE's engine on iPhones, and in Firefox."""

from __future__ import annotations

import json
from collections.abc import Callable
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from demo_shop.extensions import db
from demo_shop.models import User
from flask_lineconnect.linking import accounts
from tests.browsers.firefox import open_firefox
from tests.browsers.phone import Phone
from tests.browsers.street import PlainStreet
from tests.browsers.street import open_plain_street
from tests.browsers.webkit import LINE_APP
from tests.browsers.webkit import open_webkit
from tests.npm import FOLDER

from .cards import CARD
from .cards import Member
from .cards import add_member
from .cards import buy
from .cards import phone_link
from .cards import read_codes
from .conftest import SCREENSHOTS

ENGINES: dict[str, Callable[..., Any]] = {"webkit": open_webkit, "firefox": open_firefox}
KEPT = "caches.open('lineconnect-card').then(async (kept) => (await kept.keys()).length)"
WORKERS = "navigator.serviceWorker.getRegistrations().then((found) => found.length)"
#: What becomes of a worker.
BEGUN_WORKER = """navigator.serviceWorker.register(
  document.getElementById('offline').dataset.worker, { scope: location.pathname },
).then(({ installing }) => new Promise((tell) => {
  installing.onstatechange = () => tell(installing.state);
}))"""
#: Lines of equal length, where the engine would break them within Japanese words.
BALANCED = """[...document.querySelectorAll('body *')].map((one) => getComputedStyle(one)).filter(
  (style) => style.textWrapStyle === 'balance' && style.wordBreak !== 'keep-all').length"""
#: A finger on the card.
TOUCH = """Object.assign(new Event('{type}'), {{
  touches: [{{ clientY: {y} }}], changedTouches: [{{ clientY: {y} }}] }})"""

#: As ``tests/npm/package.json`` pins it.
LINES_OWN = json.loads((FOLDER / "package.json").read_text())["dependencies"]["@line/liff"]

OpenPhone = Callable[..., Phone]


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PlainStreet]:
    """Open the demo shop and LINE over plain HTTP."""
    with open_plain_street(tmp_path_factory.mktemp("street")) as found:
        yield found


@pytest.fixture
def open_phone(tmp_path: Path) -> Iterator[OpenPhone]:
    """Return a function that opens a browser by the name of its engine."""
    with ExitStack() as opened:
        yield lambda engine, **options: opened.enter_context(ENGINES[engine](tmp_path, **options))


def log_in_at_line(phone: Phone, user_id: str) -> None:
    """Go through LINE's screens, up to becoming a friend."""
    phone.press(f"button[name=user_id][value={user_id}]")
    phone.press("button[name=decision][value=allow]")
    phone.press("form[action$=add_friend] button[value=allow]")


@pytest.mark.parametrize("engine", ENGINES)
def test_a_visitor_becomes_a_member_whose_card_lives(
    street: PlainStreet, open_phone: OpenPhone, engine: str
) -> None:
    name = f"{engine}の人"
    user_id = street.line.add_user(name, email=f"{engine}@mail.example")
    phone = open_phone(engine)
    phone.open(f"{street.shop}/store")
    phone.see("a.lc-store-qr")
    assert phone.look(BALANCED) == 0
    phone.press("a.lc-store-qr")
    log_in_at_line(phone, user_id)
    phone.see("[name=accepts_terms]")
    assert phone.look(BALANCED) == 0
    phone.press("[name=accepts_terms]")
    phone.press("main form:not([data-former]) button[type=submit]")
    phone.see(".lc-holder", name)
    read = read_codes(phone.picture(SCREENSHOTS / f"engines-{engine}-card.png"))
    assert set(read) == {"EAN-13", "QR Code"}
    # News come by themselves, into the page that is open.
    phone.wait_for(
        "performance.getEntriesByType('resource').some(one => /changes/.test(one.name)) || true"
    )
    phone.look("window.isSamePage = true")
    buy(street, _member(street, user_id), 3_200)
    phone.see(".lc-balance strong", "32")
    assert phone.look("window.isSamePage")
    _let_go_of_a_pull(phone)


def _let_go_of_a_pull(phone: Phone) -> None:
    """Pull the card until the system takes the finger."""
    pulled = "document.querySelector('main').style.getPropertyValue('--lc-pulled')"
    for kind, y, there in (("start", 10, ""), ("move", 60, "25px"), ("cancel", 60, "0px")):
        touch = TOUCH.format(type=f"touch{kind}", y=y)
        phone.look(f"dispatchEvent({touch})")
        if there:
            phone.wait_for(f"{pulled} === '{there}'")


@pytest.mark.parametrize("engine", ENGINES)
def test_lines_own_program_leads_to_the_card_which_webkit_keeps(
    street: PlainStreet, open_phone: OpenPhone, engine: str
) -> None:
    member = add_member(street, f"{engine}で地下の人")
    phone = open_phone(engine)
    phone.open(f"{street.shop}{CARD}")
    log_in_at_line(phone, member.line_user_id)
    phone.see(".lc-holder", member.name)
    if street.has_own_sdk:
        assert phone.look("liff.getVersion()") == LINES_OWN
    if engine == "webkit":
        phone.wait_for_value(KEPT, 1)
        _go_without_network(phone, street, member)
    else:
        # Its workers can't read the mark that ends with the login.
        phone.wait_for(
            "performance.getEntriesByType('resource').some(({name}) => /worker/.test(name)) || true"
        )
        phone.wait_for_value(WORKERS, 0)
        assert phone.look(KEPT) == 0


def _go_without_network(phone: Phone, street: PlainStreet, member: Member) -> None:
    street.door.shut()
    phone.open(f"{street.shop}{CARD}")
    phone.see("#offline", "オフラインです")
    phone.see(".lc-holder", member.name)
    read = read_codes(phone.picture(SCREENSHOTS / "engines-webkit-offline.png"))
    assert read["EAN-13"] == member.card_number
    street.door.open()
    phone.look("dispatchEvent(new Event('online'))")
    phone.wait_for("document.getElementById('offline').hidden")


def test_line_on_an_iphone_hands_the_card_over(street: PlainStreet, open_phone: OpenPhone) -> None:
    member = add_member(street, "iPhoneの人")
    phone = open_phone("webkit", user_agent=LINE_APP)
    phone.open(phone_link(street, member.line_user_id))
    phone.see(".lc-holder", member.name)
    assert phone.look("liff.isInClient()")


def _member(street: PlainStreet, user_id: str) -> Member:
    """Return who has registered with a LINE account."""
    with street.app.app_context():
        state = street.app.extensions["lineconnect"]
        account = accounts.ensure_account(state.session, user_id, now=state.clock())
        user = db.session.get_one(User, account.member_id)
        return Member(user.id, user.name, user.email, user.card_number, user_id)
