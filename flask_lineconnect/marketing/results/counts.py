"""Counts of what messages brought, changed in the transaction that writes down each fact.

Pages read these; ``checking.py`` holds all of them against the facts.
"""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from datetime import date
from datetime import datetime
from datetime import tzinfo
from typing import Any
from typing import cast

from sqlalchemy import Table
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects import sqlite
from sqlalchemy.orm import Session

from ...models import ResultCount

#: What is counted; sales in the smallest unit of the shop's currency.
FIGURES = (
    "accepted",
    "refused",
    "clicks",
    "clickers",
    "orders_direct",
    "orders_indirect",
    "sales_direct",
    "sales_indirect",
    "buyers",
    "blocks_day",
    "blocks_week",
    "declined",
)
#: What tells one count from the next; absent parts are 0 or an empty text.
KEY = ("campaign_id", "scenario_id", "step", "variant", "link_id", "day", "figure")
_ABSENT: Mapping[str, Any] = {
    "campaign_id": 0,
    "scenario_id": 0,
    "step": "",
    "variant": "",
    "link_id": 0,
}
TABLE = cast(Table, ResultCount.__table__)


def day_of(at: datetime, zone: tzinfo) -> date:
    """Return the day to which a time belongs in the shop's zone."""
    return at.astimezone(zone).date()


def count(
    session: Session,
    figure: str,
    *,
    day: date,
    number: int = 1,
    campaign_id: int | None = None,
    scenario_id: int | None = None,
    step: str = "",
    variant: str = "",
    link_id: int | None = None,
) -> None:
    """Add to one count, in one statement of the caller's transaction.

    :param day: of the shop's zone, see :func:`day_of`.
    :param number: may be negative, for what is taken back.
    """
    one = {
        "campaign_id": campaign_id,
        "scenario_id": scenario_id,
        "step": step,
        "variant": variant,
        "link_id": link_id,
        "day": day,
        "figure": figure,
        "number": number,
    }
    count_many(session, [one])


def count_many(session: Session, rows: Iterable[Mapping[str, Any]]) -> None:
    """Add to many counts in one statement; each row has :func:`count`'s arguments.

    Rows of the same count are added up first, and the counts taken in one order everywhere, so that
    no two transactions wait for each other.
    """
    values = [{**key, "number": number, "forgotten": 0} for key, number in _added_up(rows)]
    if values:
        session.execute(adding(session.get_bind().dialect.name).values(values))


def forget_many(session: Session, rows: Iterable[Mapping[str, Any]]) -> None:
    """Note that facts are about to go which the counts keep; rows as of :func:`count_many`."""
    values = [{**key, "number": 0, "forgotten": number} for key, number in _added_up(rows)]
    if values:
        # One by one: of a person there may be many, and SQLite had few values in a statement.
        statement = adding(session.get_bind().dialect.name, "forgotten")
        session.connection().execute(statement, values)


def _added_up(rows: Iterable[Mapping[str, Any]]) -> Iterator[tuple[dict[str, Any], int]]:
    total: dict[tuple[Any, ...], int] = {}
    for row in rows:
        if row["figure"] not in FIGURES:
            raise ValueError(f"{row['figure']!r} is not counted; there are {', '.join(FIGURES)}")
        key = tuple(row.get(name) or _ABSENT.get(name) for name in KEY)
        total[key] = total.get(key, 0) + row.get("number", 1)
    for key, number in sorted(total.items()):
        if number:
            yield dict(zip(KEY, key, strict=True)), number


def adding(dialect: str, *columns: str) -> Any:
    """Return the INSERT that adds to counts which are there: ``values`` or ``from_select`` follows.

    :param columns: which to add to; ``number`` by default.
    """
    insert = sqlite.insert(TABLE) if dialect == "sqlite" else postgresql.insert(TABLE)
    more = {name: TABLE.c[name] + insert.excluded[name] for name in columns or ("number",)}
    return insert.on_conflict_do_update(index_elements=[TABLE.c[name] for name in KEY], set_=more)
