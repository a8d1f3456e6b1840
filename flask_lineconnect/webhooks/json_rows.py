"""Many rows of the inbox in one statement: handed to the database as one JSON value, or taken so.

With a parameter for each value, SQLAlchemy looks at each of them, PostgreSQL is asked for each row,
and SQLite's driver lets go of the interpreter for each row and waits to have it back. All of it
takes longer than the database does.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Collection
from collections.abc import Mapping
from collections.abc import Sequence
from datetime import UTC
from datetime import datetime
from functools import cache
from typing import Any
from typing import cast

from msgspec.json import encode
from sqlalchemy import JSON
from sqlalchemy import ColumnElement
from sqlalchemy import Connection
from sqlalchemy import Select
from sqlalchemy import Table
from sqlalchemy import Text
from sqlalchemy import Update
from sqlalchemy import bindparam
from sqlalchemy import cast as cast_to
from sqlalchemy import func
from sqlalchemy import literal_column
from sqlalchemy import select
from sqlalchemy import update
from sqlalchemy.dialects.postgresql import JSONB

from ..models import InboxEvent
from ..models.base import UtcDateTime

_table = cast(Table, InboxEvent.__table__)
_columns = _table.c
_KEYS = (_columns.webhook_event_id, _columns.claims)

#: An event's id, the number of its claim, and new values of its columns by their names.
Change = tuple[str, int, Mapping[str, Any]]


def change(connection: Connection, names: Sequence[str], changes: Collection[Change]) -> int:
    """Write to events by the numbers of their claims, to the same columns of each.

    :return: how many of them still had that number.
    """
    dialect = connection.dialect.name
    to_json = [_to_json(name, dialect) for name in names]
    rows = [
        (event_id, number, *(say(new[name]) for say, name in zip(to_json, names, strict=True)))
        for event_id, number, new in changes
    ]
    statement = _changing(tuple(names), dialect)
    return connection.execute(statement, {"given": encode(rows).decode()}).rowcount


@cache
def _changing(names: tuple[str, ...], dialect: str) -> Update:
    columns = *_KEYS, *(_columns[name] for name in names)
    given = _given_to_sqlite(columns) if dialect == "sqlite" else _given_to_postgresql(columns)
    event_id, number, *values = given
    return (
        update(_table)
        .where(_columns.webhook_event_id == event_id, _columns.claims == number)
        .values(dict(zip(columns[len(_KEYS) :], values, strict=True)))
    )


def _given_to_sqlite(columns: Sequence[ColumnElement[Any]]) -> list[ColumnElement[Any]]:
    each = func.json_each(bindparam("given", type_=Text())).table_valued("value", name="given")
    return [
        func.json_extract(each.c.value, literal_column(f"'$[{place}]'"))
        for place in range(len(columns))
    ]


def _given_to_postgresql(columns: Sequence[ColumnElement[Any]]) -> list[ColumnElement[Any]]:
    rows = cast_to(bindparam("given", type_=Text()), JSONB)
    each = func.jsonb_array_elements(rows).table_valued("value", name="given")
    return [
        cast_to(each.c.value.op("->>")(literal_column(str(place))), column.type)
        for place, column in enumerate(columns)
    ]


@cache
def _to_json(name: str, dialect: str) -> Callable[[Any], Any]:
    """Return what turns a column's value into one of JSON's, as the database is to read it."""
    if isinstance(_columns[name].type, JSON):
        return _json_text
    is_time = isinstance(_columns[name].type, UtcDateTime)
    return _sqlite_time if is_time and dialect == "sqlite" else _itself


def _itself(value: Any) -> Any:
    return value


def _json_text(value: Any) -> str | None:
    return None if value is None else encode(value).decode()


def _sqlite_time(moment: datetime | None) -> str | None:
    """Write a time as SQLAlchemy does."""
    if moment is None:
        return None
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")


def are_in(ids: str) -> ColumnElement[bool]:
    """Ask SQLite for the events of a list of ids.

    :param ids: the name of the parameter, the list as JSON.
    """
    each = func.json_each(bindparam(ids, type_=Text())).table_valued("value", name=ids)
    return _columns.webhook_event_id.in_(select(each.c.value))


def as_one(rows: Select[Any]) -> Select[tuple[str]]:
    """Let SQLite give all rows as one JSON text: a list of lists."""
    found = rows.subquery()
    return select(func.json_group_array(func.json_array(*found.c)))


def time_of(text: str) -> datetime:
    """Return the time that SQLite keeps as a text without a zone, which is UTC."""
    return datetime.fromisoformat(f"{text}+00:00")
