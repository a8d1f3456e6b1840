"""How many people a sentence chooses, while it is put together; a newer question ends an older."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine
from sqlalchemy import text
from werkzeug.test import TestResponse

from flask_lineconnect.console import segment_estimates
from flask_lineconnect.marketing.segments import sampling
from flask_lineconnect.state import LineState
from tests.conftest import BUSY_MACHINE
from tests.conftest import DATABASES
from tests.people import add_member
from tests.people import link
from tests.people import token_in
from tests.small_shop import db

from .conftest import CONSOLE
from .conftest import Open

pytestmark = pytest.mark.parametrize("database", DATABASES, indirect=True)
ADDRESS = f"{CONSOLE}/segments/estimate"


def _ask(client: FlaskClient, **more: str) -> TestResponse:
    form = {"count": "1", "what0": "attribute:line_is_friend", "how0": "is", "value0": "yes"}
    token = token_in(client.get(f"{CONSOLE}/more"))
    return client.post(ADDRESS, data={"csrf_token": token, "page": "p1", **form, **more})


def test_a_small_shop_is_counted_at_once(open_console: Open, line: LineState) -> None:
    link(line, add_member(line, "山田 花子")).is_friend = True
    line.session.commit()
    told = _ask(open_console("editor")).get_json()
    assert told == {"chosen": "1人", "note": told["note"], "is_exact": True}
    assert "届く人" in told["note"]


def test_a_large_one_is_estimated_first(
    open_console: Open, line: LineState, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sampling, "FEWEST", 1)
    link(line, add_member(line, "山田 花子")).is_friend = True
    line.session.commit()
    editor = open_console("editor")
    about = _ask(editor).get_json()
    assert about["chosen"].startswith("約1人（±")
    assert about["is_exact"] is False
    assert _ask(editor, exact="1").get_json()["is_exact"] is True


def test_what_says_nothing_is_told_in_words(open_console: Open) -> None:
    told = _ask(open_console("editor"), what0="nothing").get_json()
    assert told["problem"]


def test_a_viewer_asks_nothing(open_console: Open) -> None:
    assert _ask(open_console("viewer")).status_code == 403


@pytest.fixture
def engine(app: Flask) -> Engine:
    """Return the database."""
    with app.app_context():
        return db.engine


def test_a_newer_question_ends_the_older_one(
    open_console: Open, engine: Engine, monkeypatch: pytest.MonkeyPatch, database: str
) -> None:
    if database != "postgresql":
        pytest.skip("SQLite's shops are small, and a question there is over at once")
    editor, other = open_console("editor"), open_console("editor")
    real = sampling.guess

    def slow(session, rule, shop):  # type: ignore[no-untyped-def]  # as the real one
        session.execute(text("SELECT pg_sleep(600)"))
        return real(session, rule, shop)

    with ThreadPoolExecutor(1) as thread:
        monkeypatch.setattr(sampling, "guess", slow)
        older = thread.submit(_ask, editor)
        _wait_for_sleeper(engine)
        monkeypatch.setattr(sampling, "guess", real)
        assert _ask(other, page="another page").status_code == 200
        assert not older.done()
        assert _ask(other).status_code == 200
        assert older.result(BUSY_MACHINE).status_code == segment_estimates.GIVEN_UP
    with engine.connect() as connection:
        name = connection.scalar(text("SHOW application_name"))
        assert not str(name).startswith("lineconnect")


def _wait_for_sleeper(engine: Engine) -> None:
    sleeps = text("SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%'")
    while True:
        with engine.connect() as connection:
            if connection.scalar(sleeps):
                return
