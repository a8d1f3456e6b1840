"""What all tables of the extension share: their base, the member's key, UTC times."""

from __future__ import annotations

import re
import weakref
from datetime import UTC
from datetime import datetime
from typing import Any
from typing import cast

from sqlalchemy import DateTime
from sqlalchemy import Dialect
from sqlalchemy import Engine
from sqlalchemy import ExceptionContext
from sqlalchemy import Index
from sqlalchemy import MetaData
from sqlalchemy import String
from sqlalchemy import Table
from sqlalchemy import event
from sqlalchemy import inspect
from sqlalchemy import text
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects import sqlite
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.orm import Mapper
from sqlalchemy.orm import Session
from sqlalchemy.types import TypeDecorator
from sqlalchemy.types import TypeEngine

from ..errors import UsageError

_member_key_types: weakref.WeakKeyDictionary[Dialect, TypeEngine[Any]] = weakref.WeakKeyDictionary()


class UtcDateTime(TypeDecorator[datetime]):
    """An aware UTC time, on databases with and without time zones."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse a naive time; store UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise UsageError("a time without a zone was given where an aware UTC time is needed")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give back an aware time; SQLite forgets the zone."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class MemberKey(TypeDecorator[Any]):
    """The key of the shop's member, in the type of the shop's own primary key.

    The type is found by the engine's dialect, so that shops with int, UUID and text keys can share
    one process; :func:`bind_member_key` fills the map.
    """

    impl = String
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Return the shop's own key type."""
        return dialect.type_descriptor(_member_key_types.get(dialect, String(255)))


class LineBase(DeclarativeBase):
    """Base of the extension's models; ``copies.py`` brings their tables to the shop's."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_label)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


def partial_index(name: str, *columns: str, where: str, is_unique: bool = False) -> Index:
    """Return an index of some of a table's rows.

    :param where: plain SQL; SQLite uses the index for statements that say the very same.
    """
    condition = text(where)
    return Index(
        f"ix_lineconnect_{name}",
        *columns,
        unique=is_unique,
        sqlite_where=condition,
        postgresql_where=condition,
    )


def member_key_type(member_model: type[Any]) -> TypeEngine[Any]:
    """Return the type of the member model's primary key.

    :raises UsageError: the model has no mapper, or a key of several columns.
    """
    mapper = inspect(member_model, raiseerr=False)
    if not isinstance(mapper, Mapper) or len(mapper.primary_key) != 1:
        raise UsageError(
            f"{member_model!r} can't be the member model: it must be an SQLAlchemy model with a "
            "primary key of one column."
        )
    return mapper.primary_key[0].type


def bind_member_key(dialect: Dialect, key_type: TypeEngine[Any]) -> None:
    """Tell :class:`MemberKey` the type that the shop behind this dialect uses."""
    _member_key_types[dialect] = key_type


def hide_parameters(engine: Engine) -> None:
    """Keep the values of our statements out of errors, and so out of logs: texts, LINE user ids.

    The shop's own statements keep theirs.
    """
    if not event.contains(engine, "handle_error", _hide_parameters):
        event.listen(engine, "handle_error", _hide_parameters)


def _hide_parameters(context: ExceptionContext) -> None:
    error = context.sqlalchemy_exception
    if error is not None and context.statement and "lineconnect_" in context.statement:
        error.hide_parameters = True
        hide_values(context.original_exception)
        hide_values(error)


def hide_values(error: BaseException) -> None:
    """Leave of what a database said what happened, not to which values.

    PostgreSQL quotes keys, rows and JSON: in its first line after a colon, and in further lines.
    """
    error.args = tuple(
        _without_values(part) if isinstance(part, str) else part for part in error.args
    )


def _without_values(text: str) -> str:
    first_line = text.strip().partition("\n")[0]
    return re.sub(r"""(:\s*)(["']).*\2""", r"\1…", first_line)


def insert_if_absent(session: Session, model: type[LineBase], **values: Any) -> bool:
    """Insert a row unless one with the same unique value exists, in one statement.

    :return: whether this call made the row, also when several callers race.
    """
    is_sqlite = session.get_bind().dialect.name == "sqlite"
    table = cast(Table, model.__table__)
    insert = sqlite.insert(table) if is_sqlite else postgresql.insert(table)
    key = table.primary_key.columns
    # Asked by RETURNING: drivers differ in the row count of an INSERT.
    statement = insert.values(**values).on_conflict_do_nothing().returning(*key)
    return session.execute(statement).first() is not None
