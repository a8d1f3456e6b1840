"""Does the steps of runs that are due: claim, look, put into the outbox, move on, commit.

Run by the engines. What becomes of a run is said by ``stepping.py``. Whoever dies leaves the runs
as they were, and the message's key, made of run and step, lets the second try find the first.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime
from datetime import timedelta
from functools import partial
from typing import Any

from sqlalchemy import Row
from sqlalchemy import func
from sqlalchemy import select
from sqlalchemy import text
from sqlalchemy import true
from sqlalchemy import update
from sqlalchemy.exc import InterfaceError
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from ...after_commit import after_commit
from ...error_words import for_log
from ...log_fields import log_fields
from ...models import PublishedScenario
from ...models import ScenarioRun
from ...models.scenario import IS_TIMED
from ...models.sqlite import begin_writing
from ...state import LineState
from . import ending
from . import tracked
from . import writing
from .deciding import FAILED
from .deciding import STOPPED
from .definition import END
from .knowing import Known
from .knowing import know
from .published import Published
from .published import versions_of
from .putting import SOON
from .putting import Changes
from .putting import Sending
from .putting import send
from .stepping import TOO_OLD
from .stepping import Move
from .stepping import Standing
from .stepping import category_of
from .stepping import ends_of
from .stepping import move
from .wordings import messages_of

logger = logging.getLogger(__name__)

#: Runs of one transaction.
AT_ONCE = 500
#: After which attempts at a step its run is given up; how long the first of them waits.
MAX_ATTEMPTS, FIRST_BACKOFF = 5, timedelta(seconds=10)
#: How late it is asked again whether a run's last messages are settled.
LATE = timedelta(hours=1)

_COLUMNS = (
    ScenarioRun.id,
    ScenarioRun.version_id,
    ScenarioRun.member_id,
    ScenarioRun.step,
    ScenarioRun.began_at,
    ScenarioRun.moved_at,
    ScenarioRun.facts,
    ScenarioRun.attempts,
)


def do_due(line: LineState) -> int:
    """Look at runs that are due, a few hundred at the most; return how many there were."""
    claimed: list[int] = []
    with line.work_context():
        try:
            return _do(line, claimed)
        except (OperationalError, InterfaceError):
            line.session.rollback()
            raise
        except Exception as error:
            line.session.rollback()
            if not claimed:
                raise
            logger.warning(
                "%d runs of scenarios could not be moved together, and are moved one by one",
                len(claimed),
                exc_info=for_log(error),
                extra=log_fields("runs_one_by_one"),
            )
    for run_id in claimed:
        _do_alone(line, run_id)
    return len(claimed)


def next_due_at(session: Session) -> datetime | None:
    """Return when the next run is to be looked at, which may be past."""
    return session.scalar(select(func.min(ScenarioRun.due_at)).where(text(IS_TIMED)))


def _do_alone(line: LineState, run_id: int) -> None:
    with line.work_context():
        try:
            _do(line, [], only=run_id)
        except (OperationalError, InterfaceError):
            line.session.rollback()
            raise
        except Exception as error:
            line.session.rollback()
            _fail(line, run_id, error)


def _do(line: LineState, claimed: list[int], *, only: int | None = None) -> int:
    session, now = line.session, line.clock()
    is_meant = true() if only is None else ScenarioRun.id == only
    is_due = ScenarioRun.due_at <= now, is_meant, text(IS_TIMED)
    # In order: PostgreSQL would look through the table, where it finds one soon enough.
    first = select(ScenarioRun.id).where(*is_due).order_by(ScenarioRun.due_at).limit(1)
    is_any = session.scalar(first)
    session.rollback()
    if is_any is None:
        return 0
    begin_writing(session)
    statement = select(*_COLUMNS).where(*is_due).order_by(ScenarioRun.due_at).limit(AT_ONCE)
    runs = session.execute(statement.with_for_update(skip_locked=True)).all()
    claimed += [run.id for run in runs]
    changes = Changes()
    versions = versions_of(line, [run.version_id for run in runs])
    for version_id in {run.version_id for run in runs}:
        some = [run for run in runs if run.version_id == version_id]
        _look_at(line, versions[version_id], some, changes, now)
    _write(line, changes, now)
    session.commit()
    return len(runs)


def _look_at(
    line: LineState, published: Published, runs: Sequence[Row[Any]], changes: Changes, now: datetime
) -> None:
    """Look at runs of one version."""
    if published.state == "stopped":
        changes.ended[STOPPED] += [run.id for run in runs]
        return
    behind = [run for run in runs if run.step == END]
    before = [run for run in runs if run.step != END]
    if behind:
        _settle(line, published, behind, changes, now)
    if before and published.state == "paused" and _is_paused(line, published.id):
        changes.held += [run.id for run in before]
        return
    if before:
        _step(line, published, before, changes)


def _is_paused(line: LineState, scenario_id: int) -> bool:
    """Ask again, so that whoever resumes it waits until these runs are held, and finds them."""
    statement = select(PublishedScenario.state).where(PublishedScenario.id == scenario_id)
    return line.session.scalar(statement.with_for_update(read=True)) == "paused"


def _settle(
    line: LineState, published: Published, runs: Sequence[Row[Any]], changes: Changes, now: datetime
) -> None:
    """Finish runs whose last messages are settled, and look at the others again later."""
    session, ids = line.session, [run.id for run in runs]
    ending.finish_settled(session, ScenarioRun.id.in_(ids), now=now)
    open_ids = set(
        session.scalars(
            select(ScenarioRun.id).where(
                ScenarioRun.id.in_(ids), ScenarioRun.ended_at.is_(None), ending.has_unsent()
            )
        )
    )
    for run in runs:
        if run.id in open_ids:
            standing = Standing(run.step, run.began_at, run.moved_at)
            ends_at = ends_of(published.scenario, standing, line.config.zone)
            if ends_at is not None and ends_at <= now:
                changes.ended[TOO_OLD].append(run.id)
                continue
            again_at = now + min(LATE, max(SOON, now - run.moved_at))
            changes.moved.append((run, Move(standing, again_at)))


def _step(
    line: LineState, published: Published, runs: Sequence[Row[Any]], changes: Changes
) -> None:
    """Say what each run does; what is broken for all of them is noted for each."""
    messages = messages_of(line, published)
    try:
        with line.session.begin_nested():
            known = know(line, published.scenario, runs, messages)
    except Exception as error:
        changes.failed += [(run, error) for run in runs]
        return
    sending: list[Sending] = []
    for run in runs:
        try:
            _move(known, run, changes, sending)
        except Exception as error:
            changes.failed.append((run, error))
    if sending:
        before = len(changes.messages)
        send(line, known, messages, sending, changes)
        tracked.track_links(line, published, changes.messages[before:])


def _move(known: Known, run: Row[Any], changes: Changes, sending: list[Sending]) -> None:
    values = known.values(run.member_id, run.facts)
    standing = Standing(run.step, run.began_at, run.moved_at)
    found = move(known.scenario, standing, known.circumstances(run, values))
    step = known.scenario.step(run.step)
    if found.ends is not None:
        changes.ended[found.ends].append(run.id)
    elif found.is_sent and step is not None:
        if category_of(known.scenario, step) in known.rules.advertising:
            if run.member_id in changes.advertised:
                # The next transaction counts the first one, and asks again.
                return
            changes.advertised.add(run.member_id)
        sending.append(Sending(run, step, found, values))
    else:
        changes.moved.append((run, found))


def _write(line: LineState, changes: Changes, now: datetime) -> None:
    session = line.session
    if changes.messages:
        tracked.put(line, changes.messages, now=now)
        after_commit(session, partial(line.engine.wake, "delivery"))
    writing.note_moves(session, changes.moved, now=now)
    for reason, ids in changes.ended.items():
        ending.end_runs(session, ScenarioRun.id.in_(ids), reason, now=now)
    if changes.held:
        session.execute(
            update(ScenarioRun)
            .where(ScenarioRun.id.in_(changes.held))
            .values(due_at=None)
            .execution_options(synchronize_session=False)
        )
    for run, error in changes.failed:
        _note_failure(line, run.id, run.attempts, error)


def _fail(line: LineState, run_id: int, error: Exception) -> None:
    begin_writing(line.session)
    attempts = line.session.scalar(
        select(ScenarioRun.attempts).where(ScenarioRun.id == run_id, text(IS_TIMED))
    )
    if attempts is not None:
        _note_failure(line, run_id, attempts, error)
    line.session.commit()


def _note_failure(line: LineState, run_id: int, attempts: int, error: Exception) -> None:
    """Try a run's step again later, or give it up; its error stays in its row."""
    session, now, told = line.session, line.clock(), for_log(error)
    is_last = attempts + 1 >= MAX_ATTEMPTS
    session.execute(
        update(ScenarioRun)
        .where(ScenarioRun.id == run_id)
        .values(
            attempts=attempts + 1,
            error=f"{type(told).__name__}: {told}",
            due_at=now + FIRST_BACKOFF * 4**attempts,
        )
        .execution_options(synchronize_session=False)
    )
    if is_last:
        ending.end_runs(session, ScenarioRun.id == run_id, FAILED, now=now)
    logger.error(
        "a step of the scenario run %d failed; %s",
        run_id,
        "the run is given up" if is_last else "it is tried again",
        exc_info=told,
        extra=log_fields("scenario_run_failed", run_id=run_id),
    )
