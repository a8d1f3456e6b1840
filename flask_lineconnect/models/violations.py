"""What a database refused, told without the values that it refused.

Databases put people's data into their errors: the row that failed, the key that exists already.
"""

from __future__ import annotations

import logging
import re
from typing import Any

from sqlalchemy import String
from sqlalchemy import Table
from sqlalchemy import inspect
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from ..errors import UsageError
from ..log_fields import log_fields

logger = logging.getLogger(__name__)

#: Source: PostgreSQL, "Appendix A. PostgreSQL Error Codes".
_UNIQUE_VIOLATION = "23505"
_WORDS = {
    "23502": "it may not be NULL",
    "23503": "its foreign key leads nowhere",
    _UNIQUE_VIOLATION: "there is such a value already",
    "23514": "a CHECK constraint says no",
    "23P01": "an exclusion constraint says no",
    "22001": "the value is too long",
    "22003": "the number is too large",
    "22P02": "the value has another type",
    "P0001": "a trigger says no",
}
#: What Python's driver calls the same. Source: sqlite.org, "Result and Error Codes".
_SQLITE_CODES = {
    "SQLITE_CONSTRAINT_NOTNULL": "23502",
    "SQLITE_CONSTRAINT_FOREIGNKEY": "23503",
    "SQLITE_CONSTRAINT_UNIQUE": _UNIQUE_VIOLATION,
    "SQLITE_CONSTRAINT_PRIMARYKEY": _UNIQUE_VIOLATION,
    "SQLITE_CONSTRAINT_ROWID": _UNIQUE_VIOLATION,
    "SQLITE_CONSTRAINT_CHECK": "23514",
    "SQLITE_CONSTRAINT_TRIGGER": "P0001",
}
#: Other drivers of SQLite say it in words alone, and each begins with what was broken.
_SQLITE_WORDS = {
    "NOT NULL constraint failed": "23502",
    "FOREIGN KEY constraint failed": "23503",
    "UNIQUE constraint failed": _UNIQUE_VIOLATION,
    "CHECK constraint failed": "23514",
}


def is_unique_violation(error: DBAPIError) -> bool:
    """Tell whether a row was refused because there is one with the same unique value."""
    return _code(error) == _UNIQUE_VIOLATION


def is_own_key_taken(error: DBAPIError, model: type[Any]) -> bool:
    """Tell whether a row was refused for a primary key that the database itself made.

    That is no person who is known already but a sequence that is behind, as after an import.
    """
    table = inspect(model).local_table
    if not isinstance(table, Table) or table.autoincrement_column is None:
        return False
    (key,) = table.primary_key.columns
    said = _first_line(error.orig)
    is_of_sqlite = said.endswith(f": {table.name}.{key.name}")
    names = {str(table.primary_key.name), f"{table.name}_pkey"}
    return is_unique_violation(error) and (is_of_sqlite or _diagnosis(error, "constraint") in names)


def failure_of_shop(error: DBAPIError, model: type[Any], method: str) -> UsageError | None:
    """Return what to raise instead of a database's error in a method of the shop's adapter.

    Raise it outside of the ``except`` block: the error itself, with the values, goes no further.

    :return: ``None`` where a unique value exists already, which is no fault of the shop's.
    """
    if is_unique_violation(error) and not is_own_key_taken(error, model):
        # A shop that does not look for the member first would never know why nobody can register.
        logger.info("%s was refused: %s", method, describe(error, model), extra=log_fields("taken"))
        return None
    failure = UsageError(
        f"the database refused what ShopAdapter.{method} gave it: {describe(error, model)}"
    )
    return failure.with_traceback(error.__traceback__)


def settle_constraints(session: Session) -> None:
    """Flush, and let constraints that PostgreSQL would check at the commit say no here."""
    session.flush()
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))


def describe(error: DBAPIError, model: type[Any]) -> str:
    """Return what was refused, and of which column, as far as the database says; no values.

    :param model: whose columns are looked through where the database names none.
    """
    code = _code(error)
    words = _WORDS.get(code, "") or f"{type(error.orig).__name__} {code}".strip()
    place = _place(error) or _guess(error, model, code)
    return f"{place}: {words}" if place else words


def _place(error: DBAPIError) -> str:
    """Return the column or constraint that the database names."""
    if _is_of_sqlite(error):
        # SQLite's own texts name columns and constraints alone.
        return _first_line(error.orig).partition(" constraint failed: ")[2]
    table, column = _diagnosis(error, "table"), _diagnosis(error, "column")
    constraint = _diagnosis(error, "constraint")
    named = f"{table}.{column}" if table and column else column or table
    return f"{named} ({constraint})" if named and constraint else named or constraint


def _guess(error: DBAPIError, model: type[Any], code: str) -> str:
    """Return which columns of the member it may be, where the database names none."""
    table = inspect(model).local_table
    if code == "23503":
        suspects = [column.name for column in table.columns if column.foreign_keys]
    elif code == "22001":
        given = error.params if isinstance(error.params, dict) else {}
        suspects = [
            column.name
            for column in table.columns
            if isinstance(column.type, String)
            and column.type.length is not None
            and len(str(given.get(column.key) or "")) > column.type.length
        ]
    else:
        suspects = []
    return ", ".join(f"{table.name}.{name}" for name in suspects)


def _code(error: DBAPIError) -> str:
    """Return PostgreSQL's code, also for what SQLite refused; empty if there is none."""
    if _is_of_sqlite(error):
        name = getattr(error.orig, "sqlite_errorname", "")
        words = _first_line(error.orig).partition(":")[0]
        return _SQLITE_CODES.get(name) or _SQLITE_WORDS.get(words, "")
    for driver in _drivers_errors(error):
        for name in ("sqlstate", "pgcode"):
            if code := getattr(driver, name, None):
                return str(code)
        if pg8000 := _of_pg8000(driver):
            return pg8000.get("C", "")
    return ""


def _diagnosis(error: DBAPIError, part: str) -> str:
    """Return the name of a table, column or constraint, as each driver of PostgreSQL has it."""
    letter = {"table": "t", "column": "c", "constraint": "n"}[part]
    for driver in _drivers_errors(error):
        for holder in (getattr(driver, "diag", None), driver):
            if name := getattr(holder, f"{part}_name", None):
                return str(name)
        if name := _of_pg8000(driver).get(letter):
            return str(name)
    return ""


def _drivers_errors(error: DBAPIError) -> list[BaseException]:
    """Return the driver's error, and the one that SQLAlchemy's adapter of asyncpg wraps."""
    found = [error.orig, getattr(error.orig, "__cause__", None)]
    return [one for one in found if one is not None]


def _of_pg8000(driver: BaseException) -> dict[str, str]:
    first = driver.args[0] if driver.args else None
    return first if isinstance(first, dict) else {}


def _is_of_sqlite(error: DBAPIError) -> bool:
    return bool(re.search("sqlite|sqlcipher", type(error.orig).__module__))


def _first_line(error: BaseException | None) -> str:
    return str(error).partition("\n")[0]
