"""Scenarios in the console: rehearsed, switched on and off by whom the table says, and noted."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from flask_lineconnect import Fact
from flask_lineconnect import LineBlueprint
from flask_lineconnect.engines.work import work_until_idle
from flask_lineconnect.models import OutboxMessage
from flask_lineconnect.models import PublishedScenario
from flask_lineconnect.state import LineState
from tests import small_shop
from tests.people import add_member
from tests.people import link
from tests.people import token_in

from .conftest import CONSOLE
from .conftest import Open

SCENARIOS = f"{CONSOLE}/scenarios"
COUNT = {"count": Fact(int, "点数")}


@pytest.fixture
def app(app: Flask) -> Flask:
    """Return the shop with a sound scenario, a broken one, and one that a segment begins."""
    shop = LineBlueprint("shop", __name__)
    shop.member_event(
        "cart.changed", label="カートが変わった<b>", facts={"count": Fact(int, "点数")}
    )
    shop.scenario(
        "cart",
        label="お買い忘れ<b>",
        starts_on="cart.changed",
        key="member",
        again="when ended",
        exits_on=["line.unfollowed"],
        category="cart",
        steps=[
            {
                "name": "remind",
                "wait": "PT1H",
                "message": "{{ count }}点あります。",
                "expires": "P1D",
            },
            {"name": "again", "wait": "P2D at 10:00", "message": "もう一度どうぞ。"},
        ],
    )
    shop.scenario(
        "broken",
        label="こわれた",
        starts_on="nothing.happened",
        key="member",
        again="never",
        category="news",
        steps=[{"name": "one", "message": "x"}],
    )
    app.register_blueprint(shop)
    return app


def _press(client: FlaskClient, path: str, **form: str) -> TestResponse:
    token = token_in(client.get(f"{CONSOLE}/more"))
    return client.post(f"{SCENARIOS}/{path}", data={"csrf_token": token, **form})


def _state(line: LineState, name: str = "cart") -> str | None:
    line.session.rollback()
    statement = select(PublishedScenario.state).where(PublishedScenario.name == name)
    return line.session.scalar(statement)


def test_the_gallery_shows_what_is_on_and_what_may_be(owner: FlaskClient) -> None:
    page = owner.get(SCENARIOS).text
    assert "お買い忘れ&lt;b&gt;" in page
    assert "カートが変わった&lt;b&gt;" in page
    assert "オンにする" in page
    one = owner.get(f"{SCENARIOS}/cart").text
    assert "1時間後" in one
    assert "2日間後の 10:00" in one
    assert owner.get(f"{SCENARIOS}/none").status_code == 404


def test_a_rehearsal_says_what_would_have_been_sent_and_sends_nothing(
    open_console: Open, line: LineState
) -> None:
    member = add_member(line, "山田 花子")
    link(line, member)
    at = line.clock()
    small_shop.line.emit("cart.changed", member, count=2, at=at)
    line.session.commit()
    line.clock = lambda: at + timedelta(days=5)
    page = open_console("editor").get(f"{SCENARIOS}/cart/rehearsal").text
    assert "2点あります。" in page
    assert "山田 花子" in page
    line.session.rollback()
    assert line.session.scalars(select(OutboxMessage)).all() == []


def test_a_broken_scenario_says_so_and_is_not_switched_on(
    owner: FlaskClient, line: LineState
) -> None:
    page = owner.get(f"{SCENARIOS}/broken/rehearsal").text
    assert "いまは動きません" in page
    assert "nothing.happened" in page
    answer = _press(owner, "broken/on")
    assert answer.status_code == 400
    assert _state(line, "broken") is None


def test_the_owner_switches_on_and_an_editor_can_only_pause(
    open_console: Open, line: LineState
) -> None:
    owner, editor = open_console("owner"), open_console("editor")
    assert _press(editor, "cart/on").status_code == 403
    assert _state(line) is None
    assert _press(owner, "cart/on").status_code == 303
    assert _state(line) == "running"
    assert _press(editor, "cart/pause").status_code == 303
    assert _state(line) == "paused"
    assert _press(editor, "cart/resume").status_code == 403
    assert _press(owner, "cart/resume").status_code == 303
    assert _state(line) == "running"
    assert _press(editor, "cart/stop").status_code == 403
    assert _press(owner, "cart/stop").status_code == 303
    assert _state(line) == "stopped"
    audit = owner.get(f"{CONSOLE}/audit").text
    for words in ("オンにした", "一時停止した", "再開した", "終了した"):
        assert f"シナリオを{words}" in audit


def test_who_stands_where_is_shown(owner: FlaskClient, line: LineState) -> None:
    _press(owner, "cart/on")
    member = add_member(line, "山田 花子")
    link(line, member)
    small_shop.line.emit("cart.changed", member, count=2)
    line.session.commit()
    work_until_idle(line)
    page = owner.get(f"{SCENARIOS}/cart").text
    assert "今いる 1人" in page
    assert "1人の途中をやめて終了する" in page


def test_a_second_press_changes_nothing(owner: FlaskClient, line: LineState) -> None:
    _press(owner, "cart/on")
    assert _press(owner, "cart/on").status_code == 303
    assert _press(owner, "cart/resume").status_code == 400, "it is not paused"
    assert _state(line) == "running"
