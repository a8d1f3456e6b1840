"""Bad numbers, odd characters, a database that is away: a sentence, no traceback."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import text

from flask_lineconnect.cli.group import line
from flask_lineconnect.models import LineBase
from tests.conftest import DATABASES
from tests.small_shop import db

COMMANDS = [
    ("outbox", "show", "m999999999999999999"),
    ("outbox", "show", "b2147483648"),
    ("outbox", "retry", "m999999999999999999"),
    ("outbox", "cancel", "m999999999999999999"),
    ("outbox", "list", "--limit", str(10**30)),
    ("outbox", "list", "--category", "\udcff"),
    ("outbox", "list", "--campaign", "\udcff"),
    ("inbox", "list", "--limit", str(10**30)),
    ("inbox", "show", "\udcff"),
    ("inbox", "replay", "\udcff"),
    ("campaign", "list", "--limit", str(10**30)),
    ("campaign", "cancel", "\udcff"),
    ("links", "--days", str(10**12)),
    ("links", "--source", "\udcff"),
    ("unlink", "\udcff"),
    ("unlink", str(10**30)),
]


@pytest.mark.parametrize("database", DATABASES, indirect=True)
def test_odd_input_makes_no_traceback(app: Flask, database: str) -> None:
    for command in COMMANDS:
        result = app.test_cli_runner().invoke(line, list(command))
        assert result.exception is None or isinstance(result.exception, SystemExit), command
        assert "Traceback" not in result.output
        assert "No such command" not in result.output


@pytest.mark.parametrize(
    "command",
    [("outbox", "list"), ("inbox", "list"), ("campaign", "list"), ("quota",), ("links",)],
)
def test_a_database_without_our_tables_makes_no_traceback(
    app: Flask, command: tuple[str, ...]
) -> None:
    with app.app_context():
        for table in reversed(LineBase.metadata.sorted_tables):
            db.session.execute(text(f"DROP TABLE {table.name}"))
        db.session.commit()
    result = app.test_cli_runner().invoke(line, list(command))
    assert result.exit_code == 1
    assert "the database did not do it" in result.output
    assert "SELECT" not in result.output
