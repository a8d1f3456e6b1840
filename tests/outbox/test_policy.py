"""Who may be sent what, and when: asked when it is about to go."""

from __future__ import annotations

from datetime import UTC
from datetime import datetime
from datetime import time
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from flask_lineconnect import DEFAULT_CATEGORIES
from flask_lineconnect.models import OutboxMessage
from flask_lineconnect.outbox.delivery import deliver_due
from flask_lineconnect.outbox.policy import Policy
from flask_lineconnect.outbox.preferences import set_preferences
from flask_lineconnect.state import LineState
from flask_lineconnect.testing.plugin import Emulator
from tests.conftest import DATABASES
from tests.outbox.conftest import Join
from tests.outbox.conftest import StoppedClock
from tests.outbox.conftest import account_of
from tests.outbox.conftest import texts
from tests.small_shop import line as extension

on_both = pytest.mark.parametrize("database", DATABASES, indirect=True)
TOKYO = ZoneInfo("Asia/Tokyo")
BERLIN = ZoneInfo("Europe/Berlin")


def _messages(line: LineState) -> list[tuple[str, str | None]]:
    line.session.rollback()
    rows = line.session.scalars(select(OutboxMessage).order_by(OutboxMessage.id))
    return [(row.state, row.error) for row in rows]


@on_both
def test_S8_6_consent_friendship_and_link_are_read_when_it_is_sent(
    line: LineState, line_emulator: Emulator, join: Join
) -> None:
    blocked, unlinked, declined, willing = join(4)
    for number, member in enumerate((blocked, unlinked, declined, willing)):
        extension.send(member, f"お知らせ {number}", category="news")
    line.session.commit()
    account_of(line, blocked).is_friend = False
    account_of(line, unlinked).member_id = None
    set_preferences(line.session, account_of(line, declined), {"news": False}, now=line.clock())
    line.session.commit()
    deliver_due(line)
    assert _messages(line) == [
        ("cancelled", "not a friend"),
        ("cancelled", "not linked"),
        ("cancelled", "declined"),
        ("accepted", None),
    ]
    assert [texts(line_emulator, one) for one in (blocked, unlinked, declined)] == [[], [], []]


@on_both
def test_what_nobody_can_decline_is_sent_whatever_was_declined(
    line: LineState, line_emulator: Emulator, join: Join
) -> None:
    [member] = join(1)
    wanted = {"account": False, "news": False}
    set_preferences(line.session, account_of(line, member), wanted, now=line.clock())
    extension.send(member, "連携しました")
    extension.send(member, "ご注文を承りました", category="order")
    line.session.commit()
    deliver_due(line)
    assert sorted(texts(line_emulator, member)) == ["ご注文を承りました", "連携しました"]


@pytest.mark.parametrize(
    ("hours", "zone", "now", "until"),
    [
        ((time(21), time(8)), TOKYO, "2026-11-27T11:59", None),
        ((time(21), time(8)), TOKYO, "2026-11-27T12:00", "2026-11-27T23:00"),
        ((time(21), time(8)), TOKYO, "2026-11-27T22:59", "2026-11-27T23:00"),
        ((time(21), time(8)), TOKYO, "2026-11-27T23:00", None),
        ((time(12), time(13)), TOKYO, "2026-11-27T03:30", "2026-11-27T04:00"),
        # The night in which summer time ends is an hour longer.
        ((time(22), time(7)), BERLIN, "2026-10-24T20:00", "2026-10-25T06:00"),
        ((time(22), time(7)), BERLIN, "2026-10-23T20:00", "2026-10-24T05:00"),
    ],
)
def test_quiet_hours_end_in_the_shops_zone(
    hours: tuple[time, time], zone: ZoneInfo, now: str, until: str | None
) -> None:
    policy = Policy(DEFAULT_CATEGORIES, zone, quiet_hours=hours)
    found = policy.quiet_until(datetime.fromisoformat(now).replace(tzinfo=UTC))
    assert found == (until and datetime.fromisoformat(until).replace(tzinfo=UTC))


@on_both
@pytest.mark.parametrize("settings", [{"LINECONNECT_QUIET_HOURS": "11:00-13:00"}])
def test_advertising_waits_for_the_end_of_the_quiet_hours_and_orders_do_not(
    line: LineState, line_emulator: Emulator, join: Join, clock: StoppedClock
) -> None:
    [member] = join(1)
    extension.send(member, "セールです", category="news")
    extension.send(member, "発送しました", category="order")
    line.session.commit()
    deliver_due(line)
    assert texts(line_emulator, member) == ["発送しました"]
    assert _messages(line) == [("queued", None), ("accepted", None)]
    clock.advance(minutes=59)
    deliver_due(line)
    assert texts(line_emulator, member) == ["発送しました"]
    clock.advance(minutes=1)
    deliver_due(line)
    assert texts(line_emulator, member) == ["発送しました", "セールです"]


@on_both
@pytest.mark.parametrize("settings", [{"LINECONNECT_MARKETING_CAP": 2}])
def test_nobody_is_sent_more_advertisements_than_the_cap_allows(
    line: LineState, line_emulator: Emulator, join: Join, clock: StoppedClock
) -> None:
    often, seldom = join(2)
    extension.send(often, "広告 1", category="news")
    line.session.commit()
    deliver_due(line)
    # A campaign counts as much as a message of one's own, and orders do not count.
    extension.begin_campaign("autumn", "広告 2")
    extension.send(often, "発送しました", category="order")
    line.session.commit()
    deliver_due(line)
    extension.send(often, "広告 3", category="news")
    extension.begin_campaign("winter", "広告 4")
    line.session.commit()
    deliver_due(line)
    assert sorted(texts(line_emulator, often)) == ["広告 1", "広告 2", "発送しました"]
    assert texts(line_emulator, seldom) == ["広告 2", "広告 4"]
    clock.advance(days=7, minutes=1)
    extension.begin_campaign("spring", "広告 5")
    line.session.commit()
    deliver_due(line)
    assert "広告 5" in texts(line_emulator, often)


@on_both
@pytest.mark.parametrize("settings", [{"LINECONNECT_MARKETING_CAP": 1}])
def test_two_advertisements_at_once_are_one_too_many(
    line: LineState, line_emulator: Emulator, join: Join
) -> None:
    [member] = join(1)
    extension.send(member, "広告 1", category="news")
    extension.send(member, "広告 2", category="news")
    line.session.commit()
    deliver_due(line)
    assert len(texts(line_emulator, member)) == 1
