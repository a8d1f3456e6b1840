"""Linking inside the chat, from the message to LINE's signed event, over real HTTP."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from flask_lineconnect import AccountLinkEvent
from flask_lineconnect import Event
from flask_lineconnect import LineBlueprint
from flask_lineconnect import Reply
from flask_lineconnect.linking import chat_link
from flask_lineconnect.models import Account
from flask_lineconnect.models import ChatLink
from flask_lineconnect.state import LineState
from flask_lineconnect.testing.plugin import Emulator
from flask_lineconnect.webhooks.dispatch import dispatch_due
from tests.conftest import DATABASES
from tests.conftest import MakeApp
from tests.emulator.conftest import wait_until
from tests.emulator.serving import serving
from tests.small_shop import User
from tests.small_shop import db
from tests.small_shop import line as extension

pytestmark = pytest.mark.parametrize("database", DATABASES, indirect=True)


@pytest.fixture
def hooks(request: pytest.FixtureRequest) -> list[LineBlueprint]:
    """Return the shop's own hooks: none, unless a test asks for some."""
    found: list[LineBlueprint] = getattr(request, "param", [])
    return found


@pytest.fixture
def app(make_app: MakeApp, line_emulator: Emulator, hooks: list[LineBlueprint]) -> Iterator[Flask]:
    """Serve the small shop, which links inside the chat."""
    made = make_app(
        **line_emulator.settings("http://127.0.0.1:5999"),
        LINECONNECT_CHAT_LINKING="account-link",
        LINECONNECT_ENGINE="worker",
    )
    for blueprint in hooks:
        made.register_blueprint(blueprint)
    with serving(made) as url:
        line_emulator.set_up(base_url=url)
        yield made


@pytest.fixture
def sakura(app: Flask, line_emulator: Emulator) -> str:
    """Return a friend of the account, of whom the shop has heard."""
    user_id = line_emulator.add_user("佐藤 さくら")
    line_emulator.add_friend(user_id)
    wait_until(lambda: len(line_emulator.webhooks()) == 1)
    return user_id


@pytest.fixture
def hanako(line: LineState) -> User:
    """Return a member who never met LINE."""
    member = User(name="山田 花子", email="hanako@mail.example")
    db.session.add(member)
    db.session.commit()
    return member


def work(line: LineState, emulator: Emulator, webhooks: int) -> None:
    """Let the shop work on everything, once so many webhooks have arrived."""
    wait_until(lambda: len(emulator.webhooks()) >= webhooks)
    dispatch_due(line)


def invitation(line: LineState, emulator: Emulator, user_id: str) -> str:
    """Ask for something that needs a member; return path and query of the invitation."""
    before = len(emulator.webhooks())
    emulator.write(user_id, "残高")
    work(line, emulator, before + 1)
    message = emulator.received(user_id)[-1]
    address = message["template"]["actions"][0]["uri"]
    assert "/line/chat-link?linkToken=" in address
    return str(address).partition("5999")[2]


def press(client: FlaskClient, path: str) -> Any:
    """Open the page and press its button."""
    page = client.get(path)
    token = re.search(r'name="csrf_token" value="([^"]+)"', page.text)
    assert token, page.text
    return client.post(path, data={"csrf_token": token[1]})


def at_line(emulator: Emulator, user_id: str, address: str) -> int:
    """Follow to LINE's dialog on somebody's phone; return the page's status."""
    browser = emulator.browser(user_id)
    browser.open_in_app("http://127.0.0.1:5999/")
    return browser.http.get(address, timeout=60).status_code


def linked(line: LineState) -> list[int]:
    line.session.rollback()
    found = line.session.scalars(select(Account.member_id).where(Account.member_id.is_not(None)))
    return list(found)


def test_K1_from_a_message_to_a_link(
    client: FlaskClient, line: LineState, line_emulator: Emulator, sakura: str, hanako: User
) -> None:
    path = invitation(line, line_emulator, sakura)
    before = len(line_emulator.webhooks())
    assert client.get(path).status_code == 302
    client.post(f"/password-login/{hanako.id}")
    page = client.get(path).text
    assert "佐藤 さくら" in page
    assert "山田 花子" in page

    answer = press(client, path)
    assert linked(line) == []
    assert at_line(line_emulator, sakura, answer.location) == 200
    work(line, line_emulator, before + 1)

    assert linked(line) == [hanako.id]
    assert line.session.scalars(select(ChatLink)).all() == []
    assert line.session.scalars(select(Account.link_source)).all() == ["chat"]
    line_emulator.wait_for_message(sakura, "連携が完了しました")


def _own_words() -> LineBlueprint:
    own = LineBlueprint("own", __name__)

    @own.on_account_link
    def thank(event: AccountLinkEvent) -> Reply:
        return "おつなぎしました"

    return own


def _fallback() -> LineBlueprint:
    other = LineBlueprint("other", __name__)

    @other.on_fallback
    def shrug(event: Event) -> Reply:
        return "わかりません"

    return other


@pytest.mark.parametrize(
    ("hooks", "said"),
    [([_fallback()], "連携が完了しました。"), ([_fallback(), _own_words()], "おつなぎしました")],
    indirect=["hooks"],
)
def test_the_end_of_linking_is_answered_once(
    client: FlaskClient,
    line: LineState,
    line_emulator: Emulator,
    sakura: str,
    hanako: User,
    said: str,
) -> None:
    path = invitation(line, line_emulator, sakura)
    before, seen = len(line_emulator.webhooks()), len(line_emulator.received(sakura))
    client.post(f"/password-login/{hanako.id}")
    assert at_line(line_emulator, sakura, press(client, path).location) == 200
    work(line, line_emulator, before + 1)
    answers = [message["text"] for message in line_emulator.received(sakura)[seen:]]
    # Then the question that they had asked before.
    assert answers[0] == said
    assert "わかりません" not in answers
    assert len(answers) == 2


def test_S3_5_K2_a_forwarded_link_links_nobody(
    client: FlaskClient, line: LineState, line_emulator: Emulator, sakura: str, hanako: User
) -> None:
    """An attacker's invitation, pressed by a victim: the browser is another LINE user's."""
    path = invitation(line, line_emulator, sakura)
    before = len(line_emulator.webhooks())
    client.post(f"/password-login/{hanako.id}")
    answer = press(client, path)
    victim = line_emulator.add_user("はなこ")

    at_line(line_emulator, victim, answer.location)
    work(line, line_emulator, before + 1)

    assert linked(line) == []


def test_S3_5_a_nonce_for_another_account_links_nobody(
    client: FlaskClient, line: LineState, line_emulator: Emulator, sakura: str, hanako: User
) -> None:
    path = invitation(line, line_emulator, sakura)
    client.post(f"/password-login/{hanako.id}")
    nonce = press(client, path).location.partition("nonce=")[2]
    another, before = line_emulator.add_user("他の人"), len(line_emulator.webhooks())

    link = {"result": "ok", "nonce": nonce}
    line_emulator.send_events({"type": "accountLink", "user_id": another, "link": link})
    work(line, line_emulator, before + 1)

    assert linked(line) == []
    # And it is used now.
    line_emulator.send_events({"type": "accountLink", "user_id": sakura, "link": link})
    work(line, line_emulator, before + 2)
    assert linked(line) == []


def test_K3_the_shop_refuses_used_old_and_foreign_tokens(
    client: FlaskClient, line: LineState, line_emulator: Emulator, sakura: str, hanako: User
) -> None:
    client.post(f"/password-login/{hanako.id}")
    used, old = invitation(line, line_emulator, sakura), invitation(line, line_emulator, sakura)
    press(client, used)
    assert client.get(used).status_code == 400
    assert client.get("/line/chat-link?linkToken=of-nobody").status_code == 400
    assert client.get("/line/chat-link").status_code == 400
    now = line.clock()
    line.clock = lambda: now + chat_link.LIFETIME

    assert client.get(old).status_code == 400


def test_K5_a_nonce_is_good_for_ten_minutes(
    client: FlaskClient, line: LineState, line_emulator: Emulator, sakura: str, hanako: User
) -> None:
    path = invitation(line, line_emulator, sakura)
    client.post(f"/password-login/{hanako.id}")
    answer, before = press(client, path), len(line_emulator.webhooks())
    at_line(line_emulator, sakura, answer.location)
    now = line.clock()
    line.clock = lambda: now + chat_link.LIFETIME + timedelta(seconds=1)

    work(line, line_emulator, before + 1)

    assert linked(line) == []


@pytest.mark.parametrize("what", ["logout", "credentials", "erase", "lock"])
def test_S3_5_waiting_links_end_with_what_proved_them(
    client: FlaskClient,
    line: LineState,
    line_emulator: Emulator,
    sakura: str,
    hanako: User,
    what: str,
) -> None:
    path = invitation(line, line_emulator, sakura)
    client.post(f"/password-login/{hanako.id}")
    answer, before = press(client, path), len(line_emulator.webhooks())
    if what == "logout":
        client.post("/logout")
    elif what == "credentials":
        extension.credentials_changed(hanako)
    elif what == "erase":
        db.session.delete(hanako)
    else:
        hanako.is_locked = True
    db.session.commit()

    at_line(line_emulator, sakura, answer.location)
    work(line, line_emulator, before + 1)

    assert linked(line) == []


def test_S3_4_who_is_linked_already_is_told(
    client: FlaskClient, line: LineState, line_emulator: Emulator, sakura: str, hanako: User
) -> None:
    first, second = (invitation(line, line_emulator, sakura) for _ in range(2))
    client.post(f"/password-login/{hanako.id}")
    before = len(line_emulator.webhooks())
    at_line(line_emulator, sakura, press(client, first).location)
    work(line, line_emulator, before + 1)

    assert "別の会員と連携されています" in client.get(second).text


def test_S3_4_two_presses_at_once_make_one_link(
    app: Flask,
    client: FlaskClient,
    line: LineState,
    line_emulator: Emulator,
    sakura: str,
    hanako: User,
) -> None:
    path = invitation(line, line_emulator, sakura)
    clients = [app.test_client() for _ in range(4)]
    tokens = []
    for one in clients:
        one.post(f"/password-login/{hanako.id}")
        found = re.search(r'name="csrf_token" value="([^"]+)"', one.get(path).text)
        assert found
        tokens.append(found[1])
    gate, answers = threading.Barrier(4), []

    def run(one: FlaskClient, token: str) -> None:
        gate.wait()
        answers.append(one.post(path, data={"csrf_token": token}).status_code)

    threads = [
        threading.Thread(target=run, args=pair) for pair in zip(clients, tokens, strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(answers) == [302, 400, 400, 400]
