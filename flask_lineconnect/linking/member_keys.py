"""A member's key as it is typed, or stands in an address."""

from __future__ import annotations

from typing import Any

from sqlalchemy import inspect

#: What the largest whole number of every database takes.
_LARGEST = 2**63


def read_member_key(model: type[Any], text: str) -> Any:
    """Return a member's key in the type that the shop uses.

    :raises ValueError: it can't be one.
    """
    column = inspect(model).primary_key[0]
    key = column.type.python_type(text)
    if "\0" in text or (isinstance(key, int) and abs(key) >= _LARGEST):
        raise ValueError("no database looks for this")
    return key
