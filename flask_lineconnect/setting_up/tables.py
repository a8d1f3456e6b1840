"""Whether the database has our tables as this version needs them; said before a customer finds out.

``doctor/start.py`` asks in development, ``flask line setup``, the worker and the doctor do, too.
"""

from __future__ import annotations

from sqlalchemy import Engine
from sqlalchemy import inspect
from sqlalchemy.engine import ObjectKind

from ..errors import ConfigError
from ..models import LineBase
from ..models.databases import MIN_POSTGRESQL
from ..models.databases import check_version
from ..models.databases import effective_schema
from ..state import LineState


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
            "`flask db upgrade` (Flask-Migrate), or without it `flask line db upgrade`"
        )


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
