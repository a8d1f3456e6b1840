"""How many webhooks a shop takes, beside the official SDK's handler and a bare Flask view.

``pip install -e '.[bench]' && python bench/webhook/run.py``; needs ``wrk``. gunicorn has one worker
with four threads; the three apps take turns, round by round. The extension stores every event
durably and once, in SQLite (WAL, synchronous=FULL), or in PostgreSQL with ``--postgresql``.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from contextlib import contextmanager
from pathlib import Path

import requests
from sqlalchemy import create_engine
from sqlalchemy import text

from flask_lineconnect.testing.emulator import free_port
from flask_lineconnect.webhooks.signature import sign

HERE = Path(__file__).parent
#: In the order of time, as LINE's ULIDs are.
_ids = (f"01KAXW{number:020d}" for number in itertools.count())
sys.path.insert(0, str(HERE.parents[1]))
SECRET = "8c570fa6dd201bb328f1c1eac23a96d8"
APPS = ("bare", "sdk", "extension")


def bodies(size: int, count: int, path: Path) -> None:
    """Write signed webhooks of so many events each; every event has an id of its own."""
    with path.open("w", encoding="utf-8") as file:
        for _number in range(count):
            events = [_event() for _event_number in range(size)]
            body = json.dumps({"destination": "U" + "8" * 32, "events": events})
            file.write(f"{sign(body.encode(), SECRET)}\t{body}\n")


def _event() -> dict[str, object]:
    return {
        "type": "message",
        "mode": "active",
        "timestamp": int(time.time() * 1000),
        "source": {"type": "user", "userId": f"U{uuid.uuid4().hex}"},
        "webhookEventId": next(_ids),
        "deliveryContext": {"isRedelivery": False},
        "replyToken": uuid.uuid4().hex,
        "message": {"id": str(time.time_ns()), "type": "text", "text": "ポイント残高"},
    }


@contextmanager
def serving(app: str, database: str) -> Iterator[str]:
    """Run gunicorn with one app until the block ends."""
    port = free_port()
    command = [sys.executable, "-m", "gunicorn", "--workers=1", "--threads=4"]
    process = subprocess.Popen(
        [*command, f"--bind=127.0.0.1:{port}", "--log-level=warning", "apps:application"],
        cwd=HERE,
        env={
            **os.environ,
            "BENCH_APP": app,
            "BENCH_DATABASE": database,
            "PYTHONPATH": str(HERE.parents[1]),
        },
    )
    url = f"http://127.0.0.1:{port}"
    try:
        for _try in range(200):
            try:
                requests.get(url, timeout=1)
                break
            except (requests.ConnectionError, requests.Timeout):
                time.sleep(0.05)
        yield url
    finally:
        process.terminate()
        process.wait(10)


def measure(url: str, sent: Path, seconds: int) -> float:
    """Return the answered requests a second."""
    command = ["wrk", "-t1", "-c8", f"-d{seconds}s", "-s", str(HERE / "webhook.lua"), url]
    done = subprocess.run(
        [*command, "--", str(sent)], capture_output=True, text=True, check=True
    ).stdout
    if "Non-2xx" in done or "Socket errors" in done:
        raise SystemExit(done)
    found = re.search(r"Requests/sec:\s+([\d.]+)", done)
    return float(found[1]) if found else 0.0


def main() -> None:
    """Measure, and print medians and their ratios to the SDK."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--postgresql", action="store_true")
    options = parser.parse_args()
    if shutil.which("wrk") is None:
        sys.exit("This benchmark needs wrk.")
    print(
        f"{'events':>6}  {'app':10}{'requests/s':>12}{'events/s':>12}{'of the SDK':>12}"
        f"{'stored':>10}"
    )
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        server = _postgresql(stack) if options.postgresql else None
        for size, count in ((1, 40_000), (100, 6_000)):
            sent = folder / f"{size}.txt"
            bodies(size, count, sent)
            _round(options, size, sent, folder, server)


def _round(
    options: argparse.Namespace, size: int, sent: Path, folder: Path, server: str | None
) -> None:
    rates: dict[str, list[float]] = {app: [] for app in APPS}
    stored = 0
    for _number in range(options.rounds):
        for app in APPS:
            name = uuid.uuid4().hex
            database = f"sqlite:///{folder / name}.db"
            if server is not None and app == "extension":
                from tests.postgres import create_database

                database = create_database(server, name)
            with serving(app, database) as url:
                rates[app].append(measure(url, sent, options.seconds))
            if app == "extension":
                stored = _stored(database)
    of_sdk = statistics.median(rates["sdk"])
    for app, found in rates.items():
        rate = statistics.median(found)
        kept = f"{stored:,}" if app == "extension" else "-"
        print(f"{size:6}  {app:10}{rate:12,.0f}{rate * size:12,.0f}{rate / of_sdk:12.2f}{kept:>10}")


def _stored(database: str) -> int:
    engine = create_engine(database)
    with engine.connect() as connection:
        count = connection.scalar(text("SELECT count(*) FROM lineconnect_inbox_event"))
    engine.dispose()
    return int(count or 0)


def _postgresql(stack: ExitStack) -> str:
    from tests.postgres import running_server

    return stack.enter_context(running_server())


if __name__ == "__main__":
    main()
