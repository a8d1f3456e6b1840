"""Writes what steps did: messages, outcomes, where the runs stand now; each in one statement."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from typing import cast

from sqlalchemy import Row
from sqlalchemy import Table
from sqlalchemy import bindparam
from sqlalchemy import update
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects import sqlite
from sqlalchemy.orm import Session

from ...models import OutboxMessage
from ...models import ScenarioRun
from ...models import ScenarioStep
from ...outbox.of_runs import OF_RUN
from ...outbox.policy import MARKETING
from ...outbox.policy import TRANSACTIONAL
from .definition import Step
from .stepping import Move

_RUN = cast(Table, ScenarioRun.__table__)
_STEP = cast(Table, ScenarioStep.__table__)
_MESSAGE = cast(Table, OutboxMessage.__table__)
#: Of retry keys; any UUID that nobody else uses.
_KEYS = uuid.UUID("8d3c1f6a-4f0b-4c55-9d4e-7f1a3b2c5e60")


def message_row(
    run: Row[Any],
    step: Step,
    account_id: int,
    messages: str,
    category: str,
    is_advertising: bool,
    found: Move,
) -> dict[str, Any]:
    """Return the row of a step's message in the outbox.

    Its retry key is the same again if the same step is done from a restored backup: LINE knows it
    for a day. Run ids may come again there, for other members.
    """
    name = f"{run.id}:{step.name}:{run.member_id}:{run.began_at.timestamp()}"
    return {
        "account_id": account_id,
        "messages": messages,
        "category": category,
        "priority": MARKETING if is_advertising else TRANSACTIONAL,
        "dedupe_key": f"{OF_RUN}{run.id}:{step.name}",
        "retry_key": str(uuid.uuid5(_KEYS, name)),
        "run_id": run.id,
        "expires_at": found.expires_at,
    }


def put(session: Session, rows: Sequence[dict[str, Any]], *, now: datetime) -> None:
    """Put messages into the outbox; one with the same key is there already, and stays."""
    if rows:
        statement = _insert(session, _MESSAGE).on_conflict_do_nothing()
        session.connection().execute(statement, _whole(rows, now))


def put_new(
    session: Session, rows: Sequence[dict[str, Any]], *, now: datetime
) -> list[tuple[int, str]]:
    """Do the same, and return ids and messages of those that were not there already."""
    if not rows:
        return []
    statement = _insert(session, _MESSAGE).on_conflict_do_nothing()
    told = statement.returning(_MESSAGE.c.id, _MESSAGE.c.messages)
    new = session.connection().execute(told, _whole(rows, now))
    return [(message_id, messages) for message_id, messages in new]


def _whole(rows: Sequence[dict[str, Any]], now: datetime) -> list[dict[str, Any]]:
    fixed = {
        "state": "queued",
        "attempts": 0,
        "claims": 0,
        "is_uncertain": False,
        "created_at": now,
        "next_attempt_at": now,
    }
    return [{**fixed, **row} for row in rows]


def change_new(session: Session, texts: Sequence[tuple[int, str]]) -> None:
    """Write the messages of rows that this transaction has put in, before anybody sees them."""
    statement = (
        update(_MESSAGE)
        .where(_MESSAGE.c.id == bindparam("message_id"))
        .values(messages=bindparam("written"))
    )
    rows = [{"message_id": message_id, "written": text} for message_id, text in texts]
    if rows:
        session.connection().execute(statement, rows)


def note_moves(session: Session, moved: Sequence[tuple[Row[Any], Move]], *, now: datetime) -> None:
    """Write where runs stand, and what their steps did."""
    outcomes = [
        {
            "run_id": run.id,
            "step": run.step,
            "outcome": found.outcome,
            "reason": found.reason,
            "at": now,
        }
        for run, found in moved
        if found.outcome is not None
    ]
    if outcomes:
        insert = _insert(session, _STEP)
        changed = {name: insert.excluded[name] for name in ("outcome", "reason", "at")}
        keys = [_STEP.c.run_id, _STEP.c.step]
        statement = insert.on_conflict_do_update(index_elements=keys, set_=changed)
        session.connection().execute(statement, outcomes)
    if moved:
        _move(session, moved)


def _move(session: Session, moved: Sequence[tuple[Row[Any], Move]]) -> None:
    statement = (
        update(_RUN)
        .where(_RUN.c.id == bindparam("run_id"))
        .values(
            step=bindparam("to_step"),
            moved_at=bindparam("from_at"),
            due_at=bindparam("again_at"),
            attempts=0,
            error=None,
        )
    )
    rows = [
        {
            "run_id": run.id,
            "to_step": found.standing.step,
            "from_at": found.standing.moved_at,
            "again_at": found.due_at,
        }
        for run, found in moved
    ]
    session.connection().execute(statement, rows)


def _insert(session: Session, table: Table) -> Any:
    is_sqlite = session.get_bind().dialect.name == "sqlite"
    return sqlite.insert(table) if is_sqlite else postgresql.insert(table)
