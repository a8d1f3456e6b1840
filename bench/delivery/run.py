"""How fast messages leave the shop, beside the official SDK used plainly, in the same run.

``pip install -e '.[bench,sink]' && python bench/delivery/run.py push`` (personalised pushes), or
``campaign`` (one message to many). LINE is the emulator's sink, with LINE's own rate limits and
answers after 50 ms; everything is really stored, claimed, sent and written down.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests
from shop import create_app
from shop import fill
from shop import fill_outbox

from flask_lineconnect.testing.emulator import free_port

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1]))
#: LINE's limits a second.
PUSHES, MULTICASTS = 2_000, 200


@contextmanager
def platform(answer_after: int) -> Iterator[str]:
    """Run the sink, which keeps LINE's rate limits and knows who got what twice."""
    port = str(free_port())
    options = ["--sink", "--port", port, "--rate-limits", "1", "--answer-after", str(answer_after)]
    process = subprocess.Popen(
        [sys.executable, "-m", "flask_lineconnect.emulator", *options], stdout=subprocess.DEVNULL
    )
    url = f"http://127.0.0.1:{port}"
    try:
        for _try in range(200):
            try:
                requests.get(f"{url}/_emulator/health", timeout=1)
                break
            except requests.ConnectionError:
                time.sleep(0.05)
        yield url
    finally:
        process.terminate()
        process.wait(10)


def run_worker(kind: str, database: str, url: str, count: int) -> dict[str, float]:
    """Let one process do its part; return what it took."""
    command = [sys.executable, str(HERE / "worker.py"), kind, database, url, str(count)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    taken: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return taken


def counts(url: str) -> dict[str, int]:
    """Return what the platform counted since the last call."""
    counted: dict[str, int] = requests.get(f"{url}/_emulator/counts", timeout=10).json()
    requests.post(f"{url}/_emulator/reset", timeout=10)
    return counted


def measure_pushes(options: argparse.Namespace, stack: ExitStack) -> None:
    """Measure personalised pushes of one process, and of the SDK."""
    url = stack.enter_context(platform(options.answer_after))
    rates: dict[str, float] = {}
    plan = [("sdk", 300), ("sdk-threads", 3_000), ("push", options.messages)]
    print(
        f"{'sender':14}{'pushes':>9}{'pushes/s':>10}{'of LINE':>9}{'cpu':>7}{'memory':>9}  platform"
    )
    for _round in range(options.rounds):
        for kind, count in plan:
            database = make_database(options.database, stack)
            if kind == "push":
                app = create_app(database, url)
                fill(app, count)
                fill_outbox(app, count)
            taken = run_worker(kind, database, url, count)
            rate = count / taken["seconds"]
            rates[kind] = rate
            print(
                f"{kind:14}{count:9,}{rate:10,.0f}{rate / PUSHES:9.1%}"
                f"{taken['cpu_seconds'] / taken['seconds']:7.0%}{taken['memory_mb']:6,.0f} MB"
                f"  {told(counts(url), kind, count)}"
            )
        print(
            f"{'':14}{rates['push'] / rates['sdk']:.1f} times the SDK's loop, "
            f"{rates['push'] / rates['sdk-threads']:.1f} times its 16 threads"
        )


def measure_campaign(options: argparse.Namespace, stack: ExitStack) -> None:
    """Measure one campaign, from the press of the button to the last accepted recipient."""
    url = stack.enter_context(platform(options.answer_after))
    ideal = options.members / 500 / MULTICASTS
    print(f"{'members':>10}{'seconds':>9}{'of ideal':>10}{'cpu':>7}{'memory':>9}  platform")
    for _round in range(options.rounds):
        database = make_database(options.database, stack)
        fill(create_app(database, url), options.members)
        taken = run_worker("campaign", database, url, 0)
        print(
            f"{options.members:10,}{taken['seconds']:9.2f}{taken['seconds'] / ideal:10.2f}"
            f"{taken['cpu_seconds'] / taken['seconds']:7.0%}{taken['memory_mb']:6,.0f} MB"
            f"  {told(counts(url), 'multicast', options.members)}"
        )


def told(counted: dict[str, Any], kind: str, recipients: int) -> str:
    """Say what the platform saw, and stop where it was not exactly what was sent."""
    seen, twice = counted.get("recipients", 0), counted.get("duplicates", 0)
    if seen != recipients or twice:
        sys.exit(f"{kind}: the platform saw {seen} recipients, {twice} of them twice: {counted}")
    return f"{seen:,} recipients, {twice} twice, {counted.get('429', 0)} refused for rate"


def make_database(kind: str, stack: ExitStack) -> str:
    """Return the address of an empty database."""
    name = uuid.uuid4().hex
    if kind == "sqlite":
        return f"sqlite:///{stack.enter_context(tempfile.TemporaryDirectory())}/{name}.db"
    from tests.postgres import create_database
    from tests.postgres import running_server

    return create_database(stack.enter_context(running_server(is_durable=True)), name)


def main() -> None:
    """Measure what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["push", "campaign"])
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--messages", type=int, default=20_000)
    parser.add_argument("--members", type=int, default=100_000)
    parser.add_argument("--answer-after", type=int, default=50, help="milliseconds")
    options = parser.parse_args()
    with ExitStack() as stack:
        {"push": measure_pushes, "campaign": measure_campaign}[options.what](options, stack)


if __name__ == "__main__":
    main()
