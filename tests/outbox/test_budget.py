"""The month's messages: counted, reserved, never more than the owner agreed to."""

from __future__ import annotations

import threading
from datetime import UTC
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from flask_lineconnect import ConfigError
from flask_lineconnect import OwnerNotice
from flask_lineconnect import signals
from flask_lineconnect.config.plans import JAPANESE_PLANS
from flask_lineconnect.config.plans import read_plans
from flask_lineconnect.models import OutboxMessage
from flask_lineconnect.models import QuotaMonth
from flask_lineconnect.models import SendingPause
from flask_lineconnect.outbox import budget
from flask_lineconnect.outbox.claims import claim_messages
from flask_lineconnect.outbox.delivery import deliver_due
from flask_lineconnect.outbox.rules import Rules
from flask_lineconnect.state import LineState
from flask_lineconnect.testing.plugin import Emulator
from tests.conftest import DATABASES
from tests.conftest import MakeApp
from tests.outbox.conftest import Join
from tests.outbox.conftest import StoppedClock
from tests.outbox.conftest import sends
from tests.outbox.conftest import texts
from tests.small_shop import User
from tests.small_shop import line as extension

on_both = pytest.mark.parametrize("database", DATABASES, indirect=True)

#: Twenty messages a month, and no yen for others.
TWENTY = {
    "LINECONNECT_PLAN": "small",
    "LINECONNECT_PLANS": {"small": {"fee": 0, "free": 20}},
    "LINECONNECT_MONTHLY_BUDGET_YEN": 0,
}


@pytest.fixture
def notices(app: Flask) -> Any:
    """Return what the owner is told."""
    told: list[OwnerNotice] = []

    def listen(_app: Flask, notice: OwnerNotice) -> None:
        told.append(notice)

    with signals.owner_notified.connected_to(listen, app):
        yield told


def _states(line: LineState) -> list[str]:
    line.session.rollback()
    return list(line.session.scalars(select(OutboxMessage.state).order_by(OutboxMessage.id)))


def _quota(line: LineState) -> QuotaMonth:
    line.session.rollback()
    return line.session.scalars(select(QuotaMonth)).one()


@pytest.mark.parametrize(
    ("messages", "cost"),
    [
        (30_000, "0"),
        (30_001, "3"),
        (80_000, "150000"),
        (80_001, "150002.8"),
        (130_000, "290000"),
        (230_000, "570000"),
    ],
)
def test_extra_messages_cost_what_their_tier_costs(messages: int, cost: str) -> None:
    plan = JAPANESE_PLANS["standard"]
    assert plan.extra_cost(messages) == Decimal(cost)
    assert plan.messages_for(int(Decimal(cost))) <= messages
    assert plan.messages_for(int(Decimal(cost)) + 3) >= messages


def test_a_plan_without_extra_messages_sells_none() -> None:
    plan = JAPANESE_PLANS["light"]
    assert plan.extra_cost(5_000) == 0
    assert plan.extra_cost(5_001) is None
    assert plan.messages_for(1_000_000) == 5_000


@pytest.mark.parametrize("value", [{"a": {}}, {"a": {"fee": 1, "free": 2, "tiers": [[1, 0]]}}, 7])
def test_plans_of_another_shape_are_refused(value: object) -> None:
    with pytest.raises(ValueError, match="must be plans by name"):
        read_plans(value)


def test_a_budget_needs_a_plan(make_app: MakeApp) -> None:
    with pytest.raises(ConfigError, match="LINECONNECT_MONTHLY_BUDGET_YEN needs LINECONNECT_PLAN"):
        make_app(LINECONNECT_MONTHLY_BUDGET_YEN=1_000)
    with pytest.raises(ConfigError, match="communication, light, standard"):
        make_app(LINECONNECT_PLAN="premium")
    own = {"premium": {"fee": 1, "free": 2}}
    make_app(LINECONNECT_PLAN="premium", LINECONNECT_PLANS=own, LINECONNECT_MONTHLY_BUDGET_YEN=0)


def test_S8_5_months_begin_in_lines_zone() -> None:
    last = datetime(2026, 11, 30, 14, 59, 59, tzinfo=UTC)
    first = datetime(2026, 11, 30, 15, 0, tzinfo=UTC)
    assert [budget.month_of(last), budget.month_of(first)] == ["2026-11", "2026-12"]
    assert budget.next_month(last) == first
    assert budget.next_month(datetime(2026, 12, 31, 20, tzinfo=UTC)) == datetime(
        2027, 1, 31, 15, tzinfo=UTC
    )


def test_S8_5_the_larger_count_rules_and_what_was_sent_by_hand_is_not_forgotten() -> None:
    month = QuotaMonth(own_used=10, foreign_used=0)
    gone = []
    # LINE's count lags; what it has beyond ours was sent by hand, and stays so.
    for own, lines in ((10, 3), (10, 50), (15, 50), (1_000, 900), (1_000, 1_045)):
        month.own_used = own
        budget.note_reading(month, granted=5_000, line_used=lines, now=datetime.now(UTC))
        gone.append(budget.used(month))
    assert gone == [10, 50, 55, 1_040, 1_045]


@on_both
@pytest.mark.parametrize("settings", [TWENTY])
def test_the_budget_is_never_exceeded_and_the_rest_waits_for_the_next_month(
    line: LineState,
    line_emulator: Emulator,
    join: Join,
    clock: StoppedClock,
    notices: list[OwnerNotice],
) -> None:
    line_emulator.set_up(messaging_channel={"quota": 5_000})
    [member] = join(1)
    for number in range(23):
        extension.send(member, f"{number}", category="order")
    line.session.commit()
    deliver_due(line)
    assert len(texts(line_emulator, member)) == 20
    assert sorted(_states(line)) == ["accepted"] * 20 + ["queued"] * 3
    assert [notice.kind for notice in notices] == ["budget"]
    deliver_due(line)
    assert len(texts(line_emulator, member)) == 20
    clock.now = budget.next_month(clock.now)
    line_emulator.freeze(clock.now)
    deliver_due(line)
    assert len(texts(line_emulator, member)) == 23


@on_both
@pytest.mark.parametrize("settings", [{**TWENTY, "LINECONNECT_QUOTA_RESERVE": 15}])
def test_advertising_leaves_the_reserve_to_orders(
    line: LineState, line_emulator: Emulator, join: Join, notices: list[OwnerNotice]
) -> None:
    members = join(8)
    estimated = extension.estimate()
    assert (estimated.recipients, estimated.left, estimated.fits) == (8, 5, False)
    for number, member in enumerate(members):
        extension.send(member, f"広告 {number}", category="news")
    extension.send(members[0], "発送しました", category="order")
    line.session.commit()
    deliver_due(line)
    sent = [text for member in members for text in texts(line_emulator, member)]
    assert len(sent) == 5
    assert "発送しました" in sent
    assert [notice.kind for notice in notices] == ["reserve"]


@on_both
def test_S8_4_a_used_up_quota_stops_what_costs_and_is_told_once(
    line: LineState,
    line_emulator: Emulator,
    join: Join,
    clock: StoppedClock,
    notices: list[OwnerNotice],
) -> None:
    # LINE counts what the owner sends by hand: we can't know, and LINE says so.
    members = join(8)
    line_emulator.set_up(messaging_channel={"quota": 5})
    month = budget.lock(line.session, clock())
    month.read_at = clock()
    line.session.commit()
    for number, member in enumerate(members):
        extension.send(member, f"通知 {number}")
    line.session.commit()
    deliver_due(line)
    assert sorted(_states(line)) == ["accepted"] * 5 + ["queued"] * 3
    assert [notice.kind for notice in notices] == ["quota"]
    assert _quota(line).own_used == 5
    before = len(sends(line_emulator))
    deliver_due(line)
    assert len(sends(line_emulator)) == before
    # The owner buys more; within the hour it goes on, and nobody is told again.
    line_emulator.set_up(messaging_channel={"quota": 100})
    clock.advance(hours=1, minutes=1)
    deliver_due(line)
    assert _states(line) == ["accepted"] * 8
    assert [len(texts(line_emulator, member)) for member in members] == [1] * 8
    assert len(notices) == 1


@on_both
def test_S8_4_too_many_at_a_time_is_not_the_month(
    line: LineState, line_emulator: Emulator, join: Join, notices: list[OwnerNotice]
) -> None:
    line_emulator.fault(path="/v2/bot/message/push", status=429, times=1)
    [member] = join(1)
    extension.send(member, "一度だけ")
    line.session.commit()
    deliver_due(line)
    row = line.session.scalars(select(OutboxMessage)).one()
    assert (row.state, row.first_tried_at, row.quota_month) == ("queued", None, None)
    assert notices == []
    assert _quota(line).own_used == 0
    assert line.session.scalars(select(SendingPause)).all() == []
    row.next_attempt_at = line.clock()
    line.session.commit()
    deliver_due(line)
    assert texts(line_emulator, member) == ["一度だけ"]


@on_both
@pytest.mark.parametrize("settings", [TWENTY])
def test_S8_5_two_workers_that_claim_at_once_reserve_together_what_there_is(
    app: Flask, line: LineState, join: Join
) -> None:
    [member] = join(1)
    for number in range(60):
        extension.send(member, f"{number}", category="order")
    line.session.commit()
    claimed: list[int] = []
    barrier = threading.Barrier(4)

    def claim() -> None:
        with app.app_context():
            barrier.wait()
            found = claim_messages(line.session, line.part(Rules), now=line.clock())
            claimed.append(len(found.requests))

    workers = [threading.Thread(target=claim) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sum(claimed) == 20
    assert _quota(line).own_used == sum(claimed)


@on_both
@pytest.mark.parametrize("settings", [{"LINECONNECT_QUOTA_ALERTS": [0.5, 0.9]}])
def test_the_owner_is_told_of_each_threshold_once(
    line: LineState, line_emulator: Emulator, join: Join, notices: list[OwnerNotice]
) -> None:
    line_emulator.set_up(messaging_channel={"quota": 10})
    members: list[User] = join(1)
    for number in range(10):
        extension.send(members[0], f"{number}")
        line.session.commit()
        deliver_due(line)
    assert [notice.text.partition("%")[0] for notice in notices] == [
        "今月のメッセージの50",
        "今月のメッセージの90",
    ]


def test_an_owner_who_can_not_be_told_stops_nothing(
    line: LineState, line_emulator: Emulator, join: Join, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(notice: OwnerNotice) -> None:
        raise RuntimeError("no mail today")

    monkeypatch.setattr(line.shop, "tell_owner", fail)
    line_emulator.set_up(messaging_channel={"quota": 1})
    [member] = join(1)
    extension.send(member, "届く")
    line.session.commit()
    deliver_due(line)
    assert texts(line_emulator, member) == ["届く"]
