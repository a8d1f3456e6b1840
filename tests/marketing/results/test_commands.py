"""The commands: a campaign's results, and the counts held against the facts."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import delete
from sqlalchemy import select
from sqlalchemy import update

from flask_lineconnect.cli.group import line as commands
from flask_lineconnect.engines import upkeep
from flask_lineconnect.marketing.handling import handle_due
from flask_lineconnect.marketing.results.counts import count
from flask_lineconnect.models import Attribution
from flask_lineconnect.models import Campaign
from flask_lineconnect.models import CampaignMember
from flask_lineconnect.models import ResultCount
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


@pytest.fixture
def key(line: LineState, past: Past) -> str:
    """Return a campaign to ten members, of whom some tapped, bought, blocked and returned."""
    began = NOW - 10 * DAY
    campaign = past.campaign(created_at=began, finished_at=began + HOUR)
    members = past.members(12)
    link = past.link(campaign_id=campaign, variant="a", label="見る")
    for number, member in enumerate(members):
        variant, is_held_out = "ab"[number % 2], number >= 10
        line.session.add(
            CampaignMember(
                campaign_id=campaign, member_id=member, variant=variant, is_held_out=is_held_out
            )
        )
        if is_held_out:
            continue
        past.accept(member, began, campaign_id=campaign, variant=variant)
        day = (began + 9 * HOUR).date()
        count(line.session, "accepted", day=day, campaign_id=campaign, variant=variant)
    for member, after in ((members[0], 2), (members[2], 30)):
        past.click(member, began + after * HOUR, link)
        day = (began + (after + 9) * HOUR).date()
        count(line.session, "clicks", day=day, campaign_id=campaign, variant="a", link_id=link)
    past.click(members[4], began, link, "preview")
    past.event("order.placed", members[0], began + 40 * HOUR, "order:1", total=1_200)
    past.event("order.placed", members[1], began + 20 * HOUR, "order:2", total=800)
    past.event("order.placed", members[3], began + 20 * HOUR, "order:3", total=700)
    past.event("order.cancelled", members[3], began + 21 * HOUR, "order:3")
    past.event("line.unfollowed", members[5], began + 2 * HOUR)
    past.event("line.unfollowed", members[6], began + 50 * HOUR)
    past.event("line.unfollowed", members[7], began + 8 * DAY)
    past.event("line.declined", members[8], began + HOUR, category="news")
    past.event("line.declined", members[9], began + HOUR, category="points")
    line.session.commit()
    handle_due(line)
    return line.session.get_one(Campaign, campaign).key


def test_a_campaigns_results(run: Run, key: str) -> None:
    answer = run("campaign", "results", key, "--json")
    assert answer.exit_code == 0, answer.output
    found = json.loads(answer.output)
    a, b, total = found["variants"]
    assert (a["variant"], b["variant"], total["variant"]) == ("a", "b", "all")
    assert (a["accepted"], a["taps"], a["taps/accepted"]) == (5, 2, "40.0%")
    assert (a["direct orders"], a["direct sales"], a["indirect orders"]) == (1, "1200", 0)
    assert (b["direct orders"], b["indirect orders"], b["indirect sales"]) == (0, 1, "800")
    assert (total["blocks 24 h"], total["blocks 7 d"], total["declined"]) == (1, 2, 1)
    assert [(one["link"], one["taps"], one["sales"]) for one in found["links"]] == [
        ("見る", 2, "1200")
    ]
    assert "まだ判断できません" in found["words"][0]
    answer = run("campaign", "results", key, "--language", "en")
    assert "Too early to tell: 12 people so far" in answer.output
    assert run("campaign", "results", "none").exit_code == 1


def test_counts_are_held_against_the_facts(run: Run, line: LineState, key: str) -> None:
    answer = run("results", "check")
    assert answer.output == "Every count is what the facts say.\n"
    line.session.execute(
        update(ResultCount)
        .where(ResultCount.figure == "sales_direct")
        .values(number=ResultCount.number + 1)
    )
    line.session.execute(delete(ResultCount).where(ResultCount.figure == "blocks_day"))
    line.session.commit()
    answer = run("results", "check", "--json")
    assert answer.exit_code == 1
    assert [(one["figure"], one["counted"], one["facts"]) for one in json.loads(answer.output)] == [
        ("blocks_day", 0, 1),
        ("sales_direct", 1_201, 1_200),
    ]


def test_windows_of_its_own(run: Run, line: LineState, key: str) -> None:
    hours = "--direct-hours", "37", "--indirect-hours", "19"
    answer = run("results", "windows", key, *hours)
    assert answer.output == f"Campaign {key} gets orders for 37 hours after a tap, 19 without.\n"
    kinds = {one.kind for one in line.session.scalars(select(Attribution))}
    assert kinds == {"none"}
    assert "Every count" in run("results", "check").output
    answer = run("results", "windows", key)
    assert answer.output == f"Campaign {key} gets orders for 120 hours after a tap, 24 without.\n"
    assert "Every count" in run("results", "check").output
    found = run("campaign", "results", key, "--json")
    assert json.loads(found.output)["variants"][0]["direct sales"] == "1200"


def test_what_found_no_message_is_found_later(run: Run, line: LineState, key: str) -> None:
    before = line.session.scalars(select(Attribution.order_event_id)).all()
    line.session.execute(delete(Attribution))
    line.session.execute(delete(ResultCount).where(ResultCount.figure.like("%s_%direct")))
    line.session.commit()
    answer = run("results", "recount", "--days", "20")
    assert answer.output == "The orders of 20 days have found their messages.\n"
    assert sorted(line.session.scalars(select(Attribution.order_event_id))) == sorted(before)
    assert "Every count" in run("results", "check").output


def test_upkeep_finds_the_messages_of_late_orders(line: LineState, past: Past) -> None:
    (member,) = past.members(1)
    past.accept(member, NOW - HOUR, campaign_id=past.campaign())
    past.event("order.placed", member, NOW, "order:1", total=5)
    line.session.commit()
    handle_due(line)
    line.session.execute(delete(Attribution))
    line.session.execute(delete(ResultCount))
    line.session.commit()
    upkeep.look_after(line)
    assert [one.kind for one in line.session.scalars(select(Attribution))] == ["indirect"]
    figures = {one.figure: one.number for one in line.session.scalars(select(ResultCount))}
    assert figures == {"orders_indirect": 1, "sales_indirect": 5}


def test_who_is_erased_stays_counted(run: Run, line: LineState, key: str) -> None:
    before = json.loads(run("campaign", "results", key, "--json").output)["variants"]
    for member in line.session.scalars(select(User)):
        line.session.delete(member)
    line.session.commit()
    assert line.session.scalars(select(Attribution)).all() == []
    assert run("results", "check").output == "Every count is what the facts say.\n"
    assert json.loads(run("campaign", "results", key, "--json").output)["variants"] == before
    run("results", "recount", "--days", "20")
    assert json.loads(run("campaign", "results", key, "--json").output)["variants"] == before
