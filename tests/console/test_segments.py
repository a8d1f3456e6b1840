"""Segments in the console: a sentence and its rule are the same, and two who save lose nothing."""

from __future__ import annotations

from datetime import UTC
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.datastructures import MultiDict
from werkzeug.test import TestResponse

from flask_lineconnect.console import clauses
from flask_lineconnect.marketing.segments import audience
from flask_lineconnect.marketing.segments.attributes import Attribute
from flask_lineconnect.marketing.segments.attributes import Attributes
from flask_lineconnect.marketing.segments.errors import InvalidRule
from flask_lineconnect.marketing.segments.rules import read_rule
from flask_lineconnect.marketing.segments.rules import write_rule
from flask_lineconnect.state import LineState
from tests.people import add_member
from tests.people import link
from tests.people import token_in
from tests.small_shop import Purchase
from tests.small_shop import User

from .conftest import CONSOLE
from .conftest import Open

SEGMENTS = f"{CONSOLE}/segments"
TOKYO = ZoneInfo("Asia/Tokyo")


@pytest.fixture
def app(app: Flask) -> Flask:
    """Return the shop with attributes of each type."""
    attributes = app.extensions["lineconnect"].part(Attributes)
    rank = {"gold": "ゴールド", "<b>": "<b>"}
    declared: dict[str, tuple[Any, Any, Any]] = {
        "name": (User.name, str, None),
        "rank": (User.email, str, rank),
        "number": (User.id, int, None),
        "is_locked": (User.is_locked, bool, None),
        "deliver_on": (Purchase.deliver_on, datetime, None),
    }
    for name, (source, kind, choices) in declared.items():
        attributes.add(
            Attribute.declared(name, source, f"{name}<i>", type_=kind, choices=choices, home="test")
        )
    return app


RULES: list[dict[str, Any]] = [
    {"all": []},
    {"all": [{"attribute": "line_is_friend", "is": True}]},
    {"any": [{"attribute": "number", "at_least": 3}, {"not": {"segment": "x"}}]},
    {"all": [{"attribute": "number", "between": [1, 5]}]},
    {"all": [{"attribute": "name", "one_of": ["花子", "太郎"]}]},
    {"all": [{"attribute": "rank", "one_of": ["gold", "<b>"]}]},
    {"all": [{"attribute": "line_linked_at", "over_days_ago": 60}]},
    {"all": [{"attribute": "line_linked_at", "days_ago": [30, 90]}]},
    {"all": [{"attribute": "line_linked_at", "before": "2026-11-01T00:00:00+09:00"}]},
    {"all": [{"attribute": "line_source", "is_set": True}]},
    {"all": [{"not": {"attribute": "line_source", "is_set": True}}]},
    {"all": [{"event": "line.linked", "days": 30}, {"event": "line.linked", "at_least": 2}]},
    {"all": [{"sent": "advertising", "at_least": 2, "days": 7}]},
]


@pytest.mark.parametrize("written", RULES, ids=str)
def test_a_rule_and_its_sentence_are_the_same(line: LineState, written: dict[str, Any]) -> None:
    shop, rule = audience.shop_of(line), read_rule(written)
    sentence = clauses.from_rule(rule, TOKYO)
    assert sentence is not None
    assert write_rule(clauses.to_rule(shop, sentence)) == written


@pytest.mark.parametrize(
    "written",
    [
        {"all": [{"any": [{"attribute": "number", "is": 1}]}]},
        {"not": {"not": {"attribute": "number", "is": 1}}},
        {"event": "x", "where": {"total": {"at_least": 5}}},
        {"segment": "x", "with": {"days": 5}},
        {"sent": "news", "at_most": 3},
        {"campaign": "spring"},
        {"attribute": "line_linked_at", "before": "2026-11-01T18:30:00+09:00"},
        {"all": [{"attribute": "number", "is": 1}] * 13},
    ],
    ids=str,
)
def test_a_rule_that_is_no_sentence_is_not_made_one(written: dict[str, Any]) -> None:
    assert clauses.from_rule(read_rule(written), TOKYO) is None


@pytest.mark.parametrize(
    ("field", "typed"),
    [
        ("attribute:number", "x"),
        ("attribute:number", ""),
        ("attribute:number", "1.5"),
        ("attribute:name", ""),
        ("attribute:gone", "1"),
        ("nothing", "1"),
    ],
)
def test_what_says_nothing_is_told_in_words(line: LineState, field: str, typed: str) -> None:
    form = MultiDict({"count": "1", "what0": field, "how0": "is", "value0": typed})
    with pytest.raises(InvalidRule) as caught:
        clauses.to_rule(audience.shop_of(line), clauses.from_form(form))
    assert caught.value.message


def test_numbers_are_read_as_japanese_keyboards_type_them(line: LineState) -> None:
    form = MultiDict(
        {"count": "1", "what0": "attribute:number", "how0": "is", "value0": "１，２００"}
    )
    rule = clauses.to_rule(audience.shop_of(line), clauses.from_form(form))
    assert write_rule(rule) == {"all": [{"attribute": "number", "is": 1200}]}


def _form(**more: str) -> dict[str, str]:
    return {
        "count": "1",
        "joint": "all",
        "what0": "attribute:line_is_friend",
        "how0": "is",
        "value0": "yes",
        "label": "友だち<b>",
        "version": "0",
        **more,
    }


def _post(client: FlaskClient, path: str = f"{SEGMENTS}/new", **more: str) -> TestResponse:
    token = token_in(client.get(f"{CONSOLE}/more"))
    return client.post(path, data={"csrf_token": token, **_form(**more)})


def test_an_owner_counts_saves_and_reads_a_segment(open_console: Open, line: LineState) -> None:
    editor = open_console("editor")
    link(line, add_member(line, "山田 花子")).is_friend = True
    link(line, add_member(line, "遮 断子"), "b").is_friend = False
    line.session.commit()
    counted = _post(editor, do="count")
    assert counted.status_code == 200
    assert "山田 花子" in counted.text
    saved = _post(editor, do="save")
    assert saved.status_code == 303
    page = editor.get(saved.location).text
    assert "友だち&lt;b&gt;" in page
    assert "<b>" not in page.partition("<h1>")[2].partition("</h1>")[0]
    assert "山田 花子" in page
    assert "遮 断子" not in page
    name = saved.location.rpartition("/")[2]
    assert "山田 花子" in editor.get(f"{CONSOLE}/people?segment={name}").text


def test_of_two_who_save_the_second_is_told_and_loses_nothing(open_console: Open) -> None:
    first, second = open_console("editor"), open_console("owner")
    path = _post(first, do="save").location
    assert _post(first, f"{path}/edit", do="save", label="一人目", version="1").status_code == 303
    late = _post(second, f"{path}/edit", do="save", label="二人目", version="1")
    assert late.status_code == 200
    assert "ほかの方が先に保存しました" in late.text
    assert 'value="二人目"' in late.text
    assert "一人目" in first.get(path).text


def test_a_clause_is_added_and_dropped_without_a_script(owner: FlaskClient) -> None:
    assert _post(owner, do="add").text.count("<fieldset") == 2
    assert _post(owner, do="drop-0").text.count("<fieldset") == 0
    assert _post(owner, do="draw", what0="attribute:number").text.count("<fieldset") == 1


def test_labels_of_the_shop_are_text(owner: FlaskClient) -> None:
    page = _post(owner, do="draw", what0="attribute:rank", how0="one_of").text
    assert "<i>" not in page
    assert "&lt;b&gt;" in page


def test_a_segment_without_a_name_is_asked_for_one(owner: FlaskClient) -> None:
    answer = _post(owner, do="save", label=" ")
    assert answer.status_code == 200
    assert "名前を付けてください" in answer.text


def test_a_saved_segment_goes_and_is_written_down(owner: FlaskClient) -> None:
    path = _post(owner, do="save").location
    token = token_in(owner.get(path))
    form = {"csrf_token": token, "version": "1"}
    assert owner.post(f"{path}/remove", data=form).status_code == 303
    assert owner.get(path).status_code == 404
    audit = owner.get(f"{CONSOLE}/audit").text
    assert "絞り込みを保存した" in audit
    assert "絞り込みを消した" in audit


def test_what_a_datetime_means_is_the_shops_midnight(line: LineState) -> None:
    form = MultiDict(
        {
            "count": "1",
            "what0": "attribute:line_linked_at",
            "how0": "before",
            "value0": "2026-11-01",
        }
    )
    rule = clauses.to_rule(audience.shop_of(line), clauses.from_form(form))
    (leaf,) = rule.rules  # type: ignore[union-attr]  # a sentence is all or any
    moment = datetime.fromisoformat(leaf.asked.operand)  # type: ignore[union-attr]
    assert moment == datetime(2026, 10, 31, 15, tzinfo=UTC)
