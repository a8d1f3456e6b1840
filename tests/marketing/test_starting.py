"""Scenarios begin at their times and by segments: each member once, whatever dies meanwhile."""

from __future__ import annotations

import threading
from datetime import UTC
from datetime import date
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from sqlalchemy import delete
from sqlalchemy import func
from sqlalchemy import select
from sqlalchemy import update

from flask_lineconnect import LineBlueprint
from flask_lineconnect import MemberQuery
from flask_lineconnect import UsageError
from flask_lineconnect import per_member
from flask_lineconnect.marketing.scenarios import starting
from flask_lineconnect.marketing.scenarios.beginning import begin_runs
from flask_lineconnect.marketing.segments.attributes import Attributes
from flask_lineconnect.marketing.segments.audience import save_segment
from flask_lineconnect.marketing.segments.rules import read_rule
from flask_lineconnect.models import Account
from flask_lineconnect.models import PublishedScenario
from flask_lineconnect.models import ScenarioMember
from flask_lineconnect.state import LineState
from tests.conftest import DATABASES
from tests.marketing.scenario_shop import Stage
from tests.people import add_member
from tests.people import link
from tests.small_shop import Purchase
from tests.small_shop import User
from tests.small_shop import db
from tests.small_shop import line as extension

on_both = pytest.mark.parametrize("database", DATABASES, indirect=True)

TOKYO = ZoneInfo("Asia/Tokyo")
STEPS = [{"name": "tell", "message": "お知らせです。"}]
WEEKLY = {
    "label": "毎週",
    "starts_at": "every monday at 10:00",
    "segment": "named",
    "again": "per key",
    "category": "order",
    "steps": STEPS,
}
BIRTHDAY = {
    "label": "お誕生日",
    "starts_at": "every year on born_on at 10:00",
    "again": "per key",
    "category": "order",
    "steps": STEPS,
}
ENTRY = {
    "label": "ご優待",
    "starts_in": "named",
    "again": "when ended",
    "category": "order",
    "steps": STEPS,
}


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=TOKYO).astimezone(UTC)


@pytest.fixture
def stage(app: Flask, line: LineState) -> Stage:
    """Return the small shop, which knows birthdays and chooses by name."""
    stage = Stage(app, _at("2026-11-24 12:00"))
    shop = LineBlueprint("shop", __name__)
    days = per_member(Purchase.user_id, on=func.max(Purchase.deliver_on))
    shop.attribute("born_on", days.c.on, label="お誕生日")

    @shop.segment("named", label="花さん")
    def named(now: datetime) -> MemberQuery:
        return select(User.id).where(User.name.startswith("花"))

    app.register_blueprint(shop)
    return stage


def _people(line: LineState, *names: str, linked: bool = True) -> list[int]:
    """Make members; return their keys."""
    found = []
    for name in names:
        member = add_member(line, name)
        found.append(member.id)
        if linked:
            link(line, member, digit="0123456789abcdef"[member.id % 16])
    return found


def _born(member_id: int, day: str) -> None:
    number = f"{member_id}-{day}"
    db.session.add(Purchase(user_id=member_id, number=number, deliver_on=date.fromisoformat(day)))
    db.session.commit()


def _begun(stage: Stage) -> list[tuple[int, str]]:
    return sorted((run.member_id, run.key) for run in stage.runs())


def _row() -> PublishedScenario:
    db.session.rollback()
    return db.session.scalars(select(PublishedScenario)).one()


@on_both
def test_every_monday_it_begins_for_the_linked_of_a_segment(stage: Stage) -> None:
    one, two = _people(stage.line, "花子", "花江")
    _people(stage.line, "太郎")
    _people(stage.line, "花代", linked=False)
    stage.publish("weekly", WEEKLY)
    assert _row().next_at == _at("2026-11-30 10:00")
    stage.play(days=5, hours=21, minutes=59)
    assert _begun(stage) == []
    stage.play(minutes=1)
    assert _begun(stage) == [(one, "2026-11-30"), (two, "2026-11-30")]
    assert stage.runs()[0].began_at == _at("2026-11-30 10:00")
    assert [outcome for _step, outcome, _why in stage.outcomes()] == ["queued", "queued"]
    assert (_row().next_at, _row().cursor) == (_at("2026-12-07 10:00"), None)
    stage.play(hours=1)
    assert len(_begun(stage)) == 2
    stage.play(days=7)
    assert _begun(stage)[1::2] == [(one, "2026-12-07"), (two, "2026-12-07")]


def test_after_a_long_stop_it_begins_once_and_what_is_too_late_is_dropped(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    (one,) = _people(stage.line, "花子")
    steps = [
        {"name": "tell", "message": "朝です。", "expires": "PT6H"},
        {"name": "later", "wait": "P1D", "message": "翌日です。", "expires": "PT6H"},
    ]
    stage.publish("weekly", WEEKLY, steps=steps)
    stage.now = _at("2026-12-15 08:00")
    stage.play()
    assert _begun(stage) == [(one, "2026-12-14")]
    assert stage.outcomes() == [("tell", "dropped", "too late")]
    assert "2026-11-30" in caplog.text
    stage.play(hours=2)
    assert stage.outcomes()[1:] == [("later", "queued", None)]


@on_both
def test_birthdays_come_once_a_year_also_of_those_who_were_born_on_29_february(
    stage: Stage,
) -> None:
    leap, day_before, other = _people(stage.line, "一子", "二子", "三子")
    _born(leap, "1996-02-29")
    _born(day_before, "2001-02-28")
    _born(other, "1988-07-07")
    stage.now = _at("2027-02-01 12:00")
    stage.publish("birthday", BIRTHDAY)
    for _time in range(2):
        stage.play(days=20)
    assert _begun(stage) == [(leap, "2027-02-28"), (day_before, "2027-02-28")]
    stage.now = _at("2028-02-20 12:00")
    stage.play(days=20)
    assert _begun(stage)[1::2] == [(leap, "2028-02-29"), (day_before, "2028-02-28")]


@on_both
def test_points_end_in_thirty_days_and_in_seven(stage: Stage) -> None:
    one, two = _people(stage.line, "一子", "二子")
    _born(one, "2027-01-05")
    _born(two, "2026-12-01")
    for days in (30, 7):
        starts_at = f"P{days}D before born_on at 10:00"
        stage.publish(f"points_{days}", BIRTHDAY, starts_at=starts_at)
    stage.play(hours=22)
    assert [(run.member_id, run.key) for run in stage.runs()] == []
    for _time in range(3):
        stage.play(days=20)
    assert [(run.member_id, run.key) for run in stage.runs()] == [
        (one, "2026-12-06"),
        (one, "2026-12-29"),
    ]


@on_both
def test_anniversaries_of_a_moment_go_by_the_shops_clocks(stage: Stage) -> None:
    early, late = _people(stage.line, "一子", "二子")
    for member_id, moment in ((early, "2025-11-30 23:59"), (late, "2025-12-01 00:01")):
        linked_at = update(Account).where(Account.member_id == member_id)
        db.session.execute(linked_at.values(linked_at=_at(moment)))
    new = _people(stage.line, "三子")[0]
    db.session.execute(
        update(Account).where(Account.member_id == new).values(linked_at=_at("2026-11-30 09:00"))
    )
    db.session.commit()
    stage.publish("year", BIRTHDAY, starts_at="every year on line_linked_at at 10:00")
    for _day in range(10):
        stage.play(days=1)
    assert _begun(stage) == [(early, "2026-11-30"), (late, "2026-12-01")]


def test_the_worker_was_stopped_over_birthdays(stage: Stage) -> None:
    one, two, three = _people(stage.line, "一子", "二子", "三子")
    _born(one, "1990-10-20")
    _born(two, "1990-12-03")
    _born(three, "1990-12-05")
    stage.now = _at("2026-10-01 12:00")
    stage.publish("birthday", BIRTHDAY)
    stage.now = _at("2026-12-05 12:00")
    stage.play()
    # The first is too long ago to be made good.
    assert _begun(stage) == [(two, "2026-12-03"), (three, "2026-12-05")]
    assert stage.runs()[0].began_at == _at("2026-12-03 10:00")


class _KilledError(BaseException):
    """Stands for a process that ends."""


@pytest.fixture
def small_portions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let few members be read at a time, and fewer begin."""
    monkeypatch.setattr(starting, "AT_A_TIME", 4)
    monkeypatch.setattr(starting, "PORTION", 2)


@on_both
@pytest.mark.usefixtures("small_portions")
@pytest.mark.parametrize("scenario", ["weekly", "entry"])
def test_whoever_dies_in_the_middle_begins_nobody_twice_and_misses_nobody(
    stage: Stage, scenario: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = _people(stage.line, *(f"花{number}" for number in range(11)))
    if scenario == "weekly":
        stage.publish("weekly", WEEKLY, again="when ended", key="member")
        stage.now = _at("2026-11-30 10:00")
    else:
        stage.publish("entry", ENTRY, enrol="all")
    begin, calls = begin_runs, list[int]()

    def dying(*arguments: Any, **more: Any) -> int:
        calls.append(1)
        found = begin(*arguments, **more)
        if len(calls) % 2 == 0:
            raise _KilledError
        return found

    monkeypatch.setattr(starting, "begin_runs", dying)
    died = 0
    for _turn in range(20):
        try:
            starting.start_due(stage.line)
        except _KilledError:
            died += 1
            assert len(stage.runs()) < len(ids) or died > 5
    assert died >= 4
    assert [run.member_id for run in stage.runs()] == ids
    stage.play()
    assert len(stage.runs()) == len(ids)


@on_both
@pytest.mark.usefixtures("small_portions")
@pytest.mark.parametrize("scenario", ["weekly", "entry"])
def test_two_schedulers_take_turns(stage: Stage, scenario: str) -> None:
    ids = _people(stage.line, *(f"花{number}" for number in range(11)))
    if scenario == "weekly":
        stage.publish("weekly", WEEKLY, again="when ended")
        stage.now = _at("2026-11-30 10:00")
    else:
        stage.publish("entry", ENTRY, enrol="all")
    db.session.rollback()
    errors: list[BaseException] = []

    def work() -> None:
        try:
            for _turn in range(15):
                starting.start_due(stage.line)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work) for _number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert sorted(run.member_id for run in stage.runs()) == ids


@on_both
def test_a_segment_begins_it_when_it_first_chooses_a_member(stage: Stage) -> None:
    (there,) = _people(stage.line, "花子")
    (other,) = _people(stage.line, "太郎")
    with pytest.raises(UsageError, match="enrol"):
        stage.publish("entry", ENTRY)
    db.session.rollback()
    stage.publish("entry", ENTRY, enrol="nobody")
    stage.play(minutes=10)
    assert _begun(stage) == []
    _rename(other, "花江")
    stage.play(minutes=10)
    assert _begun(stage) == [(other, "")]
    assert [outcome for _step, outcome, _why in stage.outcomes()] == ["queued"]
    # Somebody whom it chooses links later.
    late = add_member(stage.line, "花代")
    stage.play(minutes=10)
    link(stage.line, late, "d")
    stage.play(minutes=10)
    assert _begun(stage) == [(other, ""), (late.id, "")]
    assert there not in [run.member_id for run in stage.runs()]


@pytest.mark.parametrize(
    ("again", "times"), [("never", 1), ("when ended", 2), ("after P30D", 1), ("restart", 2)]
)
def test_who_left_a_segment_enters_again_as_the_rule_says(
    stage: Stage, again: str, times: int
) -> None:
    (one,) = _people(stage.line, "花子")
    steps = [{"name": "wait", "wait": "PT1H"}]
    stage.publish("entry", ENTRY, enrol="all", again=again, steps=steps)
    stage.play()
    assert len(stage.runs()) == 1
    stage.play(hours=3)
    _rename(one, "太郎")
    stage.play(minutes=10)
    assert db.session.scalars(select(ScenarioMember)).all() == []
    _rename(one, "花子")
    stage.play(minutes=10)
    assert len(stage.runs()) == times
    stage.play(days=30)
    _rename(one, "太郎")
    stage.play(minutes=10)
    _rename(one, "花子")
    stage.play(minutes=10)
    assert len(stage.runs()) == {"never": 1, "after P30D": 2}.get(again, 3)


@on_both
def test_enrolling_again_with_another_version(stage: Stage) -> None:
    one, two = _people(stage.line, "花子", "太郎")
    stage.publish("entry", ENTRY, enrol="nobody")
    stage.play(minutes=10)
    other = [{"name": "tell", "message": "別のお知らせです。"}]
    # Entered since it was last looked at: the version after it begins for them.
    _rename(two, "花江")
    stage.publish("entry", ENTRY, enrol="from-now", steps=other)
    stage.play(minutes=10)
    assert _begun(stage) == [(two, "")]
    stage.publish("entry", ENTRY, enrol="all", steps=[*other, {"name": "rest", "wait": "P1D"}])
    stage.play(minutes=10)
    assert (one, "") in _begun(stage)


def test_a_pause_and_a_stop(stage: Stage) -> None:
    (one,) = _people(stage.line, "花子")
    stage.publish("weekly", WEEKLY)
    extension.scenarios.pause("weekly")
    db.session.commit()
    stage.now = _at("2026-12-01 12:00")
    stage.play()
    extension.scenarios.resume("weekly")
    db.session.commit()
    stage.play()
    # The Monday that passed meanwhile is past.
    assert _begun(stage) == []
    assert _row().next_at == _at("2026-12-07 10:00")
    stage.now = _at("2026-12-07 10:00")
    stage.play()
    assert _begun(stage) == [(one, "2026-12-07")]
    extension.scenarios.stop("weekly")
    db.session.commit()
    stage.play(days=14)
    assert _begun(stage) == [(one, "2026-12-07")]
    stage.publish("weekly", WEEKLY)
    stage.play()
    assert _begun(stage) == [(one, "2026-12-07")]
    assert _row().next_at == _at("2026-12-28 10:00")


def test_a_version_published_in_the_middle_goes_on(
    stage: Stage, small_portions: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = _people(stage.line, *(f"花{number}" for number in range(6)))
    stage.publish("weekly", WEEKLY)
    stage.now = _at("2026-11-30 10:00")
    starting.start_due(stage.line)
    assert 0 < len(stage.runs()) < len(ids)
    stage.publish("weekly", WEEKLY, enrol="from-now", steps=[*STEPS, {"name": "x", "wait": "P1D"}])
    stage.play()
    assert [run.member_id for run in stage.runs()] == ids
    assert len({run.version_id for run in stage.runs()}) == 2
    # Another time begins anew.
    stage.publish("weekly", WEEKLY, enrol="from-now", starts_at="every day at 09:00")
    assert _row().next_at == _at("2026-12-01 09:00")


def test_what_is_gone_is_said_and_holds_back_no_other(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    (one,) = _people(stage.line, "花子")
    rule = {"attribute": "born_on", "is_set": True}
    save_segment(stage.line, "dated", "日付", read_rule(rule))
    db.session.commit()
    stage.publish("a_broken", ENTRY, enrol="nobody", starts_in="dated")
    stage.publish("weekly", WEEKLY)
    stage.line.part(Attributes)._by_name.pop("born_on")
    stage.now = _at("2026-11-30 10:00")
    stage.play()
    assert _begun(stage) == [(one, "2026-11-30")]
    assert "a_broken" in caplog.text
    assert "born_on" in caplog.text
    stage.play(minutes=10)


@on_both
def test_a_member_who_is_gone_is_forgotten(stage: Stage) -> None:
    (one,) = _people(stage.line, "花子")
    stage.publish("entry", ENTRY, enrol="nobody")
    assert len(db.session.scalars(select(ScenarioMember)).all()) == 1
    db.session.execute(delete(Account))
    db.session.execute(delete(User).where(User.id == one))
    db.session.commit()
    stage.play(minutes=10)
    assert db.session.scalars(select(ScenarioMember)).all() == []


def test_the_shop_moves_to_another_zone(stage: Stage) -> None:
    (one,) = _people(stage.line, "花子")
    stage.publish("weekly", WEEKLY)
    object.__setattr__(stage.line.config, "zone", ZoneInfo("Asia/Taipei"))
    stage.now = _at("2026-11-30 10:30")
    stage.play()
    assert _begun(stage) == []
    stage.play(minutes=30)
    assert _begun(stage) == [(one, "2026-11-30")]
    stage.play(days=6, hours=23, minutes=59)
    assert _begun(stage) == [(one, "2026-11-30")]
    stage.play(minutes=1)
    assert _begun(stage) == [(one, "2026-11-30"), (one, "2026-12-07")]


def _rename(member_id: int, name: str) -> None:
    db.session.execute(update(User).where(User.id == member_id).values(name=name))
    db.session.commit()
