"""The demo's two years of history: always the same, and nothing in it contradicts itself."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event
from sqlalchemy import func
from sqlalchemy import select
from sqlalchemy import text

from demo_shop import create_app
from demo_shop import line
from demo_shop.extensions import db
from demo_shop.history import tell_history
from demo_shop.models import Order
from demo_shop.models import PointEntry
from demo_shop.models import User
from demo_shop.seed import STAFF
from demo_shop.seed import fill
from flask_lineconnect.cli.group import line as commands
from flask_lineconnect.models import Account
from flask_lineconnect.models import Attribution
from flask_lineconnect.models import Campaign
from tests.small_shop import SETTINGS

NOW = datetime(2026, 11, 28, 3, 0, tzinfo=UTC)
MEMBERS = 400
CONSOLE = "/line-admin"
#: Statements that a page may make, whatever it lists.
MOST_QUERIES = 12
#: Pages that show many things of one: still always the same number.
OF_MANY_PARTS = {"/people/": 18, "/messages/": 15, "/campaigns/": 21}
#: What stands in addresses, by the beginning of the rule.
IN_ADDRESSES: Mapping[str, Mapping[str, str | int]] = {
    "/people/<key>": {"key": "MEMBER"},
    "/segments/<name>/edit": {"name": "gifts_in_december"},
    "/segments/<name>": {"name": "tea_again"},
    "/scenarios/<name>": {"name": "cart_left"},
    "/campaigns/<name>/": {"name": "year_end_2026"},
    "/messages/<name>/edit": {"name": "new_sweets"},
    "/campaigns/results/<int:number>": {"number": 1},
    "/menus/<name>": {"name": "template"},
    "/store-qr/print": {"label": "shelf-3"},
}
#: The doctor's, who looks everywhere; where menus are made, which the demo has from a template; and
#: the ready-made ledger, which it does not use.
LEFT_OUT = ("/checks", "/menus/new", "/menus/<name>/edit", "/points")
PAGES = ("/", "/inbox", "/people", "/segments", "/campaigns", "/scenarios", "/store-qr", "/audit")


def _told(folder: Path, pictures: Path) -> Flask:
    uri = f"sqlite:///{folder / 'shop.db'}"
    app = create_app(
        {
            **SETTINGS,
            "SQLALCHEMY_DATABASE_URI": uri,
            "PICTURES_FOLDER": str(pictures),
            "WTF_CSRF_ENABLED": False,
            "SHOP_CLOCK": lambda: NOW,
        }
    )
    app.extensions["lineconnect"].clock = lambda: NOW
    with app.app_context():
        db.metadata.create_all(db.engine)
        fill(db.session(), pictures)
        tell_history(db.session(), NOW, line.switch_on, members=MEMBERS)
    return app


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory, pictures: Path) -> Flask:
    """Return a shop with its history."""
    return _told(tmp_path_factory.mktemp("told"), pictures)


def _rows(app: Flask) -> dict[str, list[Any]]:
    names = ("order", "lineconnect_result_count", "lineconnect_attribution", "lineconnect_account")
    with app.app_context():
        return {
            name: list(map(tuple, db.session.execute(text(f'SELECT * FROM "{name}"'))))
            for name in names
        }


def test_it_is_always_the_same(told: Flask, tmp_path: Path, pictures: Path) -> None:
    assert _rows(_told(tmp_path, pictures)) == _rows(told)


def test_its_counts_are_what_the_facts_say(told: Flask) -> None:
    answer = told.test_cli_runner().invoke(commands, ["results", "check"])
    assert (answer.exit_code, answer.output) == (0, "Every count is what the facts say.\n")


def test_points_add_up_to_the_balances(told: Flask) -> None:
    with told.app_context():
        booked = select(func.sum(PointEntry.amount)).where(PointEntry.user_id == User.id)
        total = func.coalesce(booked.scalar_subquery(), 0)
        wrong = db.session.scalars(select(User.id).where(User.point_balance != total)).all()
        assert list(wrong) == []


def test_it_has_all_that_an_owner_looks_at(told: Flask) -> None:
    with told.app_context():
        session = db.session
        counted = {
            kind: number
            for kind, number in session.execute(
                select(Attribution.kind, func.count()).group_by(Attribution.kind)
            )
        }
        assert counted.keys() == {"direct", "indirect", "none"}
        assert session.scalar(select(func.count()).select_from(Account).where(~Account.is_friend))
        held_out = select(func.count()).select_from(Campaign).where(Campaign.held_out > 0)
        assert session.scalar(held_out)
        first = session.scalar(select(func.min(Order.placed_at)))
        assert first is not None
        assert (NOW - first).days > 700


def test_the_consoles_pages_show_it(told: Flask) -> None:
    owner = told.test_client()
    owner.post("/log-in", data={"email": STAFF[0], "password": STAFF[1]})
    for page in PAGES:
        answer = owner.get(CONSOLE + page)
        assert answer.status_code == 200, page
    assert "お歳暮のご案内" in owner.get(f"{CONSOLE}/campaigns").text


def test_no_page_of_the_console_asks_the_database_often(told: Flask) -> None:
    with told.app_context():
        engine = db.engine
    member = _busiest(told)
    asked: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda *said: asked.append(said[2]))
    owner = told.test_client()
    owner.post("/log-in", data={"email": STAFF[0], "password": STAFF[1]})
    often = {}
    for path in _pages(told, member):
        # The first visit may make what is kept.
        assert owner.get(path).status_code == 200, path
        asked.clear()
        owner.get(path)
        page = path.removeprefix(CONSOLE)
        allowed = [most for begin, most in OF_MANY_PARTS.items() if page.startswith(begin)]
        if len(asked) > max(allowed, default=MOST_QUERIES):
            often[path] = asked.copy()
    assert {path: len(some) for path, some in often.items()} == {}


def test_every_address_on_the_consoles_pages_stays_below_the_shops_path(told: Flask) -> None:
    below = "http://localhost/shop"
    member = _busiest(told)
    owner = told.test_client()
    owner.post("/log-in", base_url=below, data={"email": STAFF[0], "password": STAFF[1]})
    seen, outside = 0, {}
    for path in _pages(told, member):
        answer = owner.get(path, base_url=below)
        assert answer.status_code == 200, path
        page = answer.text if answer.mimetype == "text/html" else ""
        addresses = re.findall(r'[\w-]+="(/(?!/)[^"]*)"', page)
        seen += len(addresses)
        # The first page's is that of LINECONNECT_BASE_URL.
        outside[path] = {one for one in addresses if not one.startswith("/shop/")} - {"/"}
    assert {path: found for path, found in outside.items() if found} == {}
    assert seen > 1_000


def _busiest(app: Flask) -> str:
    with app.app_context():
        busiest = select(Order.user_id).group_by(Order.user_id).order_by(func.count().desc())
        return str(db.session.scalar(busiest.limit(1)))


def _pages(app: Flask, member: str) -> list[str]:
    """Return an address of each page of the console, but for those that are left out."""
    adapter = app.url_map.bind("localhost")
    found = []
    for rule in app.url_map.iter_rules():
        path = rule.rule.removeprefix(CONSOLE)
        if not rule.endpoint.startswith("lineconnect_console.") or "GET" not in (
            rule.methods or ()
        ):
            continue
        if path.startswith(LEFT_OUT) or rule.endpoint.endswith(".static"):
            continue
        found_for = [args for begin, args in IN_ADDRESSES.items() if path.startswith(begin)]
        known = found_for[0] if found_for else {}
        values = {key: member if value == "MEMBER" else value for key, value in known.items()}
        missing = rule.arguments - values.keys()
        assert not missing, f"IN_ADDRESSES does not say {missing} of {path}"
        found.append(adapter.build(rule.endpoint, values))
    assert len(found) > len(PAGES)
    return found
