"""Whether the database has our tables as this version needs them; said before a customer finds out.

In development it is said once, when the server starts; ``flask line setup`` and the worker ask too.
"""

from __future__ import annotations

import logging
import os
import threading
import time

import click
from flask import Flask
from sqlalchemy import Engine
from sqlalchemy import inspect
from sqlalchemy.engine import ObjectKind
from sqlalchemy.exc import SQLAlchemyError

from ..errors import ConfigError
from ..log_fields import log_fields
from ..models import LineBase
from ..models.databases import MIN_POSTGRESQL
from ..models.databases import check_version
from ..models.databases import effective_schema
from ..state import LineState

logger = logging.getLogger(__name__)

#: Seconds that a shop has for ``db.create_all()`` behind ``line.init_app(app)``.
PATIENCE = 3.0


def check_tables(line: LineState) -> None:
    """Look whether all tables and columns are there.

    :raises ConfigError: the database is too old, or lacks something; the text says what to do.
    """
    with line.app.app_context():
        engine, metadata = line.db.engine, line.db.metadata
        schema = effective_schema(engine, metadata)
    missing = _missing(engine, schema)
    if missing:
        what = ", ".join(missing[:5]) + (f" and {len(missing) - 5} more" if missing[5:] else "")
        raise ConfigError(
            f"the database lacks what flask-lineconnect needs: {what}; run `flask db migrate` and "
            "`flask db upgrade` (Flask-Migrate), or `db.create_all()`, which makes whole tables "
            "but adds no column"
        )


def watch_start(app: Flask, line: LineState) -> None:
    """In development, log at start that tables are missing: ``flask run`` itself, once.

    A server that was started in another way says it at its first request.
    """
    look = _Look(line)
    app.before_request(look.at_request)
    if app.debug and not app.testing and _is_started_by_flask_run():
        threading.Thread(target=look.at_start, name="lineconnect-tables", daemon=True).start()


class _Look:
    """One look of a process at its database."""

    def __init__(self, line: LineState):
        self._line = line
        self._is_done = False

    def at_request(self) -> None:
        """Look at the first request of a server that is for development."""
        if not self._is_done:
            self._is_done = True
            if self._line.app.debug and not self._line.app.testing:
                self._say(self._found())

    def at_start(self) -> None:
        """Look as soon as the tables could be there."""
        deadline = time.monotonic() + PATIENCE
        while (found := self._found()) and time.monotonic() < deadline:
            time.sleep(PATIENCE / 10)
        if not self._is_done:
            self._is_done = True
            self._say(found)

    def _found(self) -> str:
        try:
            check_tables(self._line)
        except ConfigError as error:
            return str(error)
        except SQLAlchemyError as error:
            return f"the database does not answer ({type(error).__name__})"
        return ""

    def _say(self, found: str) -> None:
        if found:
            logger.error("LINE will not work: %s", found, extra=log_fields("tables_missing"))


def _missing(engine: Engine, schema: str | None) -> list[str]:
    """Return the names of missing tables, and of missing columns of those that are there."""
    tables = LineBase.metadata.sorted_tables
    inspector = inspect(engine)
    if engine.dialect.name == "postgresql":
        check_version("PostgreSQL", engine.dialect.server_version_info, MIN_POSTGRESQL)
    names = [table.name for table in tables]
    there = inspector.get_multi_columns(schema=schema, filter_names=names, kind=ObjectKind.ANY)
    columns = {name: {one["name"] for one in found} for (_, name), found in there.items()}
    absent = [name for name in names if not columns.get(name)]
    return absent + [
        f"the column {table.name}.{column.name}"
        for table in tables
        if columns.get(table.name)
        for column in table.columns
        if column.name not in columns[table.name]
    ]


def _is_started_by_flask_run() -> bool:
    """Tell whether this process is the one that ``flask run`` lets serve."""
    context = click.get_current_context(silent=True)
    if context is None or context.info_name != "run":
        return False
    # With the reloader, another process serves, and has this in its environment.
    reloads = context.params.get("reload")
    return reloads is False or os.environ.get("WERKZEUG_RUN_MAIN") == "true"
