"""Shops with Flask-Migrate: our tables come and go with the shop's own, whatever its kind."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine

from flask_lineconnect.models import LineBase
from tests.conftest import DATABASES
from tests.migrations.shop import KEY_TYPES
from tests.migrations.shop import Kind
from tests.migrations.steps import take
from tests.postgres import create_database

pytest.importorskip("flask_migrate")
pytestmark = pytest.mark.parametrize("database", DATABASES)

#: Its own words for types that need no import, or one that it writes itself.
PLAIN = re.compile(r"(sa|postgresql|sqlite)\.[A-Z]\w*\(.*")


@pytest.fixture
def address(database: str, tmp_path: Path, request: pytest.FixtureRequest) -> Callable[[], str]:
    """Return a function that makes an empty database and returns its address."""

    def make() -> str:
        if database == "sqlite":
            return f"sqlite:///{tmp_path / uuid.uuid4().hex}.db"
        return create_database(request.getfixturevalue("postgres_server"), uuid.uuid4().hex)

    return make


def walk(kind: Kind, *init: str) -> str:
    """Go the whole way that Flask-Migrate knows; return the migration."""
    first = " ".join(["init", *init])
    there = ("import", "migrate", "upgrade", "tables", "check")
    back = ("migrate", "downgrade base", "tables", "upgrade", "tables", "check")
    said = take(kind, first, *there, *back)
    # The second one found nothing to do.
    (written,) = Path(kind.folder, "versions").glob("*.py")
    migration = written.read_text("utf-8")
    assert "flask_lineconnect" not in migration
    created = migration.split("op.create_table('")
    ours = "".join(table for table in created if table.startswith("lineconnect_"))
    for column in re.findall(r"sa\.Column\('\w+', (.*)", ours):
        assert PLAIN.match(column), column
    count = len(LineBase.metadata.tables)
    assert re.findall(r"^ours: (\d+)", said, re.MULTILINE) == [str(count), "0", str(count)]
    return migration


@pytest.mark.parametrize("key", KEY_TYPES)
def test_every_kind_of_key(address: Callable[[], str], tmp_path: Path, key: str) -> None:
    migration = walk(Kind(uri=address(), folder=str(tmp_path / "migrations"), key=key))
    assert "ForeignKeyConstraint(['member_id'], ['member.id'], name=" in migration


@pytest.mark.parametrize(
    "changes",
    [{"has_names": True}, {"is_batch": False}],
    ids=lambda changes: "+".join(changes),
)
def test_naming_conventions_and_batch_mode(
    address: Callable[[], str], tmp_path: Path, changes: dict[str, Any]
) -> None:
    migration = walk(Kind(uri=address(), folder=str(tmp_path / "migrations"), **changes))
    if "has_names" in changes:
        assert "unique_lineconnect_account_line_user_id" in migration


def test_members_in_another_database(address: Callable[[], str], tmp_path: Path) -> None:
    kind = Kind(uri=address(), folder=str(tmp_path / "migrations"), members_uri=address())
    migration = walk(kind, "--multidb")
    # No foreign key leads from one database to another.
    assert "ForeignKeyConstraint(['member_id']" not in migration


def test_a_schema(address: Callable[[], str], tmp_path: Path, database: str) -> None:
    if database == "sqlite":
        pytest.skip("a schema of SQLite's is another file")
    kind = Kind(uri=address(), folder=str(tmp_path / "migrations"), schema="shop")
    engine = create_engine(kind.uri)
    with engine.begin() as connection:
        connection.exec_driver_sql('CREATE SCHEMA "shop"')
    engine.dispose()
    walk(kind)
