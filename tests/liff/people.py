"""Linked members and their browsers, for the tests of LIFF pages."""

from __future__ import annotations

from flask.testing import FlaskClient

from flask_lineconnect.linking import accounts
from flask_lineconnect.models import Account
from flask_lineconnect.state import LineState
from tests.small_shop import User
from tests.small_shop import db


def add_member(line: LineState, name: str = "山田 花子") -> User:
    """Make a member without a LINE account."""
    member = User(name=name, email=f"{name}@mail.example")
    db.session.add(member)
    db.session.commit()
    return member


def link(line: LineState, member: User, digit: str = "a") -> Account:
    """Link a member to a LINE account."""
    account = accounts.ensure_account(line.session, "U" + digit * 32, now=line.clock())
    accounts.link(line, account, member.id, source=None, now=line.clock())
    db.session.commit()
    return account


def open_as(client: FlaskClient, member: User) -> FlaskClient:
    """Log a member in to the shop."""
    assert client.post(f"/password-login/{member.id}").text == "in"
    return client
