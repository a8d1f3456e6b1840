"""Every page of the console in a shop of many members, beside its bare queries, on PostgreSQL.

``pip install -e '.[bench,demo,dev]' && python bench/console/run.py --members 100000``. Each member
has ten messages and twenty member events; there is a campaign for each thousand. Of each page: the
server's median time, how many statements it makes, and beside it the time of the same statements
by SQLAlchemy alone, all their rows fetched. Left out are the doctor's page, which looks everywhere,
and that of the ready-made ledger, which the demo shop does not use.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC
from datetime import datetime
from typing import Any

import checkout  # noqa: F401  # lets what is no package be imported
from data import fill as fill_members
from flask import Flask
from flask.testing import FlaskClient
from rows import EVENTS
from rows import fill
from sqlalchemy import Engine
from sqlalchemy import event
from sqlalchemy import text
from werkzeug.security import generate_password_hash

from demo_shop import create_app
from demo_shop import line
from demo_shop.extensions import db
from demo_shop.models import User
from demo_shop.seed import STAFF
from demo_shop.seed import coupons
from tests.postgres import create_database
from tests.postgres import running_server
from tests.small_shop import SETTINGS

CONSOLE = "/line-admin"
#: What stands in addresses, by the beginning of the rule; ``MEMBER`` is one in the middle.
IN_ADDRESSES = {
    "/people/<key>": {"key": "MEMBER"},
    "/segments/<name>/edit": {"name": "bench_saved"},
    "/segments/<name>": {"name": "kinki"},
    "/scenarios/<name>": {"name": "cart_left"},
    "/campaigns/results/<int:number>": {"number": 1},
    "/menus/<name>": {"name": "template"},
    "/store-qr/print": {"label": "place-1"},
}
#: Pages with what may be asked of them; the lists far from their beginning.
MORE = {
    "people, searched": "/people?q=m77",
    "people, further on": "/people?after=MEMBER",
    "people, blocked": "/people?show=blocked",
    "audit, further on": "/audit?before=MEMBER",
    "campaigns, further on": "/campaigns?before=40",
}
SAVED = '{"all": [{"attribute": "rank", "is": "gold"}]}'


def main() -> None:
    """Fill a shop, and look at every page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--members", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--database", help="the address of an empty one, as SQLAlchemy has it")
    options = parser.parse_args()
    with ExitStack() as stack:
        uri = options.database
        if uri is None:
            uri = create_database(stack.enter_context(running_server()), "shop")
        app = _shop(uri, options.members)
        _measure(app, options.members, options.rounds)


def _shop(uri: str, members: int) -> Flask:
    changes = {
        "SQLALCHEMY_DATABASE_URI": uri,
        "LINECONNECT_ENGINE": "worker",
        "WTF_CSRF_ENABLED": False,
    }
    app = create_app({**SETTINGS, **changes, "LINECONNECT_ENGINE": "worker"})
    now = datetime.now(UTC)
    with app.app_context():
        db.metadata.create_all(db.engine)
        with db.engine.connect() as connection:
            sizes = {"members": members, "orders": members, "events": members * EVENTS}
            fill_members(connection, now, **sizes)
            fill(connection, now, members=members)
            saved = {"rule": SAVED, "now": now}
            connection.execute(
                text(
                    "INSERT INTO lineconnect_segment (name, version, label, rule, saved_at)"
                    " VALUES ('bench_saved', 1, 'saved', CAST(:rule AS json), :now)"
                ),
                saved,
            )
            connection.commit()
        # What the scenarios' messages name.
        db.session.add_all(coupons())
        db.session.commit()
        line.switch_on()
        db.session.add(
            User(
                email=STAFF[0],
                password_hash=generate_password_hash(STAFF[1]),
                name="店主",
                card_number="1",
                is_staff=True,
            )
        )
        db.session.commit()
        with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM ANALYZE"))
    return app


def _measure(app: Flask, members: int, rounds: int) -> None:
    with app.app_context():
        engine = db.engine
    client = app.test_client()
    client.post("/log-in", data={"email": STAFF[0], "password": STAFF[1]})
    print(f"\n{members:,} members; milliseconds, median of {rounds}")
    print(f"{'page':<34}{'page':>8}{'bare':>8}{'ratio':>7}{'statements':>12}")
    for name, path in _pages(app, members).items():
        print(_row(engine, client, name, path, rounds), flush=True)


def _row(engine: Engine, client: FlaskClient, name: str, path: str, rounds: int) -> str:
    said: list[tuple[str, Any]] = []

    def hear(_connection: Any, _cursor: Any, statement: str, values: Any, *_more: Any) -> None:
        said.append((statement, values))

    def look() -> None:
        said.clear()
        answer = client.get(path)
        if answer.status_code != 200:
            raise RuntimeError(f"{path}: {answer.status}")

    look()
    event.listen(engine, "before_cursor_execute", hear)
    page = _median(look, rounds)
    event.remove(engine, "before_cursor_execute", hear)
    with engine.connect() as connection:
        bare = _median(lambda: _ask(connection, said), rounds)
    return f"{name:<34}{page:8.0f}{bare:8.0f}{page / bare:7.1f}{len(said):12}"


def _ask(connection: Any, said: list[tuple[str, Any]]) -> None:
    """Ask the same as a page did, and take all the rows."""
    for statement, values in said:
        connection.exec_driver_sql(statement, values).all()
    connection.rollback()


def _median(do: Callable[[], None], rounds: int) -> float:
    times = []
    for _round in range(rounds):
        began = time.perf_counter()
        do()
        times.append(time.perf_counter() - began)
    return statistics.median(times) * 1_000


def _pages(app: Flask, members: int) -> dict[str, str]:
    """Return the address of each page by what it is called here."""
    adapter, member = app.url_map.bind("localhost"), str(members // 2)
    found = {}
    for rule in app.url_map.iter_rules():
        path = rule.rule.removeprefix(CONSOLE)
        is_page = rule.endpoint.startswith("lineconnect_console.") and "GET" in (rule.methods or ())
        if not is_page or path.startswith(("/checks", "/points")):
            continue
        known = next((args for begin, args in IN_ADDRESSES.items() if path.startswith(begin)), {})
        values = {key: member if value == "MEMBER" else value for key, value in known.items()}
        if rule.arguments - values.keys():
            print(f"{path}: IN_ADDRESSES says nothing of it")
            continue
        found[path] = adapter.build(rule.endpoint, values)
    return found | {name: CONSOLE + path.replace("MEMBER", member) for name, path in MORE.items()}


if __name__ == "__main__":
    main()
