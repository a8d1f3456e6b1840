"""One browser, two people: whoever logs in last is who it is, and LINE asks before it replaces."""

from __future__ import annotations

from itertools import product

import pytest
from flask.testing import FlaskClient

from flask_lineconnect.linking import accounts
from flask_lineconnect.state import LineState
from flask_lineconnect.testing.plugin import Emulator
from flask_lineconnect.testing.plugin import LineBrowser
from tests.conftest import DATABASES
from tests.conftest import MakeApp
from tests.people import BASE_URL
from tests.people import IN_APP
from tests.people import log_in
from tests.people import press
from tests.small_shop import User
from tests.small_shop import db
from tests.small_shop import line as extension

from .doors import DOORS
from .doors import Door
from .doors import exchange
from .doors import id_token
from .doors import who_is

pytestmark = [
    pytest.mark.joined,
    pytest.mark.parametrize("database", DATABASES, indirect=True),
]
WAYS = ("web", "liff", "password", "remember")
PRESSED = {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-User": "?1"}


class Person:
    """A linked member, and the ways in which they log in."""

    def __init__(self, name: str, line: LineState, emulator: Emulator):
        self.name, self._emulator = name, emulator
        self.browser = emulator.browser(emulator.add_user(name))
        self.member_id = _linked_member(line, name, self.browser)

    def log_in(self, way: str, client: FlaskClient) -> None:
        """Log in, and go on where LINE asks whether to replace who is there."""
        if way in {"password", "remember"}:
            client.post(f"/password-login/{self.member_id}?{way}=1")
        if way == "remember":
            client.delete_cookie("session", domain="localhost")
        if way == "web" and log_in(client, self.browser).location == "/line/switch":
            press(client, "/line/switch")
        if way == "liff":
            answer = exchange(client, id_token(self.browser, self._emulator)).json or {}
            if answer["location"].startswith("/line/liff/switch"):
                press(client, "/line/liff/switch")

    def unlink(self) -> None:
        """End the link, from elsewhere."""
        extension.unlink(db.session.get_one(User, self.member_id))
        db.session.commit()


def _linked_member(line: LineState, name: str, browser: LineBrowser) -> int:
    member = User(name=name, email=f"{name}@mail.example")
    line.session.add(member)
    line.session.flush()
    account = accounts.ensure_account(line.session, browser.user_id, now=line.clock())
    accounts.link(line, account, member.id, source=None, now=line.clock())
    member_id = member.id
    line.session.commit()
    return member_id


@pytest.fixture
def two(line: LineState, line_emulator: Emulator) -> tuple[Person, Person]:
    """Return two people, both linked."""
    return Person("一郎", line, line_emulator), Person("二郎", line, line_emulator)


@pytest.mark.parametrize(("first", "then"), list(product(WAYS, WAYS)))
def test_whoever_logs_in_last_is_who_the_browser_is(
    client: FlaskClient, two: tuple[Person, Person], first: str, then: str
) -> None:
    one, other = two
    one.log_in(first, client)
    assert who_is(client) == "一郎"
    other.log_in(then, client)
    assert who_is(client) == "二郎"
    assert "二郎" in client.get("/line/liff").text

    one.unlink()

    assert who_is(client) == "二郎"
    other.unlink()
    by_line = then in {"web", "liff"}
    assert who_is(client) == (None if by_line else "二郎")


@pytest.mark.parametrize("door", DOORS.values(), ids=DOORS)
def test_line_asks_before_it_replaces_a_member(
    client: FlaskClient, two: tuple[Person, Person], line_emulator: Emulator, door: Door
) -> None:
    one, other = two
    one.log_in("password", client)

    door(client, other.browser, line_emulator)

    assert who_is(client) == "一郎"
    page = client.get("/line/switch").text
    assert "二郎" in page
    assert "一郎" in page
    # Nothing but the press replaces anybody.
    client.get("/line/sign-up")
    assert who_is(client) == "一郎"
    press(client, "/line/switch")
    assert who_is(client) == "二郎"


@pytest.mark.parametrize("door", DOORS.values(), ids=DOORS)
def test_what_waits_to_replace_a_member_dies_with_their_login(
    client: FlaskClient, two: tuple[Person, Person], line_emulator: Emulator, door: Door
) -> None:
    one, other = two
    one.log_in("password", client)
    door(client, other.browser, line_emulator)
    client.post("/logout")
    assert client.get("/line/switch").status_code == 400


def test_a_press_for_line_replaces_without_another_question(
    client: FlaskClient, two: tuple[Person, Person]
) -> None:
    one, other = two
    one.log_in("password", client)
    to_line = client.get("/line/login", headers=PRESSED).location
    assert client.get(other.browser.log_in(to_line)).location == "/"
    assert who_is(client) == "二郎"


def test_a_press_replaces_only_who_pressed(
    client: FlaskClient, two: tuple[Person, Person], line: LineState, line_emulator: Emulator
) -> None:
    one, other = two
    third = Person("三郎", line, line_emulator)
    one.log_in("password", client)
    to_line = client.get("/line/login", headers=PRESSED).location
    third.log_in("password", client)

    client.get(other.browser.log_in(to_line))

    assert who_is(client) == "三郎"


def test_an_auto_login_gives_way_to_who_logged_in_meanwhile(
    client: FlaskClient, two: tuple[Person, Person]
) -> None:
    one, other = two
    to_line = client.get("/private", headers={"User-Agent": IN_APP}).location
    one.log_in("password", client)
    assert client.get(other.browser.log_in(to_line)).location == "/private"
    assert who_is(client) == "一郎"


@pytest.mark.parametrize("is_changed", [True, False])
@pytest.mark.parametrize("then", WAYS)
def test_a_slow_answer_brings_nobody_back(
    make_app: MakeApp, line_emulator: Emulator, then: str, is_changed: bool
) -> None:
    line_emulator.set_up(base_url=BASE_URL)
    app = make_app(**line_emulator.settings(BASE_URL), LINECONNECT_REMEMBER=True)
    client = app.test_client()
    with app.app_context():
        line = app.extensions["lineconnect"]
        one, other = Person("一郎", line, line_emulator), Person("二郎", line, line_emulator)
        one.log_in("web", client)
        slow = app.test_client()
        for name in ("session", "session_login"):
            cookie = client.get_cookie(name, domain="localhost")
            assert cookie
            slow.set_cookie(name, cookie.value, domain="localhost")
        answer = slow.get("/token" if is_changed else "/name")
        other.log_in(then, client)
        assert who_is(client) == "二郎"

        late = [one for one in answer.headers.getlist("Set-Cookie") if one.startswith("session=")]
        for cookie_header in late:
            client.set_cookie("session", cookie_header.split("=", 1)[1].split(";")[0])

        assert bool(late) is is_changed
        # With an unchanged session the answer carries none, and the last one stays.
        assert who_is(client) in ({None, "二郎"} if is_changed else {"二郎"})
