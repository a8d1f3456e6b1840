"""People, for the tests of all rooms: members and their links, who go to LINE and press buttons."""

from __future__ import annotations

import re

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from flask_lineconnect.linking import accounts
from flask_lineconnect.models import Account
from flask_lineconnect.state import LineState
from flask_lineconnect.testing.plugin import LineBrowser
from tests.small_shop import User
from tests.small_shop import db

BASE_URL = "http://127.0.0.1:5999"
IN_APP = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 "
    "(KHTML, like Gecko) Mobile/15E148 Safari Line/14.9.0"
)


def token_in(page: TestResponse) -> str:
    """Return the CSRF token of a page's form."""
    token = re.search(r'name="csrf_token" value="([^"]+)"', page.text)
    assert token, page.text
    return token[1]


def press(client: FlaskClient, path: str, **form: str) -> TestResponse:
    """Open a page and send its form."""
    return client.post(path, data={"csrf_token": token_in(client.get(path)), **form})


def log_in(client: FlaskClient, browser: LineBrowser, path: str = "/line/login") -> TestResponse:
    """Go to LINE from a path of the shop, and come back."""
    return client.get(browser.log_in(client.get(path).location))


def sign_up(client: FlaskClient, browser: LineBrowser, **form: str) -> TestResponse:
    """Register with LINE."""
    log_in(client, browser)
    return press(client, "/line/sign-up", **{"display_name": "佐藤 さくら", **form})


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
