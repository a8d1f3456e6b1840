"""What a hook does with the shop's database session: which connections, and commits of its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from dataclasses import field
from typing import Any

from sqlalchemy import Connection
from sqlalchemy import event
from sqlalchemy.orm import Session
from sqlalchemy.orm import SessionTransaction
from sqlalchemy.orm import scoped_session

#: In ``Session.info``, while somebody wants to know.
_KEY = "lineconnect_use"


@dataclass(slots=True)
class SessionUse:
    """What a session was used for.

    :ivar connections: those of the transaction that is open now.
    :ivar commits: how often it was committed.
    """

    connections: list[Connection] = field(default_factory=list)
    commits: int = 0

    def has_written(self) -> bool:
        """Ask the databases whether the open transaction has changed anything."""
        return any(map(_has_written, self.connections))


def watch(session: scoped_session[Any]) -> None:
    """Let :func:`noted_use` work with a shop's sessions; a second call does nothing."""
    if not event.contains(session, "after_begin", _note_begin):
        event.listen(session, "after_begin", _note_begin)
        event.listen(session, "after_commit", _note_commit)
        event.listen(session, "after_transaction_end", _note_end)


@contextmanager
def noted_use(session: Session) -> Iterator[SessionUse]:
    """Note what a session is used for until the block ends."""
    use = session.info[_KEY] = SessionUse()
    try:
        yield use
    finally:
        session.info.pop(_KEY, None)


def _note_begin(session: Session, _transaction: SessionTransaction, connection: Connection) -> None:
    use = session.info.get(_KEY)
    if use is not None and connection not in use.connections:
        use.connections.append(connection)


def _note_commit(session: Session) -> None:
    use = session.info.get(_KEY)
    # A savepoint's end is no commit yet.
    if use is not None and not session.in_nested_transaction():
        use.commits += 1


def _note_end(session: Session, transaction: SessionTransaction) -> None:
    use = session.info.get(_KEY)
    if use is not None and transaction.parent is None:
        use.connections.clear()


def _has_written(connection: Connection) -> bool:
    match connection.dialect.name:
        case "sqlite":
            driver: Any = connection.connection.dbapi_connection
            return bool(driver.in_transaction)
        case "postgresql":
            asked = connection.exec_driver_sql("SELECT txid_current_if_assigned()")
            return asked.scalar() is not None
    return True
