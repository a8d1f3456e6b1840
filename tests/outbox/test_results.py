"""What LINE answers, and what is done about it: 200, 409, 400, 401, 429, 5xx and silence."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

import pytest
from flask import Flask
from sqlalchemy import select

from flask_lineconnect import OwnerNotice
from flask_lineconnect import signals
from flask_lineconnect.line_api.sender import SendAnswer
from flask_lineconnect.models import OutboxBatch
from flask_lineconnect.models import OutboxMessage
from flask_lineconnect.models import QuotaMonth
from flask_lineconnect.outbox import claims
from flask_lineconnect.outbox.delivery import deliver_due
from flask_lineconnect.outbox.results import record
from flask_lineconnect.outbox.rules import Rules
from flask_lineconnect.state import LineState
from flask_lineconnect.testing.plugin import Emulator
from tests.conftest import DATABASES
from tests.outbox.conftest import Join
from tests.outbox.conftest import StoppedClock
from tests.outbox.conftest import account_of
from tests.outbox.conftest import sends
from tests.outbox.conftest import texts
from tests.small_shop import User
from tests.small_shop import line as extension

pytestmark = pytest.mark.parametrize("database", DATABASES, indirect=True)
PUSH, MULTICAST = "/v2/bot/message/push", "/v2/bot/message/multicast"


def _row(line: LineState) -> OutboxMessage:
    line.session.rollback()
    return line.session.scalars(select(OutboxMessage)).one()


def _states(line: LineState) -> list[str]:
    line.session.rollback()
    return list(line.session.scalars(select(OutboxMessage.state).order_by(OutboxMessage.id)))


def _own_used(line: LineState) -> int:
    line.session.rollback()
    return line.session.scalars(select(QuotaMonth.own_used)).one()


def _send(line: LineState, member: User, text: str = "一度だけ") -> None:
    extension.send(member, text)
    line.session.commit()


def _stranger(line: LineState, member: User) -> None:
    """Let a member's LINE account be one that LINE does not know."""
    account_of(line, member).line_user_id = "U" + "f" * 32
    line.session.commit()


@pytest.mark.parametrize("fault", [{"drop": True}, {"status": 500}, {"status": 503}])
@pytest.mark.parametrize("after_acceptance", [True, False])
def test_S8_2_whatever_is_unknown_is_asked_again_with_the_same_key(
    line: LineState,
    line_emulator: Emulator,
    join: Join,
    clock: StoppedClock,
    fault: dict[str, object],
    after_acceptance: bool,
) -> None:
    [member] = join(1)
    line_emulator.fault(path=PUSH, after_acceptance=after_acceptance, times=2, **fault)
    _send(line, member)
    for _try in range(3):
        deliver_due(line)
        clock.advance(hours=1)
    assert texts(line_emulator, member) == ["一度だけ"]
    row = _row(line)
    assert (row.state, row.error) == ("accepted", None)
    assert row.attempts == (2 if after_acceptance else 3)
    calls = [call for call in line_emulator.calls() if call["path"] == PUSH]
    assert len({call["request"] for call in calls}) == 1
    assert _own_used(line) == 1


def test_S8_2_a_multicast_whose_answer_was_lost_is_sent_once(
    line: LineState, line_emulator: Emulator, join: Join, clock: StoppedClock
) -> None:
    members = join(3)
    line_emulator.fault(path=MULTICAST, drop=True, after_acceptance=True, times=1)
    extension.begin_campaign("autumn", "秋の新茶")
    line.session.commit()
    deliver_due(line)
    # Who blocks us now was in the request, which must stay the same.
    account_of(line, members[0]).is_friend = False
    line.session.commit()
    clock.advance(hours=1)
    deliver_due(line)
    assert [texts(line_emulator, member) for member in members] == [["秋の新茶"]] * 3
    assert line.session.scalars(select(OutboxBatch.state)).all() == ["accepted"]
    assert _own_used(line) == 3


def test_S8_4_a_person_whom_line_does_not_know_costs_nothing_and_nobody_else(
    line: LineState, line_emulator: Emulator, join: Join
) -> None:
    unknown, known = join(2)
    _stranger(line, unknown)
    _send(line, unknown, "だれへ")
    _send(line, known, "あなたへ")
    deliver_due(line)
    assert _states(line) == ["refused", "accepted"]
    errors = line.session.scalars(select(OutboxMessage.error).order_by(OutboxMessage.id)).all()
    assert "Failed to send messages" in str(errors[0])
    assert _own_used(line) == 1


def test_S8_4_one_bad_recipient_costs_the_batch_nobody_else(
    line: LineState, line_emulator: Emulator, join: Join
) -> None:
    members = join(5)
    account_of(line, members[2]).line_user_id = "nobody"
    line.session.commit()
    for member in members:
        extension.send(member, "再入荷しました", category="restock")
    line.session.commit()
    deliver_due(line)
    assert _states(line) == ["accepted", "accepted", "refused", "accepted", "accepted"]
    others = [*members[:2], *members[3:]]
    assert [texts(line_emulator, member) for member in others] == [["再入荷しました"]] * 4
    assert _own_used(line) == 4


def test_S8_4_a_bad_message_is_nobodys_fault(
    line: LineState, line_emulator: Emulator, join: Join
) -> None:
    for member in join(3):
        extension.send(member, "再入荷しました", category="restock")
    for row in line.session.scalars(select(OutboxMessage)):
        row.messages = '[{"type":"text","text":""}]'
    line.session.commit()
    deliver_due(line)
    assert sends(line_emulator) == ["multicast"]
    assert _states(line) == ["refused"] * 3
    assert _own_used(line) == 0


def test_S8_4_a_refused_token_stops_everything_and_is_told_once(
    app: Flask, line: LineState, line_emulator: Emulator, join: Join, clock: StoppedClock
) -> None:
    told: list[OwnerNotice] = []

    def listen(_app: Flask, notice: OwnerNotice) -> None:
        told.append(notice)

    members = join(3)
    fault = line_emulator.fault(path=PUSH, status=401, share=1)
    for number, member in enumerate(members):
        _send(line, member, f"{number}")
    with signals.owner_notified.connected_to(listen, app):
        deliver_due(line)
        clock.advance(minutes=6)
        deliver_due(line)
    assert [notice.kind for notice in told] == ["unauthorized"]
    assert _states(line) == ["queued"] * 3
    assert _own_used(line) == 0
    line_emulator.remove_fault(fault)
    clock.advance(minutes=6)
    deliver_due(line)
    assert [len(texts(line_emulator, member)) for member in members] == [1, 1, 1]


def test_a_token_that_ended_is_fetched_anew_without_a_pause(
    line: LineState, line_emulator: Emulator, join: Join
) -> None:
    [member] = join(1)
    line_emulator.fault(path=PUSH, status=401, times=1)
    _send(line, member)
    deliver_due(line)
    assert texts(line_emulator, member) == ["一度だけ"]


def test_S8_2_what_was_refused_for_days_is_no_duplicate_and_is_sent(
    line: LineState, line_emulator: Emulator, join: Join, clock: StoppedClock
) -> None:
    """Only an unknown outcome makes a message too old to repeat."""
    [member] = join(1)
    fault = line_emulator.fault(path=PUSH, status=429, share=1)
    _send(line, member)
    for _day in range(3):
        deliver_due(line)
        clock.advance(days=1)
    line_emulator.remove_fault(fault)
    deliver_due(line)
    assert texts(line_emulator, member) == ["一度だけ"]


def test_S8_7_a_worker_that_was_overtaken_writes_nothing(
    line: LineState, join: Join, clock: StoppedClock
) -> None:
    [member] = join(1)
    _send(line, member)
    [slow] = claims.claim_messages(line.session, line.part(Rules), now=clock()).requests
    clock.advance(seconds=claims.LEASE.total_seconds() + 1)
    [quick] = claims.claim_messages(line.session, line.part(Rules), now=clock()).requests
    assert quick.is_uncertain
    assert (slow.retry_key, slow.body) == (quick.retry_key, quick.body)
    refusal = SendAnswer(400, "r-1", '{"message":"Failed to send messages"}')
    record(line.session, [(slow, refusal)], quota=None, now=clock())
    line.session.commit()
    assert _row(line).state == "sending"
    record(line.session, [(quick, SendAnswer(200, "r-2"))], quota=None, now=clock())
    line.session.commit()
    assert (_row(line).state, _row(line).line_request_id) == ("accepted", "r-2")
    assert _own_used(line) == 1


def test_each_further_wait_is_longer_and_none_is_the_same(
    line: LineState, join: Join, clock: StoppedClock
) -> None:
    [member] = join(1)
    _send(line, member)
    waits: list[timedelta] = []
    for chance in (0.0, 1.0, 1.0, 1.0, 0.0):
        [request] = claims.claim_messages(line.session, line.part(Rules), now=clock()).requests
        silent = [(request, SendAnswer(None, text="no answer"))]
        record(line.session, silent, quota=None, now=clock(), chance=partial(float, chance))
        line.session.commit()
        again_at = _row(line).next_attempt_at
        assert again_at
        waits.append(again_at - clock())
        clock.now = again_at
    assert [wait.total_seconds() for wait in waits] == [2.5, 5.0, 7.5, 15.0, 15.0]


def test_each_message_keeps_the_id_of_its_own_request(
    line: LineState, join: Join, clock: StoppedClock
) -> None:
    for number, member in enumerate(join(3)):
        _send(line, member, f"{number}番")
    requests = claims.claim_messages(line.session, line.part(Rules), now=clock()).requests
    given = ["r-1", None, 'r"3\\']
    answers = [SendAnswer(200, request_id) for request_id in given]
    record(line.session, list(zip(requests, answers, strict=True)), quota=None, now=clock())
    line.session.commit()
    rows = line.session.scalars(select(OutboxMessage).order_by(OutboxMessage.id)).all()
    assert [row.line_request_id for row in rows] == given
    assert {row.state for row in rows} == {"accepted"}
    assert {row.accepted_at for row in rows} == {clock()}
