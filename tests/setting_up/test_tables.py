"""Missing tables and columns are found by who sets the shop up, and not by the first customer."""

from __future__ import annotations

import logging
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import text

from flask_lineconnect import ConfigError
from flask_lineconnect import Emulator
from flask_lineconnect.cli.group import line as commands
from flask_lineconnect.models import LineBase
from flask_lineconnect.setting_up.tables import check_tables
from flask_lineconnect.state import LineState
from flask_lineconnect.testing.plugin import free_port
from tests.conftest import DATABASES
from tests.conftest import MakeApp
from tests.people import BASE_URL
from tests.small_shop import db

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.parametrize("database", DATABASES, indirect=True)

SHOP = """
from tests.migrations.shop import Kind, create_app as make

def create_app():
    return make(Kind(uri={uri!r}, folder=""), TESTING=False)
"""


def _drop(*statements: str) -> None:
    for statement in statements:
        db.session.execute(text(statement))
    db.session.commit()


def test_all_is_well(line: LineState) -> None:
    check_tables(line)


def test_missing_tables_and_columns_are_named(line: LineState) -> None:
    _drop(
        "DROP TABLE lineconnect_card_code",
        "ALTER TABLE lineconnect_account DROP COLUMN card_version",
    )
    with pytest.raises(ConfigError) as error:
        check_tables(line)
    said = str(error.value)
    assert "lineconnect_card_code, the column lineconnect_account.card_version" in said
    assert "flask db upgrade" in said


def test_setup_and_worker_say_it(make_app: MakeApp, line_emulator: Emulator) -> None:
    app = make_app(**line_emulator.settings(BASE_URL))
    with app.app_context():
        _drop("DROP TABLE lineconnect_card_code")
    for command in ("setup", "worker"):
        answer = app.test_cli_runner().invoke(commands, [command])
        assert answer.exit_code == 1
        assert "lineconnect_card_code" in answer.output
    assert line_emulator.calls() == []


@pytest.mark.parametrize(("debug", "testing"), [(False, False), (True, True)])
def test_production_and_tests_look_for_nothing(
    app: Flask, line: LineState, caplog: pytest.LogCaptureFixture, debug: bool, testing: bool
) -> None:
    _drop("DROP TABLE lineconnect_card_code")
    app.debug, app.testing = debug, testing
    app.test_client().get("/")
    assert not _said(caplog)


def test_a_server_for_development_says_it_at_its_first_request(
    make_app: MakeApp, caplog: pytest.LogCaptureFixture
) -> None:
    app = make_app()
    with app.app_context():
        _drop("DROP TABLE lineconnect_card_code")
    app.debug, app.testing = True, False
    for _time in range(2):
        assert app.test_client().get("/").status_code == 200
    assert _said(caplog) == 1


def _said(caplog: pytest.LogCaptureFixture) -> int:
    records = [one for one in caplog.records if one.levelno == logging.ERROR]
    return sum("lineconnect_card_code" in one.getMessage() for one in records)


def test_flask_run_says_it_before_any_request(app: Flask, tmp_path: Path, database: str) -> None:
    uri = app.config["SQLALCHEMY_DATABASE_URI"]
    with app.app_context():
        for table in reversed(LineBase.metadata.sorted_tables):
            _drop(f"DROP TABLE {table.name}")
    (tmp_path / "unready.py").write_text(SHOP.format(uri=uri), "utf-8")
    log = tmp_path / "log"
    path = os.pathsep.join([str(tmp_path), str(ROOT)])
    command = [sys.executable, "-m", "flask", "--app", "unready", "--debug", "run", "--no-reload"]
    with log.open("wb") as output:
        server = subprocess.Popen(
            [*command, "--port", str(free_port())],
            env={**os.environ, "PYTHONPATH": path},
            stdout=output,
            stderr=output,
            cwd=tmp_path,
        )
        try:
            deadline = time.monotonic() + 60
            while "LINE will not work" not in log.read_text("utf-8"):
                assert time.monotonic() < deadline, log.read_text("utf-8")
                time.sleep(0.2)
        finally:
            server.terminate()
            server.wait()
    assert re.findall("LINE will not work.*lineconnect_account", log.read_text("utf-8"))
