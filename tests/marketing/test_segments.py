"""Rules choose the members of whom they are true: no more, no fewer, on both databases."""

from __future__ import annotations

import random
from datetime import date
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func
from sqlalchemy import select

from flask_lineconnect.marketing.segments import audience
from flask_lineconnect.marketing.segments import sampling
from flask_lineconnect.marketing.segments.attributes import Attribute
from flask_lineconnect.marketing.segments.attributes import Attributes
from flask_lineconnect.marketing.segments.compiler import compile_rule
from flask_lineconnect.marketing.segments.operators import Clock
from flask_lineconnect.marketing.segments.operators import Question
from flask_lineconnect.marketing.segments.operators import operators_for
from flask_lineconnect.marketing.segments.rules import read_rule
from flask_lineconnect.marketing.segments.rules import write_rule
from flask_lineconnect.marketing.values import ValueType
from flask_lineconnect.models import MemberEvent
from flask_lineconnect.state import LineState
from tests.conftest import DATABASES
from tests.conftest import MakeApp
from tests.marketing.segment_shop import NOW
from tests.marketing.segment_shop import Known
from tests.marketing.segment_shop import fill
from tests.marketing.segment_shop import make_blueprint
from tests.small_shop import Purchase
from tests.small_shop import User

pytestmark = pytest.mark.parametrize("database", DATABASES, indirect=True)


@pytest.fixture
def app(make_app: MakeApp) -> Flask:
    """Return the small shop with attributes and segments."""
    app = make_app()
    app.extensions["lineconnect"].clock = lambda: NOW
    app.register_blueprint(make_blueprint())
    return app


@pytest.fixture
def known(app: Flask, line: LineState) -> dict[int, Known]:
    """Return members of all kinds, and what is true of them."""
    return fill(app, random.Random(20))


def chosen(line: LineState, data: dict[str, Any]) -> list[int]:
    """Return the keys of the members whom a rule chooses, as often as they come."""
    return sorted(line.session.scalars(audience.members_where(line, read_rule(data))))


TYPES = {
    "name": str,
    "email": str,
    "is_locked": bool,
    "name_length": int,
    "purchases": int,
    "last_on": "date",
    "farthest": int,
    "recent": int,
}
QUESTIONS: dict[Any, list[dict[str, Any]]] = {
    str: [
        {"is": "花花"},
        {"one_of": ["花", "花花花"]},
        {"contains": "花花花"},
        {"contains": "@mail."},
        {"contains": "%"},
        {"contains": "@MAIL"},
        {"begins_with": "m1"},
        {"begins_with": "_1"},
        {"is_set": True},
        {"is_set": False},
    ],
    bool: [{"is": True}, {"is": False}],
    int: [
        {"is": 0},
        {"is": 2},
        {"one_of": [0, 1]},
        {"at_least": 1},
        {"at_most": 0},
        {"above": 1},
        {"below": 2},
        {"between": [1, 2]},
        {"is_set": True},
    ],
    "date": [
        {"is": "2026-11-20"},
        {"before": "2026-11-01"},
        {"from": "2026-11-01"},
        {"between": ["2026-10-20", "2026-11-10"]},
        {"in_last_days": 14},
        {"days_ago": [10, 30]},
        {"over_days_ago": 30},
        {"in_next_days": 3},
        {"in_month": 10},
        {"in_month": "this"},
        {"is_set": False},
    ],
}
EVENT_FACTS: list[dict[str, Any]] = [
    {},
    {"count": {"at_least": 2}},
    {"count": {"is": 0}},
    {"note": {"is": "急ぎ"}},
    {"note": {"is_set": False}},
    {"is_gift": {"is": True}},
    {"is_gift": {"is": False}},
    {"on": {"in_last_days": 3}},
    {"on": {"is": "2026-11-23"}},
    {"products": {"any_of": ["煎茶", "羊羹"]}},
    {"products": {"all_of": ["煎茶", "どら焼き"]}},
    {"count": {"between": [1, 2]}, "note": {"one_of": ["のし", "急ぎ"]}},
]
FACT_TYPES = {"count": int, "note": str, "is_gift": bool, "on": "date", "products": list}


def draw(chance: random.Random, depth: int = 3) -> dict[str, Any]:
    """Draw a rule by lot."""
    kind = chance.choice(["all", "any", "not"] if depth else ["has"])
    if chance.random() < 0.4 or kind == "has":
        return _draw_leaf(chance)
    if kind == "not":
        return {"not": draw(chance, depth - 1)}
    return {kind: [draw(chance, depth - 1) for _ in range(chance.randint(1, 3))]}


def _draw_leaf(chance: random.Random) -> dict[str, Any]:
    kind = chance.choice(["attribute", "attribute", "list", "event", "segment"])
    if kind == "attribute":
        name = chance.choice(list(TYPES))
        return {"attribute": name, **chance.choice(_questions(name))}
    if kind == "list":
        return {"attribute": "steps", chance.choice(["any_of", "all_of"]): [1, 2]}
    if kind == "segment":
        return {"segment": "named", "with": {"length": chance.randint(1, 5)}}
    rule: dict[str, Any] = {"event": "cart.changed", "where": chance.choice(EVENT_FACTS)}
    if chance.random() < 0.5:
        rule["days"] = chance.randint(1, 60)
    if chance.random() < 0.3:
        rule["at_least"] = 2
    return rule


def _questions(name: str) -> list[dict[str, Any]]:
    asked = QUESTIONS[TYPES[name]]
    if name == "farthest":
        return [one for one in asked if "is_set" in one or max(_listed(one)) <= 2]
    return asked


def _listed(asked: dict[str, Any]) -> list[int]:
    [operand] = asked.values()
    return operand if isinstance(operand, list) else [operand]


def is_true(rule: dict[str, Any], known: Known, clock: Clock) -> bool:
    """Say in Python whether a rule is true of a member."""
    if "all" in rule:
        return all(is_true(one, known, clock) for one in rule["all"])
    if "any" in rule:
        return any(is_true(one, known, clock) for one in rule["any"])
    if "not" in rule:
        return not is_true(rule["not"], known, clock)
    if "segment" in rule:
        is_named: bool = known.attributes["name_length"] >= rule["with"]["length"]
        return is_named and bool(known.steps)
    if "event" in rule:
        limit = rule.get("days", 10_000)
        fitting = [
            facts
            for ago, facts in known.events
            if ago <= limit
            and all(
                _answers(asked, facts[fact], FACT_TYPES[fact], clock)
                for fact, asked in rule["where"].items()
            )
        ]
        at_least: int = rule.get("at_least", 1)
        return len(fitting) >= at_least
    asked = {word: said for word, said in rule.items() if word != "attribute"}
    if rule["attribute"] == "steps":
        return _answers(asked, known.steps, list, clock)
    value = known.attributes[rule["attribute"]]
    return _answers(asked, value, TYPES[rule["attribute"]], clock)


def _answers(asked: dict[str, Any], value: Any, kind: Any, clock: Clock) -> bool:
    [(word, operand)] = asked.items()
    if word == "is_set":
        return (value is not None) is operand
    if kind is list:
        value_type = ValueType(int if operand == [1, 2] else str, is_list=True)
    else:
        value_type = ValueType(date if kind == "date" else kind)
    operator = operators_for(value_type)[word]
    read = operator.read(value_type, operand)
    return Question(operator, operator.resolve(read, clock, value_type.python)).test(value)


def test_rules_drawn_by_lot_choose_whom_they_are_true_of(
    line: LineState, known: dict[int, Known]
) -> None:
    clock, chance = Clock(NOW, line.config.zone), random.Random(30)
    empty = 0
    for _ in range(120):
        rule = draw(chance)
        right = [key for key, one in known.items() if is_true(rule, one, clock)]
        assert chosen(line, rule) == right, rule
        assert write_rule(read_rule(write_rule(read_rule(rule)))) == write_rule(read_rule(rule))
        empty += not right
    assert empty < 60


def test_a_sample_of_members_is_asked_the_same(line: LineState, known: dict[int, Known]) -> None:
    shop, chance = audience.shop_of(line), random.Random(31)
    purchases = select(Purchase.user_id, func.count().label("count")).group_by(Purchase.user_id)
    counted = purchases.subquery()
    # A rank is about all the others, too.
    rank = func.row_number().over(order_by=(counted.c.count, counted.c.user_id)).label("rank")
    ranked = select(counted.c.user_id.label("member_key"), rank).subquery().c.rank
    declared = Attribute.declared("rank", ranked, "順位", type_=int, choices=None, home="test")
    line.part(Attributes).add(declared)
    among = select(User.id.label("member_key")).where(User.id % 3 == 0).cte("sample")
    rules = [draw(chance) for _ in range(60)]
    for rule in (*rules, {"attribute": "rank", "at_most": 4}, {"attribute": "rank", "above": 2}):
        found = line.session.scalars(compile_rule(read_rule(rule), shop, among=among))
        assert sorted(found) == [key for key in chosen(line, rule) if key % 3 == 0], rule


def test_an_estimate_is_near_and_says_how_near(
    line: LineState, known: dict[int, Known], monkeypatch: pytest.MonkeyPatch
) -> None:
    rule, shop = read_rule({"attribute": "purchases", "at_least": 1}), audience.shop_of(line)
    assert sampling.guess(line.session, rule, shop) is None
    monkeypatch.setattr(sampling, "FEWEST", 1)
    right = len(chosen(line, {"attribute": "purchases", "at_least": 1}))
    whole = sampling.guess(line.session, rule, shop)
    assert whole is not None
    assert whole.chosen == right
    assert 0 < whole.error < len(known)
    monkeypatch.setattr(sampling, "SAMPLE", len(known) // 2)
    half = sampling.guess(line.session, rule, shop)
    assert half is not None
    assert abs(half.chosen - right) <= 2 * half.error


def test_every_question_alone_and_turned_round(line: LineState, known: dict[int, Known]) -> None:
    clock = Clock(NOW, line.config.zone)
    rules: list[dict[str, Any]] = [
        {"attribute": name, **asked} for name in TYPES for asked in _questions(name)
    ]
    rules += [{"event": "cart.changed", "where": facts} for facts in EVENT_FACTS]
    for rule in rules:
        for turned in (rule, {"not": rule}):
            right = [key for key, one in known.items() if is_true(turned, one, clock)]
            assert chosen(line, turned) == right, turned


@pytest.mark.parametrize(("rule", "is_everybody"), [({"all": []}, True), ({"any": []}, False)])
def test_nothing_asked(
    line: LineState, known: dict[int, Known], rule: dict[str, Any], is_everybody: bool
) -> None:
    assert chosen(line, rule) == (list(known) if is_everybody else [])
    assert chosen(line, {"not": rule}) == ([] if is_everybody else list(known))


def test_facts_that_another_version_told_stop_nothing(
    line: LineState, known: dict[int, Known]
) -> None:
    first = line.session.scalars(select(MemberEvent)).first()
    assert first is not None
    wrong = {"count": "viele", "products": "煎茶", "is_gift": "ja", "on": 7, "note": [1]}
    line.session.add(
        MemberEvent(
            name="cart.changed",
            member_id=first.member_id,
            facts=wrong,
            occurred_at=NOW - timedelta(days=1),
        )
    )
    line.session.commit()
    for facts in EVENT_FACTS:
        chosen(line, {"event": "cart.changed", "where": facts})
