"""From an event that was told to what follows from it; each event and its consequences commit once.

Run by the engines. A member's events are handled in the order in which they were told, those of
many members side by side; whoever dies leaves them as they were.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field
from datetime import datetime
from datetime import timedelta

from sqlalchemy import Select
from sqlalchemy import select
from sqlalchemy.orm import Session
from sqlalchemy.orm import aliased

from ..error_words import for_log
from ..log_fields import log_fields
from ..models import MemberEvent
from ..models.sqlite import begin_writing
from ..state import LineState

logger = logging.getLogger(__name__)

#: Events of one transaction: a lock of SQLite's is held for its length.
BATCH = 100
#: After which an event is given up, with what went wrong in its row.
MAX_ATTEMPTS = 5
FIRST_BACKOFF = timedelta(seconds=10)
#: What follows from an event, in the transaction of its handling; what it raises undoes it alone.
Consequence = Callable[[LineState, MemberEvent], object]
#: The same of several events at once, each of another member; what it raises lets them be handled
#: one by one.
CommonConsequence = Callable[[LineState, Sequence[MemberEvent]], object]


@dataclass(slots=True)
class Consequences:
    """What follows from the member events of one app, in this order."""

    together: list[CommonConsequence] = field(default_factory=list)
    acts: list[Consequence] = field(default_factory=list)


def handle_due(line: LineState) -> int:
    """Handle every event that is due, and what becomes due meanwhile; return how many."""
    total = 0
    while not line.stopping.is_set():
        count = handle_some(line)
        total += count
        if not count:
            break
    return total


def handle_some(line: LineState) -> int:
    """Handle a batch of events that are due; return how many, perhaps of more.

    For engines: where events never end, what follows from them has its turn in between.
    """
    with line.work_context():
        return _handle_some(line)


def _handle_some(line: LineState) -> int:
    session, now = line.session, line.clock()
    is_anything_due = session.scalar(_due(now).with_only_columns(MemberEvent.id).limit(1))
    session.rollback()
    if is_anything_due is None:
        return 0
    # Without it SQLite's lock would be taken after reading, and could be refused.
    begin_writing(session)
    events = _claim(session, now)
    if not _handle_together(line, events):
        for event in events:
            _handle(line, event, now)
    session.commit()
    return len(events)


def _due(now: datetime) -> Select[MemberEvent]:
    return (
        select(MemberEvent)
        .where(MemberEvent.next_attempt_at.is_not(None), MemberEvent.next_attempt_at <= now)
        .order_by(MemberEvent.next_attempt_at, MemberEvent.id)
    )


def _claim(session: Session, now: datetime) -> Sequence[MemberEvent]:
    """Take the events that have been due for longest, of each member the first that is left."""
    earlier = aliased(MemberEvent)
    waits_its_turn = (
        select(earlier.id)
        .where(
            earlier.member_id == MemberEvent.member_id,
            earlier.next_attempt_at.is_not(None),
            earlier.id < MemberEvent.id,
        )
        .exists()
    )
    statement = _due(now).where(~waits_its_turn).limit(BATCH).with_for_update(skip_locked=True)
    return session.scalars(statement).all()


def _handle_together(line: LineState, events: Sequence[MemberEvent]) -> bool:
    """Handle events in one go, which costs each of them less; return whether nothing failed."""
    try:
        with line.session.begin_nested():
            _let_follow(line, events)
            for event in events:
                event.next_attempt_at = event.error = None
    except Exception:
        # Whose fault it is, and what is told of it, comes out one by one.
        logger.debug("%d member events are handled one by one", len(events))
        return False
    return True


def _let_follow(line: LineState, events: Sequence[MemberEvent]) -> None:
    consequences = line.part(Consequences)
    for together in consequences.together:
        together(line, events)
    for event in events:
        for act in consequences.acts:
            act(line, event)


def _handle(line: LineState, event: MemberEvent, now: datetime) -> None:
    session, event_id = line.session, event.id
    try:
        with session.begin_nested():
            _let_follow(line, [event])
    except Exception as error:  # one broken consequence must hold back no other event
        # Its words may be a person's, and the row is kept for long.
        told = for_log(error)
        event.attempts += 1
        is_last = event.attempts >= MAX_ATTEMPTS
        wait = FIRST_BACKOFF * 4 ** (event.attempts - 1)
        event.next_attempt_at = None if is_last else now + wait
        event.error = "".join(traceback.format_exception(told))
        logger.error(
            "what follows from the member event %d failed; %s",
            event_id,
            "it is given up" if is_last else f"it is tried again in {wait.total_seconds():g} s",
            exc_info=told,
            extra=log_fields("member_event_failed", event_id=event_id),
        )
    else:
        event.next_attempt_at = event.error = None
