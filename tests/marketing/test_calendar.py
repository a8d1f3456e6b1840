"""The table of times: each row says when something began, what it waits for, and when that is."""

from __future__ import annotations

from datetime import UTC
from datetime import date
from datetime import datetime
from datetime import time
from datetime import timedelta
from itertools import islice
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from flask_lineconnect.errors import UsageError
from flask_lineconnect.marketing.calendar.times import Near
from flask_lineconnect.marketing.calendar.times import Occurrence
from flask_lineconnect.marketing.calendar.times import Recurring
from flask_lineconnect.marketing.calendar.times import in_quiet_hours
from flask_lineconnect.marketing.calendar.times import instant
from flask_lineconnect.marketing.calendar.words import InvalidTime
from flask_lineconnect.marketing.calendar.words import read_time

TOKYO, NEW_YORK = ZoneInfo("Asia/Tokyo"), ZoneInfo("America/New_York")
FACTS = {
    "eta": date(2026, 12, 3),
    "start": datetime(2026, 12, 3, 9, 30, tzinfo=UTC),
    "birthday": date(1996, 2, 29),
    "born": date(1990, 12, 24),
    "absent": None,
}


def at(local: str, zone: str = "Asia/Tokyo") -> datetime:
    """Return a moment by the clocks of a zone; of two the first, with a star the second."""
    moment = datetime.fromisoformat(local.rstrip("*"))
    return moment.replace(tzinfo=ZoneInfo(zone), fold=int(local.endswith("*"))).astimezone(UTC)


# What it waits for, when it began, when that is over; all by the clocks of the zone.
TABLE = [
    # durations
    ("PT1H", "2026-11-28 12:00", "2026-11-28 13:00", "Asia/Tokyo"),
    ("PT90M", "2026-11-28 23:00", "2026-11-29 00:30", "Asia/Tokyo"),
    ("P2D", "2026-11-28 12:34:56", "2026-11-30 12:34:56", "Asia/Tokyo"),
    ("P1W", "2026-12-28 08:00", "2027-01-04 08:00", "Asia/Tokyo"),
    ("P1DT12H", "2026-11-28 12:00", "2026-11-30 00:00", "Asia/Tokyo"),
    # months end where they end, counted from the day that it began
    ("P1M", "2026-01-31 10:00", "2026-02-28 10:00", "Asia/Tokyo"),
    ("P2M", "2026-01-31 10:00", "2026-03-31 10:00", "Asia/Tokyo"),
    ("P1Y", "2028-02-29 10:00", "2029-02-28 10:00", "Asia/Tokyo"),
    ("P4Y", "2028-02-29 10:00", "2032-02-29 10:00", "Asia/Tokyo"),
    ("P1M", "2026-12-31 10:00", "2027-01-31 10:00", "Asia/Tokyo"),
    # days keep the time of day when clocks change, hours don't
    ("P1D", "2026-03-07 12:00", "2026-03-08 12:00", "America/New_York"),
    ("PT24H", "2026-03-07 12:00", "2026-03-08 13:00", "America/New_York"),
    ("P1D", "2026-10-31 12:00", "2026-11-01 12:00", "America/New_York"),
    ("PT24H", "2026-10-31 12:00", "2026-11-01 11:00", "America/New_York"),
    ("P1D", "2026-03-07 02:30", "2026-03-08 03:00", "America/New_York"),
    # a time of day: the next one, never now
    ("10:00", "2026-11-28 09:59:59", "2026-11-28 10:00", "Asia/Tokyo"),
    ("10:00", "2026-11-28 10:00", "2026-11-29 10:00", "Asia/Tokyo"),
    ("10:00", "2026-12-31 10:01", "2027-01-01 10:00", "Asia/Tokyo"),
    ("00:00", "2026-11-28 00:00:01", "2026-11-29 00:00", "Asia/Tokyo"),
    ("P1D at 12:00", "2026-11-28 23:59", "2026-11-29 12:00", "Asia/Tokyo"),
    ("P1D at 12:00", "2026-11-28 00:00", "2026-11-29 12:00", "Asia/Tokyo"),
    ("P1M at 10:00", "2026-01-30 18:00", "2026-02-28 10:00", "Asia/Tokyo"),
    # it does not exist: the next moment that does
    ("02:30", "2026-03-08 00:00", "2026-03-08 03:00", "America/New_York"),
    ("02:00", "2026-03-08 00:00", "2026-03-08 03:00", "America/New_York"),
    ("03:00", "2026-03-08 00:00", "2026-03-08 03:00", "America/New_York"),
    ("P1D at 00:30", "2026-04-23 12:00", "2026-04-24 01:00", "Africa/Cairo"),
    ("02:15", "2026-10-04 00:00", "2026-10-04 02:30", "Australia/Lord_Howe"),
    # a whole day that did not exist
    ("10:00", "2011-12-29 11:00", "2011-12-31 00:00", "Pacific/Apia"),
    # it comes twice: the first one, and not again
    ("01:30", "2026-11-01 00:00", "2026-11-01 01:30", "America/New_York"),
    ("01:30", "2026-11-01 01:30", "2026-11-02 01:30", "America/New_York"),
    ("01:30", "2026-11-01 01:15*", "2026-11-02 01:30", "America/New_York"),
    ("every day at 01:30", "2026-11-01 01:30*", "2026-11-02 01:30", "America/New_York"),
    # days of the week
    ("monday at 10:00", "2026-11-28 12:00", "2026-11-30 10:00", "Asia/Tokyo"),
    ("monday 10:00", "2026-11-30 10:00", "2026-12-07 10:00", "Asia/Tokyo"),
    ("every sunday 10:00", "2026-11-28 12:00", "2026-11-29 10:00", "Asia/Tokyo"),
    ("monday, thursday at 10:00", "2026-11-30 12:00", "2026-12-03 10:00", "Asia/Tokyo"),
    ("monday at 10:00", "2026-11-30 10:30", "2026-11-30 11:00", "Asia/Taipei>Asia/Tokyo"),
    # days of the month
    ("every month on day 15 at 10:00", "2026-11-15 10:00", "2026-12-15 10:00", "Asia/Tokyo"),
    ("every month on the last day at 10:00", "2028-02-01 00:00", "2028-02-29 10:00", "Asia/Tokyo"),
    ("every month on last day at 10:00", "2026-04-30 10:00", "2026-05-31 10:00", "Asia/Tokyo"),
    ("every month on day 31 or last day at 10:00", "2026-11-01 00:00", "2026-11-30 10:00", "UTC"),
    ("every month on day 31 or next day at 10:00", "2026-11-01 00:00", "2026-12-01 10:00", "UTC"),
    ("every month on day 31 or next day at 10:00", "2026-12-01 10:00", "2026-12-31 10:00", "UTC"),
    ("every month on day 31 or skip at 10:00", "2026-11-01 00:00", "2026-12-31 10:00", "UTC"),
    ("every month on day 30 or skip at 10:00", "2026-01-31 00:00", "2026-03-30 10:00", "UTC"),
    # days of the year
    ("every year on 12-03 at 10:00", "2026-12-03 10:00", "2027-12-03 10:00", "Asia/Tokyo"),
    ("every year on 02-29 or last day at 10:00", "2026-01-01 00:00", "2026-02-28 10:00", "UTC"),
    ("every year on 02-29 or next day at 10:00", "2026-01-01 00:00", "2026-03-01 10:00", "UTC"),
    ("every year on 02-29 or skip at 10:00", "2026-01-01 00:00", "2028-02-29 10:00", "UTC"),
    ("every year on 02-29 or skip at 10:00", "2097-01-01 00:00", "2104-02-29 10:00", "UTC"),
    ("every year on 02-29 or last day at 10:00", "2028-01-01 00:00", "2028-02-29 10:00", "UTC"),
    # near to what a fact says, also when that is past
    ("P1D before eta at 18:00", "2026-11-28 12:00", "2026-12-02 18:00", "Asia/Tokyo"),
    ("day before start at 18:00", "2026-11-28 12:00", "2026-12-02 18:00", "Asia/Tokyo"),
    ("day after eta at 10:00", "2026-11-28 12:00", "2026-12-04 10:00", "Asia/Tokyo"),
    ("on eta at 08:00", "2026-12-10 12:00", "2026-12-03 08:00", "Asia/Tokyo"),
    ("PT2H before start", "2026-11-28 12:00", "2026-12-03 16:30", "Asia/Tokyo"),
    ("P1D after start", "2026-11-28 12:00", "2026-12-04 18:30", "Asia/Tokyo"),
    ("on start", "2026-11-28 12:00", "2026-12-03 18:30", "Asia/Tokyo"),
    # each year, by a day of the member's
    ("every year on born at 10:00", "2026-11-28 12:00", "2026-12-24 10:00", "Asia/Tokyo"),
    ("every year on born at 10:00", "2026-12-24 10:00", "2027-12-24 10:00", "Asia/Tokyo"),
    ("every year P15D before born at 10:00", "2026-12-09 10:00", "2027-12-09 10:00", "Asia/Tokyo"),
    ("every year P15D after born at 10:00", "2027-01-01 00:00", "2027-01-08 10:00", "Asia/Tokyo"),
    ("every year on birthday at 10:00", "2026-01-01 00:00", "2026-02-28 10:00", "Asia/Tokyo"),
    ("every year on birthday or next day at 10:00", "2026-01-01 00:00", "2026-03-01 10:00", "UTC"),
    ("every year on birthday or skip at 10:00", "2026-01-01 00:00", "2028-02-29 10:00", "UTC"),
    # a zone of its own
    ("10:00 in Asia/Bangkok", "2026-11-28 11:59", "2026-11-28 12:00", "Asia/Tokyo"),
    ("P1D at 10:00 in UTC", "2026-11-28 08:00", "2026-11-28 19:00", "Asia/Tokyo"),
    ("P1D in America/New_York", "2026-03-08 02:00", "2026-03-09 01:00", "Asia/Tokyo"),
]


@pytest.mark.parametrize(("text", "began", "over", "zone"), TABLE)
def test_a_wait_is_over_when_the_table_says(text: str, began: str, over: str, zone: str) -> None:
    asked, _, shown = zone.partition(">")
    found = read_time(text).until(at(began, shown or asked), ZoneInfo(asked), FACTS)
    assert found == at(over, shown or asked)


@pytest.mark.parametrize("text", sorted({row[0] for row in TABLE}))
def test_a_time_reads_as_it_is_written(text: str) -> None:
    assert read_time(str(read_time(text))) == read_time(text)


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("10:00", "every day at 10:00"),
        ("thursday,monday 9:05", "every monday, thursday at 09:05"),
        ("P1Y2M1W", "P14M7D"),
        ("PT90M", "PT1H30M"),
        ("every month on day 31 or last day at 10:00", "every month on the last day at 10:00"),
        ("day before start at 18:00 in UTC", "P1D before start at 18:00 in UTC"),
        ("every year on 02-29 or skip 10:00", "every year on 02-29 or skip at 10:00"),
    ],
)
def test_each_time_has_one_written_form(text: str, written: str) -> None:
    assert str(read_time(text)) == written


@pytest.mark.parametrize(
    ("text", "column", "said"),
    [
        ("", 1, "begins no time"),
        ("tomorrow", 1, "begins no time"),
        ("mondy at 10:00", 1, "Did you mean monday"),
        ("every monady at 10:00", 7, "Did you mean monday"),
        ("every monday, at 10:00", 15, "no day of the week"),
        ("every monday", 13, "a time of day such as 10:00"),
        ("every monday at ten", 17, "not 'ten'"),
        ("monday at 24:00", 11, "no time of a day"),
        ("10:60", 1, "no time of a day"),
        ("10:00 sharp", 7, "too much"),
        ("10:00 in Tokyo", 10, "no time zone"),
        ("10:00 in ../etc/passwd", 10, "no time zone"),
        ("10:00 in", 9, "no time zone"),
        ("P", 1, "no duration"),
        ("PT", 1, "no duration"),
        ("P1H", 1, "no duration"),
        ("P0D", 1, "no time at all"),
        ("P101Y", 1, "longer than 100 years"),
        ("PT1H at 10:00", 1, "elapsed time"),
        ("PT1H before eta at 10:00", 1, "elapsed time"),
        ("P1D before at 10:00", 12, "the name of a fact"),
        ("P1D before Eta at 10:00", 12, "the name of a fact"),
        ("day 15 at 10:00", 5, "'before' or 'after'"),
        ("every month on day 32 at 10:00", 20, "no day of a month"),
        ("every month on day 31 at 10:00", 23, "say 'or last day', 'or next day' or 'or skip'"),
        ("every month on day 15 or skip at 10:00", 23, "nothing to choose"),
        ("every month on day 31 or never at 10:00", 26, "'last day', 'next day' or 'skip'"),
        ("every year on 02-29 at 10:00", 21, "02-29 is not in each year"),
        ("every year on 02-30 at 10:00", 15, "no day of a year"),
        ("every year on 31-12 at 10:00", 15, "the month comes first"),
        ("every year on birthday", 23, "a time of day"),
        ("every year P1M before birthday at 10:00", 1, "a distance in days"),
        ("every year PT1H before birthday at 10:00", 1, "elapsed time"),
    ],
)
def test_what_is_no_time_is_refused_with_its_place(text: str, column: int, said: str) -> None:
    with pytest.raises(InvalidTime) as caught:
        read_time(text)
    assert caught.value.column == column
    assert said in str(caught.value)
    assert f"column {column}" in str(caught.value)


def test_what_is_absent_is_never_due() -> None:
    assert read_time("P1D before absent at 10:00").until(at("2026-11-28"), TOKYO, FACTS) is None


def test_a_day_has_no_hours_before_it() -> None:
    with pytest.raises(UsageError, match="eta is a day"):
        read_time("PT2H before eta").until(at("2026-11-28"), TOKYO, FACTS)


def test_a_time_without_a_zone_is_refused() -> None:
    naive = datetime(2026, 11, 28)  # noqa: DTZ001
    with pytest.raises(UsageError, match="without a zone"):
        read_time("10:00").until(naive, TOKYO, FACTS)


@pytest.mark.parametrize("zone", ["America/New_York", "Australia/Lord_Howe"])
@pytest.mark.parametrize("clock", ["00:00", "01:30", "02:00", "02:30"])
def test_each_day_of_a_year_comes_once_and_in_order(zone: str, clock: str) -> None:
    daily = read_time(f"every day at {clock}")
    assert isinstance(daily, Recurring)
    found = list(islice(daily.from_day(date(2025, 12, 31), ZoneInfo(zone)), 365))
    assert [one.day for one in found] == [
        date(2026, 1, 1) + timedelta(days=number) for number in range(365)
    ]
    assert all(
        timedelta(hours=22) < later.at - earlier.at < timedelta(hours=26)
        for earlier, later in pairwise(found)
    )
    moment = found[0].at - timedelta(seconds=1)
    for one in found:
        assert daily.first(moment, ZoneInfo(zone)) == one
        moment = one.at


def test_in_another_zone_no_day_is_lost_and_none_comes_twice() -> None:
    mondays = read_time("every monday at 10:00")
    assert isinstance(mondays, Recurring)
    last = mondays.first(at("2026-11-28 00:00"), TOKYO)
    assert last == Occurrence(date(2026, 11, 30), at("2026-11-30 10:00"))
    # The shop moves to New York, where it is not yet ten on this Monday.
    assert mondays.next(last.day, NEW_YORK) == Occurrence(
        date(2026, 12, 7), at("2026-12-07 10:00", "America/New_York")
    )
    # And the other way it was ten in Tokyo before anybody looked: it is late, and not left out.
    assert mondays.next(date(2026, 11, 23), TOKYO).at == at("2026-11-30 10:00")


def test_a_wait_goes_by_the_zone_that_the_shop_has_by_now() -> None:
    began = at("2026-11-28 12:00")
    wait = read_time("P2D at 10:00")
    assert wait.until(began, TOKYO, {}) == at("2026-11-30 10:00")
    assert wait.until(began, NEW_YORK, {}) == at("2026-11-29 10:00", "America/New_York")
    assert read_time("PT2H").until(began, TOKYO, {}) == read_time("PT2H").until(began, NEW_YORK, {})


@pytest.mark.parametrize(
    ("text", "day", "values"),
    [
        ("P30D before expires at 10:00", "2026-12-01", ["2026-12-31"]),
        ("on expires at 10:00", "2026-12-01", ["2026-12-01"]),
        (
            "P1M before expires at 10:00",
            "2026-02-28",
            ["2026-03-28", "2026-03-29", "2026-03-30", "2026-03-31"],
        ),
        ("P1M before expires at 10:00", "2026-01-31", []),
        ("P1M after expires at 10:00", "2026-03-31", []),
        ("every year on born at 10:00", "2026-12-24", ["2000-12-24"]),
        ("every year P15D before born at 10:00", "2026-12-20", ["2000-01-04"]),
        ("every year on born at 10:00", "2026-02-28", ["2000-02-28", "2000-02-29"]),
        ("every year on born at 10:00", "2028-02-28", ["2000-02-28"]),
        ("every year on born at 10:00", "2028-02-29", ["2000-02-29"]),
        ("every year on born or next day at 10:00", "2026-03-01", ["2000-02-29", "2000-03-01"]),
        ("every year on born or skip at 10:00", "2026-02-28", ["2000-02-28"]),
        ("every year P1D before born at 10:00", "2026-02-27", ["2000-02-28", "2000-02-29"]),
    ],
)
def test_a_date_rule_knows_for_whom_a_day_is_the_right_one(
    text: str, day: str, values: list[str]
) -> None:
    rule = read_time(text)
    assert isinstance(rule, Near)
    assert sorted(rule.values_on(date.fromisoformat(day))) == list(map(date.fromisoformat, values))


def test_every_birthday_has_its_day_in_each_year() -> None:
    rule = read_time("every year P3D before born at 10:00")
    assert isinstance(rule, Near)
    leap_year = [date(2000, 1, 1) + timedelta(days=number) for number in range(366)]
    for year in (2026, 2028):
        days = (date(year, 1, 1) + timedelta(days=number) for number in range(365 + (year == 2028)))
        assert sorted(born for day in days for born in rule.values_on(day)) == leap_year


@pytest.mark.parametrize(
    ("hours", "now", "ends", "zone"),
    [
        ("21:00-08:00", "2026-11-28 20:59:59", None, "Asia/Tokyo"),
        ("21:00-08:00", "2026-11-28 21:00", "2026-11-29 08:00", "Asia/Tokyo"),
        ("21:00-08:00", "2026-11-28 07:59", "2026-11-28 08:00", "Asia/Tokyo"),
        ("21:00-08:00", "2026-11-28 08:00", None, "Asia/Tokyo"),
        ("12:00-13:00", "2026-11-28 12:30", "2026-11-28 13:00", "Asia/Tokyo"),
        # They end at a time that does not exist: at the next moment.
        ("21:00-02:30", "2026-03-08 01:59", "2026-03-08 03:00", "America/New_York"),
        # At one that comes twice: at the first, and they don't begin again.
        ("21:00-01:30", "2026-11-01 01:29", "2026-11-01 01:30", "America/New_York"),
        ("21:00-01:30", "2026-11-01 01:15*", None, "America/New_York"),
        ("01:30-08:00", "2026-11-01 01:15*", "2026-11-01 08:00", "America/New_York"),
    ],
)
def test_quiet_hours_begin_once_and_end_once(
    hours: str, now: str, ends: str | None, zone: str
) -> None:
    start, _dash, end = hours.partition("-")
    found = in_quiet_hours(
        (time.fromisoformat(start), time.fromisoformat(end)), at(now, zone), ZoneInfo(zone)
    )
    assert found == (None if ends is None else at(ends, zone))


def test_the_moment_after_a_gap_is_exact_to_the_second() -> None:
    zone = ZoneInfo("Africa/Monrovia")
    found = instant(date(1972, 1, 7), time(0, 10), zone).astimezone(zone)
    assert found.time() == time(0, 44, 30)
