"""Recency, frequency, money, and cohorts of linking."""

from __future__ import annotations

import json
from datetime import UTC
from datetime import date
from datetime import datetime
from datetime import timedelta

import pytest
from flask import Flask

from flask_lineconnect.cli.group import line as commands
from flask_lineconnect.marketing.handling import handle_due
from flask_lineconnect.marketing.results.cohorts import cohorts
from flask_lineconnect.marketing.segments.audience import members_where
from flask_lineconnect.marketing.segments.rules import read_rule
from flask_lineconnect.models import Account
from flask_lineconnect.state import LineState
from tests.conftest import DATABASES
from tests.marketing.results.conftest import NOW
from tests.marketing.results.conftest import Past

pytestmark = pytest.mark.parametrize("database", DATABASES, indirect=True)


def _chosen(line: LineState, rule: dict[str, object]) -> set[int]:
    return set(line.session.scalars(members_where(line, read_rule(rule))))


def test_equal_buyers_have_equal_scores_and_what_came_back_counts_for_nothing(
    app: Flask, line: LineState, past: Past
) -> None:
    people = past.members(7)
    for place, member in enumerate(people[:5]):
        for number in range(1 if place < 3 else place):
            at = NOW - timedelta(days=10 * (5 - place), hours=number)
            past.event("order.placed", member, at, f"order:{place}:{number}", total=100)
    # Whose only order was undone is no buyer.
    past.event("order.placed", people[5], NOW - timedelta(days=1), "order:undone", total=9_999)
    past.event("order.returned", people[5], NOW, "order:undone")
    line.session.commit()
    handle_due(line)
    best = {"attribute": "line_frequency", "at_least": 5}
    assert _chosen(line, best) == {people[4]}
    assert _chosen(line, {"attribute": "line_frequency", "at_most": 1}) == set(people[:3])
    assert _chosen(line, {"attribute": "line_recency", "at_most": 1}) == {people[0]}
    assert _chosen(line, {"attribute": "line_orders", "at_most": 0}) == set(people[5:])
    assert _chosen(line, {"attribute": "line_spent", "at_least": 400}) == {people[4]}
    lately = {"attribute": "line_last_order", "in_last_days": 15}
    assert _chosen(line, lately) == {people[4]}
    told = app.test_cli_runner().invoke(commands, ["report", "rfm", "--json"])
    rows = json.loads(told.output)
    assert (rows[0]["recency"], rows[0]["frequency"], rows[0]["people"]) == (5, 5, 1)
    assert (rows[0]["orders"], rows[0]["sales"]) == (4, "400")
    assert sum(row["people"] for row in rows) == 5


def test_cohorts_go_by_the_months_of_the_shops_zone(
    app: Flask, line: LineState, past: Past
) -> None:
    people = past.members(4)
    # Midnight of the first of October in Japan, and the moment before.
    october = datetime(2026, 9, 30, 15, tzinfo=UTC)
    linked = october, october - timedelta(seconds=1), october, NOW
    for number, (member, at) in enumerate(zip(people, linked, strict=True)):
        account = Account(line_user_id=f"U{number:032x}", created_at=at, linked_at=at)
        account.member_id = member
        line.session.add(account)
    past.event("order.placed", people[0], october, "order:1", total=100)
    past.event("order.placed", people[0], october + timedelta(days=5), "order:2", total=100)
    past.event("order.placed", people[0], NOW, "order:3", total=100)
    past.event("order.placed", people[1], october - timedelta(days=300), "order:4", total=100)
    past.event("order.placed", people[1], october, "order:5", total=100)
    line.session.commit()
    handle_due(line)
    found = cohorts(line, 4)
    assert [(one.month, one.people, list(one.buyers)) for one in found] == [
        (date(2026, 8, 1), 0, [0, 0, 0, 0]),
        (date(2026, 9, 1), 1, [0, 1, 0]),
        (date(2026, 10, 1), 2, [1, 1]),
        (date(2026, 11, 1), 1, [0]),
    ]
    told = app.test_cli_runner().invoke(commands, ["report", "cohorts", "--months", "4"])
    assert told.exit_code == 0, told.output
    assert "2026-10" in told.output
    assert "2026-08" not in told.output


def test_of_nothing_there_is_a_sentence(app: Flask) -> None:
    for word, sentence in (("rfm", "Nobody has bought yet."), ("cohorts", "Nobody has linked")):
        told = app.test_cli_runner().invoke(commands, ["report", word])
        assert told.exit_code == 0
        assert sentence in told.output
