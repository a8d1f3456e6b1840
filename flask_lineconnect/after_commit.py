"""What must happen only if the shop's transaction does: after its commit, never after a rollback.

Signals and the waking of an engine go this way, so that nobody hears of what was undone.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from blinker import NamedSignal
from flask import current_app
from sqlalchemy import event
from sqlalchemy.orm import Session
from sqlalchemy.orm import SessionTransaction
from sqlalchemy.orm import scoped_session

logger = logging.getLogger(__name__)

#: In ``Session.info``: what waits for the commit, and what is due because it happened.
_WAITING, _DUE = "lineconnect_waiting", "lineconnect_due"


def after_commit(session: Session, act: Callable[[], object]) -> None:
    """Call ``act`` once the session's transaction has committed; the database can be used in it."""
    session.info.setdefault(_WAITING, []).append(act)


def announce(session: Session, signal: NamedSignal, **arguments: Any) -> None:
    """Send a signal, with the current app as its sender, once the transaction has committed."""
    app = current_app._get_current_object()  # type: ignore[attr-defined]  # LocalProxy's own method
    after_commit(session, lambda: signal.send(app, **arguments))


def watch(session: scoped_session[Any]) -> None:
    """Let :func:`after_commit` work with a shop's sessions; a second call does nothing."""
    if not event.contains(session, "after_commit", _note_commit):
        event.listen(session, "after_commit", _note_commit)
        event.listen(session, "after_soft_rollback", _forget)
        event.listen(session, "after_transaction_end", _act)


def _note_commit(session: Session) -> None:
    # A savepoint's end is no commit yet.
    if not session.in_nested_transaction():
        session.info.setdefault(_DUE, []).extend(session.info.pop(_WAITING, ()))


def _forget(session: Session, transaction: SessionTransaction) -> None:
    if transaction.parent is None:
        session.info.pop(_WAITING, None)


def _act(session: Session, transaction: SessionTransaction) -> None:
    """Do what is due, now that the session can begin another transaction."""
    if transaction.parent is not None:
        return
    for act in session.info.pop(_DUE, ()):
        try:
            act()
        except Exception:  # the transaction is done; whoever listens can't undo it
            logger.exception("a receiver of one of LineConnect's signals failed")
