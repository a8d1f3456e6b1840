"""Scenarios in the console: rehearsed, switched on and off by whom the table says, and noted."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from flask_lineconnect import Fact
from flask_lineconnect import LineBlueprint
from flask_lineconnect.console import scenario_words as words
from flask_lineconnect.console.scenario_changes import compare
from flask_lineconnect.engines.work import work_until_idle
from flask_lineconnect.marketing.scenarios.reading import read_scenario
from flask_lineconnect.models import OutboxMessage
from flask_lineconnect.models import PublishedScenario
from flask_lineconnect.models import ScenarioVersion
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
    for done in ("オンにした", "一時停止した", "再開した", "終了した"):
        assert f"シナリオを{done}" in audit


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


OLD: dict[str, Any] = {
    "label": "前の名前",
    "starts_on": "cart.changed",
    "key": "member",
    "again": "when ended",
    "category": "news",
    "steps": [
        {"name": "hello", "message": "ようこそ。"},
        {"name": "again", "wait": "P2D at 10:00", "message": "もう一度<i>どうぞ。"},
        {
            "name": "remind",
            "wait": "PT2H",
            "message": {"text": "{{ count }}点です。", "button": {"label": "見る", "url": "/cart"}},
            "only": {"fact": "count", "at_least": 3},
        },
    ],
}


def _publish_old(owner: FlaskClient, line: LineState) -> None:
    """Let version 1 be another scenario than the shop's program has by now."""
    _press(owner, "cart/on")
    version = line.session.scalars(select(ScenarioVersion)).one()
    version.definition, version.digest = OLD, "0" * 64
    line.session.commit()


def test_what_the_programs_version_would_change_is_shown_before_it_runs(
    owner: FlaskClient, line: LineState
) -> None:
    assert owner.get(f"{SCENARIOS}/cart/changes").status_code == 404, "it was never switched on"
    _publish_old(owner, line)
    assert "/scenarios/cart/changes" in owner.get(f"{SCENARIOS}/cart").text
    page = owner.get(f"{SCENARIOS}/cart/changes").text
    assert "新しい版で変わること" in page
    for kind in ("なくなった", "順番が変わった", "変わった"):
        assert f">{kind}</span>" in page
    assert "<del>2</del>時間後" in page
    assert "<ins>1</ins>時間後" in page
    assert "もう一度<del>&lt;i&gt;</del>どうぞ。" in page, "what was and what is are told apart"
    assert "［見る］ /cart" in page
    assert "at_least" in page, "what only developers read is there, folded"
    assert "1日間を過ぎたら送りません" in page


def test_two_versions_are_held_against_each_other(open_console: Open, line: LineState) -> None:
    owner = open_console("owner")
    _publish_old(owner, line)
    assert owner.get(f"{SCENARIOS}/cart/changes?version=1").status_code == 404, "nothing is before"
    assert _press(owner, "cart/on", enrol="nobody").status_code == 303
    assert "changes?version=2" in owner.get(f"{SCENARIOS}/cart").text
    page = open_console("viewer").get(f"{SCENARIOS}/cart/changes?version=2").text
    assert "2版で変わったこと" in page
    assert "1版" in page
    same = owner.get(f"{SCENARIOS}/cart/changes").text
    assert "内容は同じです" in same
    assert owner.get(f"{SCENARIOS}/cart/changes?version=9").status_code == 404


def test_a_step_before_others_moves_none_of_them(app: Flask, line: LineState) -> None:
    first = {"name": "first", "message": "はじめまして。"}
    old = read_scenario("x", OLD)
    new = read_scenario("x", {**OLD, "steps": [first, *OLD["steps"]]})
    with app.test_request_context(f"{CONSOLE}/"):
        found = compare(line, old, new)
        assert [(one.kind, one.title) for one in found.steps] == [("added", "メッセージ1")]
        assert (found.same, found.is_empty) == (3, False)
        assert compare(line, old, old).is_empty
        back = compare(line, new, old)
        assert [one.kind for one in back.steps] == ["removed"]


def test_what_no_words_tell_apart_is_told_as_code(app: Flask, line: LineState) -> None:
    changed = {"name": "hello", "message": {"text": {"ja": "ようこそ。", "en": "Welcome."}}}
    old = read_scenario("x", OLD)
    new = read_scenario("x", {**OLD, "steps": [changed, *OLD["steps"][1:]]})
    with app.test_request_context(f"{CONSOLE}/"):
        (step,) = compare(line, old, new).steps
    assert [(one.what, one.is_code) for one in step.changes] == [("中身", True)]


def test_times_that_come_again_are_in_the_owners_words(app: Flask, line: LineState) -> None:
    weekly = {
        **{word: said for word, said in OLD.items() if word not in ("starts_on", "key")},
        "starts_at": "every saturday at 20:00",
        "segment": "all",
    }
    with app.test_request_context(f"{CONSOLE}/"):
        assert words.begins(line, read_scenario("x", weekly)).startswith("毎週 土曜日 20:00")
