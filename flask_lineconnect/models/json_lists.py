"""Lists of ids kept as JSON, made and read inside the database, on SQLite and PostgreSQL alike."""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON
from sqlalchemy import ColumnElement
from sqlalchemy import Integer
from sqlalchemy import Text
from sqlalchemy import cast
from sqlalchemy import func
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
    session: Session, json: InstrumentedAttribute[Any]
) -> tuple[TableValuedAlias, ColumnElement[int]]:
    """Return the elements of a JSON list of integers: rows to join with, and their value."""
    return elements_on(session.get_bind().dialect.name, json)


def elements_on(
    dialect: str, json: InstrumentedAttribute[Any]
) -> tuple[TableValuedAlias, ColumnElement[int]]:
    """Do as :func:`elements` for a database whose dialect is known."""
    if dialect == "sqlite":
        rows = func.json_each(json).table_valued("value", name="element")
    else:
        listed = func.json_array_elements_text(cast(json, JSON))
        rows = listed.table_valued("value", name="element")
    return rows, cast(rows.c.value, Integer)


def _is_sqlite(session: Session) -> bool:
    return session.get_bind().dialect.name == "sqlite"
