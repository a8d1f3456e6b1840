"""A small shop with staff."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from collections.abc import Sequence
from datetime import UTC
from datetime import datetime
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Select
from sqlalchemy import select

from flask_lineconnect import Inquiry
from flask_lineconnect import InquiryDesk
from flask_lineconnect import StaffRole
from flask_lineconnect.state import LineState
from tests import small_shop
from tests.conftest import MakeApp
from tests.people import add_member
from tests.people import open_as
from tests.people import token_in
from tests.small_shop import SmallShop
from tests.small_shop import User

ROLES: dict[str, StaffRole] = {"店主": "owner", "担当": "editor", "閲覧": "viewer"}
CONSOLE = "/line-admin"
#: A browser of somebody by their role, of a customer, or of nobody.
Open = Callable[[str | None], FlaskClient]


class Questions(InquiryDesk[User]):
    """Questions in memory."""

    def __init__(self) -> None:
        self.open: dict[str, Inquiry[User]] = {}

    def ask(self, member: User | None, text: str, key: str = "q1") -> None:
        """Let somebody ask something."""
        name = "だれか" if member is None else member.name
        at = datetime(2026, 11, 1, tzinfo=UTC)
        self.open[key] = Inquiry(key, name, text, at, member)

    def waiting(self, *, limit: int) -> Sequence[Inquiry[User]]:
        """Return them in the order in which they came."""
        return list(self.open.values())[:limit]

    def find(self, key: str) -> Inquiry[User] | None:
        """Return one of them."""
        return self.open.get(key)

    def done(self, key: str) -> bool:
        """Forget one of them."""
        return self.open.pop(key, None) is not None


class StaffedShop(SmallShop):
    """The small shop's adapter, with staff, questions and a search."""

    def __init__(self) -> None:
        self.inquiries = Questions()

    def staff_role(self, user: Any) -> StaffRole | None:
        """Return the role of whoever is called after one."""
        return ROLES.get(user.name)

    def find_members(self, text: str) -> Select[Any]:
        """Find by a part of the name."""
        return select(User.id).where(User.name.contains(text, autoescape=True))


def read_csv(client: FlaskClient, address: str) -> list[list[str]]:
    """Ask for a file of the console's; return its rows."""
    token = token_in(client.get(f"{CONSOLE}/more"))
    answer = client.post(address, data={"csrf_token": token}, buffered=True)
    assert answer.status_code == 200
    assert answer.data.startswith(b"\xef\xbb\xbf")
    return list(csv.reader(io.StringIO(answer.data.decode("utf-8-sig"))))


@pytest.fixture
def staffed(monkeypatch: pytest.MonkeyPatch) -> StaffedShop:
    """Let the next small shop have staff."""
    shop = StaffedShop()
    monkeypatch.setattr(small_shop.line, "shop", shop)
    return shop


@pytest.fixture
def app(staffed: StaffedShop, make_app: MakeApp) -> Flask:
    """Return the small shop with its console."""
    return make_app()


@pytest.fixture
def open_console(app: Flask, line: LineState) -> Open:
    """Return a function that gives somebody's browser: a role, ``customer``, or ``None``."""
    known: dict[str, User] = {role: add_member(line, name) for name, role in ROLES.items()}
    known["customer"] = add_member(line, "客")

    def open_(who: str | None) -> FlaskClient:
        client = app.test_client()
        return client if who is None else open_as(client, known[who])

    return open_


@pytest.fixture
def owner(open_console: Open) -> FlaskClient:
    """Return the owner's browser."""
    return open_console("owner")
