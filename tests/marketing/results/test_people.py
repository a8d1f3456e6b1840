"""People: each counted once, whatever they did again, took back, or whoever is erased."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import select

from flask_lineconnect.cli.group import line as commands
from flask_lineconnect.engines import upkeep
from flask_lineconnect.marketing.handling import handle_due
from flask_lineconnect.marketing.results.figures import Yardsticks
from flask_lineconnect.marketing.results.figures import yardsticks_of
from flask_lineconnect.marketing.results.people import count_people
from flask_lineconnect.models import Campaign
from flask_lineconnect.models import ResultCount
from flask_lineconnect.models import ResultPerson
from flask_lineconnect.state import LineState
from tests.conftest import DATABASES
from tests.marketing.results.conftest import NOW
from tests.marketing.results.conftest import Past
from tests.small_shop import User

pytestmark = pytest.mark.parametrize("database", DATABASES, indirect=True)

Run = Callable[..., Result]
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def run(app: Flask) -> Run:
    """Return what runs a command."""
    return lambda *words: app.test_cli_runner().invoke(commands, words)


def numbers(line: LineState, figure: str = "buyers") -> dict[str, tuple[int, int]]:
    """Return the count of a figure and its forgotten part, by day."""
    line.session.rollback()
    rows = line.session.scalars(select(ResultCount).where(ResultCount.figure == figure))
    return {f"{row.day:%d}": (row.number, row.forgotten) for row in rows}


def buy(past: Past, member: int, after: timedelta, order: str) -> None:
    past.event("order.placed", member, NOW - 2 * DAY + after, order, total=100)


@pytest.fixture
def members(line: LineState, past: Past) -> list[int]:
    """Return three members who were sent a campaign; two bought, one of them twice."""
    campaign, people = past.campaign(), past.members(3)
    for member in people:
        past.accept(member, NOW - 2 * DAY, campaign_id=campaign)
    buy(past, people[0], HOUR, "order:1")
    buy(past, people[0], 2 * HOUR, "order:2")
    buy(past, people[1], HOUR, "order:3")
    line.session.commit()
    handle_due(line)
    return people


def test_who_buys_twice_is_one_buyer(run: Run, line: LineState, members: list[int]) -> None:
    assert numbers(line, "orders_indirect") == {"26": (3, 0)}
    assert numbers(line) == {"26": (2, 0)}
    assert "only" not in run("results", "recount", "--days", "20").output
    assert numbers(line) == {"26": (2, 0)}


def test_a_buyer_who_takes_back_all_is_none(
    run: Run, line: LineState, past: Past, members: list[int]
) -> None:
    for order, left in (("order:1", 2), ("order:2", 1)):
        past.event("order.returned", members[0], NOW - DAY, order)
        line.session.commit()
        handle_due(line)
        assert numbers(line) == {"26": (left, 0)}
    buyers = line.session.scalars(select(ResultPerson.member_id)).all()
    assert buyers == [members[1]]


def test_an_erased_buyer_stays_counted(run: Run, line: LineState, members: list[int]) -> None:
    line.session.delete(line.session.get_one(User, members[0]))
    line.session.commit()
    assert numbers(line) == {"26": (2, 1)}
    run("results", "recount", "--days", "20")
    assert numbers(line) == {"26": (2, 1)}


def test_upkeep_forgets_who_it_was(line: LineState, past: Past, members: list[int]) -> None:
    line.clock = lambda: NOW + 200 * DAY
    owner = {"campaign_id": 1, "scenario_id": 0, "step": "", "variant": ""}
    tapped = {**owner, "figure": "clickers", "member_id": members[0], "day": NOW.date()}
    count_people(line.session, [tapped, tapped])
    count_people(line.session, [tapped])
    line.session.commit()
    upkeep.sweep(line, seconds=60)
    assert numbers(line, "clickers") == {"28": (1, 1)}
    assert numbers(line) == {"26": (2, 0)}


def test_the_check_covers_people(run: Run, line: LineState, members: list[int]) -> None:
    assert line.session.scalars(select(ResultPerson)).first() is not None
    for row in line.session.scalars(select(ResultCount).where(ResultCount.figure == "buyers")):
        row.number += 1
    line.session.commit()
    found = json.loads(run("results", "check", "--json").output)
    assert {(one["figure"], one["counted"], one["facts"]) for one in found} >= {("buyers", 3, 2)}


def test_a_segments_members(run: Run, app: Flask, line: LineState, members: list[int]) -> None:
    key = line.session.scalars(select(Campaign.key)).one()
    answer = run("campaign", "results", key, "--segment", "nobody_knows")
    assert answer.exit_code == 1
    assert "nobody_knows" in answer.output
    from flask_lineconnect.marketing.results.among import people_among

    found = people_among(line.session, 1, select(User.id).where(User.id != members[1]))
    assert found == {"": {"accepted": 2, "clickers": 0, "buyers": 1, "sales": 200}}


def test_what_is_usual(line: LineState, past: Past) -> None:
    assert yardsticks_of(line.session, "clickers") == Yardsticks(None, None)
    told = ((100, 10, None), (100, 30, {"to": "friends"}), (300, 30, {"to": "friends"}))
    for accepted, clickers, definition in told:
        campaign = past.campaign(definition=definition)
        for figure, number in (("accepted", accepted), ("clickers", clickers)):
            count = ResultCount(campaign_id=campaign, day=NOW.date(), figure=figure, number=number)
            line.session.add(count)
    line.session.commit()
    found = yardsticks_of(line.session, "clickers")
    assert (found.median, found.blasts) == (0.1, 0.15)
