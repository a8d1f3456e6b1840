"""On which side of a comparison somebody is: by a hash of the experiment and the member's key.

No draw, and nothing to remember: the same after restarts and retries, in Python, SQLite and
PostgreSQL, and independent from one experiment to the next.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import BigInteger
from sqlalchemy import ColumnElement
from sqlalchemy import Text
from sqlalchemy import case
from sqlalchemy import literal
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

#: Shares are whole numbers below this one.
WHOLE = 2**32
#: The function of SQLite's that :func:`share` is.
SQLITE_FUNCTION = "lineconnect_share"


def share(experiment: str, member_key: Any) -> int:
    """Return a number from 0 to 2³² - 1 that is as good as drawn."""
    written = member_key.hex() if isinstance(member_key, bytes) else str(member_key)
    # Databases write UUIDs with hyphens or without.
    text = f"{experiment}:{written.replace('-', '')}"
    digest = hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
    return int(digest[:8], 16)


def side(experiment: str, member_key: Any, weights: Mapping[str, int]) -> str:
    """Return on which of these sides a member is; each has its weight's share of the members."""
    number = share(experiment, member_key)
    bounds = _bounds(weights)
    return next(name for name, bound in bounds.items() if number < bound)


def is_below(experiment: str, member_key: Any, percent: int) -> bool:
    """Tell whether a member is one of so many of a hundred."""
    return share(experiment, member_key) < percent * WHOLE // 100


def quarter_of(now: datetime, zone: ZoneInfo) -> str:
    """Return the quarter of a time in the shop's zone: ``2026-Q4``."""
    local = now.astimezone(zone)
    return f"{local.year}-Q{(local.month + 2) // 3}"


def hold_out_experiment(quarter: str) -> str:
    """Return what names the shop's own hold-out of a quarter."""
    return f"hold-out:{quarter}"


def scenario_hold_out(name: str) -> str:
    """Return what names a scenario's own hold-out: the same members in all of its versions."""
    return f"scenario:{name}:hold-out"


def held_out_globally(quarter: str, member_key: Any, percent: int) -> bool:
    """Tell whether a member gets no advertising in a quarter, for comparison."""
    return is_below(hold_out_experiment(quarter), member_key, percent)


class share_of(FunctionElement[int]):  # used like SQLAlchemy's functions
    """The SQL of :func:`share`: ``share_of(experiment, column)``."""

    inherit_cache = True
    name = SQLITE_FUNCTION
    type = BigInteger()


@compiles(share_of)
def _on_sqlite(element: share_of, compiler: Any, **more: Any) -> str:
    # A function that ``models/sqlite.py`` gives to each connection.
    return f"{SQLITE_FUNCTION}({compiler.process(element.clauses, **more)})"


@compiles(share_of, "postgresql")
def _on_postgresql(element: share_of, compiler: Any, **more: Any) -> str:
    experiment, key = (compiler.process(one, **more) for one in element.clauses)
    text = f"{experiment} || ':' || replace(CAST({key} AS TEXT), '-', '')"
    return f"('x' || substr(md5({text}), 1, 8))::bit(32)::bigint"


def side_of(
    experiment: str, member_key: ColumnElement[Any], weights: Mapping[str, int]
) -> ColumnElement[str]:
    """Return the SQL of :func:`side`."""
    number = share_of(literal(experiment, Text), member_key)
    bounds = [(name, bound) for name, bound in _bounds(weights).items() if weights[name]]
    *some, (last, _bound) = bounds
    whens = [(number < bound, literal(name, Text)) for name, bound in some]
    return case(*whens, else_=literal(last, Text)) if whens else literal(last, Text)


def below(experiment: str, member_key: ColumnElement[Any], percent: int) -> ColumnElement[bool]:
    """Return the SQL of :func:`is_below`."""
    return share_of(literal(experiment, Text), member_key) < percent * WHOLE // 100


def _bounds(weights: Mapping[str, int]) -> dict[str, int]:
    """Return below which share each side ends."""
    total, so_far, found = sum(weights.values()), 0, {}
    for name, weight in weights.items():
        so_far += weight
        found[name] = so_far * WHOLE // total
    return found
