"""The statements that a database is asked, for tests that count them or look at them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine
from sqlalchemy import event


@contextmanager
def noted_statements(engine: Engine) -> Iterator[list[str]]:
    """Return the statements that the engine executes inside the block, in their order."""
    noted: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_more: object) -> None:
        noted.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield noted
    finally:
        event.remove(engine, "before_cursor_execute", note)
