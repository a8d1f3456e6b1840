"""What tells a member from the next one whose row has the same key.

Databases give keys again: SQLite without ``AUTOINCREMENT`` that of the row deleted last, and keys
that a shop chooses, such as names, may be anybody's next. So a link remembers something of its
member's row that a new row does not share, and so does a session that LINE gave.
"""

from __future__ import annotations

import hashlib
import sqlite3
from contextlib import closing
from datetime import UTC
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Engine
from sqlalchemy import Integer
from sqlalchemy import inspect

from ..errors import UsageError
from ..shop.adapter import ShopAdapter

#: Names under which shops keep when a member's row was made, or something random of its own.
USUAL_NAMES = (
    "created_at",
    "created_on",
    "created",
    "date_created",
    "create_date",
    "date_joined",
    "joined_at",
    "joined_on",
    "registered_at",
    "registered_on",
    "signed_up_at",
    "member_since",
    "inserted_at",
    "public_id",
    "uuid",
)


class MemberMarks:
    """Marks of one shop's members.

    :raises UsageError: the member model has no such column.
    """

    def __init__(self, shop: ShopAdapter[Any]):
        names = {attribute.key for attribute in inspect(shop.model).column_attrs}
        if shop.member_mark is not None and shop.member_mark not in names:
            raise UsageError(
                f"{type(shop).__name__}.member_mark names {shop.member_mark!r}, which is no column "
                f"of {shop.model.__name__}; name one that is set when the row is made and never "
                "changes, for example created_at"
            )
        keys = {inspect(shop.model).get_property_by_column(one).key for one in _key_of(shop.model)}
        usual = (name for name in USUAL_NAMES if name in names - keys)
        self._column = shop.member_mark or next(usual, None)

    def of(self, member: Any) -> str | None:
        """Return a member's mark; ``None`` where the row has nothing that a new one would not."""
        value = None if self._column is None else getattr(member, self._column)
        if value is None:
            return None
        if isinstance(value, datetime) and value.tzinfo is not None:
            value = value.astimezone(UTC)
        # What it says of the member is nobody's business.
        return f"{self._column}:{hashlib.sha256(str(value).encode()).hexdigest()[:32]}"

    def is_same(self, mark: str | None, member: Any) -> bool:
        """Tell whether a mark that was kept is this member's, as far as it can be known.

        A mark of another column is from before the shop named this one.
        """
        now = self.of(member)
        if mark is None or now is None or _column_of(mark) != _column_of(now):
            return True
        return mark == now


def reuses_keys(engine: Engine, model: type[Any]) -> bool:
    """Tell whether the database gives a deleted member's key to a new one.

    A database that is there already is asked; of one that is not, the model tells.
    Source: sqlite.org, "SQLite Autoincrement".
    """
    (key,) = _key_of(model)
    if engine.dialect.name != "sqlite" or not isinstance(key.type, Integer):
        return False
    made = _made_with(engine.url.database, key.table.name)
    if made is not None:
        return "AUTOINCREMENT" not in made.upper()
    return not key.table.dialect_options["sqlite"]["autoincrement"]


def _made_with(path: str | None, table: str) -> str | None:
    """Return the statement that made a table of an SQLite file; a new file is not begun for it."""
    if not path or not Path(path).is_file():
        return None
    # Apart from the shop's pool, whose connections must not outlive a fork.
    try:
        with closing(
            sqlite3.connect(f"{Path(path).absolute().as_uri()}?mode=ro", uri=True)
        ) as file:
            statement = "SELECT sql FROM sqlite_master WHERE type = 'table' AND name = ?"
            row = file.execute(statement, (table,)).fetchone()
    except sqlite3.Error:
        return None
    return None if row is None else str(row[0])


def _key_of(model: type[Any]) -> tuple[Any, ...]:
    return tuple(inspect(model).primary_key)


def _column_of(mark: str) -> str:
    return mark.partition(":")[0]
