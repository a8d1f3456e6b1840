"""What engines do for one campaign or scenario after the other: one that fails holds back no other.

Whatever failed is put off, and its row says why until it succeeds.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy.exc import InterfaceError
from sqlalchemy.exc import OperationalError

from ..error_words import for_log
from ..log_fields import log_fields
from ..models.sqlite import begin_writing
from ..state import LineState

logger = logging.getLogger(__name__)

#: When what failed is tried again.
TRY_AGAIN = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Work:
    """Something to do for a row when its time has come.

    :ivar model: the row's table, with ``next_at`` and ``problem``.
    :ivar do: does it for a row by its id, and returns how much was done.
    :ivar plain: errors that say in a sentence what is wrong, and need no traceback.
    :ivar subject: what the row is, and the log field with its name: ``campaign``.
    :ivar name: the column with its name.
    :ivar failed: what could not be done, for the log: ``the campaign %s could not begin``.
    :ivar event: the same as a log field.
    """

    model: Any  # A mapped class; what it maps has no common type.
    do: Callable[[LineState, int], int]
    plain: type[Exception]
    subject: str
    name: str
    failed: str
    event: str


def do_or_say(line: LineState, work: Work, row_id: int) -> int:
    """Do it for one row, or note why not and put it off; return how much was done."""
    session = line.session
    try:
        return work.do(line, row_id)
    except (OperationalError, InterfaceError):
        # Nobody's fault but the database's, which may be away.
        session.rollback()
        raise
    except Exception as error:  # one broken row must hold back no other
        session.rollback()
        _put_off(line, work, row_id, error)
        return 0


def _put_off(line: LineState, work: Work, row_id: int, error: Exception) -> None:
    session = line.session
    told = None if isinstance(error, work.plain) else for_log(error)
    begin_writing(session)
    row = session.get_one(work.model, row_id)
    row.next_at = line.clock() + TRY_AGAIN
    row.problem = str(error) if told is None else f"{type(told).__name__}: {told}"
    name = getattr(row, work.name)
    logger.error(
        f"{work.failed}%s; it is tried again in %g minutes",
        name,
        f": {error}" if told is None else "",
        TRY_AGAIN / timedelta(minutes=1),
        exc_info=told,
        extra=log_fields(work.event, **{work.subject: name}),
    )
    session.commit()
