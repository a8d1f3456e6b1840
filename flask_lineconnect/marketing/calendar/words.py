"""How times are written, for people who read them: what :func:`read_time` takes, ``str`` returns.

==========================================  =======================================================
``PT1H``                                    after an hour (ISO 8601: ``P2D``, ``P1W``, ``P1M``, …)
``P2D at 10:00``                            two days later, at ten
``10:00``                                   the next time that it is ten
``monday, thursday at 10:00``               the next Monday or Thursday; ``every`` may stand before
``every month on the last day at 10:00``    the same of months; ``on day 15``
``every month on day 31 or last day …``     where a month is shorter: ``or next day``, ``or skip``
``every year on 12-03 at 10:00``            the same of years; ``02-29`` needs its ``or``, too
``P1D before start at 18:00``               by what a fact says; ``after``, ``on``; ``day before``
``PT2H before start``                       two hours before the moment that a fact says
``every year P15D before birthday at 10:00``  each year; whoever was born on a 29 February: the 28th
                                            or ``on birthday or next day``, ``or skip``
``… in Asia/Taipei``                        by the clocks of a zone of its own
==========================================  =======================================================
"""

from __future__ import annotations

import re
from datetime import time
from typing import NoReturn
from zoneinfo import ZoneInfo
from zoneinfo import ZoneInfoNotFoundError

from ...errors import UsageError
from ..registry import did_you_mean
from .days import WEEKDAYS
from .days import Days
from .days import EveryDay
from .days import MonthDay
from .days import ShortMonth
from .days import Weekdays
from .days import YearDay
from .times import After
from .times import Duration
from .times import Near
from .times import Recurring
from .times import Wait

#: The longest duration: a hundred years.
MAX_YEARS = 100
_DURATION = re.compile(
    r"P(?=[0-9T])(?:(\d{1,9})Y)?(?:(\d{1,9})M)?(?:(\d{1,9})W)?(?:(\d{1,9})D)?"
    r"(?:T(?=\d)(?:(\d{1,9})H)?(?:(\d{1,9})M)?(?:(\d{1,9})S)?)?",
    re.ASCII,
)
_TIME = re.compile(r"\d{1,2}:\d{2}(:\d{2})?", re.ASCII)
_MONTH_AND_DAY = re.compile(r"(\d{1,2})-(\d{1,2})", re.ASCII)
_NAME = re.compile(r"[a-z][a-z0-9_]*", re.ASCII)
#: The days of the months, of a leap year.
_LENGTHS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_BEGINNINGS = ("every", "on", "day", *WEEKDAYS)


class InvalidTime(UsageError):
    """A text says no time that there is.

    :ivar column: where in the text, from 1.
    """

    def __init__(self, message: str, *, text: str, column: int):
        super().__init__(f"{text!r}, column {column}: {message}")
        self.column = column


def read_time(text: str) -> Wait:
    """Read a wait, a recurring time, or one near to what a value says.

    :raises InvalidTime: it is none of these; names the column.
    """
    words = _Words(text)
    try:
        found = _read(words)
    except InvalidTime:
        raise
    except UsageError as error:
        raise InvalidTime(str(error), text=text, column=1) from None
    words.end()
    return found


class _Words:
    """The words of a text, one after the other; commas stand between weekdays."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._words = [(found[0], found.start() + 1) for found in re.finditer(r",|[^\s,]+", text)]
        self._next = 0

    @property
    def word(self) -> str:
        """The next word; nothing at the end."""
        return self._at(self._next)

    @property
    def ahead(self) -> str:
        """The word behind the next one."""
        return self._at(self._next + 1)

    def take(self) -> str:
        """Return the next word, and go on."""
        word = self.word
        self._next += 1
        return word

    def accept(self, *words: str) -> bool:
        """Go on behind these words, if they are what comes."""
        there = [word for word, _column in self._words[self._next :][: len(words)]]
        if there != list(words):
            return False
        self._next += len(words)
        return True

    def expect(self, *words: str) -> None:
        """Go on behind these words.

        :raises InvalidTime: something else is there.
        """
        if not self.accept(*words):
            self.fail(f"{' '.join(words)!r} must stand here")

    def end(self) -> None:
        """Do nothing at the end.

        :raises InvalidTime: there is more.
        """
        if self.word:
            self.fail(f"{self.word!r} is too much")

    def fail(self, message: str) -> NoReturn:
        """Refuse the next word."""
        at_end = len(self.text.rstrip()) + 1
        column = self._words[self._next][1] if self._next < len(self._words) else at_end
        raise InvalidTime(message, text=self.text, column=column)

    def _at(self, number: int) -> str:
        return self._words[number][0] if number < len(self._words) else ""


def _read(words: _Words) -> Wait:
    if words.accept("every"):
        if words.accept("year"):
            return _of_years(words)
        return Recurring(_days(words), _time(words), _zone(words))
    if _TIME.fullmatch(words.word) or words.word == "at":
        return Recurring(EveryDay(), _time(words), _zone(words))
    if words.word in WEEKDAYS:
        return Recurring(_weekdays(words), _time(words), _zone(words))
    if words.word in ("on", "day"):
        return _near(words)
    if words.word.startswith("P"):
        return _of_duration(words)
    near = did_you_mean(words.word, _BEGINNINGS)
    words.fail(
        f"{words.word!r} begins no time{near}; they are like PT1H, P2D at 10:00, monday at 10:00, "
        "every month on the last day at 10:00, P1D before start at 18:00"
    )


def _of_duration(words: _Words) -> Wait:
    if words.ahead in ("before", "after"):
        return _near(words)
    return After(_duration(words), _time_if_any(words), _zone(words))


def _near(words: _Words, *, is_yearly: bool = False) -> Near:
    duration, is_before = None, True
    if not words.accept("on"):
        duration = Duration(days=1) if words.accept("day") else _duration(words)
        if words.word not in ("before", "after"):
            words.fail("'before' or 'after' must stand here")
        is_before = words.take() == "before"
    name = words.word
    if not _NAME.fullmatch(name) or name in ("at", "in", "or"):
        words.fail(f"the name of a fact or an attribute must stand here, not {name!r}")
    words.take()
    short = _short(words) if is_yearly else None
    at = _time(words) if is_yearly else _time_if_any(words)
    zone = _zone(words)
    return Near(name, duration, is_before, at, is_yearly, short or ShortMonth.LAST_DAY, zone)


def _of_years(words: _Words) -> Wait:
    day = words.ahead if words.word == "on" else ""
    found = _MONTH_AND_DAY.fullmatch(day)
    if found is None:
        return _near(words, is_yearly=True)
    words.expect("on")
    month, number = int(found[1]), int(found[2])
    if not 1 <= month <= 12 or not 1 <= number <= _LENGTHS[month - 1]:
        words.fail(f"{day} is no day of a year; the month comes first, as in 12-03")
    words.take()
    short = _short_for(words, is_needed=(month, number) == (2, 29), of=f"{day} is not in each year")
    return Recurring(YearDay(month, number, short), _time(words), _zone(words))


def _days(words: _Words) -> Days:
    if words.accept("day"):
        return EveryDay()
    if words.accept("month"):
        return _month_day(words)
    return _weekdays(words)


def _weekdays(words: _Words) -> Weekdays:
    days = []
    while True:
        if words.word not in WEEKDAYS:
            near = did_you_mean(words.word, (*WEEKDAYS, "day", "month", "year"))
            words.fail(f"{words.word!r} is no day of the week{near}")
        days.append(WEEKDAYS.index(words.take()))
        if not words.accept(","):
            return Weekdays(tuple(sorted(set(days))))


def _month_day(words: _Words) -> MonthDay:
    words.expect("on")
    if words.accept("the", "last", "day") or words.accept("last", "day"):
        return MonthDay(31)
    words.expect("day")
    if not re.fullmatch(r"[0-9]{1,2}", words.word) or not 1 <= int(words.word) <= 31:
        words.fail(f"{words.word!r} is no day of a month; 1 to 31 are")
    day = int(words.take())
    return MonthDay(day, _short_for(words, is_needed=day > 28, of=f"some months have no day {day}"))


def _short_for(words: _Words, *, is_needed: bool, of: str) -> ShortMonth:
    """Read the rule for what is missing: named where it decides anything, and nowhere else."""
    if words.word == "or" and not is_needed:
        words.fail("there is such a day each time, and nothing to choose")
    found = _short(words)
    if found is None and is_needed:
        words.fail(f"{of}: say 'or last day', 'or next day' or 'or skip'")
    return found or ShortMonth.LAST_DAY


def _short(words: _Words) -> ShortMonth | None:
    if not words.accept("or"):
        return None
    for rule in ShortMonth:
        if words.accept(*rule.value.split()):
            return rule
    words.fail("'last day', 'next day' or 'skip' must stand here")


def _duration(words: _Words) -> Duration:
    found = _DURATION.fullmatch(words.word)
    if not found:
        words.fail(
            f"{words.word!r} is no duration; they are like PT1H (an hour), PT30M, P2D, P1W, P1M"
        )
    years, months, weeks, days, hours, minutes, seconds = (
        int(part or 0) for part in found.groups()
    )
    result = Duration(years * 12 + months, weeks * 7 + days, hours * 3600 + minutes * 60 + seconds)
    if max(result.months / 12, result.days / 365, result.seconds / 31_536_000) > MAX_YEARS:
        words.fail(f"{words.word} is longer than {MAX_YEARS} years")
    if result == Duration():
        words.fail(f"{words.word} is no time at all; leave the wait out")
    words.take()
    return result


def _time(words: _Words) -> time:
    words.accept("at")
    if not _TIME.fullmatch(words.word):
        words.fail(f"a time of day such as 10:00 must stand here, not {words.word!r}")
    try:
        hour, minute, second = (*map(int, words.word.split(":")), 0)[:3]
        found = time(hour, minute, second)
    except ValueError:
        words.fail(f"{words.word} is no time of a day; 00:00 to 23:59 are")
    words.take()
    return found


def _time_if_any(words: _Words) -> time | None:
    return _time(words) if words.word == "at" or _TIME.fullmatch(words.word) else None


def _zone(words: _Words) -> str | None:
    if not words.accept("in"):
        return None
    try:
        ZoneInfo(words.word)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        words.fail(f"{words.word!r} is no time zone, such as Asia/Tokyo")
    return words.take()
