"""The database: one that the extension works with, that answers, with tables of this version."""

from __future__ import annotations

from sqlalchemy import Connection
from sqlalchemy import Engine
from sqlalchemy import inspect
from sqlalchemy import text
from sqlalchemy.engine import ObjectKind
from sqlalchemy.exc import SQLAlchemyError

from ..errors import ConfigError
from ..linking.marks import reuses_keys
from ..models import LineBase
from ..models.databases import check_database
from ..models.databases import effective_schema
from ..models.sqlite import is_in_memory
from ..setting_up.tables import check_tables
from .findings import Check
from .findings import Said
from .findings import doubtful
from .findings import fine
from .findings import wrong
from .visit import Visit


def _database(visit: Visit) -> Said:
    engine = visit.line.db.engine
    try:
        check_database(engine)
        trouble = _postgresql(engine) if engine.dialect.name == "postgresql" else _sqlite(engine)
    except ConfigError as error:
        return wrong(str(error), "see the sentence")
    except SQLAlchemyError as error:
        return wrong(
            f"the database does not answer ({type(error).__name__})",
            "look whether it runs, and whether SQLALCHEMY_DATABASE_URI names it, its user and its "
            "password",
        )
    return trouble or fine(f"{engine.dialect.name} answers")


def _postgresql(engine: Engine) -> Said | None:
    with engine.connect() as connection:
        encoding = connection.scalar(text("SHOW server_encoding"))
        is_read_only = connection.scalar(text("SHOW transaction_read_only"))
    if str(encoding).upper() != "UTF8":
        return wrong(
            f"the database's encoding is {encoding}, which has no room for names and emoji",
            "make it anew with ENCODING 'UTF8', and move the data",
        )
    if is_read_only == "on":
        return wrong(
            "the database takes no changes: it is a replica, or set to read only",
            "let SQLALCHEMY_DATABASE_URI name the primary server",
        )
    return None


def _sqlite(engine: Engine) -> Said | None:
    with engine.connect() as connection:
        connection.execute(text("SELECT 1"))
        if is_in_memory(engine):
            return wrong(
                "the database is in memory: it ends with the process, and no other one sees it",
                "let SQLALCHEMY_DATABASE_URI name a file, or PostgreSQL",
            )
        if connection.scalar(text("PRAGMA query_only")):
            return wrong("the database takes no changes: PRAGMA query_only", "leave it out")
        try:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            connection.rollback()
        except SQLAlchemyError:
            return _locked_or_read_only(engine)
    return None


def _locked_or_read_only(engine: Engine) -> Said:
    return wrong(
        f"the file {engine.url.database} takes no changes: it, or its folder, is read-only for "
        "this user, or another process holds it",
        "let the server's user write the file and its folder, and end what holds it",
    )


def _tables(visit: Visit) -> Said:
    try:
        check_tables(visit.line)
    except ConfigError as error:
        what, _, mend = str(error).rpartition("; ")
        return wrong(what or str(error), mend)
    extra = _newer(visit.line.db.engine, visit)
    if extra:
        return wrong(
            f"the tables are newer than this version: it would leave {', '.join(extra[:5])} "
            "empty, which the database refuses",
            "install the version that made the tables, or undo its migration",
        )
    return fine("the tables are of this version")


def _newer(engine: Engine, visit: Visit) -> list[str]:
    """Name columns that this version does not know and that must not be empty."""
    schema = effective_schema(engine, visit.line.db.metadata)
    known = {table.name: set(table.columns.keys()) for table in LineBase.metadata.sorted_tables}
    found = inspect(engine).get_multi_columns(
        schema=schema, filter_names=list(known), kind=ObjectKind.ANY
    )
    return [
        f"{name}.{column['name']}"
        for (_schema, name), columns in found.items()
        for column in columns
        if column["name"] not in known[name]
        and not column["nullable"]
        and column["default"] is None
        and not column.get("identity")
    ]


def _pool(visit: Visit) -> Said | None:
    pool = visit.line.db.engine.pool
    size, more = getattr(pool, "size", None), getattr(pool, "_max_overflow", None)
    if not callable(size) or not isinstance(more, int) or more < 0 or not size():
        return None
    threads, most = visit.line.config.hook_threads, size() + more
    if threads < most:
        return fine(f"the pool of {most} connections has room for {threads} hooks at once")
    return doubtful(
        f"LINECONNECT_HOOK_THREADS is {threads} and the database's pool has {most} connections: "
        "busy hooks leave none to the pages",
        "raise pool_size in SQLALCHEMY_ENGINE_OPTIONS above hooks and the server's threads "
        "together, or lower LINECONNECT_HOOK_THREADS",
    )


def _member_keys(visit: Visit) -> Said:
    line = visit.line
    engine = line.session.get_bind(line.shop.model)
    if not isinstance(engine, Engine) or not reuses_keys(engine, line.shop.model):
        return fine("a member's key is never given again")
    return doubtful(
        "SQLite gives the key of a deleted member to the next one, who could be taken for the one "
        "before",
        "add sqlite_autoincrement=True to the member table's __table_args__ and make it anew, or "
        "name in ShopAdapter.member_mark what tells members apart",
    )


def _sequences(visit: Visit) -> Said | None:
    """Look whether a sequence gives a key that is taken, as after an import with its keys."""
    line = visit.line
    engine = line.db.engine
    if engine.dialect.name != "postgresql":
        return None
    schema = effective_schema(engine, line.db.metadata)
    ours = [(schema, table.name) for table in LineBase.metadata.sorted_tables]
    members = inspect(line.shop.model).local_table
    behind = []
    with engine.connect() as connection:
        for place, name in [*ours, (getattr(members, "schema", None), members.name)]:
            quote = engine.dialect.identifier_preparer.quote
            table = quote(name) if place is None else f"{quote(place)}.{quote(name)}"
            columns = inspect(connection).get_pk_constraint(name, place)["constrained_columns"]
            if len(columns) == 1 and _is_behind(connection, table, columns[0], quote(columns[0])):
                behind.append(name)
    if not behind:
        return fine("sequences give keys that are free")
    return wrong(
        f"the sequence of {', '.join(behind)} is behind, as after an import: new rows are refused",
        "SELECT setval(pg_get_serial_sequence('TABLE', 'id'), (SELECT max(id) FROM TABLE)) for "
        "each of them",
    )


def _is_behind(connection: Connection, table: str, column: str, quoted: str) -> bool:
    sequence = connection.scalar(
        text("SELECT pg_get_serial_sequence(:table, :column)"), {"table": table, "column": column}
    )
    if sequence is None:
        return False
    next_key = f"SELECT CASE WHEN is_called THEN last_value + 1 ELSE last_value END FROM {sequence}"
    most = connection.scalar(text(f"SELECT max({quoted}) FROM {table}"))
    given = connection.scalar(text(next_key))
    return isinstance(most, int) and isinstance(given, int) and given <= most


CHECKS = (
    Check("database", _database),
    Check("tables", _tables),
    Check("database-pool", _pool),
    Check("member-keys", _member_keys),
    Check("sequences", _sequences),
)
