"""Campaigns from plan to end: who gets what, once, and who does not and why."""

from __future__ import annotations

import json
import re
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from flask_lineconnect import UsageError
from flask_lineconnect.engines.work import SCHEDULE
from flask_lineconnect.engines.work import seconds_to_next
from flask_lineconnect.marketing.campaigns import linking
from flask_lineconnect.marketing.campaigns.planning import find_plan
from flask_lineconnect.marketing.campaigns.sides import held_out_globally
from flask_lineconnect.marketing.campaigns.sides import is_below
from flask_lineconnect.marketing.campaigns.sides import side
from flask_lineconnect.marketing.links.tracking import read_address
from flask_lineconnect.models import Campaign
from flask_lineconnect.models import CampaignMember
from flask_lineconnect.models import CampaignPlan
from flask_lineconnect.models import OutboxBatch
from flask_lineconnect.models import OutboxMessage
from flask_lineconnect.models import QuotaMonth
from flask_lineconnect.models import Touch
from flask_lineconnect.models import TrackedLink
from flask_lineconnect.outbox.delivery import deliver_due
from flask_lineconnect.outbox.preferences import set_preferences
from flask_lineconnect.state import LineState
from flask_lineconnect.testing.plugin import Emulator
from tests.conftest import DATABASES
from tests.marketing.campaigns.conftest import Begin
from tests.marketing.scenario_shop import Stage
from tests.outbox.conftest import Join
from tests.outbox.conftest import StoppedClock
from tests.outbox.conftest import account_of
from tests.outbox.conftest import sends
from tests.outbox.conftest import texts
from tests.small_shop import User
from tests.small_shop import line as extension

pytestmark = pytest.mark.parametrize("database", DATABASES, indirect=True)
TWO = [{"name": "a", "message": "A案"}, {"name": "b", "message": "B案"}]


def play(line: LineState) -> None:
    """Do what engines do, until nothing is due."""
    while sum(do(line) for do in SCHEDULE):
        pass
    deliver_due(line)
    line.session.rollback()


def campaign(line: LineState, key: str = "autumn") -> Campaign:
    """Return a campaign that began, as it is now."""
    line.session.rollback()
    return line.session.scalars(select(Campaign).where(Campaign.key == key)).one()


def state(line: LineState, name: str = "autumn") -> str:
    """Return the state of a plan."""
    line.session.rollback()
    plan = find_plan(line.session, name)
    assert plan is not None
    return plan.state


def frozen(line: LineState, key: str = "autumn") -> dict[Any, CampaignMember]:
    """Return for whom a campaign was meant, by member."""
    statement = select(CampaignMember).join(Campaign).where(Campaign.key == key)
    return {one.member_id: one for one in line.session.scalars(statement)}


def test_equal_messages_go_in_batches_and_a_second_beginning_changes_nothing(
    line: LineState, line_emulator: Emulator, join: Join, begin: Begin
) -> None:
    members = join(4)
    begin()
    begin()
    extension.campaigns.begin("autumn")
    line.session.commit()
    play(line)
    assert [texts(line_emulator, one) for one in members] == [["秋の新茶が入りました。"]] * 4
    assert sends(line_emulator) == ["multicast"]
    found = campaign(line)
    assert (found.state, found.recipients, found.meant, found.held_out) == ("finished", 4, 4, 0)
    assert state(line) == "finished"
    assert {one.campaign_id for one in line.session.scalars(select(Touch))} == {found.id}


def test_who_falls_out_is_written_down_with_the_reason(
    line: LineState, line_emulator: Emulator, join: Join, begin: Begin
) -> None:
    blocked, declined, willing = join(3)
    account_of(line, blocked).is_friend = False
    set_preferences(line.session, account_of(line, declined), {"news": False}, now=line.clock())
    line.session.add(User(name="nobody on LINE"))
    line.session.commit()
    extension.campaigns.plan("autumn", label="秋", to={"all": []}, message="新茶")
    told = extension.campaigns.estimate("autumn")
    assert (told.chosen, told.messages, told.held_out) == (4, 1, 0)
    assert told.fallen == {"not a friend": 1, "declined": 1, "not linked": 1}
    extension.campaigns.begin("autumn")
    line.session.commit()
    play(line)
    assert {key: one.reason for key, one in frozen(line).items()} == {
        blocked.id: "not a friend",
        declined.id: "declined",
        willing.id: None,
    }
    assert texts(line_emulator, willing) == ["新茶"]


def test_personal_messages_go_one_by_one_each_with_its_values(
    line: LineState, line_emulator: Emulator, join: Join, begin: Begin
) -> None:
    members = join(3)
    for member in members:
        member.email = f"m{member.id}@example.jp"
    english = account_of(line, members[2])
    english.language = "en"
    line.session.commit()
    begin(message={"text": {"ja": "{{ email }}様", "en": "Dear {{ email }}"}})
    assert campaign(line).state == "running"
    play(line)
    assert [texts(line_emulator, one) for one in members] == [
        [f"m{members[0].id}@example.jp様"],
        [f"m{members[1].id}@example.jp様"],
        [f"Dear m{members[2].id}@example.jp"],
    ]
    assert sends(line_emulator) == ["push"] * 3
    assert (campaign(line).state, campaign(line).recipients, state(line)) == (
        "finished",
        3,
        "finished",
    )
    play(line)
    assert sends(line_emulator) == ["push"] * 3


def test_equal_messages_have_the_readers_language(
    line: LineState, line_emulator: Emulator, join: Join, begin: Begin
) -> None:
    members = join(3)
    for member, language in zip(members, (None, "en", "ja"), strict=True):
        account_of(line, member).language = language
    line.session.commit()
    begin(message={"text": {"ja": "新茶", "en": "New tea"}})
    play(line)
    assert [texts(line_emulator, one) for one in members] == [["新茶"], ["New tea"], ["新茶"]]
    assert sends(line_emulator).count("multicast") == 2


def test_a_message_that_loses_its_value_for_one_is_written_down_and_the_rest_goes(
    line: LineState, line_emulator: Emulator, join: Join, begin: Begin
) -> None:
    one, two, three = join(3)
    one.email, three.email = "one@example.jp", "あ" * 6_000
    line.session.commit()
    begin(message="{{ email }}様")
    play(line)
    assert [texts(line_emulator, member) for member in (one, two, three)] == [
        ["one@example.jp様"],
        [],
        [],
    ]
    assert {key: row.reason for key, row in frozen(line).items()} == {
        one.id: None,
        two.id: "template",
        three.id: "template",
    }
    assert (campaign(line).recipients, campaign(line).state) == (1, "finished")


def test_variants_and_hold_out_are_sticky(
    line: LineState, line_emulator: Emulator, join: Join, begin: Begin
) -> None:
    members = join(40)
    begin(variants=TWO, hold_out=30)
    play(line)
    held = [one.id for one in members if is_below("campaign:autumn:hold-out", one.id, 30)]
    assert 0 < len(held) < 40
    rows = frozen(line)
    assert sorted(key for key, row in rows.items() if row.is_held_out) == held
    for member in members:
        name = side("campaign:autumn", member.id, {"a": 1, "b": 1})
        assert rows[member.id].variant == name
        expected = [] if member.id in held else [f"{name.upper()}案"]
        assert texts(line_emulator, member) == expected
    found = campaign(line)
    assert (found.meant, found.held_out, found.recipients) == (40, len(held), 40 - len(held))
    assert found.holdout_percent == 30
    variants = Counter(one.variant for one in line.session.scalars(select(Touch)))
    assert set(variants) == {"a", "b"}
    assert variants.total() == 40 - len(held)


@pytest.mark.parametrize("settings", [{"LINECONNECT_HOLD_OUT_PERCENT": 10}])
def test_the_shops_own_hold_out_gets_no_advertising_in_its_quarter(
    line: LineState, line_emulator: Emulator, join: Join, begin: Begin, clock: StoppedClock
) -> None:
    members = join(60)
    held = {one.id for one in members if held_out_globally("2026-Q4", one.id, 10)}
    assert 0 < len(held) < 60
    begin()
    extension.begin_campaign("by hand", "A")
    member = next(one for one in members if one.id in held)
    extension.send(member, "広告", category="news")
    extension.send(member, "発送", category="order")
    line.session.commit()
    stage = Stage(line.app, now=clock.now)
    stage.publish(category="news")
    extension.emit("cart.changed", member, version="1", count=1)
    line.session.commit()
    stage.play()
    stage.play(hours=2)
    play(line)
    got = {row.member_id for row in line.session.scalars(select(Touch)) if row.category == "news"}
    assert got == {one.id for one in members} - held
    assert texts(line_emulator, member) == ["発送"]
    assert stage.outcomes() == [("remind", "dropped", "held out")]
    assert {row.reason for key, row in frozen(line).items() if key in held} == {"held out"}
    assert extension.campaigns.estimate("autumn").fallen == {"held out": len(held)}
    # Others in the next quarter.
    clock.advance(days=60)
    stage.now = clock.now
    line.clock = clock
    begin("winter")
    later = {key for key, row in frozen(line, "winter").items() if row.reason == "held out"}
    assert later == {one.id for one in members if held_out_globally("2027-Q1", one.id, 10)}


def test_who_got_something_lately_is_left_out(
    line: LineState, line_emulator: Emulator, join: Join, begin: Begin, clock: StoppedClock
) -> None:
    one, two, three = join(3)
    extension.send(one, "広告", category="news")
    extension.send(two, "発送", category="order")
    line.session.commit()
    play(line)
    clock.advance(days=2)
    begin("first", unless_sent=[{"category": "advertising", "days": 3}])
    play(line)
    assert {key: row.reason for key, row in frozen(line, "first").items()} == {
        one.id: "sent lately",
        two.id: None,
        three.id: None,
    }
    begin("second", unless_sent=[{"campaign": "first", "days": 1}])
    assert {key for key, row in frozen(line, "second").items() if row.reason} == {two.id, three.id}
    clock.advance(days=2)
    begin("third", unless_sent=[{"campaign": "first", "days": 1}])
    assert not any(row.reason for row in frozen(line, "third").values())


def test_a_campaign_to_nobody_ends_at_once(line: LineState, begin: Begin) -> None:
    begin("equal")
    begin("personal", message="{{ email }}様")
    play(line)
    for name in ("equal", "personal"):
        found = campaign(line, name)
        assert (found.state, found.recipients, state(line, name)) == ("finished", 0, "finished")


def test_pause_resume_and_cancel(
    line: LineState, line_emulator: Emulator, join: Join, begin: Begin, clock: StoppedClock
) -> None:
    members = join(3)
    begin("equal")
    begin("personal", message="{{ number }}番")
    for name in ("equal", "personal"):
        extension.campaigns.pause(name)
    line.session.commit()
    play(line)
    assert sends(line_emulator) == []
    assert [state(line, name) for name in ("equal", "personal")] == ["paused", "paused"]
    assert campaign(line, "equal").state == "paused"
    with pytest.raises(UsageError, match="is paused"):
        extension.campaigns.pause("equal")
    extension.campaigns.resume("equal")
    extension.campaigns.cancel("personal")
    line.session.commit()
    play(line)
    assert [texts(line_emulator, one) for one in members] == [["秋の新茶が入りました。"]] * 3
    assert [state(line, name) for name in ("equal", "personal")] == ["finished", "cancelled"]
    for do in (extension.campaigns.pause, extension.campaigns.resume, extension.campaigns.cancel):
        with pytest.raises(UsageError, match="is cancelled"):
            do("personal")
        with pytest.raises(UsageError, match="no campaign gone"):
            do("gone")
    with pytest.raises(UsageError, match="copy it"):
        extension.campaigns.begin("personal")


def test_a_pause_holds_what_is_written_already(
    line: LineState, line_emulator: Emulator, join: Join, begin: Begin
) -> None:
    members = join(2)
    begin(message="{{ number }}番")
    for do in SCHEDULE:
        do(line)
    extension.campaigns.pause("autumn")
    line.session.commit()
    play(line)
    assert sends(line_emulator) == []
    extension.campaigns.resume("autumn")
    line.session.commit()
    play(line)
    assert [texts(line_emulator, one) for one in members] == [[f"{one.id}番"] for one in members]
    assert state(line) == "finished"


def test_what_a_program_began_can_be_paused_too(
    line: LineState, line_emulator: Emulator, join: Join, clock: StoppedClock
) -> None:
    [member] = join(1)
    at = clock.now + timedelta(hours=1)
    extension.begin_campaign("now", "A")
    extension.begin_campaign("later", "B", send_at=at)
    line.session.commit()
    for key in ("now", "later"):
        extension.campaigns.pause(key)
    line.session.commit()
    clock.advance(hours=2)
    play(line)
    assert texts(line_emulator, member) == []
    for key in ("now", "later"):
        extension.campaigns.resume(key)
    line.session.commit()
    clock.advance(minutes=2)
    play(line)
    assert sorted(texts(line_emulator, member)) == ["A", "B"]


def test_a_planned_campaign_begins_at_its_moment(
    line: LineState, line_emulator: Emulator, join: Join, begin: Begin, clock: StoppedClock
) -> None:
    [member] = join(1)
    begin(at="2026-11-27 18:00")
    assert state(line) == "planned"
    assert seconds_to_next(line, "schedule", 10**6) == 6 * 3600
    play(line)
    assert texts(line_emulator, member) == []
    extension.campaigns.plan(
        "autumn", label="秋", to="linked", message="夕方", at="2026-11-27 19:00"
    )
    # What was changed has to be let go again.
    assert find_plan(line.session, "autumn").state == "draft"  # type: ignore[union-attr]
    extension.campaigns.begin("autumn")
    line.session.commit()
    clock.advance(hours=7)
    play(line)
    play(line)
    assert texts(line_emulator, member) == ["夕方"]
    assert state(line) == "finished"


def test_one_that_comes_again_is_another_campaign_each_time(
    line: LineState, line_emulator: Emulator, join: Join, begin: Begin, clock: StoppedClock
) -> None:
    [member] = join(1)
    begin("weekly", at="every monday at 12:00")
    for _week in range(2):
        clock.advance(days=7)
        play(line)
    # Nobody worked for a while: the latest time is made good, once.
    clock.advance(days=21)
    play(line)
    keys = line.session.scalars(select(Campaign.key).order_by(Campaign.id)).all()
    assert keys == ["weekly:2026-11-30", "weekly:2026-12-07", "weekly:2026-12-28"]
    assert texts(line_emulator, member) == ["秋の新茶が入りました。"] * 3
    assert state(line, "weekly") == "running"
    extension.campaigns.pause("weekly")
    line.session.commit()
    clock.advance(days=7)
    play(line)
    extension.campaigns.resume("weekly")
    line.session.commit()
    play(line)
    assert len(line.session.scalars(select(Campaign.key)).all()) == 3
    extension.campaigns.cancel("weekly")
    line.session.commit()
    clock.advance(days=7)
    play(line)
    assert len(line.session.scalars(select(Campaign.key)).all()) == 3


def test_a_planned_campaign_whose_attribute_is_gone_says_so_and_is_tried_again(
    line: LineState, line_emulator: Emulator, join: Join, begin: Begin, clock: StoppedClock
) -> None:
    [member] = join(1)
    begin(at="2026-11-27 18:00", to={"attribute": "number", "at_least": 0})
    begin("other", at="2026-11-27 18:00")
    from flask_lineconnect.marketing.segments.attributes import Attributes

    attributes: Any = line.part(Attributes)
    number = attributes._by_name.pop("number")
    clock.advance(hours=7)
    play(line)
    plan = find_plan(line.session, "autumn")
    assert plan is not None
    assert "number" in (plan.problem or "")
    assert state(line, "other") == "finished"
    attributes._by_name["number"] = number
    clock.advance(minutes=6)
    play(line)
    assert state(line) == "finished"
    assert len(texts(line_emulator, member)) == 2


def test_all_friends_get_a_broadcast(
    line: LineState, line_emulator: Emulator, join: Join, begin: Begin
) -> None:
    members = join(3)
    account_of(line, members[2]).is_friend = False
    line.session.commit()
    told_before = extension.campaigns.plan("autumn", label="秋", to="friends", message="臨時休業")
    told = extension.campaigns.estimate(told_before.name)
    assert (told.messages, told.is_broadcast, told.is_personal) == (2, True, False)
    extension.campaigns.begin("autumn")
    extension.campaigns.begin("autumn")
    line.session.commit()
    play(line)
    assert [call["path"] for call in line_emulator.calls() if "/message/" in call["path"]].count(
        "/v2/bot/message/broadcast"
    ) == 1
    assert texts(line_emulator, members[0]) == ["臨時休業"]
    assert (campaign(line).state, campaign(line).recipients) == ("finished", 2)
    assert line.session.scalars(select(QuotaMonth.own_used)).one() == 2
    assert {one.member_id for one in line.session.scalars(select(Touch))} == {
        members[0].id,
        members[1].id,
    }


@pytest.mark.parametrize("fault", [{"status": 500}, {"drop": True}, {"status": 400}])
def test_a_broadcast_whose_answer_is_lost_is_sent_once(
    line: LineState,
    line_emulator: Emulator,
    join: Join,
    begin: Begin,
    clock: StoppedClock,
    fault: dict[str, Any],
) -> None:
    [member, _other] = join(2)
    is_refused = fault.get("status") == 400
    line_emulator.fault(
        path="/v2/bot/message/broadcast", after_acceptance=not is_refused, times=1, **fault
    )
    begin(to="friends")
    play(line)
    clock.advance(hours=1)
    play(line)
    assert texts(line_emulator, member) == ([] if is_refused else ["秋の新茶が入りました。"])
    assert line.session.scalars(select(OutboxBatch.state)).all() == [
        "refused" if is_refused else "accepted"
    ]
    assert state(line) == "finished"


def test_a_copy_is_a_draft_of_its_own(line: LineState, join: Join, begin: Begin) -> None:
    join(1)
    begin(at="2026-11-20 18:00")
    extension.campaigns.copy("autumn", "again")
    line.session.commit()
    assert state(line, "again") == "draft"
    plan = find_plan(line.session, "again")
    assert plan is not None
    assert "at" not in plan.definition
    with pytest.raises(UsageError, match="already"):
        extension.campaigns.copy("autumn", "again")
    with pytest.raises(UsageError, match="small letters"):
        extension.campaigns.copy("autumn", "Again!")


def test_whoever_changes_an_older_version_is_told(line: LineState) -> None:
    given: dict[str, Any] = {"label": "秋", "to": "linked"}
    first = extension.campaigns.plan("autumn", message="1", **given).version
    extension.campaigns.plan("autumn", message="2", after=first, **given)
    with pytest.raises(UsageError, match="somebody else changed"):
        extension.campaigns.plan("autumn", message="3", after=first, **given)


def test_a_test_goes_to_the_given_members_alone(
    line: LineState, line_emulator: Emulator, join: Join
) -> None:
    staff, customer = join(2)
    staff.email = "staff@example.jp"
    line.session.add(User(name="unlinked"))
    line.session.commit()
    variants = [{"name": "a", "message": "{{ email }}様"}, {"name": "b", "message": "B"}]
    extension.campaigns.plan("autumn", label="秋", to="linked", variants=variants)
    assert extension.campaigns.test("autumn", [staff.id]) == 2
    line.session.commit()
    play(line)
    assert sorted(texts(line_emulator, staff)) == ["B", "staff@example.jp様"]
    assert texts(line_emulator, customer) == []
    assert line.session.scalars(select(Campaign)).all() == []
    with pytest.raises(UsageError, match="not linked"):
        extension.campaigns.test("autumn", [customer.id + 1])
    with pytest.raises(UsageError, match="email is absent"):
        extension.campaigns.test("autumn", [customer.id])


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"to": {"segment": "nobody"}}, "autumn.to.segment"),
        ({"to": {"attribute": "rank", "is": 1}}, "autumn.to.attribute"),
        ({"category": "nothing"}, "autumn.category"),
        ({"message": "{{ nmae }}様"}, "autumn.message"),
        ({"message": "あ" * 5_001}, "autumn.message"),
        ({"unless_sent": [{"campaign": "gone", "days": 3}]}, "autumn.unless_sent[0]"),
        ({"unless_sent": [{"category": "gone", "days": 3}]}, "autumn.unless_sent[0]"),
        ({"unless_sent": [{"scenario": "gone", "days": 3}]}, "autumn.unless_sent[0]"),
        ({"to": "friends", "hold_out": 5}, "autumn.hold_out"),
        ({"to": "friends", "message": "{{ email }}"}, "autumn.message"),
        ({"to": "friends", "tracked": "personal"}, "autumn.tracked"),
    ],
)
def test_what_is_wrong_is_found_before_it_begins(
    line: LineState, changes: dict[str, Any], place: str
) -> None:
    given = {"label": "秋", "to": "linked", "message": "新茶", **changes}
    extension.campaigns.plan("autumn", **given)
    problems = extension.campaigns.check("autumn")
    assert next(one.place for one in problems).startswith(place)
    with pytest.raises(UsageError):
        extension.campaigns.begin("autumn")
    line.session.rollback()
    assert line.session.scalars(select(OutboxMessage)).all() == []
    assert line.session.scalars(select(CampaignPlan)).all() == []


@pytest.mark.parametrize("has_numbers_ahead", [True, False])
def test_shared_links_are_the_same_for_all_and_personal_ones_name_the_message(
    line: LineState,
    line_emulator: Emulator,
    join: Join,
    begin: Begin,
    monkeypatch: pytest.MonkeyPatch,
    has_numbers_ahead: bool,
) -> None:
    if not has_numbers_ahead:
        monkeypatch.setattr(linking, "reserve_numbers", lambda *_arguments: [])
    members = join(2)
    button = {"label": "見る", "url": "https://shop.example/teas"}
    for name, text in (("shared", "新茶"), ("personal", "{{ number }}番")):
        begin(name, tracked=name, message={"text": text, "button": button})
    begin("plain", message={"text": "そのまま", "button": button})
    play(line)
    found = {
        (member.id, message["altText"]): _address(message)
        for member in members
        for message in line_emulator.received(member.name)
    }
    one, two = members
    shared = found[one.id, "新茶"]
    assert shared == found[two.id, "新茶"]
    assert found[one.id, "そのまま"] == "https://shop.example/teas"
    links = {link.id: link for link in line.session.scalars(select(TrackedLink))}
    ids = {row.account_id: row.id for row in line.session.scalars(select(OutboxMessage))}
    code = read_address(line, shared)
    assert code is not None
    assert code[1] is None
    assert links[code[0]].campaign_id == campaign(line, "shared").id
    for member in members:
        code = read_address(line, found[member.id, f"{member.id}番"])
        assert code is not None
        assert code[1] == ids[account_of(line, member).id]
        assert (links[code[0]].target, links[code[0]].label) == (button["url"], "見る")
        assert links[code[0]].campaign_id == campaign(line, "personal").id
    assert len(links) == 2


def _address(message: Any) -> str:
    """Return where the button of a message leads."""
    found = re.search(r'"uri": "([^"]+)"', json.dumps(message))
    assert found is not None
    return found[1]


def test_two_who_press_at_once_begin_it_once(
    line: LineState, line_emulator: Emulator, join: Join
) -> None:
    members = join(3)
    extension.campaigns.plan("autumn", label="秋", to="linked", message="新茶")
    line.session.commit()
    gate = threading.Barrier(2)

    def press() -> None:
        with line.app.app_context():
            gate.wait(30)
            extension.campaigns.begin("autumn")
            line.session.commit()

    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(press), pool.submit(press)]:
            done.result(60)
    play(line)
    assert [texts(line_emulator, one) for one in members] == [["新茶"]] * 3
    assert len(frozen(line)) == 3
    assert state(line) == "finished"


def test_a_key_that_a_program_uses_is_told(line: LineState, join: Join, begin: Begin) -> None:
    [member] = join(1)
    extension.send(member, "発送", campaign="autumn")
    line.session.commit()
    with pytest.raises(UsageError, match="another name"):
        begin()
