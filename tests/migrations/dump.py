"""Write down the tables of a release, with rows of every kind: ``python -m tests.migrations.dump``.

Run it when a release is made, and keep what it writes: the next one is tested on these files.
"""

from __future__ import annotations

import re
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

from flask import Flask

from flask_lineconnect import Emulator
from flask_lineconnect import LineConnect
from flask_lineconnect import run_emulator
from flask_lineconnect.engines.work import work_until_idle
from flask_lineconnect.testing.plugin import LineBrowser
from tests.engines.celery_fleet import follow
from tests.migrations.shop import Kind
from tests.migrations.shop import create_app
from tests.people import BASE_URL
from tests.people import log_in
from tests.people import sign_up
from tests.postgres import _programs
from tests.postgres import create_database
from tests.postgres import running_server

FOLDER = Path(__file__).parent / "releases"
#: Linked; registering.
SAKURA, ICHIRO = (f"U{number:032x}" for number in (1, 2))


def people() -> list[dict[str, str]]:
    """Return the emulator's users whom the rows are about."""
    names = {SAKURA: "佐藤 さくら", ICHIRO: "鈴木 一郎"}
    return [
        {"user_id": user_id, "display_name": name, "relation": "friend"}
        for user_id, name in names.items()
    ]


def fill(app: Flask, emulator: Emulator) -> None:
    """Let everything happen once that leaves rows, finished and unfinished."""
    emulator.set_up(base_url=BASE_URL, users=people())
    line: Any = app.extensions["lineconnect"]
    extension: LineConnect = app.extensions["extension"]
    sign_up(app.test_client(), LineBrowser(emulator.url, SAKURA))
    log_in(app.test_client(), LineBrowser(emulator.url, ICHIRO))
    with app.app_context():
        member = line.session.get_one(line.shop.model, 1)
        extension.send(member, "accepted", key="accepted")
        line.session.commit()
        work_until_idle(line)
        # Months from now, so that whoever reads the rows has time.
        later = line.clock() + timedelta(days=3650)
        extension.send(member, "later", key="later", send_at=later)
        extension.begin_campaign("later", "later too", send_at=later)
        line.session.commit()
        line.session.remove()
    follow(app, SAKURA)


def dump_sqlite(emulator: Emulator, folder: Path) -> str:
    """Return the statements that make the database of SQLite."""
    path = folder / "shop.db"
    _make(Kind(uri=f"sqlite:///{path}", folder=""), emulator)
    with closing(sqlite3.connect(path)) as connection:
        return "\n".join(connection.iterdump()) + "\n"


def dump_postgresql(emulator: Emulator) -> str:
    """Return the statements that make the database of PostgreSQL."""
    with running_server() as server:
        uri = create_database(server, "shop")
        _make(Kind(uri=uri, folder=""), emulator)
        options = ["--inserts", "--no-owner", "--no-privileges", "--no-comments"]
        command = [str(_programs() / "pg_dump"), *options, uri.replace("+psycopg", "")]
        text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    # What only psql understands, comments, and settings of the one session that reads it.
    beside = re.compile(r"--|\\|SET |SELECT pg_catalog.set_config|$")
    lines = (line for line in text.splitlines() if not beside.match(line))
    return "\n".join(lines) + "\n"


def _make(kind: Kind, emulator: Emulator) -> None:
    emulator.reset()
    app = create_app(kind, **emulator.settings(BASE_URL))
    with app.app_context():
        app.extensions["sqlalchemy"].create_all()
    fill(app, emulator)
    with app.app_context():
        app.extensions["sqlalchemy"].session.remove()
        app.extensions["sqlalchemy"].engine.dispose()


def main() -> None:
    """Write the files of the release that is named."""
    (release,) = sys.argv[1:]
    FOLDER.mkdir(exist_ok=True)
    with run_emulator() as emulator, tempfile.TemporaryDirectory() as folder:
        sqlite_text = dump_sqlite(emulator, Path(folder))
        (FOLDER / f"{release}.sqlite.sql").write_text(sqlite_text, "utf-8")
        (FOLDER / f"{release}.postgresql.sql").write_text(dump_postgresql(emulator), "utf-8")


if __name__ == "__main__":
    main()
