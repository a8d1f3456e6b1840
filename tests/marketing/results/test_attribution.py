"""To which message an order belongs, held against a plain reading of the rules."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from flask_lineconnect import OrderEvents
from flask_lineconnect.errors import UsageError
from flask_lineconnect.marketing.handling import handle_due
from flask_lineconnect.marketing.results.attribution import rules_of
from flask_lineconnect.models import Attribution
from flask_lineconnect.models import Campaign
from flask_lineconnect.models import MemberEvent
from flask_lineconnect.models import ResultCount
from flask_lineconnect.state import LineState
from tests.conftest import DATABASES
from tests.marketing.results.conftest import NOW
from tests.marketing.results.conftest import Past

pytestmark = pytest.mark.parametrize("database", DATABASES, indirect=True)

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def found(line: LineState) -> dict[int, Attribution]:
    line.session.expire_all()
    return {one.order_event_id: one for one in line.session.scalars(select(Attribution))}


def counts(line: LineState) -> dict[tuple[int, str], int]:
    total: dict[tuple[int, str], int] = {}
    for one in line.session.scalars(select(ResultCount)):
        key = one.campaign_id, one.figure
        total[key] = total.get(key, 0) + one.number
    return {key: number for key, number in total.items() if number}


def test_a_tap_wins_over_a_message_and_the_last_one_over_the_first(
    line: LineState, past: Past
) -> None:
    (member,) = past.members(1)
    early, late, untapped = past.campaign(), past.campaign(), past.campaign()
    first, last = past.link(campaign_id=early), past.link(campaign_id=late, variant="b")
    past.click(member, NOW - 3 * DAY, first)
    past.click(member, NOW - 2 * DAY, last)
    past.accept(member, NOW - HOUR, campaign_id=untapped)
    order = past.event("order.placed", member, NOW, "order:1", total=3_000)
    line.session.commit()
    handle_due(line)
    one = found(line)[order]
    assert (one.kind, one.campaign_id, one.variant, one.link_id) == ("direct", late, "b", last)
    assert (one.first_campaign_id, one.touched_at) == (early, NOW - 2 * DAY)
    assert one.value == 3_000
    assert counts(line) == {
        (late, "orders_direct"): 1,
        (late, "sales_direct"): 3_000,
        (late, "buyers"): 1,
    }


@pytest.mark.parametrize(
    ("before", "kind"),
    [
        (timedelta(0), "direct"),
        (5 * DAY, "direct"),
        (5 * DAY + timedelta(seconds=1), "none"),
        (timedelta(seconds=-1), "none"),
    ],
)
def test_the_window_of_taps(line: LineState, past: Past, before: timedelta, kind: str) -> None:
    (member,) = past.members(1)
    past.click(member, NOW - before, past.link(campaign_id=past.campaign()))
    order = past.event("order.placed", member, NOW, total=1)
    line.session.commit()
    handle_due(line)
    assert found(line)[order].kind == kind


@pytest.mark.parametrize(
    ("before", "kind"), [(DAY, "indirect"), (DAY + timedelta(seconds=1), "none")]
)
def test_the_window_of_messages(line: LineState, past: Past, before: timedelta, kind: str) -> None:
    (member,) = past.members(1)
    past.accept(member, NOW - before, scenario_id=past.scenario("cart"), step="remind")
    order = past.event("order.placed", member, NOW, total=1)
    line.session.commit()
    handle_due(line)
    one = found(line)[order]
    assert (one.kind, one.step) == (kind, "remind" if kind == "indirect" else "")


def test_notices_previews_robots_and_menus_get_no_orders(line: LineState, past: Past) -> None:
    (member,) = past.members(1)
    notice, news, scenario = past.campaign("order"), past.campaign(), past.scenario("shipped")
    past.accept(member, NOW - HOUR, "order", campaign_id=notice)
    past.accept(member, NOW - HOUR, "order", scenario_id=scenario, step="shipped")
    past.click(member, NOW - HOUR, past.link(campaign_id=notice))
    past.click(member, NOW - HOUR, past.link(scenario_id=scenario, step="shipped"))
    past.click(member, NOW - HOUR, past.link(source="menu:main"))
    for kind in ("preview", "robot"):
        past.click(member, NOW - HOUR, past.link(campaign_id=news), kind)
    order = past.event("order.placed", member, NOW, total=1)
    line.session.commit()
    handle_due(line)
    assert found(line)[order].kind == "none"
    assert counts(line) == {}


def test_what_is_taken_back_counts_no_more(line: LineState, past: Past) -> None:
    one, other = past.members(2)
    campaign = past.campaign()
    for member in (one, other):
        past.accept(member, NOW - HOUR, campaign_id=campaign)
    back = past.event("order.placed", one, NOW - HOUR / 2, "order:1", total=500)
    kept = past.event("order.placed", other, NOW - HOUR / 2, "order:2", total=300)
    line.session.commit()
    handle_due(line)
    assert counts(line) == {
        (campaign, "orders_indirect"): 2,
        (campaign, "sales_indirect"): 800,
        (campaign, "buyers"): 2,
    }
    past.event("order.returned", one, NOW, "order:1")
    # Of another's order, of an unknown one, and of none.
    past.event("order.cancelled", one, NOW, "order:2")
    past.event("order.cancelled", other, NOW, "order:9")
    past.event("order.cancelled", other, NOW)
    line.session.commit()
    handle_due(line)
    rows = found(line)
    assert rows[back].returned_at == NOW
    assert rows[kept].returned_at is None
    assert counts(line) == {
        (campaign, "orders_indirect"): 1,
        (campaign, "sales_indirect"): 300,
        (campaign, "buyers"): 1,
    }
    # Told twice, it is taken back once.
    past.event("order.cancelled", one, NOW, "order:1")
    line.session.commit()
    handle_due(line)
    assert counts(line) == {
        (campaign, "orders_indirect"): 1,
        (campaign, "sales_indirect"): 300,
        (campaign, "buyers"): 1,
    }


def test_cents_are_exact(line: LineState, past: Past, monkeypatch: pytest.MonkeyPatch) -> None:
    told = OrderEvents("order.weighed", currency="USD")
    monkeypatch.setattr(type(line.shop), "order_events", told)
    (member,) = past.members(1)
    texts = {"93.16": 9_316, "0.07": 7, "1234567.89": 123_456_789, "5": 500, "0.005": 1}
    ids = {past.event("order.weighed", member, NOW, total=text): text for text in texts}
    without = past.event("order.weighed", member, NOW)
    line.session.commit()
    handle_due(line)
    rows = found(line)
    assert {text: rows[key].value for key, text in ids.items()} == texts
    assert rows[without].value == 0


def test_a_mistake_in_the_adapter_holds_up_no_event(
    line: LineState, past: Past, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(line.shop), "order_events", OrderEvents("order.place"))
    with pytest.raises(UsageError, match=r"order\.place.*order\.placed"):
        rules_of(line)
    (member,) = past.members(1)
    event = past.event("order.placed", member, NOW, total=1)
    line.session.commit()
    handle_due(line)
    assert line.session.get_one(MemberEvent, event).next_attempt_at is None


def test_orders_find_their_messages_by_the_rules(line: LineState, past: Past) -> None:
    """Many of them, by chance and at close times, in batches and all at once."""
    chance = random.Random(21)
    members = past.members(12)
    campaigns = {
        past.campaign(direct_hours=2, indirect_hours=1): (2, 1),
        past.campaign(direct_hours=200): (200, 24),
        past.campaign(): (120, 24),
    }
    links = {past.link(campaign_id=one): one for one in campaigns}
    reasons: list[tuple[int, Any, int, int, int]] = []
    for number in range(150):
        member, at = chance.choice(members), NOW - chance.randrange(300) * HOUR
        link, campaign = chance.choice(list(links.items()))
        direct, indirect = campaigns[campaign]
        if number % 2:
            past.click(member, at, link)
            reasons.append((member, at, number, campaign, direct))
        else:
            past.accept(member, at, campaign_id=campaign)
            reasons.append((member, at, number, campaign, indirect))
    orders = {}
    for number in range(80):
        member, at = chance.choice(members), NOW - chance.randrange(200) * HOUR
        orders[past.event("order.placed", member, at, f"order:{number}", total=1)] = member, at
    line.session.commit()
    handle_due(line)

    def expected(member: int, at: Any) -> tuple[str, int | None, int | None]:
        fitting = [
            (number % 2, when, number, campaign)
            for whose, when, number, campaign, hours in reasons
            if whose == member and when <= at <= when + hours * HOUR
        ]
        if not fitting:
            return "none", None, None
        is_tap, _at, _number, last = max(fitting)
        first = min(one[1:] for one in fitting if one[0] == is_tap)[-1]
        return "direct" if is_tap else "indirect", last, first

    wanted = {order: expected(*of) for order, of in orders.items()}
    assert {kind for kind, *_ in wanted.values()} == {"direct", "indirect", "none"}

    def seen() -> dict[int, tuple[str, int | None, int | None]]:
        rows = found(line).items()
        return {key: (one.kind, one.campaign_id, one.first_campaign_id) for key, one in rows}

    assert seen() == wanted
    # All at once, after the windows of a campaign have changed and changed back.
    rules = rules_of(line)
    assert rules is not None
    changed = line.session.scalars(select(Campaign).where(Campaign.direct_hours == 200)).one()
    changed.direct_hours = 1
    rules.attribute_time(line.session, NOW - 20 * DAY, NOW + HOUR)
    assert seen() != wanted
    changed.direct_hours = 200
    rules.attribute_time(line.session, NOW - 20 * DAY, NOW + HOUR)
    assert seen() == wanted
