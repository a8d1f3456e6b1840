"""Lists of ids, and texts by ids, as JSON made and read in the database: SQLite or PostgreSQL."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import JSON
from sqlalchemy import ColumnElement
from sqlalchemy import Integer
from sqlalchemy import Text
from sqlalchemy import cast
from sqlalchemy import func
from sqlalchemy import literal
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.orm import Session
from sqlalchemy.sql.selectable import TableValuedAlias

Values = ColumnElement[Any] | InstrumentedAttribute[Any]


def json_list(session: Session, values: Values) -> ColumnElement[str]:
    """Return the aggregate that makes the text of a JSON list of a group's values."""
    if _is_sqlite(session):
        return func.json_group_array(values, type_=Text)
    return cast(func.json_agg(values), Text)


def elements(
    session: Session, listed: InstrumentedAttribute[Any]
) -> tuple[TableValuedAlias, ColumnElement[int]]:
    """Return the elements of a JSON list of integers: rows to join with, and their value."""
    return elements_on(session.get_bind().dialect.name, listed)


def elements_on(
    dialect: str, listed: InstrumentedAttribute[Any]
) -> tuple[TableValuedAlias, ColumnElement[int]]:
    """Do as :func:`elements` for a database whose dialect is known."""
    if dialect == "sqlite":
        rows = func.json_each(listed).table_valued("value", name="element")
    else:
        values = func.json_array_elements_text(cast(listed, JSON))
        rows = values.table_valued("value", name="element")
    return rows, cast(rows.c.value, Integer)


def text_by_id(
    session: Session, texts: Mapping[int, str | None], row_id: Values
) -> ColumnElement[Any]:
    """Return a text for each row, found by its id; one statement then writes to many rows.

    A driver is asked once for all, and not once for each, while others wait for the database.
    """
    told = literal(json.dumps(texts), Text)
    key = cast(row_id, Text)
    if _is_sqlite(session):
        return func.json_extract(told, literal('$."').concat(key).concat('"'), type_=Text)
    return cast(told, JSONB).op("->>", return_type=Text())(key)


def _is_sqlite(session: Session) -> bool:
    return session.get_bind().dialect.name == "sqlite"
