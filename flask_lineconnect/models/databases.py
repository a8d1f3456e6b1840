"""The shop's database as we need it: one that we know, new enough, and our tables in its schema."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Engine
from sqlalchemy import MetaData
from sqlalchemy import Table
from sqlalchemy.sql.compiler import IdentifierPreparer

from ..errors import ConfigError
from .base import LineBase

#: The first with RETURNING. Source: sqlite.org, "Release History".
MIN_SQLITE = (3, 35)
#: The oldest that its makers mended in 2025; older ones were never tried.
MIN_POSTGRESQL = (13,)
SUPPORTED = "SQLite 3.35 or newer and PostgreSQL 13 or newer"


def check_database(engine: Engine) -> None:
    """Refuse a database on which the extension can't work, without asking it anything.

    :raises ConfigError: it is another one, or this SQLite is too old.
    """
    name = engine.dialect.name
    if name not in {"sqlite", "postgresql"}:
        raise ConfigError(
            f"flask-lineconnect works with {SUPPORTED}, and SQLALCHEMY_DATABASE_URI names {name}; "
            "put the shop's default database on one of them"
        )
    if name == "sqlite":
        check_version("SQLite", _sqlite_version(engine), MIN_SQLITE)


def check_version(name: str, version: Sequence[Any] | None, oldest: tuple[int, ...]) -> None:
    """Refuse a database that is too old.

    :param version: ``None`` where the driver does not say.
    :raises ConfigError: it is older than the oldest.
    """
    if version is not None and tuple(version) < oldest:
        found = ".".join(map(str, version))
        raise ConfigError(f"flask-lineconnect works with {SUPPORTED}, and this is {name} {found}")


def _sqlite_version(engine: Engine) -> tuple[int, ...] | None:
    # Of the driver that is used: there are others than Python's own.
    version: tuple[int, ...] | None = getattr(engine.dialect.dbapi, "sqlite_version_info", None)
    return version


def effective_schema(engine: Engine, metadata: MetaData) -> str | None:
    """Return the schema in which the shop's tables, and so ours, are on this engine."""
    translated = engine.get_execution_options().get("schema_translate_map") or {}
    schema: str | None = translated.get(metadata.schema, metadata.schema)
    return schema


def use_schema(engine: Engine, metadata: MetaData) -> None:
    """Let statements with our models find the tables where the shop's metadata has its schema.

    The models are shared by all apps of a process, so the schema is the engine's, and none of the
    shop's own tables without one is touched. Without a schema nothing changes.
    """
    if metadata.schema is not None:
        _name_schema(engine.dialect.identifier_preparer, effective_schema(engine, metadata))


def table_name(engine: Engine, table: Table) -> str:
    """Return how a statement written by hand names one of our tables on this engine."""
    preparer = engine.dialect.identifier_preparer
    schema = preparer.schema_for_object(table)
    if schema is None:
        schema = effective_schema(engine, table.metadata)
    name = preparer.quote(table.name)
    return name if schema is None else f"{preparer.quote_schema(schema)}.{name}"


def _name_schema(preparer: IdentifierPreparer, schema: str | None) -> None:
    theirs: Callable[[Any], str | None] = preparer.schema_for_object
    translate: Callable[[Any], IdentifierPreparer] = preparer._with_schema_translate

    def schema_of(named: Any) -> str | None:
        is_ours = getattr(named, "metadata", None) is LineBase.metadata
        return schema if is_ours else theirs(named)

    def translated(names: Any) -> IdentifierPreparer:
        other = translate(names)
        _name_schema(other, schema)
        return other

    own: Any = preparer
    own.schema_for_object = schema_of
    # With a schema_translate_map SQLAlchemy asks a copy of the preparer instead.
    own._with_schema_translate = translated
