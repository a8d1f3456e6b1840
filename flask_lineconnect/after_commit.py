"""What must happen only if the shop's transaction does: after its commit, never after a rollback.

Signals and the waking of an engine go this way, so that nobody hears of what was undone: by the
transaction, by a savepoint in it, or by closing the session.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any
from typing import NamedTuple

from blinker import NamedSignal
from flask import current_app
from sqlalchemy import event
from sqlalchemy.orm import Session
from sqlalchemy.orm import SessionTransaction
from sqlalchemy.orm import scoped_session

from .error_words import for_log
from .signals import tell

logger = logging.getLogger(__name__)

#: In ``Session.info``: what waits for the commit, what is due because it happened, and the
#: savepoints that were kept.
_WAITING, _DUE, _KEPT = "lineconnect_waiting", "lineconnect_due", "lineconnect_kept"


class _Waiting(NamedTuple):
    """What waits, and the savepoint or transaction in which it was asked for."""

    act: Callable[[], object]
    inside: SessionTransaction | None


def after_commit(session: Session, act: Callable[[], object]) -> None:
    """Call ``act`` once the session's transaction has committed; the database can be used in it."""
    own: Session = session() if isinstance(session, scoped_session) else session
    if not own.in_transaction():
        # So that its end is noticed, be it that the session is only closed.
        own.begin()
    inside = own.get_nested_transaction() or own.get_transaction()
    own.info.setdefault(_WAITING, []).append(_Waiting(act, inside))


def announce(session: Session, signal: NamedSignal, **arguments: Any) -> None:
    """Send a signal, with the current app as its sender, once the transaction has committed."""
    app = current_app._get_current_object()  # type: ignore[attr-defined]  # LocalProxy's own method

    def act() -> None:
        if not tell(signal, app, **arguments):
            # What a receiver left half done must not be in our next transaction.
            session.rollback()

    after_commit(session, act)


def watch(session: scoped_session[Any]) -> None:
    """Let :func:`after_commit` work with a shop's sessions; a second call does nothing."""
    if not event.contains(session, "after_commit", _note_commit):
        event.listen(session, "after_commit", _note_commit)
        event.listen(session, "after_transaction_end", _end)


def _note_commit(session: Session) -> None:
    savepoint = session.get_nested_transaction()
    if savepoint is not None:
        session.info.setdefault(_KEPT, []).append(savepoint)
        return
    waiting = session.info.pop(_WAITING, ())
    session.info.setdefault(_DUE, []).extend(one.act for one in waiting)


def _end(session: Session, transaction: SessionTransaction) -> None:
    """Forget what was undone; do what is due, now that the session can begin another."""
    if transaction.nested:
        kept = session.info.get(_KEPT, ())
        if not any(one is transaction for one in kept) and _WAITING in session.info:
            session.info[_WAITING] = [
                one for one in session.info[_WAITING] if not _is_within(one.inside, transaction)
            ]
    elif transaction.parent is None:
        session.info.pop(_WAITING, None)
        session.info.pop(_KEPT, None)
        for act in session.info.pop(_DUE, ()):
            try:
                act()
            # The transaction is done; whoever hears of it can't undo it.
            except Exception as error:
                logger.error("what follows a commit failed", exc_info=for_log(error))


def _is_within(inner: SessionTransaction | None, outer: SessionTransaction) -> bool:
    while inner is not None and inner is not outer:
        inner = inner.parent
    return inner is outer
