"""Rows of tables, kept until all are there, and written a table at a time.

The extension's tables are found in the shop's own metadata, where its migrations find them, too.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Table
from sqlalchemy import func
from sqlalchemy import insert
from sqlalchemy import select
from sqlalchemy.orm import Session

from ..extensions import db

#: Rows of one statement.
AT_ONCE = 10_000
_LINE = "lineconnect_"


class Rows:
    """What is to be written, by table, in the order in which the tables depend on each other."""

    def __init__(self, session: Session):
        self._session = session
        self._rows: dict[str, list[dict[str, Any]]] = defaultdict(list)
        self._ids: dict[str, int] = {}

    def add(self, table: str, **values: Any) -> None:
        """Keep a row of a table of the shop's."""
        self._rows[table].append(values)

    def add_line(self, table: str, **values: Any) -> None:
        """Keep a row of a table of the extension's."""
        self._rows[_LINE + table].append(values)

    def of(self, table: str) -> list[dict[str, Any]]:
        """Return what is kept of a table of the shop's, to be completed."""
        return self._rows[table]

    def new_id(self, table: str) -> int:
        """Return the next key of a table, of the shop's or, with its whole name, another's."""
        if table not in self._ids:
            newest = select(func.max(db.metadata.tables[table].c.id))
            self._ids[table] = self._session.scalar(newest) or 0
        self._ids[table] += 1
        return self._ids[table]

    def new_line_id(self, table: str) -> int:
        """Return the next key of a table of the extension's."""
        return self.new_id(_LINE + table)

    def write_shop(self) -> None:
        """Write those of the shop's own tables, inside the caller's transaction."""
        self._write([one for one in db.metadata.sorted_tables if not one.name.startswith(_LINE)])

    def write(self) -> None:
        """Write all that is left."""
        self._write(db.metadata.sorted_tables)
        if self._rows:
            raise KeyError(f"there are no tables {', '.join(self._rows)}")

    def _write(self, tables: Sequence[Table]) -> None:
        for table in tables:
            for rows in _alike(self._rows.pop(table.name, [])):
                for start in range(0, len(rows), AT_ONCE):
                    self._session.execute(insert(table), rows[start : start + AT_ONCE])
            if table.name in self._ids:
                self._count_on(table)

    def _count_on(self, table: Table) -> None:
        """Let PostgreSQL number its own rows from behind ours on; SQLite does."""
        if self._session.get_bind().dialect.name == "postgresql":
            sequence = func.pg_get_serial_sequence(f'"{table.name}"', "id")
            self._session.execute(select(func.setval(sequence, self._ids[table.name])))


def _alike(rows: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """Return rows apart that have other columns: one statement writes the same of each."""
    found: dict[tuple[str, ...], list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        found[tuple(row)].append(row)
    return list(found.values())
