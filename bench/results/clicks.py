"""What a tracked click costs, beside a bare Flask view that does one INSERT and a redirect.

``pip install -e '.[bench]' && python bench/results/clicks.py``. gunicorn serves each shop, in
turns, round by round; every click is stored durably (SQLite: WAL, synchronous=FULL; PostgreSQL
with ``--postgresql``). ``shared``: one link that all tap, so that all change one count.
``personal``: each click is a message's, is known to be its member's, and makes a member event.

Told are answers a second, what one costs beside the bare view, and how many of them are stored.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
from sqlalchemy import create_engine
from sqlalchemy import insert
from sqlalchemy import text

from flask_lineconnect.testing.emulator import free_port

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1]))
SHOPS = ("bare", "shared", "personal")
PEOPLE = 500
MESSAGES = 5_000
TABLES = {"bare": "click", "shared": "lineconnect_click", "personal": "lineconnect_click"}


@dataclass(frozen=True)
class Measured:
    """One shop's turn."""

    rate: float
    answered: int
    stored: int


@contextmanager
def serving(shop: str, database: str, workers: int) -> Iterator[str]:
    """Run gunicorn with one shop until the block ends."""
    port = free_port()
    command = [sys.executable, "-m", "gunicorn", f"--workers={workers}", "--threads=4"]
    process = subprocess.Popen(
        [*command, f"--bind=127.0.0.1:{port}", "--log-level=error", "click_shops:application"],
        cwd=HERE,
        env={
            **os.environ,
            "BENCH_APP": shop,
            "BENCH_DATABASE": database,
            "PYTHONPATH": str(HERE.parents[1]),
        },
    )
    url = f"http://127.0.0.1:{port}"
    try:
        for _try in range(400):
            try:
                requests.get(url, timeout=1)
                break
            except (requests.ConnectionError, requests.Timeout):
                time.sleep(0.05)
        yield url
    finally:
        process.terminate()
        process.wait(20)


def make_links(shop: str, database: str, path: Path) -> None:
    """Make a shop's tables, and write down the paths that are opened."""
    os.environ["BENCH_DATABASE"] = database
    from click_shops import SHOPS as MAKERS

    app = MAKERS[shop]()
    if shop == "bare":
        path.write_text("".join(f"/line/l/{number}\n" for number in range(MESSAGES)), "utf-8")
        return
    with app.app_context():
        addresses = _addresses(app.extensions["lineconnect"], shop)
        paths = [address.removeprefix("https://shop.example") for address in addresses]
    path.write_text("".join(f"{one}\n" for one in paths), "utf-8")


def _addresses(line: Any, shop: str) -> list[str]:
    from click_shops import TARGET

    from flask_lineconnect.linking import accounts
    from flask_lineconnect.marketing.links.stored import LinkOwner
    from flask_lineconnect.marketing.links.tracking import link_to
    from flask_lineconnect.marketing.links.tracking import personal_address
    from flask_lineconnect.marketing.links.tracking import read_address
    from flask_lineconnect.models import OutboxMessage
    from tests.small_shop import User

    session, now = line.session, line.clock()
    shared = link_to(line, TARGET, LinkOwner(source="message"), label="見る")
    session.commit()
    found = read_address(line, shared)
    if shop == "shared" or found is None:
        return [shared]
    for number in range(PEOPLE):
        member = User(name=f"member {number}")
        session.add(member)
        session.flush()
        account = accounts.ensure_account(session, f"U{number:032x}", now=now)
        accounts.link(line, account, member.id, source=None, now=now)
    session.commit()
    row = {
        "category": "news",
        "priority": 1,
        "messages": "[]",
        "state": "accepted",
        "attempts": 1,
        "claims": 1,
        "is_uncertain": False,
        "created_at": now,
        "accepted_at": now,
    }
    rows = [{**row, "account_id": number % PEOPLE + 1} for number in range(MESSAGES)]
    session.execute(insert(OutboxMessage), rows)
    session.commit()
    return [personal_address(line, found[0], number + 1) for number in range(MESSAGES)]


def measure(url: str, paths: Path, seconds: int, connections: int) -> tuple[float, int]:
    """Return the answers a second, and how many there were."""
    command = [sys.executable, "tapping.py", url, str(paths), str(seconds), str(connections)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=HERE).stdout
    answered, took = done.split()
    return int(answered) / float(took), int(answered)


def _stored(shop: str, database: str) -> int:
    engine = create_engine(database)
    with engine.connect() as connection:
        count = connection.scalar(text(f"SELECT count(*) FROM {TABLES[shop]}"))
        if shop != "bare":
            counted = connection.scalar(text("SELECT sum(number) FROM lineconnect_result_count"))
            if counted != count:
                raise SystemExit(f"{shop}: {count} clicks, and {counted} in the counts")
    engine.dispose()
    return int(count or 0)


def main() -> None:
    """Measure, and print medians and their ratios to the bare view."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--postgresql", action="store_true")
    options = parser.parse_args()
    measured: dict[str, list[Measured]] = {shop: [] for shop in SHOPS}
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        server = _postgresql(stack) if options.postgresql else None
        for _number in range(options.rounds):
            for shop in SHOPS:
                measured[shop].append(_turn(options, shop, folder, server))
    bare = statistics.median(one.rate for one in measured["bare"])
    print(f"{'shop':10}{'answers/s':>11}{'cost':>7}{'answered':>10}{'stored':>9}")
    for shop, turns in measured.items():
        rate = statistics.median(one.rate for one in turns)
        answered, stored = turns[-1].answered, turns[-1].stored
        print(f"{shop:10}{rate:11,.0f}{bare / rate:7.2f}{answered:10,}{stored:9,}")


def _turn(options: argparse.Namespace, shop: str, folder: Path, server: str | None) -> Measured:
    name = uuid.uuid4().hex
    database = f"sqlite:///{folder / name}.db"
    if server is not None:
        from tests.postgres import create_database

        database = create_database(server, name)
    paths = folder / f"{name}.txt"
    # In a process of its own: an app can be made with the shop's one database object only once.
    script = "import sys; from clicks import make_links; from pathlib import Path; "
    script += "make_links(sys.argv[1], sys.argv[2], Path(sys.argv[3]))"
    command = [sys.executable, "-c", script, shop, database, str(paths)]
    environment = {**os.environ, "PYTHONPATH": str(HERE.parents[1])}
    environment.pop("BENCH_APP", None)
    subprocess.run(command, check=True, cwd=HERE, env=environment)
    with serving(shop, database, options.workers) as url:
        rate, answered = measure(url, paths, options.seconds, options.connections)
    return Measured(rate, answered, _stored(shop, database))


def _postgresql(stack: ExitStack) -> str:
    from tests.postgres import running_server

    return stack.enter_context(running_server())


if __name__ == "__main__":
    main()
