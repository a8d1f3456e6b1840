"""Numbers of messages that are not written yet, for what a message says of itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from typing import cast

from sqlalchemy import Table
from sqlalchemy import text
from sqlalchemy.orm import Session

from ..models import OutboxMessage
from ..models.databases import table_name

_TABLE = cast(Table, OutboxMessage.__table__)


def reserve_numbers(session: Session, count: int) -> Sequence[int]:
    """Return numbers that no message has and no other one gets, inside a writing transaction.

    :return: none where the database gives numbers again: on SQLite after a migration that made the
        table without ``AUTOINCREMENT``.

    Source: sqlite.org, "SQLite Autoincrement"; PostgreSQL, "Sequence Manipulation Functions".
    """
    values: dict[str, Any] = {"name": _TABLE.name, "count": count}
    bind = session.get_bind()
    if bind.dialect.name != "sqlite":
        values["name"] = table_name(bind.engine, _TABLE)
        sequence = "nextval(pg_get_serial_sequence(:name, 'id'))"
        statement = text(f"SELECT {sequence} FROM generate_series(1, :count)")
        return [number for number in session.scalars(statement, values) if number is not None]
    made = session.scalar(text("SELECT sql FROM sqlite_master WHERE name = :name"), values)
    if "AUTOINCREMENT" not in (made or "").upper():
        return []
    further = "UPDATE sqlite_sequence SET seq = seq + :count WHERE name = :name RETURNING seq"
    last = session.scalar(text(further), values)
    if last is None:
        # No message was ever written.
        session.execute(text("INSERT INTO sqlite_sequence VALUES (:name, :count)"), values)
        last = count
    return range(last - count + 1, last + 1)
