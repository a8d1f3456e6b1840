"""When a scenario begins that begins at a time, and for whom then; without the database.

A recurring time begins for the people of a segment, and if nobody worked for a while, it begins for
them once: for the latest time that was missed. A day that is known of each member is another
one's each day, so that missed days are made good, one after the other, up to :data:`CATCH_UP` ago.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from datetime import datetime
from datetime import timedelta
from itertools import takewhile
from zoneinfo import ZoneInfo

from ..calendar.days import EveryDay
from ..calendar.times import Near
from ..calendar.times import Occurrence
from ..calendar.times import Recurring
from ..calendar.times import instant
from ..calendar.times import named_zone
from ..segments.rules import All
from ..segments.rules import AnyOf
from ..segments.rules import Asked
from ..segments.rules import Has
from ..segments.rules import InSegment
from ..segments.rules import Rule
from .definition import OnTime

#: Days that are made good for members of whom a day is known.
CATCH_UP = timedelta(days=31)
#: The oldest birthday that anybody has, in years.
MAX_YEARS = 120
_DAY = timedelta(days=1)
_TICK = timedelta(microseconds=1)


def first_occurrence(start: OnTime, now: datetime, zone: ZoneInfo) -> Occurrence:
    """Return when a scenario begins that is published now."""
    return _recurring(start).first(now, zone)


def next_occurrence(start: OnTime, after: date, zone: ZoneInfo) -> Occurrence:
    """Return when it begins after it began for a day, also if that is long past."""
    return _recurring(start).next(after, zone)


def due_occurrence(start: OnTime, after: date, now: datetime, zone: ZoneInfo) -> Occurrence | None:
    """Return for which day it is to begin now, if for any.

    :param after: the day for which it began last.
    """
    rule = _recurring(start)
    coming = rule.from_day(after, named_zone(rule.zone, zone))
    missed = list(takewhile(lambda one: one.at <= now, coming))
    if not missed or isinstance(start.at, Recurring):
        return missed[-1] if missed else None
    return next(one for one in missed if one.day > missed[-1].day - CATCH_UP)


def occurrences_between(
    start: OnTime, since: datetime, until: datetime, zone: ZoneInfo
) -> Iterator[Occurrence]:
    """Return all times at which it would have begun after a moment, up to another one."""
    one = first_occurrence(start, since, zone)
    while one.at <= until:
        yield one
        one = next_occurrence(start, one.day, zone)


def people_of(start: OnTime, day: date, zone: ZoneInfo, *, is_moment: bool = False) -> Rule:
    """Return the rule for the members for whom it begins on a day.

    :param is_moment: whether what is known of each member is a moment, and no day.
    """
    rules: list[Rule] = []
    if isinstance(start.at, Near):
        zone = named_zone(start.at.zone, zone)
        days = list(start.at.days_on(day, years=MAX_YEARS))
        rules.append(_has(start.at.value, days, zone, is_moment=is_moment))
    if start.segment is not None:
        rules.append(InSegment(start.segment))
    return All(tuple(rules))


def _recurring(start: OnTime) -> Recurring:
    """Return the times at which it may begin; by a day that is known of each: every day."""
    if isinstance(start.at, Recurring):
        return start.at
    assert start.at.at is not None
    return Recurring(EveryDay(), start.at.at, start.at.zone)


def _has(attribute: str, days: list[date], zone: ZoneInfo, *, is_moment: bool) -> Rule:
    if not is_moment:
        listed = Asked("one_of", tuple(day.isoformat() for day in days))
        return Has(attribute, listed) if days else AnyOf(())
    bounds = [(instant(day, _MIDNIGHT, zone), instant(day + _DAY, _MIDNIGHT, zone)) for day in days]
    return AnyOf(
        tuple(
            Has(attribute, Asked("between", (begin.isoformat(), (end - _TICK).isoformat())))
            for begin, end in bounds
        )
    )


_MIDNIGHT = datetime.min.time()
