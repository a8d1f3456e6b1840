"""Runs begin, do their steps and end, each with its reason; on both databases."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from sqlalchemy import select

from flask_lineconnect.marketing.scenarios.beginning import Beginning
from flask_lineconnect.marketing.scenarios.beginning import begin_runs
from flask_lineconnect.marketing.scenarios.published import all_published
from flask_lineconnect.models import MemberEvent
from flask_lineconnect.outbox.claims import claim_messages
from flask_lineconnect.outbox.of_runs import AFTER_EVENTS
from flask_lineconnect.outbox.rules import Rules
from tests.conftest import DATABASES
from tests.marketing.scenario_shop import NOON
from tests.marketing.scenario_shop import Stage
from tests.people import add_member
from tests.people import link
from tests.small_shop import User
from tests.small_shop import db
from tests.small_shop import line as extension

pytestmark = pytest.mark.parametrize("database", DATABASES, indirect=True)


def test_a_message_waits_its_time_and_the_run_ends(stage: Stage, member: User) -> None:
    stage.publish()
    stage.tell("cart.changed", member, version="1")
    [run] = stage.runs()
    assert (run.step, run.due_at, run.key) == ("remind", NOON + timedelta(hours=1), "1")
    assert not stage.messages()
    stage.play(minutes=59)
    assert not stage.messages()
    stage.play(minutes=1)
    [message] = stage.messages()
    assert json.loads(message.messages)[0]["text"] == "お買い忘れはありませんか？"
    assert stage.outcomes() == [("remind", "queued", None)]
    assert stage.ends() == [None]
    message.state, message.next_attempt_at = "accepted", None
    db.session.commit()
    stage.play(seconds=5)
    assert stage.ends() == ["finished"]


def test_whoever_is_not_linked_begins_nothing(stage: Stage) -> None:
    stage.publish()
    stage.tell("cart.changed", add_member(stage.line), version="1")
    assert stage.runs() == []


def test_the_goal_takes_a_waiting_message_along(stage: Stage, member: User) -> None:
    stage.publish()
    stage.tell("cart.changed", member, version="1")
    stage.play(hours=1)
    stage.tell("order.placed", member)
    assert stage.ends() == ["goal"]
    [message] = stage.messages()
    assert (message.state, message.error) == ("cancelled", "the run ended: goal")


def test_an_exit_names_its_event(stage: Stage, member: User) -> None:
    stage.publish()
    stage.tell("cart.changed", member, version="1")
    stage.tell("cart.emptied", member)
    stage.play(hours=2)
    assert stage.ends() == ["exit: cart.emptied"]
    assert not stage.messages()


@pytest.mark.parametrize(
    ("again", "key", "expected"),
    [
        ("never", "member", [NOON]),
        ("per key", "version", [NOON]),
        ("when ended", "version", [NOON, NOON + timedelta(hours=3)]),
        ("after P1D", "version", [NOON, NOON + timedelta(hours=27)]),
        ("restart", "version", [NOON + timedelta(hours=hours) for hours in (0, 0.5, 3, 27)]),
    ],
)
def test_whether_it_begins_again(
    stage: Stage, member: User, again: str, key: str, expected: list[object]
) -> None:
    stage.publish(again=again, key=key)
    stage.tell("cart.changed", member, version="1")
    stage.play(minutes=30)
    stage.tell("cart.changed", member, version="1")
    stage.play(hours=2, minutes=30)
    for message in stage.messages():
        message.state, message.next_attempt_at = "accepted", None
    db.session.commit()
    stage.tell("cart.changed", member, version="1")
    stage.play(hours=24)
    stage.tell("cart.changed", member, version="1")
    assert [run.began_at for run in stage.runs()][: len(expected)] == expected
    if again in ("never", "per key"):
        assert len(stage.runs()) == 1


def test_beginnings_of_many(stage: Stage, member: User) -> None:
    stage.publish()
    other, third = add_member(stage.line, "佐藤"), add_member(stage.line, "鈴木")
    link(stage.line, other, "b")
    [published] = all_published(stage.line)
    people = [Beginning(one.id, NOON, "k") for one in (member, other, third, member)]
    begun = begin_runs(stage.line, published, people, now=NOON)
    assert begun == 2
    assert begin_runs(stage.line, published, people, now=NOON) == 0
    db.session.commit()


def test_a_claim_asks_the_run_again(stage: Stage, member: User) -> None:
    stage.publish()
    stage.tell("cart.changed", member, version="1")
    stage.play(hours=1)
    [message] = stage.messages()
    message.run_id, run_id = None, message.run_id
    db.session.commit()
    # Nothing of the run's is cancelled with it: the claim alone finds out.
    stage.tell("order.placed", member)
    message.run_id = run_id
    db.session.commit()
    claimed = claim_messages(stage.line.session, stage.line.part(Rules), now=stage.now)
    assert claimed.requests == []
    [message] = stage.messages()
    assert (message.state, message.error) == ("cancelled", "the run ended: goal")


def test_nothing_goes_before_news_of_the_member_is_looked_at(stage: Stage, member: User) -> None:
    stage.publish()
    stage.tell("cart.changed", member, version="1")
    stage.play(hours=1)
    extension.emit("order.placed", member)
    db.session.commit()
    assert claim_messages(stage.line.session, stage.line.part(Rules), now=stage.now).requests == []
    [message] = stage.messages()
    assert (message.state, message.next_attempt_at) == ("queued", stage.now + AFTER_EVENTS)
    # An event whose first attempt has failed holds nothing up.
    event = db.session.scalars(select(MemberEvent).order_by(MemberEvent.id.desc())).first()
    assert event is not None
    event.attempts = 1
    db.session.commit()
    claimed = claim_messages(
        stage.line.session, stage.line.part(Rules), now=stage.now + AFTER_EVENTS
    )
    assert len(claimed.requests) == 1


def test_a_paused_scenario_rests_and_goes_on(stage: Stage, member: User) -> None:
    stage.publish()
    stage.tell("cart.changed", member, version="1")
    stage.play(minutes=30)
    stage.tell("cart.changed", member, version="2")
    stage.play(minutes=30)
    assert len(stage.messages()) == 1
    extension.scenarios.pause("cart")
    db.session.commit()
    assert claim_messages(stage.line.session, stage.line.part(Rules), now=stage.now).requests == []
    stage.play(minutes=30)
    stage.tell("cart.changed", member, version="3")
    assert [run.key for run in stage.runs()] == ["1", "2"]
    assert [run.due_at for run in stage.runs() if run.step == "remind"] == [None]
    extension.scenarios.resume("cart")
    db.session.commit()
    stage.play()
    assert (
        len(claim_messages(stage.line.session, stage.line.part(Rules), now=stage.now).requests) == 2
    )


def test_a_stopped_scenario_ends_its_runs(stage: Stage, member: User) -> None:
    stage.publish()
    stage.tell("cart.changed", member, version="1")
    stage.play(hours=1)
    stage.tell("cart.changed", member, version="2")
    assert extension.scenarios.stop("cart") == 2
    db.session.commit()
    assert stage.ends() == ["stopped", "stopped"]
    assert [message.state for message in stage.messages()] == ["cancelled"]
    stage.tell("cart.changed", member, version="3")
    assert len(stage.runs()) == 2
    assert stage.publish() == 1
    stage.tell("cart.changed", member, version="4")
    assert stage.ends() == ["stopped", "stopped", None]
