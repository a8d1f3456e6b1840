"""Write down LINE user ids as friends who are not linked; doing it again changes nothing.

Whoever links later has their row already: a login finds it by the id. So it is with a link that
there is: nobody is untied here.
"""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import fields
from datetime import datetime
from functools import partial
from itertools import islice
from typing import Any
from typing import cast

from sqlalchemy import ColumnElement
from sqlalchemy import Table
from sqlalchemy import or_
from sqlalchemy import select
from sqlalchemy import update
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects import sqlite
from sqlalchemy.orm import Session

from ...models import Account
from ...models.portions import MOST_ROWS
from ...models.portions import Portions

_ACCOUNT = cast(Table, Account.__table__)


@dataclass(slots=True)
class Added:
    """What became of some ids.

    :ivar new: nobody knew them.
    :ivar noted: known, and not as friends before.
    :ivar known: friends already, without a link.
    :ivar linked: members already.
    :ivar blocked: of whom LINE told that they blocked the account; they stay what they are.
    """

    new: int = 0
    noted: int = 0
    known: int = 0
    linked: int = 0
    blocked: int = 0

    def count(self, more: Added) -> None:
        """Add what became of others."""
        for field in fields(self):
            setattr(self, field.name, getattr(self, field.name) + getattr(more, field.name))


def add_friends(
    session: Session, ids: Iterable[str], *, now: datetime, told_at: datetime | None = None
) -> Added:
    """Write down friends, a few hundred at a time; commits.

    What LINE told of somebody after ``told_at``, or at any time without it, counts more.

    :param ids: of LINE's form.
    :param told_at: when LINE said that they are friends; ``None``: the shop says so.
    """
    added = Added()
    with Portions(session) as portions:
        for some in _in_portions(ids):
            added.count(portions.act(partial(_add, session, some, now, told_at)))
    return added


def _in_portions(ids: Iterable[str]) -> Iterator[list[str]]:
    # Two who add the same people at a time take their rows in the same order.
    rest = iter(ids)
    while some := list(islice(rest, MOST_ROWS)):
        yield sorted(set(some))


def _add(session: Session, ids: Sequence[str], now: datetime, told_at: datetime | None) -> Added:
    made = _insert(session, ids, now, told_at)
    is_meant = Account.line_user_id.in_([one for one in ids if one not in made])
    before = session.execute(
        select(Account.id, Account.is_friend, Account.member_id).where(is_meant)
    ).all()
    session.execute(
        update(Account)
        .where(is_meant, _is_open(told_at))
        .values(is_friend=True, friend_evidence_at=told_at)
        .execution_options(synchronize_session=False)
    )
    blocked = set(session.scalars(select(Account.id).where(is_meant, Account.is_friend.is_(False))))
    added = Added(new=len(made))
    for account_id, was_friend, member_id in before:
        if member_id is not None:
            added.linked += 1
        elif account_id in blocked:
            added.blocked += 1
        elif was_friend:
            added.known += 1
        else:
            added.noted += 1
    return added


def _is_open(told_at: datetime | None) -> ColumnElement[bool]:
    """Return whether nothing is known that counts more."""
    if told_at is None:
        return Account.is_friend.is_(None)
    evidence = Account.friend_evidence_at
    return or_(evidence.is_(None), evidence <= told_at)


def _insert(
    session: Session, ids: Sequence[str], now: datetime, told_at: datetime | None
) -> set[str]:
    """Insert those whom nobody knows, also where others do so at the same time."""
    if not ids:
        return set()
    row: dict[str, Any] = {
        "display_name": "",
        "is_friend": True,
        "friend_evidence_at": told_at,
        "session_generation": 0,
        "created_at": now,
    }
    is_sqlite = session.get_bind().dialect.name == "sqlite"
    insert = sqlite.insert(_ACCOUNT) if is_sqlite else postgresql.insert(_ACCOUNT)
    statement = insert.on_conflict_do_nothing().returning(_ACCOUNT.c.line_user_id)
    # Many rows to a statement, which is compiled once.
    rows = [{"line_user_id": one, **row} for one in ids]
    return set(session.connection().scalars(statement, rows))
