"""How values are written into texts, as readers of a language write them; for ``wording.py``."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import replace
from datetime import UTC
from datetime import date
from datetime import datetime
from datetime import tzinfo
from decimal import Decimal
from typing import Any
from urllib.parse import quote

from babel import Locale
from babel.dates import format_skeleton
from babel.dates import format_time
from jinja2 import Undefined
from jinja2 import pass_context
from jinja2.runtime import Context

from ..errors import UsageError
from ..i18n import speaking
from ..marketing.values import ValueType
from ..shop.money import write_money
from .places import Places

#: Where the context keeps the manner; no wording can name it.
MANNER = "_manner"


class MissingValue(UsageError):
    """A text names a value that is absent, and does not say what to do then.

    :ivar name: of the value, if it is known.
    """

    def __init__(self, name: str):
        super().__init__(
            f"{name} is absent; write {{% if %}} around it, or |default('…') behind it"
        )
        self.name = name


@dataclass(frozen=True, slots=True)
class Manner:
    """How values are written for one reader.

    :ivar language: a code such as ``zh_Hant``.
    :ivar zone: by whose clocks moments are written.
    :ivar base_url: what addresses that begin with a slash belong to.
    :ivar liff_url: returns the address of a page inside LINE; ``None`` where there is none.
    :ivar places: keeps the values apart, for a text that is JSON.
    :ivar is_address: whether the text is an address, whose values are escaped.
    """

    language: str = "ja"
    zone: tzinfo = UTC
    currency: str = "JPY"
    base_url: str = ""
    liff_url: Callable[[str], str] | None = None
    places: Places | None = None
    is_address: bool = False

    @property
    def locale(self) -> Locale:
        """The language as Babel has it."""
        return Locale.parse(self.language)


@dataclass(frozen=True, slots=True)
class Filter:
    """One filter.

    :ivar takes: tells whether it takes values of a type.
    :ivar gives: tells what comes out of a type.
    :ivar arguments: how many stand in its brackets.
    """

    function: Callable[..., Any]
    takes: Callable[[ValueType], bool]
    gives: Callable[[ValueType], ValueType] = lambda _kind: ValueType(str)
    arguments: int = 0


@pass_context
def put(context: Context, value: object) -> str:
    """Return a value as it stands in a text.

    :raises MissingValue: it is absent.
    """
    manner: Manner = context[MANNER]
    if value is None or isinstance(value, Undefined):
        raise MissingValue("a value")
    text = _written(value, manner)
    if manner.places is not None:
        is_number = isinstance(value, int | Decimal) and not isinstance(value, bool)
        return manner.places.take(value if is_number else text)
    return quote(text, safe="") if manner.is_address else text


def _written(value: object, manner: Manner) -> str:
    if isinstance(value, datetime):
        return f"{day_text(value, manner)} {_clock_text(value, manner)}"
    if isinstance(value, date):
        return day_text(value, manner)
    return f"{value:f}" if isinstance(value, Decimal) else str(value)


def _needed(value: Any, name: str) -> Any:
    if value is None or isinstance(value, Undefined):
        raise MissingValue(f"what |{name} stands behind")
    return value


@pass_context
def _money(context: Context, value: Any) -> str:
    manner: Manner = context[MANNER]
    with speaking(manner.language):
        return write_money(_needed(value, "money"), manner.currency, manner.locale)


def _number(value: Any) -> str:
    return f"{_needed(value, 'number'):,}"


@pass_context
def _day(context: Context, value: Any) -> str:
    return day_text(_needed(value, "day"), context[MANNER])


@pass_context
def _clock(context: Context, value: Any) -> str:
    return _clock_text(_needed(value, "clock"), context[MANNER])


def day_text(value: date, manner: Manner) -> str:
    """Return a day as the readers of a language write it."""
    day = value.astimezone(manner.zone).date() if isinstance(value, datetime) else value
    return format_skeleton("MMMEd", day, locale=manner.locale)


def _clock_text(value: datetime, manner: Manner) -> str:
    return format_time(value.astimezone(manner.zone), "HH:mm", locale=manner.locale)


@pass_context
def _join(context: Context, value: Sequence[Any], between: str) -> str:
    manner: Manner = context[MANNER]
    return str(between).join(_written(one, manner) for one in _needed(value, "join"))


def _default(value: Any, instead: Any) -> Any:
    return instead if value is None else value


def _is_list(kind: ValueType) -> bool:
    return kind.is_list


def _is_number(kind: ValueType) -> bool:
    return not kind.is_list and kind.python in (int, Decimal)


#: By name.
FILTERS: Mapping[str, Filter] = {
    "clock": Filter(_clock, lambda kind: not kind.is_list and kind.python is datetime),
    "count": Filter(
        lambda value: len(_needed(value, "count")), _is_list, lambda _kind: ValueType(int)
    ),
    "day": Filter(_day, lambda kind: not kind.is_list and kind.python in (date, datetime)),
    "default": Filter(
        _default,
        lambda kind: not kind.is_list,
        lambda kind: replace(kind, is_optional=False),
        arguments=1,
    ),
    "first": Filter(
        lambda value: value[0] if value else None,
        _is_list,
        lambda kind: ValueType(kind.python, is_optional=True),
    ),
    "join": Filter(_join, _is_list, arguments=1),
    "money": Filter(_money, _is_number),
    "number": Filter(_number, _is_number),
}
