"""What a database lacks of our tables, as statements that lock no shop's table for long.

Found by comparing the database with the tables of this version, so a table, a column or an index is
added by adding it to ``models/``; nothing else is written. What an older version had and this one
does not need is left, as both may run at once. Next: ``upgrading.py``.
"""

from __future__ import annotations

from collections.abc import Collection
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from typing import Literal

from sqlalchemy import Column
from sqlalchemy import Connection
from sqlalchemy import Dialect
from sqlalchemy import ForeignKeyConstraint
from sqlalchemy import Index
from sqlalchemy import MetaData
from sqlalchemy import Table
from sqlalchemy import inspect
from sqlalchemy import text
from sqlalchemy.schema import AddConstraint
from sqlalchemy.schema import CreateColumn
from sqlalchemy.schema import CreateIndex
from sqlalchemy.schema import CreateTable
from sqlalchemy.schema import ForeignKey
from sqlalchemy.sql.ddl import DDLElement

from ..errors import UsageError
from ..models import LineBase

PREFIX = "lineconnect_"
Kind = Literal["table", "column", "index", "foreign key", "old index"]


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do.

    :ivar name: of the table, column or index.
    :ivar statements: in their order.
    :ivar is_online: it runs beside the shop and may not be in a transaction (PostgreSQL's
        CONCURRENTLY).
    """

    kind: Kind
    name: str
    statements: tuple[str, ...]
    is_online: bool = False


def tables_in(metadata: MetaData) -> list[Table]:
    """Return our tables as the shop's metadata has them, those first that others name."""
    names = set(LineBase.metadata.tables)
    return [table for table in metadata.sorted_tables if table.name in names]


def steps_for(
    connection: Connection, tables: Sequence[Table], schema: str | None, *, without: Collection[str]
) -> list[Step]:
    """Return what the database lacks, in the order in which it can be done.

    :param schema: in which the tables are; ``None``: where the connection finds them.
    :param without: names of indexes that are there and do not count.
    """
    found = _Found.of(connection, [table.name for table in tables], schema)
    made = [_make_table(table, connection.dialect) for table in tables if table.name not in found]
    for names in found.indexes.values():
        names.difference_update(without)
    there = [table for table in tables if table.name in found]
    steps = [step for table in there for step in _complete(table, found, connection.dialect)]
    rank = ("column", "index", "foreign key")
    return made + sorted(steps, key=lambda step: rank.index(step.kind))


def old_indexes(connection: Connection, tables: Sequence[Table], schema: str | None) -> list[Step]:
    """Return what takes away the indexes that this version has no more."""
    dialect = connection.dialect
    found = _Found.of(connection, [table.name for table in tables], schema)
    steps = []
    for table in tables:
        wanted = {index.name for index in table.indexes}
        for name in sorted(found.indexes.get(table.name, set()) - wanted):
            if name.startswith(f"ix_{PREFIX}"):
                steps.append(_drop_index(name, schema, dialect))
    return steps


def broken_indexes(connection: Connection, schema: str | None) -> list[Step]:
    """Return what takes away indexes of ours that were interrupted (PostgreSQL)."""
    if connection.dialect.name != "postgresql":
        return []
    rows = connection.execute(
        text(
            "SELECT c.relname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid "
            "JOIN pg_class t ON t.oid = i.indrelid JOIN pg_namespace n ON n.oid = t.relnamespace "
            "WHERE NOT i.indisvalid AND t.relname LIKE 'lineconnect\\_%' "
            "AND n.nspname = coalesce(:schema, current_schema())"
        ),
        {"schema": schema},
    )
    return [_drop_index(str(name), schema, connection.dialect) for name in rows.scalars()]


def unchecked_keys(connection: Connection, schema: str | None) -> list[Step]:
    """Return what looks at the old rows of foreign keys for which that was interrupted."""
    if connection.dialect.name != "postgresql":
        return []
    rows = connection.execute(
        text(
            "SELECT t.relname, k.conname FROM pg_constraint k "
            "JOIN pg_class t ON t.oid = k.conrelid "
            "JOIN pg_namespace n ON n.oid = t.relnamespace WHERE k.contype = 'f' "
            "AND NOT k.convalidated AND t.relname LIKE 'lineconnect\\_%' "
            "AND n.nspname = coalesce(:schema, current_schema()) ORDER BY 1, 2"
        ),
        {"schema": schema},
    )
    quote = connection.dialect.identifier_preparer.quote
    before = "" if schema is None else f"{quote(schema)}."
    return [
        Step("foreign key", name, (_validate(f"{before}{quote(table)}", quote(name)),))
        for table, name in rows
    ]


@dataclass(frozen=True, slots=True)
class _Found:
    """What the database has of our tables, by their names."""

    columns: Mapping[str, set[str]]
    indexes: Mapping[str, set[str]]
    foreign_keys: Mapping[str, set[tuple[str, ...]]]

    @classmethod
    def of(cls, connection: Connection, names: Sequence[str], schema: str | None) -> _Found:
        looker: Any = inspect(connection)
        asked = {"schema": schema, "filter_names": list(names)}
        columns = looker.get_multi_columns(**asked)
        indexes = looker.get_multi_indexes(**asked)
        uniques = looker.get_multi_unique_constraints(**asked)
        keys = looker.get_multi_foreign_keys(**asked)
        return cls(
            {name: {one["name"] for one in rows} for (_, name), rows in columns.items() if rows},
            {
                name: {str(one["name"]) for one in (*rows, *uniques.get((key, name), ()))}
                for (key, name), rows in indexes.items()
            },
            {
                name: {tuple(one["constrained_columns"]) for one in rows}
                for (_, name), rows in keys.items()
            },
        )

    def __contains__(self, name: object) -> bool:
        return name in self.columns


def _make_table(table: Table, dialect: Dialect) -> Step:
    indexes = [_sql(CreateIndex(index), dialect) for index in _sorted(table)]
    return Step("table", table.name, (_sql(CreateTable(table), dialect), *indexes))


def _complete(table: Table, found: _Found, dialect: Dialect) -> Iterator[Step]:
    columns = found.columns[table.name]
    added = {column.name for column in table.columns if column.name not in columns}
    for column in table.columns:
        if column.name in added:
            yield _add_column(table, column, dialect)
    for index in _sorted(table):
        if index.name not in found.indexes.get(table.name, set()):
            yield _add_index(index, dialect)
    for key in _foreign_keys(table):
        names = tuple(key.column_keys)
        is_inline = dialect.name == "sqlite"
        if not is_inline and names not in found.foreign_keys.get(table.name, set()):
            yield _add_foreign_key(table, key, dialect)


def _add_column(table: Table, column: Column[Any], dialect: Dialect) -> Step:
    if not column.nullable and column.server_default is None:
        raise UsageError(
            f"{table.name}.{column.name} can't be added to rows that are there: it needs "
            "`server_default`, or must take NULL"
        )
    given = _sql(CreateColumn(column), dialect)
    if dialect.name == "sqlite":
        # SQLite adds no foreign key to a table, but takes one with its column.
        given += "".join(_references(key, dialect) for key in column.foreign_keys)
    where = dialect.identifier_preparer.format_table(table)
    statement = f"ALTER TABLE {where} ADD COLUMN {given}"
    return Step("column", f"{table.name}.{column.name}", (statement,))


def _references(key: ForeignKey, dialect: Dialect) -> str:
    preparer = dialect.identifier_preparer
    there = f"{preparer.format_table(key.column.table)} ({preparer.quote(key.column.name)})"
    constraint = key.constraint
    name = preparer.format_constraint(constraint) if constraint is not None else None
    named = f" CONSTRAINT {name}" if name else ""
    return f"{named} REFERENCES {there}" + (f" ON DELETE {key.ondelete}" if key.ondelete else "")


def _add_index(index: Index, dialect: Dialect) -> Step:
    statement = _sql(CreateIndex(index), dialect)
    is_online = dialect.name == "postgresql"
    if is_online:
        # Rows are written meanwhile.
        statement = statement.replace("INDEX", "INDEX CONCURRENTLY", 1)
    return Step("index", str(index.name), (statement,), is_online=is_online)


def _add_foreign_key(table: Table, key: ForeignKeyConstraint, dialect: Dialect) -> Step:
    """New rows keep it at once; the old ones are looked at afterwards, and nobody waits."""
    preparer = dialect.identifier_preparer
    where, name = preparer.format_table(table), preparer.format_constraint(key)
    return Step(
        "foreign key",
        str(name),
        (
            f"{_sql(AddConstraint(key), dialect)} NOT VALID",
            _validate(where, str(name)),
        ),
    )


def _validate(table: str, name: str) -> str:
    return f"ALTER TABLE {table} VALIDATE CONSTRAINT {name}"


def _drop_index(name: str, schema: str | None, dialect: Dialect) -> Step:
    preparer = dialect.identifier_preparer
    is_online = dialect.name == "postgresql"
    whole = preparer.quote(name) if schema is None else f"{preparer.quote(schema)}.{name}"
    word = "DROP INDEX CONCURRENTLY IF EXISTS" if is_online else "DROP INDEX IF EXISTS"
    return Step("old index", name, (f"{word} {whole}",), is_online=is_online)


def _sorted(table: Table) -> list[Index]:
    return sorted(table.indexes, key=lambda index: str(index.name))


def _foreign_keys(table: Table) -> list[ForeignKeyConstraint]:
    return sorted(table.foreign_key_constraints, key=lambda key: str(key.name))


def _sql(item: DDLElement | CreateColumn, dialect: Dialect) -> str:
    return " ".join(str(item.compile(dialect=dialect)).split())
