"""The small shop joined to the emulator, with as many linked members as a test needs."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC
from datetime import datetime
from datetime import timedelta

import pytest
from flask import Flask

from flask_lineconnect.linking.accounts import ensure_account
from flask_lineconnect.linking.accounts import link
from flask_lineconnect.models import Account
from flask_lineconnect.state import LineState
from flask_lineconnect.testing.plugin import Emulator
from tests.conftest import MakeApp
from tests.small_shop import User
from tests.small_shop import db

BASE_URL = "http://127.0.0.1:5999"

#: Links so many new members, whose LINE users are friends.
Join = Callable[[int], list[User]]


class StoppedClock:
    """The app's clock, which a test moves."""

    def __init__(self, now: datetime):
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **by: float) -> None:
        """Move it."""
        self.now += timedelta(**by)


@pytest.fixture
def settings() -> dict[str, object]:
    """Return more settings of the shop; a module overrides it by parametrization."""
    return {}


@pytest.fixture
def app(make_app: MakeApp, line_emulator: Emulator, settings: dict[str, object]) -> Flask:
    """Return the small shop, joined to the emulator."""
    return make_app(**line_emulator.settings(BASE_URL), **settings)


@pytest.fixture
def clock(line: LineState) -> StoppedClock:
    """Stop the app's clock at noon of Japan."""
    line.clock = clock = StoppedClock(datetime(2026, 11, 27, 3, 0, tzinfo=UTC))
    return clock


@pytest.fixture
def join(line: LineState, line_emulator: Emulator) -> Join:
    """Return a function that links new members."""
    made: list[str] = []

    def join(count: int) -> list[User]:
        first = len(made)
        ids = [f"U{number:032x}" for number in range(first + 1, first + count + 1)]
        made.extend(ids)
        line_emulator.set_up(
            users=[{"user_id": one, "display_name": one[-4:], "relation": "friend"} for one in made]
        )
        members = [User(name=one) for one in ids]
        db.session.add_all(members)
        db.session.flush()
        for member in members:
            account = ensure_account(line.session, member.name, now=line.clock())
            link(line, account, member.id, source=None, now=line.clock())
        line.session.commit()
        return members

    return join


def account_of(line: LineState, member: User) -> Account:
    """Return a member's LINE account."""
    return line.session.query(Account).filter_by(member_id=member.id).one()


def texts(emulator: Emulator, member: User) -> list[str]:
    """Return what a member's chat has from the shop; the member's name is the LINE user id."""
    return [message["text"] for message in emulator.received(member.name)]


def sends(emulator: Emulator) -> list[str]:
    """Return the paths of the requests that sent something, oldest first."""
    return [
        call["path"].rpartition("/")[2]
        for call in emulator.calls()
        if call["path"].endswith(("/push", "/multicast"))
    ]
