"""Our tables in the shop's metadata, where ``db.create_all()`` and Alembic find them.

The mapped classes keep their own types, which turn values; the copies say only what the database
stores. A migration written from them names types of SQLAlchemy's own, and needs no import of ours.
"""

from __future__ import annotations

from typing import Any
from typing import cast

import sqlalchemy
from sqlalchemy import Column
from sqlalchemy import Dialect
from sqlalchemy import ForeignKey
from sqlalchemy import MetaData
from sqlalchemy import Table
from sqlalchemy import inspect
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects.postgresql.base import PGDialect
from sqlalchemy.dialects.sqlite.base import SQLiteDialect
from sqlalchemy.types import TypeDecorator
from sqlalchemy.types import TypeEngine

from .base import LineBase
from .base import MemberKey

#: What Alembic writes ``sa.`` and ``postgresql.`` before.
_NAMES = (sqlalchemy, postgresql)


def copy_tables(metadata: MetaData, member_model: type[Any]) -> None:
    """Copy the extension's tables into the shop's metadata, and into its schema if it has one.

    There every column has a plain type, the member's key that of the shop's own key and, if the
    member's table is in the same metadata, a real foreign key. A second call does nothing.
    """
    key = inspect(member_model).primary_key[0]
    schema = metadata.schema
    for table in LineBase.metadata.sorted_tables:
        if (f"{schema}.{table.name}" if schema else table.name) in metadata.tables:
            continue
        # Its types know no way to say that there is none.
        copied = table.to_metadata(metadata, schema=cast(str, schema))
        for column in copied.columns:
            if isinstance(column.type, MemberKey):
                column.type = plain_type(key.type)
                # What is nobody's but the member's goes with them; a place in a list stays.
                ondelete = column.info.get("ondelete", "SET NULL")
                is_here = isinstance(key.table, Table) and key.table.metadata is metadata
                if is_here and ondelete is not None:
                    column.append_foreign_key(
                        ForeignKey(key, name=_name_of(copied, column), ondelete=ondelete)
                    )
            else:
                column.type = plain_type(column.type)


def _name_of(table: Table, column: Column[Any]) -> str | None:
    """Return the name of a foreign key, where the shop has no convention for names.

    One without a name can't be added to a table of SQLite's, which Alembic writes anew.
    """
    if "fk" in table.metadata.naming_convention:
        return None
    return f"fk_{table.name}_{column.name}"


def plain_type(kind: TypeEngine[Any]) -> TypeEngine[Any]:
    """Return the type of SQLAlchemy's own that stores the same, on SQLite and PostgreSQL."""
    if not _is_decorated(kind):
        return _public(kind)
    # The neutral dialects: drivers have types of their own, which no migration can name.
    elsewhere = PGDialect()  # type: ignore[no-untyped-call]  # as SQLAlchemy has it
    here = _undecorated(kind, SQLiteDialect())
    there = _undecorated(kind, elsewhere)
    if here.compile(dialect=elsewhere) == there.compile(dialect=elsewhere):
        return here
    return here.with_variant(there, elsewhere.name)


def _is_decorated(kind: TypeEngine[Any]) -> bool:
    variants = kind._variant_mapping.values()
    return isinstance(kind, TypeDecorator) or any(map(_is_decorated, variants))


def _undecorated(kind: TypeEngine[Any], dialect: Dialect) -> TypeEngine[Any]:
    """Return what a type, or its variant there, is stored as by one dialect."""
    kind = kind._variant_mapping.get(dialect.name, kind)
    while isinstance(kind, TypeDecorator):
        kind = kind.load_dialect_impl(dialect)
        kind = kind._variant_mapping.get(dialect.name, kind)
    return _public(kind)


def _public(kind: TypeEngine[Any]) -> TypeEngine[Any]:
    """Return a type as the nearest class of SQLAlchemy's that a migration can name."""
    for named in type(kind).__mro__:
        if any(getattr(names, named.__name__, None) is named for names in _NAMES):
            return kind if named is type(kind) else kind.adapt(named)
    return kind
