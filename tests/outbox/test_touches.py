"""What LINE accepted for whom: one touch each, written with LINE's answer."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func
from sqlalchemy import select

from flask_lineconnect.engines import upkeep
from flask_lineconnect.line_api.sender import SendAnswer
from flask_lineconnect.models import Campaign
from flask_lineconnect.models import OutboxMessage
from flask_lineconnect.models import ResultCount
from flask_lineconnect.models import Touch
from flask_lineconnect.outbox import claims
from flask_lineconnect.outbox.delivery import deliver_due
from flask_lineconnect.outbox.results import record
from flask_lineconnect.outbox.rules import Rules
from flask_lineconnect.state import LineState
from flask_lineconnect.testing.plugin import Emulator
from tests.conftest import DATABASES
from tests.marketing.scenario_shop import Stage
from tests.outbox.conftest import BASE_URL as BASE_URL
from tests.outbox.conftest import Join
from tests.outbox.conftest import StoppedClock
from tests.outbox.conftest import account_of
from tests.small_shop import db
from tests.small_shop import line as extension

pytestmark = pytest.mark.parametrize("database", DATABASES, indirect=True)
PUSH = "/v2/bot/message/push"


def _touches(line: LineState) -> list[Touch]:
    line.session.rollback()
    return list(line.session.scalars(select(Touch).order_by(Touch.member_id, Touch.id)))


def test_each_accepted_message_is_one_touch(
    line: LineState, line_emulator: Emulator, join: Join, clock: StoppedClock
) -> None:
    one, two, three = join(3)
    extension.send(one, "ひとり", category="order")
    # The same for two people: one request to LINE.
    for member in (two, three):
        extension.send(member, "ふたり", category="news", campaign="pair")
    extension.begin_campaign("autumn", "秋の新茶")
    line.session.commit()
    deliver_due(line)
    touches = _touches(line)
    campaigns = {row.id: row.key for row in line.session.scalars(select(Campaign))}
    assert [
        (row.member_id, campaigns.get(row.campaign_id or 0), row.category, row.message_id is None)
        for row in sorted(touches, key=lambda row: (row.member_id, row.message_id is None))
    ] == [
        (one.id, None, "order", False),
        (one.id, "autumn", "news", True),
        (two.id, "pair", "news", False),
        (two.id, "autumn", "news", True),
        (three.id, "pair", "news", False),
        (three.id, "autumn", "news", True),
    ]
    assert {row.accepted_at for row in touches} == {clock.now}
    assert {(row.scenario_id, row.step, row.variant) for row in touches} == {(None, "", "")}


def test_a_scenarios_message_has_its_step(
    line: LineState, line_emulator: Emulator, join: Join
) -> None:
    [member] = join(1)
    stage = Stage(line.app, now=line.clock())
    stage.publish()
    stage.tell("cart.changed", member, version="1", count=1)
    stage.play(hours=2)
    deliver_due(line)
    [touch] = _touches(line)
    [run] = stage.runs()
    assert (touch.scenario_id, touch.step, touch.campaign_id) == (run.scenario_id, "remind", None)
    assert touch.message_id == line.session.scalar(select(OutboxMessage.id))


def test_what_line_refused_or_nobody_is_linked_to_is_no_touch(
    line: LineState, line_emulator: Emulator, join: Join
) -> None:
    [member] = join(1)
    line_emulator.fault(path=PUSH, status=400, times=1)
    extension.send(member, "だめ")
    line.session.commit()
    deliver_due(line)
    assert _touches(line) == []


def test_an_answer_that_comes_twice_is_one_touch(
    line: LineState, join: Join, clock: StoppedClock
) -> None:
    [member] = join(1)
    extension.send(member, "一度だけ")
    line.session.commit()
    [request] = claims.claim_messages(line.session, line.part(Rules), now=clock.now).requests
    for _again in range(2):
        record(line.session, [(request, SendAnswer(200, "r"))], quota=None, now=clock.now)
        line.session.commit()
    assert len(_touches(line)) == 1


def test_touches_go_with_their_person_and_with_time(
    line: LineState, line_emulator: Emulator, join: Join, clock: StoppedClock
) -> None:
    members = join(3)
    extension.begin_campaign("autumn", "秋の新茶")
    line.session.commit()
    deliver_due(line)
    extension.erase(members[0])
    line.session.commit()
    db.session.delete(members[1])
    line.session.commit()
    assert [row.member_id for row in _touches(line)] == [members[2].id]
    assert account_of(line, members[2]) is not None
    clock.now += timedelta(days=line.config.member_event_days + 1)
    upkeep.look_after(line)
    assert line.session.scalar(select(func.count()).select_from(Touch)) == 0


def test_what_line_took_and_refused_is_counted(
    line: LineState, line_emulator: Emulator, join: Join
) -> None:
    [one, two, three] = join(3)
    extension.begin_campaign("autumn", "秋の新茶")
    extension.send(one, "ひとこと", category="news", campaign="notes")
    extension.send(two, "ほかの人には言わない")
    line.session.commit()
    deliver_due(line)
    line_emulator.fault(path=PUSH, status=400, times=1)
    extension.send(three, "だめ", category="news", campaign="notes")
    line.session.commit()
    deliver_due(line)
    found = line.session.execute(
        select(Campaign.key, ResultCount.figure, ResultCount.number)
        .join(Campaign, Campaign.id == ResultCount.campaign_id)
        .order_by(Campaign.key, ResultCount.figure)
    )
    assert list(found) == [
        ("autumn", "accepted", 3),
        ("notes", "accepted", 1),
        ("notes", "refused", 1),
    ]
    assert line.session.scalar(select(func.count()).select_from(ResultCount)) == 3
