"""Friendship: asked for politely and once, and kept true in whatever order LINE tells of it."""

from __future__ import annotations

import itertools
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from flask_lineconnect.linking import accounts
from flask_lineconnect.models import Account
from flask_lineconnect.state import LineState
from flask_lineconnect.testing.plugin import Emulator
from flask_lineconnect.testing.plugin import LineBrowser
from tests.conftest import DATABASES
from tests.conftest import MakeApp
from tests.people import BASE_URL
from tests.people import IN_APP
from tests.people import log_in
from tests.people import sign_up

pytestmark = pytest.mark.joined


@pytest.fixture
def blocker(
    app: Flask, client: FlaskClient, sakura: LineBrowser, line_emulator: Emulator
) -> LineBrowser:
    """Return the browser of a member who blocked the official account and is logged out."""
    sign_up(client, sakura)
    client.post("/logout")
    line_emulator.block(sakura.user_id)
    return sakura


def test_whoever_is_no_friend_is_asked_once(
    client: FlaskClient, line: LineState, blocker: LineBrowser
) -> None:
    asked = log_in(client, blocker, "/line/login?next=/private")
    assert asked.location == "/line/friend?next=/private"
    page = client.get(asked.location).text
    assert "一度だけ" in page
    assert 'href="/private"' in page
    client.post("/logout")

    assert log_in(client, blocker, "/line/login?next=/private").location == "/private"


def test_the_offer_comes_from_line_itself_and_leads_back(
    client: FlaskClient, line: LineState, blocker: LineBrowser, line_emulator: Emulator
) -> None:
    log_in(client, blocker, "/line/login?next=/private")
    to_line = client.get("/line/login?befriend=1&next=/private").location
    assert "prompt=consent" in to_line
    assert "bot_prompt=aggressive" in to_line

    assert client.get(blocker.log_in(to_line)).location == "/private"

    assert line.session.scalars(select(Account.is_friend)).one() is True
    assert client.get("/line/friend?next=/private").location == "/private"


def test_a_friend_is_not_asked(client: FlaskClient, sakura: LineBrowser, app: Flask) -> None:
    sign_up(client, sakura)
    assert log_in(app.test_client(), sakura, "/line/login?next=/private").location == "/private"


def test_an_auto_login_is_not_interrupted(app: Flask, blocker: LineBrowser) -> None:
    phone = app.test_client()
    begun = phone.get("/private", headers={"User-Agent": IN_APP})
    assert phone.get(blocker.log_in(begun.location)).location == "/private"


def test_the_question_can_be_switched_off(
    make_app: MakeApp, line_emulator: Emulator, sakura: LineBrowser
) -> None:
    line_emulator.set_up(base_url=BASE_URL)
    app = make_app(**line_emulator.settings(BASE_URL), LINECONNECT_ASK_FOR_FRIENDSHIP=False)
    client = app.test_client()
    sign_up(client, sakura)
    line_emulator.block(sakura.user_id)
    assert log_in(client, sakura, "/line/login?next=/private").location == "/private"


@pytest.mark.parametrize("database", DATABASES, indirect=True)
def test_the_newest_evidence_wins_in_every_order_of_arrival(line: LineState) -> None:
    now = line.clock()
    # Login, unfollow, a status that LINE did not tell, follow: seconds ago, and what they said.
    evidence = [(40, True), (30, False), (20, None), (10, True), (5, False)]
    for number, order in enumerate(itertools.permutations(evidence)):
        account = accounts.ensure_account(line.session, f"U{number:032x}", now=now)
        for seconds, is_friend in order:
            at = now - timedelta(seconds=seconds)
            accounts.note_friendship(line.session, account, is_friend, at=at)
        assert account.is_friend is False, order
        assert account.friend_evidence_at == now - timedelta(seconds=5)


@pytest.mark.parametrize("database", DATABASES, indirect=True)
def test_S9_1_an_older_evidence_loses_also_when_it_was_read_before(line: LineState) -> None:
    now = line.clock()
    account = accounts.ensure_account(line.session, "U" + "a" * 32, now=now)
    assert account.friend_evidence_at is None
    line.session.commit()
    with line.app.app_context():
        other = accounts.ensure_account(line.session, "U" + "a" * 32, now=now)
        accounts.note_friendship(line.session, other, False, at=now)
        line.session.commit()

    earlier = now - timedelta(seconds=1)
    assert not accounts.note_friendship(line.session, account, True, at=earlier)
    assert account.is_friend is False
