"""The types of values that facts and attributes have, and how each stands in JSON.

JSON knows neither days nor moments nor exact amounts, and the databases compare it differently; so
each type has one written form, which sorts as the values do.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Callable
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC
from datetime import date
from datetime import datetime
from decimal import Decimal
from decimal import InvalidOperation
from typing import Any

from ..errors import UsageError
from ..messages.limits import is_storable

#: The largest whole number that every database's JSON keeps exactly.
MAX_NUMBER = 2**53 - 1
#: The longest text, in characters: facts are for conditions and for the words of a message.
MAX_TEXT = 1_000
#: The most elements of a list.
MAX_ELEMENTS = 100


@dataclass(frozen=True, slots=True)
class ValueType:
    """The type of a fact or an attribute.

    :ivar python: one of the types that :data:`WRITTEN` has.
    :ivar is_list: whether it is a list of such values.
    :ivar is_optional: whether it may be absent.
    """

    python: type
    is_list: bool = False
    is_optional: bool = False

    @classmethod
    def of(cls, written: Any) -> ValueType:
        """Return the type that a declaration names: ``int``, ``list[str]``, ``date | None`` …

        :raises UsageError: it is none of those that there are.
        """
        parts = typing.get_args(written)
        if typing.get_origin(written) in (types.UnionType, typing.Union):
            inner = [part for part in parts if part is not type(None)]
            if len(inner) == 1 and len(parts) == 2:
                found = cls.of(inner[0])
                return cls(found.python, found.is_list, is_optional=True)
        elif typing.get_origin(written) is list and parts[0] in WRITTEN:
            return cls(parts[0], is_list=True)
        elif isinstance(written, type) and written in WRITTEN:
            return cls(written)
        known = ", ".join(one.__name__ for one in WRITTEN)
        raise UsageError(
            f"{written!r} is no type of a value; there are {known}, a list of one of them such as "
            "list[str], and each of these | None"
        )

    @property
    def name(self) -> str:
        """How a declaration writes it."""
        name = f"list[{self.python.__name__}]" if self.is_list else self.python.__name__
        return f"{name} | None" if self.is_optional else name

    def to_json(self, value: Any) -> Any:
        """Return the written form of a value, which no later change of the value reaches.

        :raises ValueError: it is of another type, or out of range; says what it must be.
        """
        if value is None and self.is_optional:
            return None
        write = WRITTEN[self.python].write
        if not self.is_list:
            return write(value)
        if not isinstance(value, list | tuple):
            raise ValueError(f"must be a list, not {_kind(value)}")
        if len(value) > MAX_ELEMENTS:
            raise ValueError(f"has {len(value)} elements; {MAX_ELEMENTS} are allowed")
        return [write(element) for element in value]

    def from_json(self, written: Any) -> Any:
        """Return the value of a written form; the same also takes what rules say as data.

        :raises ValueError: nothing of this type is written like that.
        """
        if written is None and self.is_optional:
            return None
        read = WRITTEN[self.python].read
        if not self.is_list:
            return read(written)
        if not isinstance(written, list | tuple):
            raise ValueError(f"must be a list, not {_kind(written)}")
        return tuple(read(element) for element in written)


@dataclass(frozen=True, slots=True)
class _Form:
    """How the values of one type are written and read."""

    write: Callable[[Any], Any]
    read: Callable[[Any], Any]


def _kind(value: object) -> str:
    return f"a {type(value).__name__}"


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"must be true or false, not {_kind(value)}")
    return value


def _number(value: Any) -> int:
    # Python takes True for 1.
    if not isinstance(value, int) or isinstance(value, bool):
        raise ValueError(f"must be a whole number, not {_kind(value)}")
    if abs(value) > MAX_NUMBER:
        raise ValueError(f"must be between -{MAX_NUMBER} and {MAX_NUMBER}")
    return int(value)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"must be a text, not {_kind(value)}")
    if len(value) > MAX_TEXT:
        raise ValueError(f"is longer than {MAX_TEXT} characters")
    if not is_storable(value):
        raise ValueError("has a character that no database stores")
    return str(value)


def _amount(value: Any) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | str | Decimal):
        raise ValueError(f"must be a Decimal, not {_kind(value)}")
    try:
        amount = Decimal(value)
    except InvalidOperation:
        raise ValueError("must be a number") from None
    if not amount.is_finite() or abs(amount) > MAX_NUMBER:
        raise ValueError(f"must be between -{MAX_NUMBER} and {MAX_NUMBER}")
    return amount


def _write_amount(value: Any) -> str:
    return f"{_amount(value):f}"


def _write_day(value: Any) -> str:
    # A datetime is a date to Python, and would lose its time here.
    if not isinstance(value, date) or isinstance(value, datetime):
        raise ValueError(f"must be a date, not {_kind(value)}")
    return value.isoformat()


def _day(written: Any) -> date:
    if isinstance(written, date) and not isinstance(written, datetime):
        return written
    try:
        return date.fromisoformat(_text(written))
    except ValueError:
        raise ValueError("must be a date such as 2026-12-31") from None


def _write_moment(value: Any) -> str:
    if not isinstance(value, datetime):
        raise ValueError(f"must be a datetime, not {_kind(value)}")
    if value.tzinfo is None:
        raise ValueError("must be aware: a time without a zone says nothing")
    return value.astimezone(UTC).isoformat(timespec="microseconds")


def _moment(written: Any) -> datetime:
    try:
        moment = written if isinstance(written, datetime) else datetime.fromisoformat(written)
    except (TypeError, ValueError):
        raise ValueError("must be a time such as 2026-12-31T18:00:00+09:00") from None
    if moment.tzinfo is None:
        raise ValueError("must be aware: a time without a zone says nothing")
    return moment.astimezone(UTC)


#: The types, and how their values stand in JSON: amounts, days and moments as texts.
WRITTEN: Mapping[type, _Form] = {
    str: _Form(_text, _text),
    int: _Form(_number, _number),
    Decimal: _Form(_write_amount, _amount),
    bool: _Form(_flag, _flag),
    date: _Form(_write_day, _day),
    datetime: _Form(_write_moment, _moment),
}
