"""What goes wrong stays alone: broken steps, versions and people who go in the middle."""

from __future__ import annotations

import json
from datetime import datetime
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from sqlalchemy import func
from sqlalchemy import select
from sqlalchemy import text

from flask_lineconnect import LineBlueprint
from flask_lineconnect.engines.upkeep import sweep
from flask_lineconnect.errors import UsageError
from flask_lineconnect.linking import accounts
from flask_lineconnect.marketing.scenarios.doing import MAX_ATTEMPTS
from flask_lineconnect.marketing.segments.declared import MemberQuery
from flask_lineconnect.models import OutboxMessage
from flask_lineconnect.models import ScenarioRun
from flask_lineconnect.models import ScenarioStep
from flask_lineconnect.outbox.rules import Rules
from flask_lineconnect.state import LineState
from tests.conftest import DATABASES
from tests.marketing.scenario_shop import NOON
from tests.marketing.scenario_shop import Stage
from tests.people import add_member
from tests.people import link
from tests.small_shop import User
from tests.small_shop import db
from tests.small_shop import line as extension

pytestmark = pytest.mark.parametrize("database", DATABASES, indirect=True)


#: Lets the database refuse one message.
REFUSING = {
    "sqlite": [
        "CREATE TRIGGER refuse BEFORE INSERT ON lineconnect_outbox_message "
        "WHEN NEW.messages LIKE '%山田%' BEGIN SELECT RAISE(ABORT, 'refused'); END"
    ],
    "postgresql": [
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE 'refused'; END $$",
        "CREATE TRIGGER refuse BEFORE INSERT ON lineconnect_outbox_message FOR EACH ROW "
        "WHEN (NEW.messages LIKE '%山田%') EXECUTE FUNCTION refuse()",
    ],
}


@pytest.fixture
def stage(app: Flask, line: LineState) -> Stage:
    """Return the small shop with an attribute, and a segment that breaks when it is asked."""
    blueprint = LineBlueprint("odd", __name__)

    @blueprint.segment("broken", label="x")
    def broken(now: datetime) -> MemberQuery:
        if app.config.get("IS_BROKEN"):
            raise RuntimeError("the shop's own mistake")
        return select(User.id)

    blueprint.attribute("member_name", User.name, label="お名前")
    app.register_blueprint(blueprint)
    return Stage(app)


def test_a_broken_step_is_tried_again_and_given_up_and_holds_back_no_other(
    stage: Stage, member: User
) -> None:
    stage.publish()
    only = {"segment": "broken"}
    steps = [{"name": "remind", "wait": "PT1H", "only": only, "message": "a"}]
    stage.publish("odd", steps=steps)
    stage.app.config["IS_BROKEN"] = True
    stage.tell("cart.changed", member, version="1")
    stage.play(hours=1)
    assert [json.loads(one.messages)[0]["text"] for one in stage.messages()] == [
        "お買い忘れはありませんか？"
    ]
    for _attempt in range(MAX_ATTEMPTS):
        stage.play(hours=1)
    [odd] = [run for run in stage.runs() if run.end_reason == "failed"]
    assert odd.error is not None
    assert "RuntimeError" in odd.error
    assert odd.attempts == MAX_ATTEMPTS


def test_a_scenario_whose_segment_fails_is_not_published(stage: Stage) -> None:
    stage.app.config["IS_BROKEN"] = True
    with pytest.raises(UsageError, match=r"cart\.where: .*RuntimeError"):
        stage.publish(where={"segment": "broken"})


def test_a_broken_beginning_holds_back_no_other(stage: Stage, member: User) -> None:
    stage.publish("a_broken", where={"segment": "broken"})
    stage.publish()
    stage.app.config["IS_BROKEN"] = True
    stage.tell("cart.changed", member, version="1")
    assert [run.key for run in stage.runs()] == ["1"]


def test_a_message_that_the_database_refuses_fails_alone(
    stage: Stage, member: User, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = add_member(stage.line, "佐藤")
    link(stage.line, other, "b")
    steps = [{"name": "hello", "wait": "PT1H", "message": "{{ name }}様"}]
    stage.publish(steps=steps)
    for one in (member, other):
        stage.tell("cart.changed", one, version="1")
    monkeypatch.setattr(type(stage.line.shop), "member_name", lambda _self, one: one.name)
    for statement in REFUSING[database]:
        db.session.execute(text(statement))
    db.session.commit()
    stage.play(hours=1)
    assert [json.loads(one.messages)[0]["text"] for one in stage.messages()] == ["佐藤様"]
    [failed] = [run for run in stage.runs() if run.error]
    assert (failed.member_id, failed.attempts) == (member.id, 1)


def test_a_value_that_is_absent_drops_the_message_and_says_so(stage: Stage, member: User) -> None:
    steps = [
        {"name": "one", "message": "{{ count|default('0') }}点"},
        {"name": "two", "message": "{% if count %}{{ count }}点{% endif %}"},
    ]
    stage.publish(steps=steps)
    stage.tell("cart.changed", member, version="1")
    assert [json.loads(one.messages)[0]["text"] for one in stage.messages()] == ["0点"]
    outcomes = stage.outcomes()
    assert outcomes[0] == ("one", "queued", None)
    assert outcomes[1][:2] == ("two", "dropped")
    assert outcomes[1][2]


def test_attributes_and_facts_stand_in_messages(
    stage: Stage, member: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(stage.line.shop), "member_name", lambda _self, one: one.name)
    written = "{{ name }} {{ member_name }} {{ version }} {{ count|number }}"
    stage.publish(steps=[{"name": "one", "message": written}])
    stage.tell("cart.changed", member, version="7", count=1200)
    [message] = stage.messages()
    assert json.loads(message.messages)[0]["text"] == "山田 花子 山田 花子 7 1,200"


def test_the_waits_go_by_the_clocks_of_the_member(
    stage: Stage, member: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(stage.line.shop), "member_zone", "name")
    member.name = "America/New_York"
    stage.publish(steps=[{"name": "one", "wait": "10:00", "message": "a"}])
    stage.tell("cart.changed", member, version="1")
    [run] = stage.runs()
    assert run.due_at is not None
    assert run.due_at.astimezone(ZoneInfo("America/New_York")).hour == 10


def test_a_version_in_the_middle_is_for_new_runs_and_for_all_if_it_is_said(
    stage: Stage, member: User
) -> None:
    stage.publish()
    stage.tell("cart.changed", member, version="1")
    new = [{"name": "remind", "wait": "PT2H", "message": "新しい文"}]
    with pytest.raises(UsageError, match="say who of those already there goes by this version"):
        stage.publish(steps=new)
    db.session.rollback()
    assert stage.publish(steps=new, enrol="from-now") == 2
    stage.tell("cart.changed", member, version="2")
    stage.play(hours=1)
    assert len(stage.messages()) == 1
    stage.tell("cart.changed", member, version="3")
    newest = [{"name": "remind", "wait": "PT3H", "message": "いちばん新しい文"}]
    assert stage.publish(steps=newest, enrol="all") == 3
    stage.play(hours=1)
    # What was due after two hours is due after three.
    assert len(stage.messages()) == 1
    stage.play(hours=1)
    texts = [json.loads(one.messages)[0]["text"] for one in stage.messages()]
    assert texts == ["お買い忘れはありませんか？", "いちばん新しい文"]
    assert stage.publish(steps=newest) == 3


def test_a_scenario_that_is_wrong_is_not_published(stage: Stage) -> None:
    with pytest.raises(UsageError, match=r"cart\.goal: "):
        stage.publish(goal="order.plced")
    with pytest.raises(UsageError, match="enrol is one of nobody, all, from-now"):
        stage.publish(enrol="some")


def test_who_unlinks_ends_the_runs_and_who_is_erased_leaves_none(
    stage: Stage, member: User
) -> None:
    stage.publish()
    stage.tell("cart.changed", member, version="1")
    extension.unlink(member)
    db.session.commit()
    stage.play(hours=2)
    assert stage.ends() == ["unlinked"]
    assert not stage.messages()
    account = accounts.ensure_account(stage.line.session, "U" + "c" * 32, now=stage.now)
    accounts.link(stage.line, account, member.id, source=None, now=stage.now)
    db.session.commit()
    stage.tell("cart.changed", member, version="2")
    stage.play(hours=1)
    assert len(stage.messages()) == 1
    db.session.delete(member)
    db.session.commit()
    for model in (ScenarioRun, ScenarioStep, OutboxMessage):
        assert db.session.scalar(select(func.count()).select_from(model)) == 0, model


def test_who_blocked_is_sent_nothing_and_the_run_goes_on(stage: Stage, member: User) -> None:
    steps = [
        {"name": "one", "wait": "PT1H", "message": "a"},
        {"name": "two", "wait": "P1D", "message": "b"},
    ]
    stage.publish(steps=steps)
    stage.tell("cart.changed", member, version="1")
    account = accounts.account_of(stage.line.session, member.id)
    assert account is not None
    accounts.note_friendship(stage.line.session, account, False, at=stage.now)
    db.session.commit()
    stage.play(hours=1)
    assert stage.outcomes() == [("one", "dropped", "not a friend")]
    accounts.note_friendship(stage.line.session, account, True, at=stage.now)
    db.session.commit()
    stage.play(days=1)
    assert stage.outcomes()[1] == ("two", "queued", None)


def test_what_a_cap_holds_back_waits_until_it_allows(
    app: Flask, stage: Stage, member: User
) -> None:
    object.__setattr__(stage.line.part(Rules).policy, "marketing_cap", 1)
    stage.publish(category="cart", steps=[{"name": "one", "message": "a", "over_cap": "wait"}])
    stage.tell("cart.changed", member, version="1")
    [first] = stage.messages()
    first.state, first.first_tried_at, first.next_attempt_at = "accepted", stage.now, None
    db.session.commit()
    stage.tell("cart.changed", member, version="2")
    assert stage.outcomes()[1] == ("one", "waiting", "frequency cap")
    assert stage.runs()[1].due_at == NOON + timedelta(days=7)
    stage.play(days=7)
    assert stage.outcomes()[1] == ("one", "queued", None)
    assert len(stage.messages()) == 2


def test_ended_runs_are_forgotten_unless_they_must_be_known(stage: Stage, member: User) -> None:
    stage.publish()
    stage.publish("once", again="never", key="member")
    stage.tell("cart.changed", member, version="1")
    stage.tell("cart.emptied", member)
    stage.play(days=399)
    sweep(stage.line, seconds=60)
    assert len(stage.runs()) == 2
    stage.play(days=2)
    sweep(stage.line, seconds=60)
    assert [run.key for run in stage.runs()] == [""]
