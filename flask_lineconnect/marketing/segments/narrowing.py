"""Joined tables without the columns that nobody asks for.

PostgreSQL leaves them out by itself; SQLite computes each sum of a table of which one is needed.
"""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Mapping
from typing import Any
from typing import cast

from sqlalchemy import CTE
from sqlalchemy import ColumnClause
from sqlalchemy import ColumnElement
from sqlalchemy import Over
from sqlalchemy import Select
from sqlalchemy import Subquery
from sqlalchemy import select
from sqlalchemy.sql import visitors


def narrowed(
    condition: ColumnElement[bool], tables: Iterable[Subquery], among: CTE | None = None
) -> tuple[ColumnElement[bool], Mapping[Subquery, Subquery]]:
    """Return a condition for narrower tables, and these by the wide ones; keys always stay.

    :param among: of these members alone, where a row of a table is about one member alone.
    """
    narrow: dict[Subquery, Subquery] = {}
    for table in tables:
        element = table.element
        if isinstance(element, Select):
            used = _used_of(table, condition)
            key, *others = element.selected_columns
            kept = [key, *(column for column in others if column.key in used)]
            narrower = element.with_only_columns(*kept, maintain_column_froms=True)
            if among is not None and not _compares_members(element):
                narrower = narrower.where(key.in_(select(among.c[0])))
            narrow[table] = narrower.subquery()

    def replace_column(part: Any, **_more: Any) -> Any:
        table = part.table if isinstance(part, ColumnClause) else None
        return narrow[table].c[part.key] if table in narrow else None

    found = visitors.replacement_traverse(condition, {}, cast(Any, replace_column))
    return found, narrow


def _compares_members(element: Select[Any]) -> bool:
    """Tell whether rows know of each other, as ranks do: then none may be left out before."""
    (key, *_others), groups = element.selected_columns, element._group_by_clauses
    by_key = any(key.shares_lineage(group) for group in groups)
    has_limit = element._has_row_limiting_clause
    return has_limit or (bool(groups) and not by_key) or _has_windows(element)


def _has_windows(element: Select[Any]) -> bool:
    return any(isinstance(part, Over) for part in visitors.iterate(element))


def _used_of(table: Subquery, condition: ColumnElement[bool]) -> set[str]:
    return {
        part.key
        for part in visitors.iterate(condition)
        if isinstance(part, ColumnClause) and part.table is table
    }
