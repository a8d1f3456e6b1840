"""The page that load balancers ask."""

from __future__ import annotations

import sqlite3

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event
from sqlalchemy import text

from flask_lineconnect import Emulator
from flask_lineconnect.doctor.health import question
from flask_lineconnect.state import LineState
from tests.conftest import MakeApp
from tests.small_shop import db


def test_all_is_well(client: FlaskClient, line_emulator: Emulator) -> None:
    answer = client.get("/line/health")
    assert (answer.status_code, answer.json) == (200, {"status": "ok"})
    assert "Set-Cookie" not in answer.headers
    assert answer.headers["Cache-Control"] == "no-store"
    assert client.head("/line/health").status_code == 200
    # LINE may be away while the shop sells.
    assert line_emulator.calls() == []


def test_tables_are_missing(client: FlaskClient, line: LineState) -> None:
    db.session.execute(text("DROP TABLE lineconnect_card_code"))
    db.session.commit()
    answer = client.get("/line/health")
    assert (answer.status_code, answer.json) == (503, {"status": "failing", "failing": ["tables"]})


def test_the_database_is_away(app: Flask, client: FlaskClient, line: LineState) -> None:
    assert client.get("/line/health").status_code == 200
    db.session.remove()
    line.db.engine.dispose()
    event.listen(line.db.engine, "do_connect", _away)
    answer = client.get("/line/health")
    assert (answer.status_code, answer.json) == (
        503,
        {"status": "failing", "failing": ["database"]},
    )


def _away(*_arguments: object, **_more: object) -> None:
    raise sqlite3.OperationalError("away")


def test_the_engine_of_the_process_counts(make_app: MakeApp) -> None:
    app = make_app(LINECONNECT_ENGINE="thread")
    state: LineState = app.extensions["lineconnect"]
    try:
        assert app.test_client().get("/line/health").status_code == 200
    finally:
        state.engine.stop(state)  # type: ignore[attr-defined]  # of the threads
    state.engine.ensure_running = lambda _line: None  # type: ignore[attr-defined]  # none begins
    answer = app.test_client().get("/line/health")
    assert answer.json == {"status": "failing", "failing": ["engine"]}


@pytest.mark.parametrize("look", ["", "x", "\0", "x" * 5_000, "gAAAAA", "Imxvb2si.aaaaaa.bbbb"])
def test_only_the_doctor_learns_how_requests_arrive(
    client: FlaskClient, line: LineState, look: str, caplog: pytest.LogCaptureFixture
) -> None:
    assert client.get("/line/health", query_string={"look": look}).json == {"status": "ok"}
    assert not caplog.records
    seen = client.get("/line/health", query_string={"look": question(line)}).json
    assert seen is not None
    assert seen["seen"]["host"] == "localhost"
