"""Writes clicks: the row, its count, and the member event that follows, in one transaction.

Those of all requests that wait are written together, see ``models/group_writer.py``: the counts of
a link that many tap at once are changed once for all of them.
"""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from datetime import datetime
from functools import lru_cache
from itertools import chain
from typing import Any
from typing import TypeAlias
from typing import cast

from sqlalchemy import Connection
from sqlalchemy import Engine
from sqlalchemy import Table
from sqlalchemy import select
from sqlalchemy import update
from sqlalchemy.engine.interfaces import DBAPICursor
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from sqlalchemy.pool import PoolProxiedConnection

from ...models import Account
from ...models import Click
from ...models import MemberEvent
from ...models import OutboxMessage
from ...models import ResultCount
from ...models import ResultPerson
from ...models.databases import table_name
from ...models.group_writer import GroupWriter
from ...models.group_writer import HandedIn
from ..event_kinds import CLICKED
from ..member_events import INSERT as INSERT_EVENT
from ..member_events import Told
from ..member_events import rows_for
from ..results.counts import KEY
from ..results.people import CLICKERS
from ..results.people import count_people
from .stored import KnownLink
from .stored import KnownLinks
from .stored import find

logger = logging.getLogger(__name__)

#: Seconds for which a visitor may wait until the click is written.
PATIENCE = 1.0
_TABLE = cast(Table, Click.__table__)


@dataclass(slots=True)
class NewClick:
    """A click that is to be written.

    :ivar day: of the shop's zone, for the counts.
    :ivar id: of its row, once it is written.
    :ivar is_known: whether it is known whose it is.
    """

    link: KnownLink
    message_id: int | None
    kind: str
    at: datetime
    day: date
    id: int = 0
    is_known: bool = False


@dataclass(slots=True)
class NamedClick:
    """A click of before, of which it is known by now whose it is.

    :ivar day: of the shop's zone, when it became known.
    :ivar is_told: whether somebody hears of it: nobody knew before, and a person clicked.
    """

    id: int
    link_id: int
    member_id: Any
    day: date
    is_told: bool = False


AnyClick: TypeAlias = NewClick | NamedClick


class ClickWriter(GroupWriter[AnyClick]):
    """Writes clicks, and what becomes known of them."""

    called = "clicks"
    name = "lineconnect-clicks"
    usual_patience = PATIENCE

    def __init__(self, engine: Engine, known: KnownLinks, *, patience: float | None = None):
        super().__init__(engine, patience=patience)
        self._known = known
        self._sql = _Statements.on(engine)
        driver: Any = engine.dialect.dbapi
        self._refusals = (IntegrityError, driver.IntegrityError)
        self._moment = _processor(engine, _TABLE.c.clicked_at)
        self._day = _processor(engine, cast(Table, ResultCount.__table__).c.day)

    def _commit(self, group: Sequence[HandedIn[AnyClick]], deadline: float) -> None:
        try:
            super()._commit(group, deadline)
        except self._refusals:
            # A link or a person went in this moment: that costs no other click.
            for one in group:
                self._commit_alone(one, deadline)

    def _commit_alone(self, one: HandedIn[AnyClick], deadline: float) -> None:
        try:
            super()._commit([one], deadline)
        except self._refusals:
            for click in one.rows:
                link_id = click.link.id if isinstance(click, NewClick) else click.link_id
                self._known.by_id.forget(link_id)
                logger.warning("a click on link %d was not stored: the link is gone", link_id)

    def _write_group(
        self, connection: PoolProxiedConnection, cursor: DBAPICursor, group: Sequence[Any]
    ) -> None:
        if self._is_sqlite:
            cursor.execute("BEGIN IMMEDIATE")
        clicks = list(chain.from_iterable(one.rows for one in group))
        new = [one for one in clicks if isinstance(one, NewClick)]
        self._insert_all(cursor, new, self._moment(group[0].now))
        named = [one for one in clicks if isinstance(one, NamedClick)]
        if named:
            # Without a close of its own: whoever got the connection gives it back.
            session = Session(Connection(self._engine, connection=connection))
            told = [one for click in named for one in _name(session, self._known, click)]
            if told:
                rows = rows_for(CLICKED, told, now=group[0].now)
                session.connection().execute(INSERT_EVENT, rows)

    def _insert_all(self, cursor: DBAPICursor, clicks: Sequence[NewClick], now: Any) -> None:
        """Write new clicks, what follows from them, and their counts, past SQLAlchemy.

        There are four statements, and they are hot. What the database knows of the member goes
        from its tables to its tables.
        """
        counted: Counter[tuple[Any, ...]] = Counter()
        people: dict[tuple[Any, ...], date] = {}
        sql = self._sql
        for one in clicks:
            at, message_id, link = self._moment(one.at), one.message_id, one.link
            values = (link.id, message_id, message_id, message_id, at, one.kind)
            cursor.execute(sql.click, values)
            one.id, member_id = cursor.fetchone() or (0, None)
            one.is_known = member_id is not None
            if one.kind == "person":
                counted[(*_owner(link), link.id, "clicks", one.day)] += 1
                if one.is_known:
                    if link.is_of_message:
                        people.setdefault((*_owner(link), member_id), one.day)
                    cursor.execute(sql.event, (CLICKED.name, member_id, _facts(link), at, now))
        # In one order everywhere, so that no two transactions wait for each other.
        for person, day in sorted(people.items(), key=str):
            cursor.execute(sql.person, (*person, self._day(day)))
            if cursor.fetchone():
                counted[(*person[:-1], 0, CLICKERS, day)] += 1
        for (*key, day), number in sorted(counted.items()):
            cursor.execute(sql.count, (*key, self._day(day), number))


@dataclass(frozen=True, slots=True)
class _Statements:
    """The hot statements, with the tables' names on one engine."""

    click: str
    event: str
    person: str
    count: str

    @classmethod
    def on(cls, engine: Engine) -> _Statements:
        """Return them for an engine's database."""
        models = (Click, MemberEvent, ResultPerson, ResultCount, OutboxMessage, Account)
        tables = [table_name(engine, cast(Table, one.__table__)) for one in models]
        click, event, person, count, message, account = tables
        is_sqlite = engine.dialect.name == "sqlite"
        found = cls(
            f"""INSERT INTO {click}
                (link_id, message_id, account_id, member_id, clicked_at, kind)
            VALUES (%s, %s, (SELECT account_id FROM {message} WHERE id = %s),
                (SELECT a.member_id FROM {message} AS m JOIN {account} AS a ON a.id = m.account_id
                    WHERE m.id = %s), %s, %s)
            RETURNING id, member_id""",
            f"""INSERT INTO {event}
                (name, member_id, facts, occurred_at, next_attempt_at, attempts)
            VALUES (%s, %s, {"%s" if is_sqlite else "CAST(%s AS JSON)"}, %s, %s, 0)""",
            f"""INSERT INTO {person}
                (campaign_id, scenario_id, step, variant, member_id, figure, day)
            VALUES (%s, %s, %s, %s, %s, '{CLICKERS}', %s) ON CONFLICT DO NOTHING RETURNING 1""",
            f"""INSERT INTO {count} AS c
                (campaign_id, scenario_id, step, variant, link_id, figure, day, number, forgotten)
            VALUES (%s, %s, %s, %s, %s, %s, %s, %s, 0)
            ON CONFLICT ({", ".join(KEY)}) DO UPDATE SET number = c.number + excluded.number""",
        )
        if not is_sqlite:
            return found
        statements = found.click, found.event, found.person, found.count
        return cls(*(sql.replace("%s", "?") for sql in statements))


def _name(session: Session, known: KnownLinks, click: NamedClick) -> Iterator[Told]:
    """Write whose a click was; return what there is to tell."""
    theirs = select(Account.id).where(Account.member_id == click.member_id).scalar_subquery()
    statement = (
        update(_TABLE)
        .where(_TABLE.c.id == click.id, _TABLE.c.member_id.is_(None))
        .values(member_id=click.member_id, account_id=theirs)
        .returning(_TABLE.c.kind, _TABLE.c.clicked_at)
    )
    row = session.connection().execute(statement).first()
    link = find(session, known, click.link_id)
    if row is not None and row.kind == "person" and link is not None:
        click.is_told = True
        if link.is_of_message:
            owner = dict(zip(KEY, _owner(link), strict=False))
            figure = {"figure": CLICKERS, "member_id": click.member_id, "day": click.day}
            count_people(session, [{**owner, **figure}])
        yield Told(click.member_id, _told_of(link), row.clicked_at)


@lru_cache(maxsize=1_000)
def _facts(link: KnownLink) -> str:
    """Return the written form of what the member event tells of a link."""
    return json.dumps(CLICKED.freeze(_told_of(link)))


def _told_of(link: KnownLink) -> dict[str, Any]:
    return {
        "link": link.label or link.target,
        "campaign": link.campaign,
        "scenario": link.scenario,
        "step": link.step or None,
        "variant": link.variant or None,
    }


def _owner(link: KnownLink) -> tuple[Any, ...]:
    """Return what a click is counted under, as the keys of ``results/counts.py`` begin."""
    return link.campaign_id or 0, link.scenario_id or 0, link.step, link.variant


def _processor(engine: Engine, column: Any) -> Callable[[Any], Any]:
    """Return what makes a value as the database has it."""
    return column.type.dialect_impl(engine.dialect).bind_processor(engine.dialect) or _unchanged


def _unchanged(value: object) -> object:
    return value
