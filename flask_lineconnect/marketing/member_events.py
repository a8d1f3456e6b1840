"""Tell what a member did: one INSERT in the caller's transaction, and a wake-up after its commit.

What can be told: ``event_kinds.py``. What follows from it: ``handling.py``.
"""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from datetime import datetime
from datetime import timedelta
from functools import partial
from typing import Any
from typing import NamedTuple
from typing import cast

from sqlalchemy import ColumnElement
from sqlalchemy import Select
from sqlalchemy import Table
from sqlalchemy import delete
from sqlalchemy import func
from sqlalchemy import insert
from sqlalchemy import inspect
from sqlalchemy import literal
from sqlalchemy import select
from sqlalchemy import update
from sqlalchemy.orm import InstanceState
from sqlalchemy.orm import Session

from ..after_commit import after_commit
from ..errors import UsageError
from ..models import Account
from ..models import CampaignMember
from ..models import MemberEvent
from ..models import ScenarioMember
from ..models import ScenarioRun
from ..models import Touch
from ..models.portions import Step
from ..models.portions import deleting
from ..state import LineState
from .event_kinds import EventKind
from .event_kinds import EventKinds

#: The longest name of a subject, in characters.
MAX_SUBJECT = 255

# Nothing comes back: a reader of the id would be one more round trip.
_TABLE = cast(Table, MemberEvent.__table__)
INSERT = insert(_TABLE).inline()


class Told(NamedTuple):
    """What one of many members did."""

    member_id: Any
    facts: Mapping[str, Any]
    at: datetime


def emit(
    line: LineState,
    name: str,
    member: Any,
    facts: Mapping[str, Any],
    *,
    subject: Any = None,
    at: datetime | None = None,
) -> None:
    """Tell what a member of the shop did, inside the caller's transaction.

    :raises UsageError: the event or a fact is not as it was declared; see ``LineConnect.emit``.
    """
    kind = _shops_kind(line, name)
    member_id = _member_key(line, member)
    about = None if subject is None else subject_key(line.session, subject)
    record(line, kind, member_id=member_id, subject=about, at=at, facts=facts)


def emit_many(
    line: LineState,
    name: str,
    members: Select[Any],
    facts: Mapping[str, Any],
    *,
    subject: Any = None,
    at: datetime | None = None,
) -> None:
    """Tell of many members that the same happened, in one statement; see ``LineConnect``.

    :raises UsageError: the event or a fact is not as it was declared, or the query has not exactly
        one column.
    """
    kind = _shops_kind(line, name)
    if not isinstance(members, Select) or len(members.selected_columns) != 1:
        raise UsageError(f"{name}: `members` is a select of member keys, one column of them")
    about = None if subject is None else subject_key(line.session, subject)
    values = _values(line, kind, subject=about, at=at, facts=facts)
    # Each member once, and no row without one; limits and orders of the query stay its own.
    chosen = members.subquery().c[0]
    key = select(chosen).where(chosen.is_not(None)).distinct().subquery().c[0]
    columns = [literal(value, _TABLE.c[column].type) for column, value in values.items()]
    rows = select(key, *columns)
    after_commit(line.session, partial(line.engine.wake, "schedule"))
    line.session.execute(_TABLE.insert().from_select(["member_id", *values], rows))


def record(
    line: LineState,
    kind: EventKind,
    *,
    member_id: Any | None,
    account: Account | None = None,
    subject: str | None = None,
    at: datetime | None = None,
    facts: Mapping[str, Any],
) -> None:
    """Write an event down, in one statement, and wake the engine once it is committed.

    :param at: when it happened; one in the future happened now.
    :raises UsageError: a fact is not as it was declared, or the time has no zone.
    """
    values = _values(line, kind, subject=subject, at=at, facts=facts)
    whose = {"member_id": member_id, "account_id": None if account is None else account.id}
    after_commit(line.session, partial(line.engine.wake, "schedule"))
    line.session.execute(INSERT, values | whose)


def rows_for(kind: EventKind, told: Iterable[Told], *, now: datetime) -> list[dict[str, Any]]:
    """Return the rows of events of one kind, for :data:`INSERT`; the engine is not woken.

    :raises UsageError: a fact is not as it was declared.
    """
    return [
        {
            "name": kind.name,
            "subject": None,
            "facts": kind.freeze(one.facts),
            "occurred_at": min(one.at, now),
            "next_attempt_at": now,
            "attempts": 0,
            "member_id": one.member_id,
            "account_id": None,
        }
        for one in told
    ]


def _shops_kind(line: LineState, name: str) -> EventKind:
    kind = line.part(EventKinds).get(name)
    if kind.home == "line":
        raise UsageError(f"{name} is told by the extension itself")
    return kind


def _values(
    line: LineState,
    kind: EventKind,
    *,
    subject: str | None,
    at: datetime | None,
    facts: Mapping[str, Any],
) -> dict[str, Any]:
    now = line.clock()
    if at is not None and at.tzinfo is None:
        raise UsageError(f"{kind.name}: `at` is a time without a zone; give an aware one")
    return {
        "name": kind.name,
        "subject": subject,
        "facts": kind.freeze(facts),
        "occurred_at": now if at is None else min(at, now),
        "next_attempt_at": now,
        "attempts": 0,
    }


def subject_key(session: Session, subject: Any) -> str:
    """Return the name of what an event is about: of a row of the shop's, its table and key.

    :raises UsageError: it has no key, or one that is too long.
    """
    state = inspect(subject, raiseerr=False)
    if isinstance(state, InstanceState):
        key = _identity(session, subject, state)
        table = cast(Table, state.mapper.base_mapper.local_table)
        name = f"{table.name}:{','.join(map(str, key))}"
    else:
        name = str(subject)
    if not name or len(name) > MAX_SUBJECT or "\0" in name:
        raise UsageError(f"the subject of a member event needs 1 to {MAX_SUBJECT} characters")
    return name


def _member_key(line: LineState, member: Any) -> Any:
    state = inspect(member, raiseerr=False)
    model = line.shop.model
    if not isinstance(state, InstanceState) or not issubclass(state.class_, model):
        raise UsageError(f"the member must be a {model.__name__}, not a {type(member).__name__}")
    return _identity(line.session, member, state)[0]


def _identity(session: Session, row: Any, state: InstanceState[Any]) -> tuple[Any, ...]:
    """Return the key of a row; a new one is flushed to get it."""
    if state.identity is None:
        session.add(row)
        session.flush()
    return tuple(state.identity or ())


def adopt(session: Session, account: Account, member_id: Any) -> None:
    """Let what a person did on LINE before they were known be the member's."""
    session.execute(
        update(MemberEvent)
        .where(MemberEvent.account_id == account.id, MemberEvent.member_id.is_(None))
        .values(member_id=member_id)
        .execution_options(synchronize_session=False)
    )


def forget_account(session: Session, account: Account) -> None:
    """Delete what is known of a LINE account, and of the member to whom it is linked."""
    _forget(session, MemberEvent.account_id == account.id)
    for table in (Touch, CampaignMember):
        session.execute(
            delete(table)
            .where(table.account_id == account.id)
            .execution_options(synchronize_session=False)
        )
    if account.member_id is not None:
        forget_members(session, [account.member_id])


def forget_members(session: Session, member_ids: Sequence[Any]) -> None:
    """Delete what is known of members with these keys: events, runs, sends."""
    _forget(session, MemberEvent.member_id.in_(member_ids))
    for table in (ScenarioRun, ScenarioMember, Touch, CampaignMember):
        session.execute(
            delete(table)
            .where(table.member_id.in_(member_ids))
            .execution_options(synchronize_session=False)
        )


def _forget(session: Session, is_theirs: ColumnElement[bool]) -> None:
    session.execute(
        delete(MemberEvent).where(is_theirs).execution_options(synchronize_session=False)
    )


def pruning_steps(session: Session, kept: timedelta, *, now: datetime) -> Iterator[Step]:
    """Return what deletes events that are older than they are kept; for ``upkeep.py``.

    One step for each kind, whose index has them in the order of their time.
    """
    until = now - kept
    for name in _names(session):
        is_old = MemberEvent.name == name, MemberEvent.occurred_at <= until
        yield deleting(MemberEvent.id, MemberEvent.occurred_at, *is_old)


def _names(session: Session) -> list[str]:
    """Return the names of stored events, stepping from one to the next in their index."""
    first = select(func.min(MemberEvent.name).label("name")).cte("names", recursive=True)
    following = select(func.min(MemberEvent.name)).where(MemberEvent.name > first.c.name)
    names = first.union_all(select(following.scalar_subquery()).where(first.c.name.is_not(None)))
    found = [name for name in session.scalars(select(names.c.name)) if name is not None]
    session.rollback()
    return found
