"""What must not go any more: by its run, its category, its subject, or the cap."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import delete

from flask_lineconnect.models import Preference
from flask_lineconnect.models import ScenarioRun
from flask_lineconnect.outbox.claims import claim_messages
from flask_lineconnect.outbox.rules import Rules
from tests.conftest import DATABASES
from tests.marketing.scenario_shop import CART
from tests.marketing.scenario_shop import Stage
from tests.small_shop import User
from tests.small_shop import db
from tests.small_shop import line as extension

pytestmark = pytest.mark.parametrize("database", DATABASES, indirect=True)


def _claim(stage: Stage) -> int:
    rules = stage.line.part(Rules)
    return len(claim_messages(stage.line.session, rules, now=stage.now).requests)


def test_a_subject_that_is_a_text_ends_the_run_of_that_subject_alone(
    stage: Stage, member: User
) -> None:
    stage.publish(key="subject", goal="order.shipped", exits_on=["order.placed"])
    for number in ("A-1001", "A-1002", 1003):
        extension.emit("cart.changed", member, subject=number, version="1")
    extension.emit("order.placed", member, subject="A-1001")
    extension.emit("order.shipped", member, subject=1003)
    db.session.commit()
    stage.play()
    assert stage.ends() == ["exit: order.placed", None, "goal"]


def test_the_message_of_a_run_that_went_with_its_member_goes_to_nobody(
    stage: Stage, member: User
) -> None:
    stage.publish()
    stage.tell("cart.changed", member, version="1")
    stage.play(hours=1)
    extension.send(member, "of the shop's own", key="run:1")
    db.session.execute(delete(ScenarioRun))
    db.session.commit()
    assert _claim(stage) == 1


@pytest.mark.parametrize("what", ["paused", "news"])
def test_what_line_refused_for_a_while_is_asked_again_like_any_other(
    stage: Stage, member: User, what: str
) -> None:
    stage.publish()
    stage.tell("cart.changed", member, version="1")
    stage.play(hours=1)
    assert _claim(stage) == 1
    [message] = stage.messages()
    # LINE said 429: nobody got it.
    message.state, message.next_attempt_at = "queued", stage.now
    message.is_uncertain = False
    if what == "paused":
        extension.scenarios.pause("cart")
    else:
        extension.emit("order.placed", member)
    db.session.commit()
    assert _claim(stage) == 0
    assert stage.messages()[0].state == "queued"


def _forget_categories(stage: Stage) -> None:
    object.__setattr__(stage.line.part(Rules).policy, "categories", ())


def test_a_category_that_is_gone_sends_nothing_and_says_so(stage: Stage, member: User) -> None:
    stage.publish(category="cart")
    stage.tell("cart.changed", member, version="1")
    _forget_categories(stage)
    stage.play(hours=1)
    [run] = stage.runs()
    assert not stage.messages()
    assert "no category 'cart' any more" in str(run.error)


def test_who_declined_a_category_gets_nothing_of_it_when_it_is_gone(
    stage: Stage, member: User
) -> None:
    stage.publish(category="cart")
    stage.tell("cart.changed", member, version="1")
    stage.play(hours=1)
    [message] = stage.messages()
    account_id = message.account_id
    said = Preference(account_id=account_id, category="cart", is_wanted=False, changed_at=stage.now)
    db.session.add(said)
    db.session.commit()
    _forget_categories(stage)
    assert _claim(stage) == 0
    assert [one.error for one in stage.messages()] == ["declined"]


def test_of_two_advertisements_at_once_the_second_waits_for_the_cap(
    stage: Stage, member: User
) -> None:
    object.__setattr__(stage.line.part(Rules).policy, "marketing_cap", 1)
    steps: list[dict[str, Any]] = [{"name": "one", "message": "a", "over_cap": "wait"}]
    stage.publish("first", CART, category="cart", steps=steps)
    stage.publish("second", CART, category="cart", steps=steps)
    stage.tell("cart.changed", member, version="1")
    assert _claim(stage) == 1
    outcomes = [(outcome, reason) for _step, outcome, reason in stage.outcomes()]
    assert sorted(outcomes) == [("queued", None), ("waiting", "frequency cap")]
    [message] = stage.messages()
    message.state, message.next_attempt_at = "accepted", None
    message.accepted_at = stage.now
    db.session.commit()
    stage.play(days=7)
    assert len(stage.messages()) == 2
    assert stage.now - message.accepted_at == timedelta(days=7)
