"""The facts of member events in SQL, the same on SQLite and PostgreSQL.

A fact that an earlier version of the shop told in another form is absent, and stops no statement.
"""

from __future__ import annotations

from datetime import date
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import BigInteger
from sqlalchemy import ColumnElement
from sqlalchemy import Numeric
from sqlalchemy import Text
from sqlalchemy import and_
from sqlalchemy import case
from sqlalchemy import cast
from sqlalchemy import func
from sqlalchemy import literal
from sqlalchemy import select

from ...models import MemberEvent
from ..values import ValueType

#: What JSON calls the written form of a type, on SQLite and on PostgreSQL.
_JSON_TYPES: dict[type, tuple[tuple[str, ...], str]] = {
    str: (("text",), "string"),
    date: (("text",), "string"),
    datetime: (("text",), "string"),
    Decimal: (("text",), "string"),
    int: (("integer",), "number"),
    bool: (("true", "false"), "boolean"),
}


def fact_value(name: str, kind: ValueType, dialect: str) -> ColumnElement[Any]:
    """Return the expression of a fact; ``NULL`` where an event has none of this type.

    Texts, days, moments and yes or no are comparable as they are written; see :func:`as_written`.
    """
    written = MemberEvent.facts[name]
    if kind.python is int:
        value: ColumnElement[Any] = cast(written.as_string(), BigInteger)
    elif kind.python is Decimal:
        value = cast(written.as_string(), Numeric)
    elif kind.python is bool:
        value = written.as_boolean()
    else:
        value = written.as_string()
    return case((_is_written_as(name, kind, dialect), value), else_=None)


def as_written(kind: ValueType, operand: Any) -> Any:
    """Return what a question compares with in the form in which facts of this type are written."""
    if kind.python not in (date, datetime):
        return operand
    one = ValueType(kind.python)
    if isinstance(operand, tuple):
        return tuple(one.to_json(element) for element in operand)
    return one.to_json(operand)


def fact_contains(name: str, kind: ValueType, values: Any, dialect: str) -> ColumnElement[bool]:
    """Return whether one of these values is among those of a list."""
    one = ValueType(kind.python)
    texts = [_as_text(one.to_json(value), dialect) for value in values]
    if dialect == "sqlite":
        rows = func.json_each(MemberEvent.facts, f'$."{name}"').table_valued("value", name="one")
        is_list = func.json_type(MemberEvent.facts, f'$."{name}"') == "array"
    else:
        written = MemberEvent.facts[name]
        is_list = func.json_typeof(written) == "array"
        lists = case((is_list, written), else_=None)
        rows = func.json_array_elements_text(lists).table_valued("value", name="one")
    found = select(literal(1)).select_from(rows).where(cast(rows.c.value, Text).in_(texts))
    return and_(is_list, found.exists())


def _as_text(written: Any, dialect: str) -> str:
    """Return an element as the database gives it back."""
    if isinstance(written, bool):
        # SQLite has numbers for them.
        return str(int(written)) if dialect == "sqlite" else str(written).lower()
    return str(written)


def _is_written_as(name: str, kind: ValueType, dialect: str) -> ColumnElement[bool]:
    here, there = _JSON_TYPES[kind.python]
    if dialect == "sqlite":
        return func.json_type(MemberEvent.facts, f'$."{name}"').in_(here)
    return func.json_typeof(MemberEvent.facts[name]) == there
