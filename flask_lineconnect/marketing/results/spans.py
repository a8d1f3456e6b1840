"""The time between two moments in SQL, the same on SQLite and PostgreSQL."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement
from sqlalchemy import extract
from sqlalchemy import func


def seconds_between(earlier: Any, later: Any, dialect: str) -> ColumnElement[Any]:
    """Return the seconds between two times, exact to the millisecond."""
    if dialect == "sqlite":
        days = func.julianday(later) - func.julianday(earlier)
        return func.round(days * 86_400.0, 3)
    return extract("epoch", later - earlier)
