"""Scenarios begin for members with keys of every kind, a portion after the other."""

from __future__ import annotations

import uuid
from datetime import UTC
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from flask_lineconnect import LineBlueprint
from flask_lineconnect import MemberQuery
from flask_lineconnect.linking.accounts import ensure_account
from flask_lineconnect.marketing.scenarios import starting
from flask_lineconnect.models import ScenarioMember
from flask_lineconnect.models import ScenarioRun
from flask_lineconnect.state import LineState
from tests.conftest import DATABASES
from tests.migrations.shop import Kind
from tests.migrations.shop import create_app
from tests.migrations.shop import new_key
from tests.postgres import create_database

MEMBERS = 7
COMMON: dict[str, Any] = {
    "again": "when ended",
    "category": "order",
    "steps": [{"name": "rest", "wait": "P1D"}],
}


@pytest.mark.parametrize("database", DATABASES, indirect=True)
@pytest.mark.parametrize("key", ["bigint", "text", "uuid", "guid"])
def test_each_member_begins_once(
    key: str,
    database: str,
    tmp_path: Path,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    uri = f"sqlite:///{tmp_path / 'shop.db'}"
    if database == "postgresql":
        uri = create_database(request.getfixturevalue("postgres_server"), uuid.uuid4().hex)
    monkeypatch.setattr(starting, "AT_A_TIME", 4)
    monkeypatch.setattr(starting, "PORTION", 2)
    app = create_app(Kind(uri=uri, folder="", key=key))
    line: LineState = app.extensions["lineconnect"]
    model: Any = line.shop.model
    shop = LineBlueprint("shop", __name__)

    @shop.segment("everybody", label="みなさま")
    def everybody(now: datetime) -> MemberQuery:
        return select(model.id)

    shop.scenario("entry", label="はじめて", starts_in="everybody", **COMMON)
    shop.scenario(
        "weekly", label="毎週", starts_at="every monday at 10:00", segment="everybody", **COMMON
    )
    app.register_blueprint(shop)
    now = datetime(2026, 11, 24, 3, tzinfo=UTC)
    line.clock = lambda: now
    with app.app_context():
        line.db.create_all()
        members = [model(name=f"会員{number}") for number in range(MEMBERS)]
        for member in members:
            made = new_key(key)
            if made is not None:
                member.id = made
        line.session.add_all(members)
        line.session.flush()
        for number, member in enumerate(members):
            ensure_account(line.session, f"U{number:032x}", now=now).member_id = member.id
        ids = sorted(member.id for member in members)
        for name, enrol in (("entry", "all"), ("weekly", "nobody")):
            app.extensions["extension"].scenarios.publish(name, enrol=enrol)
        line.session.commit()
        while starting.start_due(line):
            pass
        now = datetime(2026, 11, 30, 1, tzinfo=UTC)
        while starting.start_due(line):
            pass
        runs = line.session.scalars(select(ScenarioRun.member_id)).all()
        assert sorted(runs) == sorted([*ids, *ids])
        chosen = line.session.scalars(select(ScenarioMember.member_id)).all()
        assert sorted(chosen) == ids
        line.session.remove()  # type: ignore[attr-defined]  # a scoped one
        line.db.engine.dispose()
