"""What can be asked of a value, by its type: in SQL for many members, in Python for one value.

Limits of time are computed in Python from the clock handed in: databases differ in their own.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import replace
from datetime import UTC
from datetime import date
from datetime import datetime
from datetime import timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement
from sqlalchemy import DateTime
from sqlalchemy import extract
from sqlalchemy import func
from sqlalchemy import not_

from ...i18n import gettext as _
from ...i18n import lazy_gettext
from ..values import ValueType

#: The longest time that a rule may look back or ahead, in days: a hundred years.
MAX_DAYS = 36_525
#: The most values that one condition compares with.
MAX_VALUES = 1_000
THIS_MONTH = "this"


@dataclass(frozen=True, slots=True)
class Clock:
    """The time now, and the shop's zone, in which days begin."""

    now: datetime
    zone: ZoneInfo

    @property
    def today(self) -> date:
        """The day in the shop's zone."""
        return self.now.astimezone(self.zone).date()

    def after(self, days: int, kind: type) -> Any:
        """Return the day or the moment so many days from now; before it if they are negative."""
        return (self.now if kind is datetime else self.today) + timedelta(days=days)


#: Reads what a rule compares with; raises ValueError, which says what it must be.
ReadOperand = Callable[[ValueType, Any], Any]


@dataclass(frozen=True, slots=True)
class Operator:
    """One thing to ask of a value.

    :ivar read: reads the operand from data.
    :ivar resolve: turns it into what is compared with, at a time.
    :ivar sql: the condition, for an expression that is not ``NULL``.
    :ivar test: the same in Python, of a value that is there.
    """

    label: Any
    read: ReadOperand
    sql: Callable[[ColumnElement[Any], Any], ColumnElement[bool]]
    test: Callable[[Any, Any], bool]
    resolve: Callable[[Any, Clock, type], Any] = lambda operand, _clock, _kind: operand


#: What the owner is asked for.
_WANTED: Mapping[type, Any] = {
    str: lazy_gettext("文字"),
    int: lazy_gettext("整数"),
    Decimal: lazy_gettext("数"),
    bool: lazy_gettext("true か false"),
    date: lazy_gettext("2026-12-31 のような日付"),
    datetime: lazy_gettext("2026-12-31T18:00:00+09:00 のような日時"),
}


def read_value(kind: ValueType, written: Any) -> Any:
    """Return a value that a rule says, in words for the owner where it is none.

    :raises ValueError: it is none.
    """
    try:
        return kind.from_json(written)
    except ValueError:
        raise ValueError(_("には、%(what)sを指定してください", what=_WANTED[kind.python])) from None


def _one(kind: ValueType, operand: Any) -> Any:
    return read_value(ValueType(kind.python), operand)


def _several(kind: ValueType, operand: Any) -> tuple[Any, ...]:
    if not isinstance(operand, list | tuple) or not operand:
        raise ValueError(_("には、値をひとつ以上並べてください"))
    if len(operand) > MAX_VALUES:
        raise ValueError(_("の値は%(most)s個までです", most=MAX_VALUES))
    return tuple(_one(kind, element) for element in operand)


def _pair(kind: ValueType, operand: Any) -> tuple[Any, ...]:
    pair = _several(kind, operand)
    if len(pair) != 2 or pair[0] > pair[1]:
        raise ValueError(_("には、小さい順に2つの値を指定してください"))
    return pair


def _days(_kind: ValueType, operand: Any) -> int:
    if not isinstance(operand, int) or isinstance(operand, bool) or not 0 < operand <= MAX_DAYS:
        raise ValueError(_("には、1から%(most)sまでの日数を指定してください", most=MAX_DAYS))
    return operand


def _two_days(_kind: ValueType, operand: Any) -> tuple[int, int]:
    if isinstance(operand, list | tuple) and len(operand) == 2:
        near, far = operand
        if all(isinstance(one, int) and 0 <= one <= MAX_DAYS for one in operand) and near <= far:
            return near, far
    raise ValueError(_("には、小さい順に2つの日数を指定してください"))


def _month(_kind: ValueType, operand: Any) -> int | str:
    is_month = isinstance(operand, int) and not isinstance(operand, bool) and 1 <= operand <= 12
    if operand != THIS_MONTH and not is_month:
        raise ValueError(_("には、1から12までの月か this を指定してください"))
    found: int | str = operand
    return found


def _shorter(_kind: ValueType, operand: Any) -> str:
    if not isinstance(operand, str) or not operand:
        raise ValueError(_("には、1文字以上の文字を指定してください"))
    return operand


def _between(value: ColumnElement[Any], pair: Any) -> ColumnElement[bool]:
    return value.between(*pair)


def _is(value: ColumnElement[Any], operand: Any) -> ColumnElement[bool]:
    condition: ColumnElement[bool] = value == operand
    if isinstance(operand, bool):
        condition = value if operand else not_(value)
    return condition


def _is_between(value: Any, pair: Any) -> bool:
    return bool(pair[0] <= value <= pair[1])


_ANY: Mapping[str, Operator] = {
    "is": Operator(lazy_gettext("と等しい"), _one, _is, lambda value, one: value == one),
}
_SEVERAL: Mapping[str, Operator] = {
    "one_of": Operator(
        lazy_gettext("のいずれか"),
        _several,
        lambda value, several: value.in_(several),
        lambda value, several: value in several,
    ),
}
_TEXTS: Mapping[str, Operator] = {
    # LIKE minds the case on PostgreSQL and not on SQLite; these do on both.
    "contains": Operator(
        lazy_gettext("を含む"),
        _shorter,
        lambda value, part: func.replace(value, part, "") != value,
        lambda value, part: part in value,
    ),
    "begins_with": Operator(
        lazy_gettext("で始まる"),
        _shorter,
        lambda value, part: func.substr(value, 1, len(part)) == part,
        lambda value, part: value.startswith(part),
    ),
}
_RANGES: Mapping[str, Operator] = {
    "between": Operator(lazy_gettext("の間"), _pair, _between, _is_between),
}
_NUMBERS: Mapping[str, Operator] = {
    "at_least": Operator(
        lazy_gettext("以上"), _one, lambda v, one: v >= one, lambda v, one: v >= one
    ),
    "at_most": Operator(
        lazy_gettext("以下"), _one, lambda v, one: v <= one, lambda v, one: v <= one
    ),
    "above": Operator(
        lazy_gettext("より大きい"), _one, lambda v, one: v > one, lambda v, one: v > one
    ),
    "below": Operator(
        lazy_gettext("より小さい"), _one, lambda v, one: v < one, lambda v, one: v < one
    ),
}
_TIMES: Mapping[str, Operator] = {
    "before": Operator(
        lazy_gettext("より前"), _one, lambda v, one: v < one, lambda v, one: v < one
    ),
    "from": Operator(lazy_gettext("以降"), _one, lambda v, one: v >= one, lambda v, one: v >= one),
    "in_last_days": Operator(
        lazy_gettext("この日数以内"),
        _days,
        _between,
        _is_between,
        lambda days, clock, kind: (clock.after(-days, kind), clock.after(0, kind)),
    ),
    "days_ago": Operator(
        lazy_gettext("この日数だけ前"),
        _two_days,
        _between,
        _is_between,
        lambda days, clock, kind: (clock.after(-days[1], kind), clock.after(-days[0], kind)),
    ),
    "over_days_ago": Operator(
        lazy_gettext("この日数より前"),
        _days,
        lambda value, limit: value < limit,
        lambda value, limit: value < limit,
        lambda days, clock, kind: clock.after(-days, kind),
    ),
    "in_next_days": Operator(
        lazy_gettext("この日数のうち"),
        _days,
        _between,
        _is_between,
        lambda days, clock, kind: (clock.after(0, kind), clock.after(days, kind)),
    ),
}
_DAYS: Mapping[str, Operator] = {
    # The year apart: for birthdays.
    "in_month": Operator(
        lazy_gettext("この月"),
        _month,
        lambda value, month: extract("month", value) == month,
        lambda value, month: value.month == month,
        lambda month, clock, _kind: clock.today.month if month == THIS_MONTH else month,
    ),
}
#: Of a list that belongs to each member: what they bought, what they like.
LISTS: Mapping[str, Operator] = {
    "any_of": Operator(
        lazy_gettext("のどれかがある"),
        _several,
        lambda value, several: value.in_(several),
        lambda value, several: any(one in several for one in value),
    ),
    "all_of": Operator(
        lazy_gettext("のすべてがある"),
        _several,
        lambda value, several: value.in_(several),
        lambda value, several: all(one in value for one in several),
    ),
}

_BY_TYPE: Mapping[type, Mapping[str, Operator]] = {
    str: {**_ANY, **_SEVERAL, **_TEXTS},
    int: {**_ANY, **_SEVERAL, **_NUMBERS, **_RANGES},
    Decimal: {**_ANY, **_SEVERAL, **_NUMBERS, **_RANGES},
    bool: _ANY,
    date: {**_ANY, **_SEVERAL, **_TIMES, **_RANGES, **_DAYS},
    datetime: {**_TIMES, **_RANGES},
}
#: Asks whether there is a value at all; the one question that an absent one answers.
IS_SET = "is_set"


def operators_for(kind: ValueType) -> Mapping[str, Operator]:
    """Return what can be asked of values of a type, beside :data:`IS_SET`."""
    return LISTS if kind.is_list else _BY_TYPE[kind.python]


@dataclass(frozen=True, slots=True)
class Question:
    """An operator and what it compares with, read and at a time: ready to be asked."""

    operator: Operator
    operand: Any

    def sql(self, value: ColumnElement[Any]) -> ColumnElement[bool]:
        """Return the condition for an expression; what it says of ``NULL`` is not defined."""
        return self.operator.sql(value, self.operand)

    def test(self, value: Any) -> bool:
        """Tell whether a value is meant; an absent one never is."""
        return value is not None and self.operator.test(value, self.operand)


def fitting(question: Question, value: ColumnElement[Any]) -> Question:
    """Return a question whose moments are as the column stores them."""
    operand = question.operand
    if isinstance(operand, tuple):
        operand = tuple(fitting_moment(one, value) for one in operand)
    else:
        operand = fitting_moment(operand, value)
    return replace(question, operand=operand)


def fitting_moment(moment: Any, value: ColumnElement[Any]) -> Any:
    """Return a moment for a column without zones in UTC: PostgreSQL would take its own zone's."""
    is_naive = isinstance(value.type, DateTime) and not value.type.timezone
    if isinstance(moment, datetime) and is_naive:
        return moment.astimezone(UTC).replace(tzinfo=None)
    return moment
