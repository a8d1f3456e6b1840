"""Ends runs, each with its reason, and takes their waiting messages along."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement
from sqlalchemy import Select
from sqlalchemy import or_
from sqlalchemy import select
from sqlalchemy import text
from sqlalchemy import update
from sqlalchemy.orm import Session

from ...models import OutboxMessage
from ...models import ScenarioRun
from ...models.outbox import UNSENT
from ...models.scenario import IS_LIVE
from .deciding import FINISHED
from .definition import END


def end_runs(session: Session, is_meant: ColumnElement[bool], reason: str, *, now: datetime) -> int:
    """End live runs, and cancel what of theirs waits in the outbox; return how many ended.

    A message that a worker has claimed by now is on its way; others ask once more when claimed.
    """
    live = is_meant, text(IS_LIVE)
    _cancel(session, select(ScenarioRun.id).where(*live), reason)
    return _write(session, live, reason, now)


def finish_settled(session: Session, is_meant: ColumnElement[bool], *, now: datetime) -> int:
    """Finish live runs behind their last step of which no message is on its way."""
    live = is_meant, text(IS_LIVE), ScenarioRun.step == END, ~has_unsent()
    return _write(session, live, FINISHED, now)


def has_unsent() -> ColumnElement[bool]:
    """Ask whether a message of a run is on its way."""
    return (
        select(OutboxMessage.id)
        .where(
            OutboxMessage.run_id == ScenarioRun.id,
            OutboxMessage.state.in_(UNSENT),
        )
        .correlate(ScenarioRun)
        .exists()
    )


def _write(session: Session, live: Sequence[Any], reason: str, now: datetime) -> int:
    statement = (
        update(ScenarioRun)
        .where(*live)
        .values(ended_at=now, end_reason=reason, due_at=None)
        .execution_options(synchronize_session=False)
    )
    return int(getattr(session.execute(statement), "rowcount", 0))


def _cancel(session: Session, runs: Select[Any], reason: str) -> None:
    is_waiting = or_(OutboxMessage.state == "queued", OutboxMessage.first_tried_at.is_(None))
    session.execute(
        update(OutboxMessage)
        .where(OutboxMessage.run_id.in_(runs), OutboxMessage.state.in_(UNSENT), is_waiting)
        .values(state="cancelled", next_attempt_at=None, error=f"the run ended: {reason}")
        .execution_options(synchronize_session=False)
    )
