"""Change many rows a few at a time: no transaction is long, and whoever waits has the next turn.

SQLite has one writer at a time, and whoever waits for it sleeps a little and asks again: a
transaction of milliseconds can cost a webhook ten of them. So the portions are short, and rare as
long as anybody else writes.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any
from typing import Self
from typing import TypeVar

from sqlalchemy import ColumnElement
from sqlalchemy import Connection
from sqlalchemy import Engine
from sqlalchemy import Select
from sqlalchemy import TextClause
from sqlalchemy import delete
from sqlalchemy import select
from sqlalchemy import update
from sqlalchemy.orm import Session

from .sqlite import begin_writing

T = TypeVar("T")

#: Seconds that a portion should take; the next one has more or fewer rows.
PORTION_SECONDS = 0.004
FEWEST_ROWS, FIRST_ROWS, MOST_ROWS = 10, 50, 500
#: How long to rest, in lengths of the portion before, where nobody else writes, and where somebody
#: does: fewer than one webhook in a hundred may meet a portion, so that the slowest of a hundred is
#: as fast as without.
SHORT_REST, LONG_REST = 0.25, 150.0
#: Seconds of the longest rest, and for how long others are taken to write on.
LONGEST_REST, BUSY_SECONDS = 1.0, 2.0


@dataclass(frozen=True, slots=True)
class Step:
    """What is done to many rows.

    :ivar find: the keys of rows that it is still to be done to; asked before the transaction.
    :ivar change: does it, inside the transaction, to those of the rows that still are as they were.
    :ivar most: rows of one transaction.
    """

    find: Select[Any]
    change: Callable[[Session, Sequence[Any]], object]
    most: int = MOST_ROWS


def deleting(key: Any, order: Any, *conditions: ColumnElement[bool] | TextClause) -> Step:
    """Return the step that deletes rows.

    :param key: the attribute that is their primary key.
    :param order: the attribute by which an index finds them.
    """
    model = key.class_

    def change(session: Session, keys: Sequence[Any]) -> None:
        session.execute(
            delete(model)
            .where(key.in_(keys), *conditions)
            .execution_options(synchronize_session=False)
        )

    return Step(select(key).where(*conditions).order_by(order), change)


def updating(
    key: Any, order: Any, *conditions: ColumnElement[bool] | TextClause, **values: Any
) -> Step:
    """Return the step that writes the same to rows; see :func:`deleting`."""
    model = key.class_

    def change(session: Session, keys: Sequence[Any]) -> None:
        session.execute(
            update(model)
            .where(key.in_(keys), *conditions)
            .values(**values)
            .execution_options(synchronize_session=False)
        )

    return Step(select(key).where(*conditions).order_by(order), change)


class Portions:
    """Does steps in portions, as long as it is entered.

    :param seconds: after which it is over; what is left is left.
    :param is_stopping: asked between portions.
    """

    def __init__(
        self,
        session: Session,
        *,
        seconds: float = float("inf"),
        is_stopping: Callable[[], bool] = lambda: False,
    ):
        self._session = session
        self._ends_at = time.monotonic() + seconds
        self._is_stopping = is_stopping
        self._watcher: Connection | None = None
        self._busy_until = 0.0

    def __enter__(self) -> Self:
        """Watch whether others write, where that matters."""
        bind = self._session.get_bind()
        if isinstance(bind, Engine) and bind.dialect.name == "sqlite" and bind.url.database:
            self._watcher = bind.connect()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Give the connection back."""
        if self._watcher is not None:
            self._watcher.close()

    def is_over(self) -> bool:
        """Tell whether to leave the rest for another time."""
        return self._is_stopping() or time.monotonic() >= self._ends_at

    def run(self, step: Step) -> int:
        """Do a step until there is nothing to do, or it is over; commits; return how many rows."""
        rows, total = min(FIRST_ROWS, step.most), 0
        while not self.is_over():
            keys = self._session.scalars(step.find.limit(rows)).all()
            self._session.rollback()
            if not keys:
                break
            took = self._change(step, keys)
            total += len(keys)
            self._rest(took)
            if took > PORTION_SECONDS:
                rows = max(min(FEWEST_ROWS, step.most), rows // 2)
            elif took < PORTION_SECONDS / 2:
                rows = min(step.most, rows * 2)
        return total

    def act(self, change: Callable[[], T]) -> T:
        """Do one portion of the caller's own in a transaction, commit, and rest."""
        begin_writing(self._session)
        began = time.monotonic()
        found = change()
        self._session.commit()
        self._rest(time.monotonic() - began)
        return found

    def _change(self, step: Step, keys: Sequence[Any]) -> float:
        """Return how many seconds it took, without those for which others wrote."""
        begin_writing(self._session)
        began = time.monotonic()
        step.change(self._session, keys)
        self._session.commit()
        return time.monotonic() - began

    def _rest(self, took: float) -> None:
        is_busy = time.monotonic() < self._busy_until
        before = self._version()
        time.sleep(min(LONGEST_REST, took * (LONG_REST if is_busy else SHORT_REST)))
        if before != self._version():
            self._busy_until = time.monotonic() + BUSY_SECONDS

    def _version(self) -> int:
        """Return a number of SQLite's that changes when another connection has written."""
        if self._watcher is None:
            return 0
        return int(self._watcher.exec_driver_sql("PRAGMA data_version").scalar_one())
