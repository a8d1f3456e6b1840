"""Tells LINE of links that ended: the consent, and the rich menu of the person's own.

LINE demands it of every shop when a member leaves. Source: LINE Login v2.1 reference,
"Deauthorize"; LINE's development guidelines.
"""

from __future__ import annotations

import logging
from datetime import datetime
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy import text
from sqlalchemy import update
from sqlalchemy.orm import Session

from ..errors import LineApiError
from ..line_api.client import LineApi
from ..log_fields import log_fields
from ..login.tokens import LoginTokenApi
from ..login.tokens import LoginTokens
from ..login.tokens import TokenVault
from ..models import UnlinkTask
from ..models.account import IS_QUEUED
from ..state import LineState

logger = logging.getLogger(__name__)

#: How long a worker may take for one task before another takes it over.
LEASE = timedelta(seconds=60)
FIRST_BACKOFF, LONGEST_BACKOFF = timedelta(seconds=30), timedelta(hours=6)
#: LINE is told for as long as a refresh token could live; then a person must look.
GIVE_UP_AFTER = timedelta(days=14)


def tell_line_due(line: LineState) -> int:
    """Do every task that is due, one after the other; return how many."""
    count = 0
    while not line.stopping.is_set():
        with line.work_context():
            task_id = _claim(line.session, now=line.clock())
            if task_id is None:
                return count
            _work_on(line, task_id)
        count += 1
    return count


def _claim(session: Session, *, now: datetime) -> int | None:
    """Take the task that has been due for longest, in one statement, and commit."""
    due = (
        select(UnlinkTask.id)
        .where(text(IS_QUEUED), UnlinkTask.next_attempt_at <= now)
        .order_by(UnlinkTask.next_attempt_at)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    statement = (
        update(UnlinkTask)
        .where(UnlinkTask.id == due.scalar_subquery(), UnlinkTask.next_attempt_at <= now)
        .values(attempts=UnlinkTask.attempts + 1, next_attempt_at=now + LEASE)
        .returning(UnlinkTask.id)
        .execution_options(synchronize_session=False)
    )
    task_id = session.execute(statement).scalar_one_or_none()
    session.commit()
    return task_id


def _work_on(line: LineState, task_id: int) -> None:
    task = line.session.get_one(UnlinkTask, task_id)
    tokens = line.part(TokenVault).open(task.line_user_id, task.sealed_tokens)
    line_user_id, attempts, since = task.line_user_id, task.attempts, task.created_at
    # Nothing is held open while LINE is waited for.
    line.session.commit()
    try:
        _end_consent(line, tokens)
        line.part(LineApi).unlink_rich_menu(line_user_id)
    except LineApiError as error:
        logger.warning(
            "LINE was not told yet of the end of a link: %s",
            error.text,
            extra=log_fields("unlink_untold", error),
        )
        if line.clock() - since > GIVE_UP_AFTER:
            task.state, task.sealed_tokens = "failed", None
        backoff = min(FIRST_BACKOFF * 2 ** min(attempts - 1, 12), LONGEST_BACKOFF)
        task.next_attempt_at = line.clock() + backoff
    else:
        line.session.delete(task)
    line.session.commit()


def _end_consent(line: LineState, tokens: LoginTokens | None) -> None:
    now = line.clock()
    if tokens is None or tokens.refresh_expires_at <= now.timestamp():
        # Nothing of LINE's is left in our hands; the person can end the consent in LINE.
        return
    if tokens.expires_at <= now.timestamp():
        tokens = line.part(LoginTokenApi).refresh(tokens, now=now)
    if tokens is not None:
        line.part(LoginTokenApi).deauthorize(tokens)
