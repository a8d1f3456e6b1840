"""Which days there are: each, some of the week, one of each month or year; and short months.

When it is a time of day on them: ``times.py``.
"""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import date
from datetime import timedelta
from enum import Enum
from itertools import count
from typing import TypeAlias

#: By :meth:`date.weekday`.
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_DAY = timedelta(days=1)


class ShortMonth(Enum):
    """What becomes of the 29th, 30th or 31st where the month is shorter."""

    LAST_DAY = "last day"
    #: The first of the next month.
    NEXT_DAY = "next day"
    SKIP = "skip"


def add_months(day: date, months: int) -> date:
    """Return the same day so many months later, or earlier; where it is missing, the last one."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, _length(year, month + 1)))


@dataclass(frozen=True, slots=True)
class EveryDay:
    """Each day."""

    def __str__(self) -> str:
        return "day"

    def after(self, day: date) -> date:
        """Return the first such day after a day."""
        return day + _DAY


@dataclass(frozen=True, slots=True)
class Weekdays:
    """Some days of the week; Monday is 0."""

    days: tuple[int, ...]

    def __str__(self) -> str:
        return ", ".join(WEEKDAYS[day] for day in self.days)

    def after(self, day: date) -> date:
        """Return the first such day after a day."""
        return next(
            later for ahead in count(1) if (later := day + ahead * _DAY).weekday() in self.days
        )


@dataclass(frozen=True, slots=True)
class MonthDay:
    """A day of each month.

    :ivar day: 1 to 31; 31 with ``LAST_DAY`` is the last day of every month.
    """

    day: int
    short: ShortMonth = ShortMonth.LAST_DAY

    def __str__(self) -> str:
        if self.day == 31 and self.short is ShortMonth.LAST_DAY:
            return "month on the last day"
        return f"month on day {self.day}" + or_else(self.short, is_needed=self.day > 28)

    def after(self, day: date) -> date:
        """Return the first such day after a day."""
        # The month before, too: its 31st may be this month's first.
        months = (add_months(day.replace(day=1), number) for number in count(-1))
        return next(
            found
            for first in months
            if (found := day_of_month(first.year, first.month, self.day, self.short)) is not None
            and found > day
        )


@dataclass(frozen=True, slots=True)
class YearDay:
    """A day of each year."""

    month: int
    day: int
    short: ShortMonth = ShortMonth.LAST_DAY

    def __str__(self) -> str:
        is_needed = (self.month, self.day) == (2, 29)
        return f"year on {self.month:02}-{self.day:02}" + or_else(self.short, is_needed=is_needed)

    def after(self, day: date) -> date:
        """Return the first such day after a day."""
        return next(
            found
            for year in count(day.year)
            if (found := day_of_month(year, self.month, self.day, self.short)) is not None
            and found > day
        )


Days: TypeAlias = EveryDay | Weekdays | MonthDay | YearDay


def day_of_month(year: int, month: int, day: int, short: ShortMonth) -> date | None:
    """Return a day of a month; of a shorter one, what the rule says."""
    last = _length(year, month)
    if day <= last:
        return date(year, month, day)
    if short is ShortMonth.SKIP:
        return None
    return date(year, month, last) + (_DAY if short is ShortMonth.NEXT_DAY else timedelta(0))


def or_else(short: ShortMonth, *, is_needed: bool) -> str:
    """Return how a rule for short months is written."""
    return f" or {short.value}" if is_needed else ""


def _length(year: int, month: int) -> int:
    return monthrange(year, month)[1]
