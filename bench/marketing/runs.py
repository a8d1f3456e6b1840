"""Fills the demo shop with linked members and runs of a scenario; for the benches beside it."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Mapping
from datetime import datetime
from datetime import timedelta
from typing import Any

from common import SETTINGS
from flask import Flask
from sqlalchemy import Connection
from sqlalchemy import Table
from sqlalchemy import insert
from sqlalchemy import text

from demo_shop import create_app
from demo_shop.extensions import db
from demo_shop.line.extension import line as extension
from demo_shop.models import User
from flask_lineconnect.marketing.scenarios.declared import Scenarios
from flask_lineconnect.marketing.scenarios.reading import read_scenario
from flask_lineconnect.models import Account
from flask_lineconnect.models import PublishedScenario
from flask_lineconnect.models import ScenarioRun
from flask_lineconnect.models import ScenarioVersion
from flask_lineconnect.state import LineState

#: A message with the member's name and a fact in it, and another one a day later.
CART: Mapping[str, Any] = {
    "label": "お買い忘れ",
    "starts_on": "line.linked",
    "key": "subject",
    "again": "when ended",
    "goal": "line.unfollowed",
    "category": "order",
    "steps": [
        {
            "name": "remind",
            "wait": "PT1H",
            "only": {"not": {"event": "line.followed"}},
            "message": "{% if name %}{{ name }}様、{% endif %}{{ source|default('カート') }}に"
            "お忘れものはありませんか？",
        },
        {"name": "again", "wait": "P1D at 12:00", "message": "もう一度お知らせします。"},
    ],
}
NAME = "bench_cart"
AT_ONCE = 10_000


def make_shop(folder: str, database: str | None, **settings: Any) -> Flask:
    """Return the demo shop on an empty database."""
    uri = database or f"sqlite:///{folder}/shop.db"
    words = {**SETTINGS, "SQLALCHEMY_DATABASE_URI": uri, "PICTURES_FOLDER": folder, **settings}
    app = create_app(words)
    with app.app_context():
        db.metadata.create_all(db.engine)
    return app


def publish(line: LineState, definition: Mapping[str, Any] = CART) -> None:
    """Let the scenario run; a second call changes nothing."""
    line.part(Scenarios).add(read_scenario(NAME, definition))
    extension.scenarios.publish(NAME)
    db.session.commit()


def add_members(count: int, now: datetime) -> None:
    """Add members, all of them linked."""
    with db.engine.connect() as connection:
        _write(connection, User, count, lambda number: _user(number, now))
        _write(connection, Account, count, lambda number: _account(number, now))
        _settle(connection)


def add_runs(count: int, members: int, due: Callable[[int], datetime], prefix: str) -> None:
    """Add runs at the scenario's first step, which is due an hour after they began.

    :param prefix: of their keys.
    """
    scenario = db.session.query(PublishedScenario).filter_by(name=NAME).one()
    version = db.session.query(ScenarioVersion).filter_by(scenario_id=scenario.id).one()
    ids = {"scenario_id": scenario.id, "version_id": version.id}
    db.session.commit()

    def row(number: int) -> dict[str, Any]:
        due_at = due(number)
        return {
            **ids,
            "member_id": (number - 1) % members + 1,
            "key": f"{prefix}{number}",
            "step": "remind",
            "due_at": due_at,
            "began_at": due_at - timedelta(hours=1),
            "moved_at": due_at - timedelta(hours=1),
            "facts": {"source": "店頭"},
            "attempts": 0,
        }

    with db.engine.connect() as connection:
        _write(connection, ScenarioRun, count, row)
        _settle(connection)


def _settle(connection: Connection) -> None:
    """Let the database know how much there is, as its own upkeep would by and by."""
    connection.execute(text("ANALYZE"))
    connection.commit()


def _write(
    connection: Connection, model: Any, count: int, row: Callable[[int], dict[str, Any]]
) -> None:
    table: Table = model.__table__
    for start in range(1, count + 1, AT_ONCE):
        rows = [row(number) for number in range(start, min(start + AT_ONCE, count + 1))]
        connection.execute(insert(table).inline(), rows)
        connection.commit()


def _user(number: int, now: datetime) -> dict[str, Any]:
    return {
        "id": number,
        "email": f"m{number}@mail.example",
        "name": f"会員 {number}",
        "card_number": f"{number:013d}",
        "address": "京都府京都市",
        "point_balance": 0,
        "rank": "regular",
        "is_staff": False,
        "is_locked": False,
        "created_at": now,
    }


def _account(number: int, now: datetime) -> dict[str, Any]:
    return {
        "id": number,
        "line_user_id": f"U{number:032x}",
        "display_name": "",
        "is_friend": True,
        "member_id": number,
        "linked_at": now,
        "session_generation": 0,
        "card_version": 0,
        "created_at": now,
    }
