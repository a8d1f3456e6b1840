"""Scenarios whose links are tracked: each message's links name it, and a click is its reader's."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from sqlalchemy import select

from flask_lineconnect.marketing.links.tracking import read_address
from flask_lineconnect.marketing.scenarios.definition import InvalidScenario
from flask_lineconnect.marketing.scenarios.definition import Track
from flask_lineconnect.marketing.scenarios.reading import read_scenario
from flask_lineconnect.marketing.scenarios.reading import write_scenario
from flask_lineconnect.models import Click
from flask_lineconnect.models import MemberEvent
from flask_lineconnect.models import TrackedLink
from tests.conftest import DATABASES
from tests.marketing.scenario_shop import CART
from tests.marketing.scenario_shop import Stage
from tests.people import IN_APP
from tests.people import add_member
from tests.people import link
from tests.small_shop import User
from tests.small_shop import db

on_both = pytest.mark.parametrize("database", DATABASES, indirect=True)

NOT_CLICKED = {"not": {"event": "message.clicked"}}
TEXT = "お忘れですか？ https://shop.example/cart"


def steps(**more: Any) -> list[dict[str, Any]]:
    """Return one step."""
    return [{"name": "remind", "wait": "PT1H", "message": TEXT, **more}]


def addresses(stage: Stage) -> list[str]:
    """Return the addresses in the messages."""
    return [
        found[0]
        for message in stage.messages()
        if (found := re.search(r"https://[^\s\"\\]+", json.loads(message.messages)[0]["text"]))
    ]


@on_both
def test_each_message_has_its_own_links(stage: Stage, member: User) -> None:
    stage.publish(track=True, steps=steps())
    other = add_member(stage.line, "佐藤")
    link(stage.line, other, "b")
    for one in (member, other):
        stage.tell("cart.changed", one, version="1")
    stage.play(hours=1)
    read = [read_address(stage.line, address) for address in addresses(stage)]
    (row,) = db.session.scalars(select(TrackedLink))
    assert (row.step, row.scenario_id, row.target) == (
        *("remind", 1),
        "https://shop.example/cart",
    )
    assert read == [(row.id, message.id) for message in stage.messages()]
    client = stage.app.test_client()
    path = addresses(stage)[1].removeprefix("https://shop.example")
    assert client.get(path, headers={"User-Agent": IN_APP}).location == row.target
    db.session.rollback()
    (click,) = db.session.scalars(select(Click))
    assert click.member_id == other.id
    (event,) = db.session.scalars(select(MemberEvent).where(MemberEvent.name == "message.clicked"))
    assert event.facts == {"link": "shop.example/cart", "scenario": "cart", "step": "remind"}


def test_a_scenario_can_wait_for_a_click(stage: Stage, member: User) -> None:
    again = {"name": "again", "wait": "P1D", "only": NOT_CLICKED, "message": "まだ間に合います"}
    stage.publish(track=True, steps=[*steps(), again])
    stage.tell("cart.changed", member, version="1")
    stage.play(hours=1)
    path = addresses(stage)[0].removeprefix("https://shop.example")
    stage.app.test_client().get(path, headers={"User-Agent": IN_APP})
    stage.play(days=1)
    assert len(stage.messages()) == 1
    assert [outcome for _step, outcome, _reason in stage.outcomes()] == ["queued", "skipped"]


@pytest.mark.parametrize(
    ("scenario", "step", "expected"),
    [(None, None, False), (True, None, True), (True, False, False), (None, True, True)],
)
def test_the_steps_word_goes_first(
    stage: Stage, member: User, scenario: bool | None, step: bool | None, expected: bool
) -> None:
    given: dict[str, Any] = {} if step is None else {"track": step}
    whole: dict[str, Any] = {} if scenario is None else {"track": scenario}
    stage.publish(**whole, steps=steps(**given))
    stage.tell("cart.changed", member, version="1")
    stage.play(hours=1)
    (address,) = addresses(stage)
    assert ("/line/l/" in address) is expected


def test_utm_parameters(stage: Stage, member: User) -> None:
    stage.publish(track={"utm_source": "line"}, steps=steps())
    stage.tell("cart.changed", member, version="1")
    stage.play(hours=1)
    (row,) = db.session.scalars(select(TrackedLink))
    assert row.target == "https://shop.example/cart?utm_source=line"


def test_it_is_read_as_it_was_written() -> None:
    for track in (True, False, {"utm_source": "line", "utm_medium": "message"}):
        read = read_scenario("cart", {**CART, "track": track, "steps": steps(track=track)})
        assert read_scenario("cart", write_scenario(read)) == read
    assert read_scenario("cart", {**CART, "track": True}).track == Track()
    assert "track" not in write_scenario(read_scenario("cart", CART))


@pytest.mark.parametrize("wrong", ["yes", 1, [], {}, {"source": "line"}, {"utm_source": 1}])
def test_what_is_no_tracking_is_refused(wrong: object) -> None:
    with pytest.raises(InvalidScenario, match=r"cart\.steps\.remind\.track: .*utm_source"):
        read_scenario("cart", {**CART, "steps": steps(track=wrong)})
