"""The demo's two years of history: always the same, and nothing in it contradicts itself."""

from __future__ import annotations

from datetime import UTC
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
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
