"""What attributes say of some members: values, where rules only ask."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from collections.abc import Sequence
from datetime import UTC
from datetime import datetime
from decimal import Decimal
from typing import Any
from typing import TypeAlias
from typing import cast

from sqlalchemy import ColumnElement
from sqlalchemy import Select
from sqlalchemy import Subquery
from sqlalchemy import and_
from sqlalchemy import select

from ...state import LineState
from .attributes import Attribute
from .attributes import Attributes
from .compiler import member_key_of

#: By member and name; absent ones are left out.
Values = dict[Any, dict[str, Any]]
_Asked: TypeAlias = tuple[Attribute, ColumnElement[Any]]


def values_of(line: LineState, names: Iterable[str], member_ids: Sequence[Any]) -> Values:
    """Return what attributes say of members now, in as many statements as tables are asked.

    :raises InvalidRule: there is no such attribute, or none any more.
    """
    attributes, now = line.part(Attributes), line.clock()
    found: Values = defaultdict(dict)
    together: defaultdict[frozenset[Subquery], list[_Asked]] = defaultdict(list)
    for name in names:
        attribute = attributes.get(name, place=name)
        source = attribute.expression(now)
        if isinstance(source, Select):
            _read_list(line, attribute, source, member_ids, found)
        else:
            value = cast(ColumnElement[Any], source)
            froms = select(value).get_final_froms()
            own = frozenset(table for table in froms if isinstance(table, Subquery))
            together[own].append((attribute, value))
    for tables, asked in together.items():
        _read_together(line, tables, asked, member_ids, found)
    return found


def _read_together(
    line: LineState,
    tables: frozenset[Subquery],
    asked: Sequence[_Asked],
    member_ids: Sequence[Any],
    found: Values,
) -> None:
    key = member_key_of(line.shop.model)
    columns = [source.label(attribute.name) for attribute, source in asked]
    statement = select(key.label("member_key"), *columns).select_from(line.shop.model)
    for table in tables:
        # Said of the table, too: it is made for these members alone.
        is_theirs = and_(table.c[0] == key, table.c[0].in_(member_ids))
        statement = statement.outerjoin(table, is_theirs)
    for member_id, *values in line.session.execute(statement.where(key.in_(member_ids))):
        for (attribute, _source), value in zip(asked, values, strict=True):
            told = attribute.absent if value is None else value
            if told is not None:
                found[member_id][attribute.name] = _as_value(attribute, told)


def _read_list(
    line: LineState,
    attribute: Attribute,
    source: Select[Any],
    member_ids: Sequence[Any],
    found: Values,
) -> None:
    key, value, *_times = source.selected_columns
    statement = source.with_only_columns(key, value, maintain_column_froms=True)
    for member_id, one in line.session.execute(statement.where(key.in_(member_ids))):
        several = found[member_id].get(attribute.name, ())
        found[member_id][attribute.name] = (*several, _as_value(attribute, one))


def _as_value(attribute: Attribute, value: Any) -> Any:
    """Return a value as its type has it; databases give numbers and moments of their own kinds."""
    kind = attribute.type.python
    if kind is datetime and isinstance(value, datetime):
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    if kind is Decimal and not isinstance(value, Decimal):
        return Decimal(str(value))
    return kind(value) if kind in (bool, int) else value
