"""The commands that need no app run in any folder."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask

from flask_lineconnect.cli.group import line as commands
from flask_lineconnect.config.reference import settings_reference
from flask_lineconnect.linking import accounts
from flask_lineconnect.state import LineState
from tests.small_shop import User
from tests.small_shop import db

ROOT = Path(__file__).parents[2]


def _flask(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "flask", "line", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_the_settings_are_printed_without_an_app(tmp_path: Path) -> None:
    assert _flask(tmp_path, "settings").stdout == settings_reference()


def test_the_emulator_takes_its_own_options(tmp_path: Path) -> None:
    answer = _flask(tmp_path, "emulator", "--help")
    assert answer.returncode == 0
    assert "--base-url" in answer.stdout


def test_the_emulator_is_never_exposed_by_accident(tmp_path: Path) -> None:
    answer = _flask(tmp_path, "emulator", "--host", "0.0.0.0")
    assert answer.returncode == 1
    assert "must never be exposed" in answer.stderr


def test_setup_without_settings_names_them(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "flask", "--app", "demo_shop", "line", "setup"]
    # Not the folder of a demo that runs: its settings would be taken.
    told = {"FLASK_SECRET_KEY": "a secret key for tests only", "FLASK_DATA_FOLDER": str(tmp_path)}
    answer = subprocess.run(
        command, cwd=ROOT, env={**os.environ, **told}, capture_output=True, text=True, check=False
    )
    assert answer.returncode != 0
    assert "LINECONNECT_LOGIN_CHANNEL_ID is missing" in answer.stderr


def _run(app: Flask, *arguments: str) -> tuple[int, str]:
    answer = app.test_cli_runner().invoke(commands, arguments)
    return answer.exit_code, answer.output


def test_a_store_qr_code_holds_the_login_with_its_label(app: Flask, tmp_path: Path) -> None:
    path = tmp_path / "shelf.svg"
    code, output = _run(app, "store-qr", "棚3", "--next", "/private", "--output", str(path))
    assert code == 0
    assert output == ("https://shop.example/line/login?source=%E6%A3%9A3&next=/private\n")
    assert path.read_text().startswith("<?xml")
    _run(app, "store-qr", "flyer", "--output", str(tmp_path / "flyer.png"))
    assert (tmp_path / "flyer.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [(["x" * 101], "at most 100"), (["flyer", "--output", "flyer.doc"], "use .svg, .png or .pdf")],
)
def test_a_store_qr_code_that_cannot_be_says_why(
    app: Flask, arguments: list[str], complaint: str
) -> None:
    code, output = _run(app, "store-qr", *arguments)
    assert code == 1
    assert complaint in output


def test_the_report_says_which_shelf_brought_whom(app: Flask, line: LineState) -> None:
    now = line.clock()
    brought = [("棚3", 40), ("棚3", 2), ("flyer", 1), (None, 0)]
    for number, (source, days) in enumerate(brought):
        member = User(name=f"member {number}")
        db.session.add(member)
        account = accounts.ensure_account(line.session, f"U{number:032x}", now=now)
        key = accounts.member_key(line.session, member)
        at = now - timedelta(days=days)
        accounts.link(line, account, key, source=source, now=at)
    db.session.commit()

    assert _run(app, "links")[1].splitlines() == [
        "members  source",
        "      2  棚3",
        "      1  -",
        "      1  flyer",
        "      4  in all",
    ]
    assert _run(app, "links", "--days", "30")[1].splitlines()[-1] == "      3  in all"
    heading, *listed = _run(app, "links", "--source", "棚3")[1].splitlines()
    assert heading.split() == ["linked_at", "member"]
    assert [text.split()[-1] for text in listed] == ["2", "1"]
    counted = json.loads(_run(app, "links", "--json")[1])
    assert counted[:2] == [{"members": 2, "source": "棚3"}, {"members": 1, "source": None}]
