"""Joined tables without the columns that nobody asks for.

PostgreSQL leaves them out by itself; SQLite computes each sum of a table of which one is needed.
"""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Mapping
from typing import Any
from typing import cast

from sqlalchemy import ColumnClause
from sqlalchemy import ColumnElement
from sqlalchemy import Select
from sqlalchemy import Subquery
from sqlalchemy.sql import visitors


def narrowed(
    condition: ColumnElement[bool], tables: Iterable[Subquery]
) -> tuple[ColumnElement[bool], Mapping[Subquery, Subquery]]:
    """Return a condition for narrower tables, and these by the wide ones; keys always stay."""
    narrow: dict[Subquery, Subquery] = {}
    for table in tables:
        element = table.element
        if isinstance(element, Select):
            used = _used_of(table, condition)
            key, *others = element.selected_columns
            kept = [key, *(column for column in others if column.key in used)]
            narrow[table] = element.with_only_columns(*kept, maintain_column_froms=True).subquery()

    def replace_column(part: Any, **_more: Any) -> Any:
        table = part.table if isinstance(part, ColumnClause) else None
        return narrow[table].c[part.key] if table in narrow else None

    found = visitors.replacement_traverse(condition, {}, cast(Any, replace_column))
    return found, narrow


def _used_of(table: Subquery, condition: ColumnElement[bool]) -> set[str]:
    return {
        part.key
        for part in visitors.iterate(condition)
        if isinstance(part, ColumnClause) and part.table is table
    }
