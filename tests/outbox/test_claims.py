"""Claims: one transaction each, nobody's after their end, and asked anew when they are put back."""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from flask_lineconnect import OwnerNotice
from flask_lineconnect import signals
from flask_lineconnect.engines.upkeep import look_after
from flask_lineconnect.line_api.client import LineApi
from flask_lineconnect.line_api.sender import SendAnswer
from flask_lineconnect.linking.accounts import link
from flask_lineconnect.models import Campaign
from flask_lineconnect.models import OutboxBatch
from flask_lineconnect.models import OutboxMessage
from flask_lineconnect.models import QuotaMonth
from flask_lineconnect.outbox import budget
from flask_lineconnect.outbox import claims
from flask_lineconnect.outbox import delivery
from flask_lineconnect.outbox import queue
from flask_lineconnect.outbox.delivery import deliver_due
from flask_lineconnect.outbox.results import QuotaReading
from flask_lineconnect.outbox.results import record
from flask_lineconnect.outbox.rules import Rules
from flask_lineconnect.outbox.send_requests import Claimed
from flask_lineconnect.outbox.send_requests import Request
from flask_lineconnect.state import LineState
from flask_lineconnect.testing.plugin import Emulator
from tests.conftest import DATABASES
from tests.outbox.conftest import Join
from tests.outbox.conftest import StoppedClock
from tests.outbox.conftest import account_of
from tests.outbox.conftest import sends
from tests.outbox.conftest import texts
from tests.small_shop import User
from tests.small_shop import db
from tests.small_shop import line as extension

pytestmark = pytest.mark.parametrize("database", DATABASES, indirect=True)
PUSH = "/v2/bot/message/push"
TWENTY = {
    "LINECONNECT_PLAN": "small",
    "LINECONNECT_PLANS": {"small": {"fee": 0, "free": 20}},
    "LINECONNECT_MONTHLY_BUDGET_YEN": 0,
}
REFUSED = SendAnswer(429, "r", "too much")


def _claim(line: LineState) -> list[Request]:
    """Claim everything that is due, as a worker that then dies."""
    found = claims.claim_messages(line.session, line.part(Rules), now=line.clock()).requests
    return found + claims.claim_batches(line.session, line.part(Rules), now=line.clock()).requests


def _answer(line: LineState, request: Request, answer: SendAnswer, **more: QuotaReading) -> None:
    record(line.session, [(request, answer)], quota=more.get("quota"), now=line.clock())
    line.session.commit()


def _states(line: LineState, model: type[OutboxMessage] | type[Campaign]) -> list[str]:
    line.session.rollback()
    return list(line.session.scalars(select(model.state).order_by(model.id)))


def _own_used(line: LineState) -> int:
    line.session.rollback()
    return line.session.scalars(select(QuotaMonth.own_used)).one()


def _is_done_in(seconds: float, line: LineState) -> bool:
    """Deliver in a thread, whose end can be missed."""

    def deliver() -> None:
        with suppress(RuntimeError):
            deliver_due(line)

    thread = threading.Thread(target=deliver, daemon=True)
    thread.start()
    thread.join(seconds)
    return not thread.is_alive()


def test_S9_2_a_claim_that_fails_leaves_nothing_claimed(
    line: LineState, join: Join, monkeypatch: pytest.MonkeyPatch
) -> None:
    [member] = join(1)
    extension.send(member, "x")
    line.session.commit()

    def fail(*_arguments: object) -> None:
        raise RuntimeError("killed here")

    monkeypatch.setattr(claims._Claim, "sort_out", fail)
    with pytest.raises(RuntimeError):
        claims.claim_messages(line.session, line.part(Rules), now=line.clock())
    line.session.rollback()
    row = line.session.scalars(select(OutboxMessage)).one()
    assert (row.state, row.attempts) == ("queued", 0)


def test_nothing_hangs_when_writing_an_answer_down_fails(
    line: LineState, line_emulator: Emulator, join: Join, monkeypatch: pytest.MonkeyPatch
) -> None:
    [member] = join(1)
    line_emulator.fault(path=PUSH, status=429, times=1)
    extension.send(member, "x")
    budget.lock(line.session, line.clock()).read_at = line.clock()
    line.session.commit()
    monkeypatch.setattr(delivery, "WAITS_FOR_DATABASE", (0, 0))

    def quota() -> tuple[int | None, int]:
        raise ValueError("an answer of another shape")

    monkeypatch.setattr(line.part(LineApi), "quota", quota)
    assert _is_done_in(20, line)


def test_nothing_hangs_when_one_lane_fails(
    line: LineState, line_emulator: Emulator, join: Join, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number, member in enumerate(join(60)):
        extension.send(member, f"{number}")
    line.session.commit()
    count = 0

    def claim_batches(_line: LineState) -> Claimed:
        nonlocal count
        count += 1
        if count > 1:
            raise RuntimeError("the database is away")
        return Claimed()

    monkeypatch.setattr(delivery, "_claim_batches", claim_batches)
    assert _is_done_in(30, line)
    assert _states(line, OutboxMessage) == ["accepted"] * 60


def test_S8_7_a_worker_that_slept_sends_nothing_when_it_wakes(
    line: LineState, line_emulator: Emulator, join: Join, clock: StoppedClock
) -> None:
    [member] = join(1)
    extension.send(member, "一度だけ")
    line.session.commit()
    claim = delivery._claim_messages

    def sleep_after_claiming(line: LineState) -> Claimed:
        claimed = claim(line)
        clock.advance(hours=25)
        return claimed

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(delivery, "_claim_messages", sleep_after_claiming)
        deliver_due(line)
    assert sends(line_emulator) == []


def test_S8_2_the_same_answers_written_down_twice_count_once(
    line: LineState, join: Join, clock: StoppedClock
) -> None:
    """A commit whose outcome is unknown is repeated."""
    refused, limited, *others = join(6)
    extension.send(refused, "だれへ")
    extension.send(limited, "いまは無理")
    extension.begin_campaign("autumn", "秋", members=select(User.id).where(User.id > limited.id))
    line.session.commit()
    first, second, batch = _claim(line)
    answers = [
        (first, SendAnswer(400, "r", "Failed to send messages")),
        (second, REFUSED),
        (batch, SendAnswer(400, "r", "The property, to[1], in the request body is invalid")),
    ]
    for _time in range(2):
        record(line.session, answers, quota=None, now=clock())
        line.session.commit()
    assert _own_used(line) == 0
    waiting = line.session.scalars(select(OutboxBatch).where(OutboxBatch.state == "queued")).all()
    assert sorted(row.recipients for row in waiting) == [1, len(others) - 1]


def test_S8_1_what_was_tried_alone_stays_alone(
    line: LineState, line_emulator: Emulator, join: Join, clock: StoppedClock
) -> None:
    first, second = join(2)
    line_emulator.fault(path=PUSH, drop=True, after_acceptance=True, times=1)
    extension.send(first, "再入荷しました", category="restock")
    line.session.commit()
    deliver_due(line)
    extension.send(second, "再入荷しました", category="restock")
    line.session.commit()
    clock.advance(hours=1)
    deliver_due(line)
    assert [texts(line_emulator, one) for one in (first, second)] == [["再入荷しました"]] * 2


def test_a_cancelled_campaign_is_not_sent_when_it_comes_back(
    line: LineState, line_emulator: Emulator, join: Join, clock: StoppedClock
) -> None:
    members = join(2)
    campaign = extension.begin_campaign("autumn", "秋")
    line.session.commit()
    [request] = _claim(line)
    queue.cancel_campaign(line.session, campaign, now=clock())
    line.session.commit()
    _answer(line, request, REFUSED)
    clock.advance(minutes=5)
    deliver_due(line)
    assert [texts(line_emulator, member) for member in members] == [[], []]


@pytest.mark.parametrize("is_one_batch", [True, False])
def test_campaigns_of_single_messages_end_however_they_were_sent(
    line: LineState, join: Join, is_one_batch: bool
) -> None:
    for number, member in enumerate(join(3)):
        text = "同じ" if is_one_batch else f"{number}"
        extension.send(member, text, category="news", campaign="names")
    line.session.commit()
    deliver_due(line)
    assert _states(line, Campaign) == ["finished"]


def test_a_campaign_whose_last_person_left_ends(
    line: LineState, join: Join, clock: StoppedClock
) -> None:
    sent, unlinked = join(2)
    later = clock() + timedelta(hours=1)
    extension.send(sent, "A", category="news", campaign="names")
    extension.send(unlinked, "B", category="news", campaign="names", send_at=later)
    line.session.commit()
    deliver_due(line)
    extension.unlink(unlinked)
    line.session.commit()
    look_after(line)
    assert _states(line, Campaign) == ["finished"]


def test_a_campaign_ends_also_when_two_workers_write_its_last_answers_at_once(
    app: Flask, line: LineState, join: Join, database: str
) -> None:
    if database == "sqlite":
        return  # One writer at a time.
    for number, member in enumerate(join(2)):
        extension.send(member, f"{number}", category="news", campaign="names")
    line.session.commit()
    written = threading.Event()

    def write_down(request: Request, *, is_first: bool) -> None:
        with app.app_context():
            answered = [(request, SendAnswer(200, "r"))]
            record(line.session, answered, quota=None, now=line.clock())
            written.set()
            if is_first:
                time.sleep(0.3)
            line.session.commit()

    one, other = _claim(line)
    first = threading.Thread(target=write_down, args=(one,), kwargs={"is_first": True})
    first.start()
    written.wait(60)
    second = threading.Thread(target=write_down, args=(other,), kwargs={"is_first": False})
    second.start()
    first.join()
    second.join()
    assert _states(line, Campaign) == ["finished"]


def test_a_key_that_messages_used_before_can_still_begin_a_campaign(
    line: LineState, line_emulator: Emulator, join: Join
) -> None:
    first, other = join(2)
    extension.send(first, "あなたへ", category="news", campaign="autumn")
    extension.begin_campaign("autumn", "みなさまへ")
    line.session.commit()
    deliver_due(line)
    assert texts(line_emulator, other) == ["みなさまへ"]


def test_S8_4_an_uncertain_batch_with_a_bad_recipient_still_reaches_the_others(
    line: LineState, line_emulator: Emulator, join: Join, clock: StoppedClock
) -> None:
    members = join(5)
    account_of(line, members[2]).line_user_id = "nobody"
    extension.begin_campaign("autumn", "秋")
    line.session.commit()
    _claim(line)
    clock.advance(seconds=61)
    deliver_due(line)
    others = [*members[:2], *members[3:]]
    assert [texts(line_emulator, member) for member in others] == [["秋"]] * 4


@pytest.mark.parametrize("settings", [TWENTY])
def test_a_batch_that_does_not_fit_stops_no_single_order(
    app: Flask, line: LineState, line_emulator: Emulator, join: Join
) -> None:
    told: list[str] = []

    def listen(_app: Flask, notice: OwnerNotice) -> None:
        told.append(notice.kind)

    line_emulator.set_up(messaging_channel={"quota": 5_000})
    members = join(30)
    extension.begin_campaign("recall", "お詫び", category="order")
    line.session.commit()
    with signals.owner_notified.connected_to(listen, app):
        deliver_due(line)
    extension.send(members[0], "発送しました", category="order")
    line.session.commit()
    deliver_due(line)
    assert texts(line_emulator, members[0]) == ["発送しました"]
    assert told == ["unfit"]


@pytest.mark.parametrize("settings", [{"LINECONNECT_QUIET_HOURS": "11:00-13:00"}])
def test_S8_6_who_may_be_sent_it_is_asked_after_the_quiet_hours(
    line: LineState, line_emulator: Emulator, join: Join, clock: StoppedClock
) -> None:
    [member] = join(1)
    extension.begin_campaign("autumn", "秋")
    account_of(line, member).is_friend = False
    line.session.commit()
    deliver_due(line)
    account_of(line, member).is_friend = True
    line.session.commit()
    clock.advance(hours=2)
    deliver_due(line)
    assert texts(line_emulator, member) == ["秋"]


@pytest.mark.parametrize("settings", [{"LINECONNECT_MARKETING_CAP": 1}])
def test_S8_6_the_cap_is_asked_again_for_a_batch_that_was_put_back(
    line: LineState, line_emulator: Emulator, join: Join, clock: StoppedClock
) -> None:
    members = join(3)
    for member in members:
        extension.send(member, "広告 1", category="news")
    line.session.commit()
    [request] = _claim(line)
    _answer(line, request, REFUSED, quota=QuotaReading(1, 1))
    clock.advance(days=8)
    for number, member in enumerate(members):
        extension.send(member, f"広告 2 {number}", category="news")
    budget.lock(line.session, clock()).granted = None
    line.session.commit()
    deliver_due(line)
    assert [len(texts(line_emulator, member)) for member in members] == [1, 1, 1]


def test_many_refusals_do_not_make_the_first_lost_answer_wait(
    line: LineState, join: Join, clock: StoppedClock
) -> None:
    [member] = join(1)
    extension.send(member, "x")
    line.session.commit()
    for _time in range(12):
        [request] = _claim(line)
        _answer(line, request, REFUSED)
        clock.advance(minutes=2)
    [request] = _claim(line)
    _answer(line, request, SendAnswer(None, text="reset"))
    row = line.session.scalars(select(OutboxMessage)).one()
    assert row.next_attempt_at
    assert row.next_attempt_at - clock() <= timedelta(seconds=5)


def test_unlinking_takes_a_message_out_of_its_batch(
    line: LineState, line_emulator: Emulator, join: Join, clock: StoppedClock
) -> None:
    leaving, *others = join(3)
    for member in (leaving, *others):
        extension.send(member, "ランクが上がりました", category="order")
    line.session.commit()
    claims.claim_messages(line.session, line.part(Rules), now=clock())
    account = account_of(line, leaving)
    extension.unlink(leaving)
    successor = User(name="another")
    db.session.add(successor)
    db.session.flush()
    link(line, account, successor.id, source=None, now=clock())
    line.session.commit()
    deliver_due(line)
    [told] = texts(line_emulator, leaving)
    assert "連携を解除しました" in told
    assert [texts(line_emulator, member) for member in others] == [["ランクが上がりました"]] * 2


def test_S11_3_erasure_leaves_no_line_user_id_in_what_waits(
    line: LineState, join: Join, clock: StoppedClock
) -> None:
    erased, *_others = join(3)
    line_user_id = erased.name
    extension.begin_campaign("autumn", "秋")
    line.session.commit()
    [request] = _claim(line)
    _answer(line, request, REFUSED, quota=QuotaReading(1, 1))
    extension.erase(erased)
    line.session.commit()
    assert line_user_id not in str(line.session.scalars(select(OutboxBatch.line_user_ids)).all())


def test_a_new_month_begins_with_the_last_known_limit(line: LineState, clock: StoppedClock) -> None:
    month = budget.lock(line.session, clock())
    budget.note_reading(month, granted=200, line_used=0, now=clock())
    line.session.commit()
    assert budget.lock(line.session, budget.next_month(clock())).granted == 200


def test_clocks_that_were_ahead_leave_nothing_waiting(
    line: LineState, line_emulator: Emulator, join: Join, clock: StoppedClock
) -> None:
    [member] = join(1)
    right = clock.now
    for text in ("リース", "休止"):
        extension.send(member, text)
    line.session.commit()
    clock.advance(days=30)
    leased, refused = _claim(line)
    clock.advance(days=335)
    _answer(line, refused, SendAnswer(401, "r", "no"))
    clock.now = right
    extension.send(member, "発送しました", category="order")
    line.session.commit()
    line.next_sweep_at = None
    look_after(line)
    deliver_due(line)
    assert "発送しました" in texts(line_emulator, member)
    assert "リース" in texts(line_emulator, member)
    assert leased.row_id != refused.row_id


def test_S8_4_a_refused_token_stops_what_was_claimed_too(
    line: LineState, line_emulator: Emulator, join: Join, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "MAX_IN_FLIGHT", 20)
    members = join(20)
    for number in range(10):
        for member in members:
            extension.send(member, f"{number} {member.id}")
    line.session.commit()
    line_emulator.fault(path=PUSH, status=401, share=1)
    deliver_due(line)
    # What was on its way, each once more with a new token.
    assert len(sends(line_emulator)) <= 2 * 2 * 20
    assert set(_states(line, OutboxMessage)) == {"queued"}
    assert _own_used(line) == 0


def test_S8_2_messages_that_nobody_can_decide_are_told_once_a_day(
    app: Flask, line: LineState, line_emulator: Emulator, join: Join, clock: StoppedClock
) -> None:
    told: list[OwnerNotice] = []

    def listen(_app: Flask, notice: OwnerNotice) -> None:
        told.append(notice)

    for number, member in enumerate(join(2)):
        extension.send(member, f"{number}")
    line.session.commit()
    _claim(line)
    clock.advance(days=1)
    with signals.owner_notified.connected_to(listen, app):
        deliver_due(line)
    assert _states(line, OutboxMessage) == ["expired", "expired"]
    assert [notice.kind for notice in told] == ["undecided"]
    assert "2通" in told[0].text
