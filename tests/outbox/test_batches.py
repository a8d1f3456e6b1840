"""Equal messages and campaigns: few requests, each recipient once, nobody who may not be."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import func
from sqlalchemy import select

from flask_lineconnect import InvalidMessage
from flask_lineconnect import UsageError
from flask_lineconnect.models import Campaign
from flask_lineconnect.models import OutboxBatch
from flask_lineconnect.models import OutboxMessage
from flask_lineconnect.outbox import queue
from flask_lineconnect.outbox.claims import claim_messages
from flask_lineconnect.outbox.delivery import deliver_due
from flask_lineconnect.outbox.preferences import set_preferences
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


def _campaign(line: LineState) -> Campaign:
    line.session.rollback()
    return line.session.scalars(select(Campaign)).one()


def _states(line: LineState) -> list[str]:
    line.session.rollback()
    return list(line.session.scalars(select(OutboxMessage.state).order_by(OutboxMessage.id)))


def test_messages_that_say_the_same_are_one_request(
    line: LineState, line_emulator: Emulator, join: Join
) -> None:
    first, second, third = join(3)
    for member in (first, second, third, first):
        extension.send(member, "再入荷しました", category="restock")
    extension.send(third, "発送しました", category="order")
    line.session.commit()
    deliver_due(line)
    assert sorted(sends(line_emulator)) == ["multicast", "push", "push"]
    assert texts(line_emulator, first) == ["再入荷しました"] * 2
    assert texts(line_emulator, second) == ["再入荷しました"]
    assert sorted(texts(line_emulator, third)) == ["再入荷しました", "発送しました"]
    assert _states(line) == ["accepted"] * 5
    rows = line.session.scalars(select(OutboxMessage))
    assert all(row.line_request_id and row.accepted_at for row in rows)
    # LINE's ids are not kept longer than the request needs them.
    assert line.session.scalars(select(OutboxBatch.line_user_ids)).all() == [None]


def test_S8_6_a_batch_leaves_out_who_may_no_longer_be_sent_it(
    line: LineState, line_emulator: Emulator, join: Join
) -> None:
    blocked, willing, other = join(3)
    extension.begin_campaign("autumn", "秋の新茶")
    for member in (blocked, willing, other):
        extension.send(member, "再入荷しました", category="restock")
    line.session.commit()
    account_of(line, blocked).is_friend = False
    line.session.commit()
    deliver_due(line)
    assert texts(line_emulator, blocked) == []
    assert sorted(texts(line_emulator, willing)) == ["再入荷しました", "秋の新茶"]
    assert _states(line) == ["cancelled", "accepted", "accepted"]
    sent_to = [json.loads(str(ids)) for ids in line.session.scalars(select(OutboxBatch.chosen_ids))]
    assert [len(ids) for ids in sent_to] == [2, 2]


def test_a_campaign_reaches_each_member_once_in_as_few_requests_as_line_allows(
    line: LineState, line_emulator: Emulator, join: Join
) -> None:
    members = join(1_030)
    declining = members[:25]
    for member in declining:
        account = account_of(line, member)
        set_preferences(line.session, account, {"news": False}, now=line.clock())
    line.session.commit()
    begun = extension.begin_campaign("autumn", ["秋の新茶", "お待ちしています"])
    assert begun.recipients == 1_005
    line.session.commit()
    deliver_due(line)
    assert sends(line_emulator) == ["multicast"] * 3
    assert [len(texts(line_emulator, one)) for one in members[20:30]] == [0] * 5 + [2] * 5
    campaign = _campaign(line)
    assert (campaign.state, campaign.recipients) == ("finished", 1_005)
    accepted = select(func.sum(OutboxBatch.recipients)).where(OutboxBatch.state == "accepted")
    assert line.session.scalar(accepted) == 1_005


def test_S8_8_the_button_pressed_twice_is_one_campaign(
    line: LineState, line_emulator: Emulator, join: Join
) -> None:
    [member] = join(1)
    first = extension.begin_campaign("autumn", "秋の新茶")
    again = extension.begin_campaign("autumn", "ほかのこと")
    assert first.id == again.id
    line.session.commit()
    deliver_due(line)
    extension.begin_campaign("autumn", "秋の新茶")
    line.session.commit()
    deliver_due(line)
    assert texts(line_emulator, member) == ["秋の新茶"]


def test_a_campaign_is_for_the_members_that_the_query_names(
    line: LineState, line_emulator: Emulator, join: Join
) -> None:
    chosen, other = join(2)
    members = select(User.id).where(User.name == chosen.name)
    assert extension.estimate(members=members).recipients == 1
    extension.begin_campaign("one", "あなたへ", members=members)
    line.session.commit()
    deliver_due(line)
    assert (texts(line_emulator, chosen), texts(line_emulator, other)) == (["あなたへ"], [])


def test_S8_1_a_campaign_that_was_rolled_back_never_was(line: LineState, join: Join) -> None:
    join(1)
    extension.begin_campaign("autumn", "秋の新茶")
    line.session.rollback()
    assert deliver_due(line) == 0
    assert line.session.scalars(select(Campaign)).all() == []


def test_a_campaign_for_nobody_is_finished(line: LineState, join: Join) -> None:
    begun = extension.begin_campaign("nobody", "だれかへ", members=select(User.id))
    assert (begun.state, begun.recipients) == ("finished", 0)


def test_a_campaign_waits_for_its_time_and_can_be_cancelled_until_then(
    line: LineState, line_emulator: Emulator, join: Join, clock: StoppedClock
) -> None:
    [member] = join(1)
    later = clock().replace(hour=9)
    extension.begin_campaign("kept", "届く", send_at=later)
    stopped = extension.begin_campaign("stopped", "届かない", send_at=later)
    line.session.commit()
    assert deliver_due(line) == 0
    queue.cancel_campaign(line.session, stopped, now=clock())
    line.session.commit()
    clock.advance(hours=6)
    deliver_due(line)
    assert texts(line_emulator, member) == ["届く"]
    assert stopped.state == "cancelled"


def test_what_is_too_late_is_not_sent(
    line: LineState, line_emulator: Emulator, join: Join, clock: StoppedClock
) -> None:
    [member] = join(1)
    soon = clock().replace(minute=30)
    extension.send(member, "本日18時まで", category="news", expires_at=soon)
    extension.begin_campaign("today", "本日限り", expires_at=soon)
    line.session.commit()
    clock.advance(hours=1)
    deliver_due(line)
    assert texts(line_emulator, member) == []
    assert _states(line) == ["expired"]
    assert line.session.scalars(select(OutboxBatch.state)).all() == ["expired"]
    assert _campaign(line).state == "finished"


def test_orders_go_before_advertising(line: LineState, join: Join) -> None:
    [member] = join(1)
    extension.send(member, "広告", category="news")
    extension.send(member, "発送しました", category="order")
    line.session.commit()
    requests = claim_messages(line.session, line.part(Rules), now=line.clock()).requests
    assert ["発送しました" in request.messages for request in requests] == [True, False]


def test_messages_of_a_campaign_of_their_own_words_end_it_together(
    line: LineState, line_emulator: Emulator, join: Join
) -> None:
    for number, member in enumerate(join(3)):
        extension.send(member, f"{number}さまへ", category="news", campaign="names")
    line.session.commit()
    assert _campaign(line).state == "running"
    deliver_due(line)
    assert _campaign(line).state == "finished"


def test_what_breaks_lines_limits_changes_nothing(line: LineState, join: Join) -> None:
    [member] = join(1)
    with pytest.raises(InvalidMessage):
        extension.begin_campaign("empty", "")
    with pytest.raises(UsageError, match="no message category 'nwes'"):
        extension.send(member, "hello", category="nwes")
    assert line.session.scalars(select(Campaign)).all() == []
    assert line.session.scalars(select(OutboxMessage)).all() == []
