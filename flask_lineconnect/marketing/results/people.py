"""How many people did something because of a message: each member once, however often they did it.

A row says that somebody is counted; whoever writes or deletes it changes the count in the same
transaction. Taps of people whom nobody knows are taps alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from datetime import date
from datetime import timedelta
from typing import Any
from typing import cast

from sqlalchemy import ColumnElement
from sqlalchemy import Select
from sqlalchemy import Table
from sqlalchemy import delete
from sqlalchemy import func
from sqlalchemy import or_
from sqlalchemy import select
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects import sqlite
from sqlalchemy.orm import Session

from ...models import Attribution
from ...models import ResultPerson
from ...models.portions import Step
from .counts import count_many
from .counts import day_of
from .counts import forget_many

CLICKERS, BUYERS = "clickers", "buyers"
_TABLE = cast(Table, ResultPerson.__table__)
_OWNER = ("campaign_id", "scenario_id", "step", "variant")
#: What a row is told apart by.
_KEY = ("figure", *_OWNER, "member_id")

Row = dict[str, Any]


def count_people(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Count people who are not counted yet; each row has the columns of :class:`ResultPerson`."""
    if not rows:
        return
    dialect = session.get_bind().dialect.name
    insert = sqlite.insert(_TABLE) if dialect == "sqlite" else postgresql.insert(_TABLE)
    statement = insert.on_conflict_do_nothing().returning(*_columns())
    # In one order everywhere, so that no two transactions wait for each other.
    ordered = sorted(rows, key=lambda row: [str(row[name]) for name in _KEY])
    new = session.connection().execute(statement, ordered).all()
    count_many(session, [_counted(row) for row in new])


def settle_buyers(session: Session, members: Sequence[Any] | Select[Any], zone: Any) -> None:
    """Let exactly those be counted as buyers who have an order that belongs to a message.

    :param members: whose orders have changed; their keys.
    """
    wanted = {_key_of(row): row for row in _buyers(session, members, zone)}
    is_theirs = ResultPerson.figure == BUYERS, ResultPerson.member_id.in_(members)
    statement = select(ResultPerson.id, *_columns()).where(*is_theirs)
    there = {_key_of(row._asdict()): row for row in session.execute(statement)}
    gone = [row.id for key, row in there.items() if key not in wanted]
    _uncount(session, gone)
    count_people(session, [row for key, row in wanted.items() if key not in there])


def forget_people(session: Session, is_theirs: ColumnElement[bool]) -> None:
    """Delete who is counted; the counts stay, and say how much of them."""
    gone = session.execute(
        delete(ResultPerson)
        .where(is_theirs)
        .returning(*_columns())
        .execution_options(synchronize_session=False)
    )
    forget_many(session, [_counted(row) for row in gone.all()])


def pruning_steps(today: date, clicks: timedelta, orders: timedelta) -> Iterator[Step]:
    """Return what forgets who was counted so long ago; for ``upkeep.py``."""
    for figure, kept in ((CLICKERS, clicks), (BUYERS, orders)):
        is_old = ResultPerson.figure == figure, ResultPerson.day <= today - kept
        find = select(ResultPerson.id).where(*is_old).order_by(ResultPerson.day)
        yield Step(find, _forget_some)


def people_on(day: date) -> Select[Any]:
    """Return how many people are counted on a day, as ``checking.py`` compares it."""
    return (
        select(*(_TABLE.c[name] for name in _OWNER))
        .add_columns(func.min(0), ResultPerson.day, ResultPerson.figure, func.count())
        .where(ResultPerson.day == day)
        .group_by(*(_TABLE.c[name] for name in _OWNER), ResultPerson.day, ResultPerson.figure)
    )


def _forget_some(session: Session, ids: Sequence[int]) -> None:
    forget_people(session, ResultPerson.id.in_(ids))


def _uncount(session: Session, ids: Sequence[int]) -> None:
    if ids:
        gone = session.execute(
            delete(ResultPerson)
            .where(ResultPerson.id.in_(ids))
            .returning(*_columns())
            .execution_options(synchronize_session=False)
        )
        count_many(session, [{**_counted(row), "number": -1} for row in gone.all()])


def _buyers(session: Session, members: Sequence[Any] | Select[Any], zone: Any) -> Iterator[Row]:
    """Return who bought after a message, with the day of the first order."""
    owner = [
        func.coalesce(Attribution.campaign_id, 0).label("campaign_id"),
        func.coalesce(Attribution.scenario_id, 0).label("scenario_id"),
        Attribution.step,
        Attribution.variant,
    ]
    statement = (
        select(*owner, Attribution.member_id, func.min(Attribution.ordered_at).label("at"))
        .where(
            Attribution.member_id.in_(members),
            Attribution.kind != "none",
            Attribution.returned_at.is_(None),
            or_(Attribution.campaign_id.is_not(None), Attribution.scenario_id.is_not(None)),
        )
        .group_by(*owner, Attribution.member_id)
    )
    for row in session.execute(statement):
        found = row._asdict()
        day = day_of(found.pop("at"), zone)
        yield {**found, "figure": BUYERS, "day": day}


def _key_of(row: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(row[name] for name in _KEY)


def _columns() -> list[Any]:
    return [_TABLE.c[name] for name in (*_KEY, "day")]


def _counted(row: Any) -> Row:
    """Return what a row counts for, as ``count_many`` takes it."""
    return {name: getattr(row, name) for name in ("figure", *_OWNER, "day")}
