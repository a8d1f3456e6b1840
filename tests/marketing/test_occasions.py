"""When a scenario begins that begins at a time, and for whom: without a database."""

from __future__ import annotations

from datetime import UTC
from datetime import date
from datetime import datetime
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from flask_lineconnect.marketing.calendar.times import Near
from flask_lineconnect.marketing.calendar.times import Recurring
from flask_lineconnect.marketing.calendar.words import read_time
from flask_lineconnect.marketing.scenarios.definition import OnTime
from flask_lineconnect.marketing.scenarios.occasions import due_occurrence
from flask_lineconnect.marketing.scenarios.occasions import first_occurrence
from flask_lineconnect.marketing.scenarios.occasions import next_occurrence
from flask_lineconnect.marketing.scenarios.occasions import people_of
from flask_lineconnect.marketing.segments.rules import All
from flask_lineconnect.marketing.segments.rules import AnyOf
from flask_lineconnect.marketing.segments.rules import Asked
from flask_lineconnect.marketing.segments.rules import Has
from flask_lineconnect.marketing.segments.rules import InSegment

TOKYO, NEW_YORK = ZoneInfo("Asia/Tokyo"), ZoneInfo("America/New_York")


def _start(text: str, segment: str | None = None) -> OnTime:
    at = read_time(text)
    assert isinstance(at, Recurring | Near)
    return OnTime(at, segment)


def _at(text: str, zone: ZoneInfo = TOKYO) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone)


def _played(start: OnTime, begin: datetime, end: datetime, zone: ZoneInfo) -> list[str]:
    """Look every ten minutes; return when it began, by the clocks of the zone."""
    first = first_occurrence(start, begin, zone)
    last_day, now, began = first.day - timedelta(days=1), begin, []
    while now <= end:
        one = due_occurrence(start, last_day, now, zone)
        if one is not None:
            assert one.at <= now < one.at + timedelta(minutes=10)
            began.append(f"{one.at.astimezone(zone):%m-%d %H:%M}")
            last_day = one.day
        now += timedelta(minutes=10)
    return began


@pytest.mark.parametrize(
    ("text", "begin", "end", "zone", "right"),
    [
        (
            "every monday at 10:00",
            "2026-11-24",
            "2026-12-08",
            TOKYO,
            ["11-30 10:00", "12-07 10:00"],
        ),
        # Published at ten: not at once.
        ("every monday at 10:00", "2026-11-30 10:00", "2026-12-08", TOKYO, ["12-07 10:00"]),
        (
            "every month on the last day at 10:00",
            "2027-01-15",
            "2027-05-01",
            TOKYO,
            ["01-31 10:00", "02-28 10:00", "03-31 10:00", "04-30 10:00"],
        ),
        # The hour that is missing, and the one that comes twice.
        (
            "every day at 02:30",
            "2026-03-07",
            "2026-03-09 12:00",
            NEW_YORK,
            ["03-07 02:30", "03-08 03:00", "03-09 02:30"],
        ),
        (
            "every day at 01:30",
            "2026-10-31",
            "2026-11-02 12:00",
            NEW_YORK,
            ["10-31 01:30", "11-01 01:30", "11-02 01:30"],
        ),
        (
            "every year on born_on at 01:30",
            "2026-10-31",
            "2026-11-02 12:00",
            NEW_YORK,
            ["10-31 01:30", "11-01 01:30", "11-02 01:30"],
        ),
        # By the clocks of its own zone.
        (
            "every monday at 10:00 in Asia/Taipei",
            "2026-11-24",
            "2026-12-01",
            TOKYO,
            ["11-30 11:00"],
        ),
    ],
)
def test_each_time_comes_once(
    text: str, begin: str, end: str, zone: ZoneInfo, right: list[str]
) -> None:
    start = _start(text, None if "born_on" in text else "named")
    assert _played(start, _at(begin, zone), _at(end, zone), zone) == right


def test_after_a_long_stop_only_the_latest_recurring_time_counts() -> None:
    start, now = _start("every monday at 10:00", "named"), _at("2026-12-22 09:00")
    late = due_occurrence(start, date(2026, 11, 23), now, TOKYO)
    assert late is not None
    assert (late.day, late.at) == (date(2026, 12, 21), _at("2026-12-21 10:00").astimezone(UTC))
    assert next_occurrence(start, late.day, TOKYO).day == date(2026, 12, 28)
    assert due_occurrence(start, late.day, now, TOKYO) is None


def test_after_a_long_stop_each_birthday_of_a_month_has_its_day() -> None:
    start, now = _start("every year on born_on at 10:00"), _at("2026-12-22 09:00")
    last_day, days = date(2026, 10, 1), []
    while (one := due_occurrence(start, last_day, now, TOKYO)) is not None:
        days.append(one.day)
        last_day = one.day
    assert days == [date(2026, 11, 21) + timedelta(days=number) for number in range(31)]


@pytest.mark.parametrize(
    ("text", "day", "right", "wrong"),
    [
        # Whoever was born on a 29 February, in a year without one and in one with it.
        ("every year on born at 10:00", "2027-02-28", ["1996-02-29", "2001-02-28"], ["2001-03-01"]),
        ("every year on born at 10:00", "2028-02-28", ["2001-02-28"], ["1996-02-29"]),
        ("every year on born at 10:00", "2028-02-29", ["1996-02-29"], ["2001-02-28"]),
        ("every year on born or next day at 10:00", "2027-03-01", ["1996-02-29", "2001-03-01"], []),
        ("every year on born or skip at 10:00", "2027-02-28", ["2001-02-28"], ["1996-02-29"]),
        # Over the turn of the year.
        ("every year P15D before born at 10:00", "2026-12-25", ["1990-01-09"], ["1990-12-25"]),
        ("every year P1D after born at 10:00", "2027-01-01", ["1990-12-31"], ["1990-01-01"]),
        # An anniversary comes a year later, and not on the day itself.
        ("every year on born at 10:00", "2026-11-28", ["2025-11-28"], ["2026-11-28", "2027-11-28"]),
        ("every year P15D before born at 10:00", "2026-12-25", ["2026-01-09"], ["2027-01-09"]),
        # By the very day.
        ("P30D before born at 10:00", "2026-12-01", ["2026-12-31"], ["2025-12-31", "2026-12-30"]),
        ("P7D before born at 10:00", "2027-02-22", ["2027-03-01"], ["2027-02-28"]),
        ("P1M before born at 10:00", "2027-02-28", ["2027-03-28", "2027-03-31"], ["2027-04-01"]),
    ],
)
def test_by_a_day_that_is_known_of_each(
    text: str, day: str, right: list[str], wrong: list[str]
) -> None:
    rule = people_of(_start(text), date.fromisoformat(day), TOKYO)
    assert isinstance(rule, All)
    (has,) = rule.rules
    assert isinstance(has, Has)
    assert has.asked.operator == "one_of"
    assert set(right) <= set(has.asked.operand)
    assert not set(wrong) & set(has.asked.operand)


def test_a_year_without_the_day_has_nobody() -> None:
    start = _start("every year on born or skip at 10:00", "named")
    rule = people_of(start, date(2027, 3, 1), TOKYO)
    assert "2000-02-29" not in str(rule)
    assert InSegment("named") in getattr(rule, "rules")  # noqa: B009  # of one kind of rule only


def test_a_moment_is_asked_by_the_clocks_of_the_zone() -> None:
    rule = people_of(_start("P30D before due at 10:00"), date(2026, 12, 1), TOKYO, is_moment=True)
    day = ("2026-12-30T15:00:00+00:00", "2026-12-31T14:59:59.999999+00:00")
    assert rule == All((AnyOf((Has("due", Asked("between", day)),)),))
    taipei = people_of(
        _start("P30D before due at 10:00 in Asia/Taipei"), date(2026, 12, 1), TOKYO, is_moment=True
    )
    assert "2026-12-30T16:00:00+00:00" in str(taipei)
