"""When something is due: the arithmetic of waits, dates and recurring times, in a named zone.

Clocks, months and years have holes; each has one rule here:

- A local time that does not exist is the next moment that does; one that comes twice is the first
  of both, once.
- Days, weeks, months and years of a duration keep the time of day; hours, minutes and seconds are
  elapsed time.
- A month or a year added to a day that the month lacks ends at the month's last day. For recurring
  days :class:`ShortMonth` names the rule.
- A shop may move to another zone meanwhile: a wait is computed anew from when it began, and a
  recurring time from the last *day* that it had, so that none is lost and none comes twice.

How they are written, ``"every monday at 10:00"``: ``words.py``.
"""

from __future__ import annotations

from calendar import isleap
from collections.abc import Iterator
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field
from datetime import UTC
from datetime import date
from datetime import datetime
from datetime import time
from datetime import timedelta
from itertools import count
from typing import Any
from typing import TypeAlias
from zoneinfo import ZoneInfo

from ...errors import UsageError
from .days import Days
from .days import ShortMonth
from .days import add_months
from .days import day_of_month
from .days import or_else

_DAY = timedelta(days=1)
_SECOND = timedelta(seconds=1)


def instant(day: date, at: time, zone: ZoneInfo) -> datetime:
    """Return when it is a time of day in a zone, in UTC.

    Of a time that comes twice the first; for one that does not exist the next moment that does.
    """
    local = datetime.combine(day, at.replace(tzinfo=None, fold=0), zone)
    moment = local.astimezone(UTC)
    if moment.astimezone(zone).replace(tzinfo=None) == local.replace(tzinfo=None):
        return moment
    # Read by the clocks before the change and after it, such a time lies on both sides of it.
    before, after = local.replace(fold=1).astimezone(UTC), moment
    before_offset = before.astimezone(zone).utcoffset()
    while after - before > _SECOND:
        middle = before + _SECOND * ((after - before) // _SECOND // 2)
        if middle.astimezone(zone).utcoffset() == before_offset:
            before = middle
        else:
            after = middle
    return after


def in_quiet_hours(hours: tuple[time, time], now: datetime, zone: ZoneInfo) -> datetime | None:
    """Return when the quiet hours end, in UTC, or ``None`` outside them.

    :param hours: from and until when; they may go over midnight.
    """
    start, end = hours
    today = _local(now, zone).date()
    for day in (today - _DAY, today):
        ends = instant(day if start < end else day + _DAY, end, zone)
        if instant(day, start, zone) <= now < ends:
            return ends
    return None


@dataclass(frozen=True, slots=True)
class Duration:
    """A length of time, ``P1M2DT3H``: months and days of the calendar, and elapsed seconds."""

    months: int = 0
    days: int = 0
    seconds: int = 0

    def __str__(self) -> str:
        """Return it as ISO 8601 has it."""
        hours, rest = divmod(self.seconds, 3600)
        parts = ((self.months, "M"), (self.days, "D"))
        times = ((hours, "H"), (rest // 60, "M"), (rest % 60, "S"))
        of_calendar, of_clock = (
            "".join(f"{number}{sign}" for number, sign in some if number) for some in (parts, times)
        )
        return f"P{of_calendar}" + (f"T{of_clock}" if of_clock else "")

    def of_day(self, day: date, sign: int) -> date:
        """Return the day so much later, or with ``sign`` -1 earlier; elapsed time apart."""
        return add_months(day, sign * self.months) + timedelta(days=sign * self.days)

    def of_moment(self, moment: datetime, zone: ZoneInfo, sign: int = 1) -> datetime:
        """Return the moment so much later, or with ``sign`` -1 earlier."""
        local = _local(moment, zone)
        if self.months or self.days:
            moment = instant(self.of_day(local.date(), sign), local.time(), zone)
        return moment.astimezone(UTC) + timedelta(seconds=sign * self.seconds)


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One time of a recurring one.

    :ivar day: names it: whatever the zone is by then, each day comes once.
    :ivar at: in UTC.
    """

    day: date
    at: datetime


@dataclass(frozen=True, slots=True)
class Recurring:
    """A time of day on days that come again: each Monday at 10:00; as a wait, the next of them.

    :ivar zone: the name of its own zone; ``None``: the one that is handed in.
    """

    days: Days
    at: time
    zone: str | None = None

    def __str__(self) -> str:
        return f"every {self.days} at {_clock(self.at)}{_in(self.zone)}"

    def first(self, now: datetime, zone: ZoneInfo) -> Occurrence:
        """Return the first occurrence after a moment."""
        zone = named_zone(self.zone, zone)
        day = _local(now, zone).date() - _DAY - _DAY
        return next(one for one in self.from_day(day, zone) if one.at > now)

    def next(self, day: date, zone: ZoneInfo) -> Occurrence:
        """Return the occurrence after the one of a day, also if it is long past."""
        return next(self.from_day(day, named_zone(self.zone, zone)))

    def from_day(self, day: date, zone: ZoneInfo) -> Iterator[Occurrence]:
        """Return all occurrences after a day."""
        while True:
            day = self.days.after(day)
            yield Occurrence(day, instant(day, self.at, zone))

    def until(self, began_at: datetime, zone: ZoneInfo, facts: Mapping[str, Any]) -> datetime:
        """Return when a wait that began at a moment is over, in UTC."""
        return self.first(began_at, zone).at


@dataclass(frozen=True, slots=True)
class After:
    """A wait of some length; with ``at``, until that time of the day on which it ends.

    :raises UsageError: it ends on no day of the calendar, or at once.
    """

    duration: Duration
    at: time | None = None
    zone: str | None = None

    def __post_init__(self) -> None:
        """Refuse what says nothing."""
        _check_duration(self.duration, self.at)

    def __str__(self) -> str:
        at = "" if self.at is None else f" at {_clock(self.at)}"
        return f"{self.duration}{at}{_in(self.zone)}"

    def until(self, began_at: datetime, zone: ZoneInfo, facts: Mapping[str, Any]) -> datetime:
        """Return when a wait that began at a moment is over, in UTC."""
        zone = named_zone(self.zone, zone)
        end = self.duration.of_moment(began_at, zone)
        if self.at is None:
            return end
        return max(
            _local(began_at, zone).astimezone(UTC), instant(_day_of(end, zone), self.at, zone)
        )


@dataclass(frozen=True, slots=True)
class Near:
    """A time before, on or after what a value says: the day before ``start`` at 18:00.

    :ivar value: the name of a fact or an attribute, which is a day or a moment.
    :ivar duration: how far from it; ``None``: on it.
    :ivar at: the time of that day; ``None``: counted from the moment itself.
    :ivar is_yearly: each year, as for birthdays; ``short`` is for the 29th of February.
    :raises UsageError: it goes by elapsed time and has a time of day, too.
    """

    value: str
    duration: Duration | None = None
    is_before: bool = True
    at: time | None = None
    is_yearly: bool = False
    short: ShortMonth = field(default=ShortMonth.LAST_DAY)
    zone: str | None = None

    def __post_init__(self) -> None:
        """Refuse what says nothing."""
        if self.duration is not None:
            _check_duration(self.duration, self.at)
        if self.is_yearly and (self.at is None or (self.duration and self.duration.months)):
            raise UsageError("what comes each year needs a time of day, and a distance in days")

    def __str__(self) -> str:
        near = (
            f"{self.duration} {'before' if self.is_before else 'after'}" if self.duration else "on"
        )
        at = "" if self.at is None else f" at {_clock(self.at)}"
        short = or_else(self.short, is_needed=self.short is not ShortMonth.LAST_DAY)
        yearly = "every year " if self.is_yearly else ""
        return f"{yearly}{near} {self.value}{short if self.is_yearly else ''}{at}{_in(self.zone)}"

    def until(
        self, began_at: datetime, zone: ZoneInfo, facts: Mapping[str, Any]
    ) -> datetime | None:
        """Return when it is, in UTC, which may be past; ``None``: the value is absent."""
        value = facts.get(self.value)
        zone = named_zone(self.zone, zone)
        if value is None:
            return None
        if self.is_yearly:
            return self._first(_as_day(value, zone), began_at, zone)
        if self.at is not None:
            return instant(self._moved(_as_day(value, zone)), self.at, zone)
        if not isinstance(value, datetime):
            raise UsageError(f"{self} needs a time of day: {self.value} is a day, and no moment")
        return self._distance.of_moment(value, zone, self._sign)

    def next(self, value: date, day: date, zone: ZoneInfo) -> Occurrence:
        """Return what comes each year, for one value, after the occurrence of a day."""
        found = next(
            moved
            for year in count(day.year - 1)
            if (it := day_of_month(year, value.month, value.day, self.short)) is not None
            and (moved := self._moved(it)) > day
        )
        return Occurrence(found, instant(found, self.at or time(), named_zone(self.zone, zone)))

    def values_on(self, day: date) -> Iterator[date]:
        """Return the days that a value may have for which a day is the right one.

        Each year: days of the leap year 2000, of which only month and day count.
        """
        near = self._distance.of_day(day, -self._sign)
        # Some days have the same day a month later, and some none.
        around = (near + number * _DAY for number in range(-4, 5))
        for meant in (one for one in around if self._moved(one) == day):
            yield meant.replace(year=2000) if self.is_yearly else meant
            is_instead = (meant.month, meant.day) != (2, 29)
            if (
                self.is_yearly
                and is_instead
                and meant == day_of_month(meant.year, 2, 29, self.short)
            ):
                yield date(2000, 2, 29)

    def days_on(self, day: date, *, years: int) -> Iterator[date]:
        """Return the very days that a value may have for which a day is the right one.

        Each year: those of so many years before; what is of this year comes in the next.
        """
        if not self.is_yearly:
            yield from self.values_on(day)
            return
        this_year = self._distance.of_day(day, -self._sign).year
        for value in self.values_on(day):
            for year in range(this_year - years, this_year):
                if (value.month, value.day) != (2, 29) or isleap(year):
                    yield value.replace(year=year)

    @property
    def _distance(self) -> Duration:
        return self.duration or Duration()

    @property
    def _sign(self) -> int:
        return -1 if self.is_before else 1

    def _moved(self, day: date) -> date:
        return self._distance.of_day(day, self._sign)

    def _first(self, value: date, began_at: datetime, zone: ZoneInfo) -> datetime:
        found = self.next(value, _day_of(began_at, zone) - _DAY - _DAY, zone)
        while found.at <= began_at:
            found = self.next(value, found.day, zone)
        return found.at


#: What a step waits for; ``until`` says when that is over.
Wait: TypeAlias = After | Recurring | Near


def _local(moment: datetime, zone: ZoneInfo) -> datetime:
    if moment.tzinfo is None:
        raise UsageError(f"{moment} is a time without a zone; give an aware one")
    return moment.astimezone(zone)


def _day_of(moment: datetime, zone: ZoneInfo) -> date:
    return _local(moment, zone).date()


def _as_day(value: date | datetime, zone: ZoneInfo) -> date:
    return _day_of(value, zone) if isinstance(value, datetime) else value


def named_zone(name: str | None, zone: ZoneInfo) -> ZoneInfo:
    """Return the zone of a name; without one the one that is handed in."""
    return zone if name is None else ZoneInfo(name)


def _check_duration(duration: Duration, at: time | None) -> None:
    if duration == Duration():
        raise UsageError("a wait of no length: leave it out")
    if at is not None and duration.seconds:
        raise UsageError(f"{duration} is elapsed time and has no time of day; write days, as P2D")


def _clock(at: time) -> str:
    return at.isoformat("minutes" if not at.second else "seconds")


def _in(zone: str | None) -> str:
    return "" if zone is None else f" in {zone}"
