"""Writes clicks: the row, its count, and the member event that follows, in one transaction.

Those of all requests that wait are written together, see ``models/group_writer.py``: the counts of
a link that many tap at once are changed once for all of them.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from datetime import datetime
from itertools import chain
from typing import Any
from typing import TypeAlias
from typing import cast

from sqlalchemy import Connection
from sqlalchemy import Engine
from sqlalchemy import Table
from sqlalchemy import insert
from sqlalchemy import select
from sqlalchemy import update
from sqlalchemy.engine.interfaces import DBAPICursor
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from sqlalchemy.pool import PoolProxiedConnection

from ...models import Account
from ...models import Click
from ...models import OutboxMessage
from ...models.group_writer import GroupWriter
from ...models.group_writer import HandedIn
from ..event_kinds import CLICKED
from ..member_events import INSERT as INSERT_EVENT
from ..member_events import Told
from ..member_events import rows_for
from ..results.counts import count_many
from .stored import KnownLink
from .stored import KnownLinks
from .stored import find

logger = logging.getLogger(__name__)

#: Seconds for which a visitor may wait until the click is written.
PATIENCE = 1.0
_TABLE = cast(Table, Click.__table__)
_INSERT = insert(_TABLE).returning(_TABLE.c.id, sort_by_parameter_order=True)
#: Message ids in one statement; SQLite took no more than 999 values before 3.32.
_AT_ONCE = 500


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

    :ivar is_told: whether somebody hears of it: nobody knew before, and a person clicked.
    """

    id: int
    link_id: int
    member_id: Any
    is_told: bool = False


AnyClick: TypeAlias = NewClick | NamedClick


class ClickWriter(GroupWriter[AnyClick]):
    """Writes clicks, and what becomes known of them."""

    called = "clicks"
    name = "lineconnect-clicks"

    def __init__(self, engine: Engine, known: KnownLinks, *, patience: float = PATIENCE):
        super().__init__(engine, patience=patience)
        self._known = known

    def _commit(self, group: Sequence[HandedIn[AnyClick]], deadline: float) -> None:
        try:
            super()._commit(group, deadline)
        except IntegrityError:
            # A link or a person went in this moment: that costs no other click.
            for one in group:
                self._commit_alone(one, deadline)

    def _commit_alone(self, one: HandedIn[AnyClick], deadline: float) -> None:
        try:
            super()._commit([one], deadline)
        except IntegrityError:
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
        now: datetime = group[0].now
        # Without a close of its own: the connection is committed and given back by whoever got it.
        session = Session(Connection(self._engine, connection=connection))
        told = list(_insert_all(session, [one for one in clicks if isinstance(one, NewClick)]))
        for click in clicks:
            if isinstance(click, NamedClick):
                told += _name(session, self._known, click)
        if told:
            session.connection().execute(INSERT_EVENT, rows_for(CLICKED, told, now=now))


def _insert_all(session: Session, clicks: Sequence[NewClick]) -> Iterator[Told]:
    """Write new clicks and their counts; return what there is to tell of members."""
    if not clicks:
        return
    people = _people(session, [one.message_id for one in clicks if one.message_id is not None])
    rows = []
    for one in clicks:
        account_id, member_id = people.get(one.message_id, (None, None))
        one.is_known = member_id is not None
        rows.append(
            {
                "link_id": one.link.id,
                "message_id": one.message_id,
                "member_id": member_id,
                "account_id": account_id,
                "clicked_at": one.at,
                "kind": one.kind,
            }
        )
    ids = session.connection().execute(_INSERT, rows).scalars().all()
    for one, row, link_id in zip(clicks, rows, ids, strict=True):
        one.id = link_id
        if one.is_known and one.kind == "person":
            yield Told(row["member_id"], _facts(one.link), one.at)
    count_many(session, [_counted(one) for one in clicks if one.kind == "person"])


def _people(session: Session, message_ids: Sequence[int]) -> dict[int | None, tuple[int, Any]]:
    """Return account and member of the messages that are still there."""
    found: dict[int | None, tuple[int, Any]] = {}
    for start in range(0, len(message_ids), _AT_ONCE):
        statement = (
            select(OutboxMessage.id, Account.id, Account.member_id)
            .join(Account, Account.id == OutboxMessage.account_id)
            .where(OutboxMessage.id.in_(message_ids[start : start + _AT_ONCE]))
        )
        rows = session.connection().execute(statement)
        found |= {message_id: (account_id, key) for message_id, account_id, key in rows}
    return found


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
        yield Told(click.member_id, _facts(link), row.clicked_at)


def _facts(link: KnownLink) -> dict[str, Any]:
    """Return what the member event tells of a link; what is absent is left out."""
    return {
        "link": link.label or link.target,
        "campaign": link.campaign,
        "scenario": link.scenario,
        "step": link.step or None,
        "variant": link.variant or None,
    }


def _counted(click: NewClick) -> dict[str, Any]:
    link = click.link
    return {
        "figure": "clicks",
        "day": click.day,
        "campaign_id": link.campaign_id,
        "scenario_id": link.scenario_id,
        "step": link.step,
        "variant": link.variant,
        "link_id": link.id,
    }
