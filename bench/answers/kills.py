"""Kill the process that answers, again and again, at a hundred messages a second.

``pip install -e '.[bench,sink]' && python bench/answers/kills.py --kills 500``, and once more with
``--database postgresql``. gunicorn's only worker is killed (SIGKILL) at random moments, and its
master begins another one. Each hook writes a row of the shop's. In the end every event that got its
200 must be there once as that row, and its reply token used once; nothing may have been pushed.

A claim's lease is two seconds here, so that what a killed process was at is met by later kills.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import os
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from contextlib import suppress
from typing import NamedTuple

import requests
from load import Webhook
from load import keep_sending
from load import make_webhooks
from run import Served
from run import make_database
from run import platform
from run import shop
from sqlalchemy import create_engine
from sqlalchemy import select
from sqlalchemy import text

#: Seconds for which a worker lives at the least and at the most, from its first answer.
LIVES = 0.2, 3.0
#: Seconds that everything may take to be answered, when nothing is killed any more.
PATIENCE = 900.0
#: What a worker would load first is in its master, so that it lives soon.
SETTINGS = {"BENCH_LEASE": "2", "GUNICORN_CMD_ARGS": "--preload"}


class Counted(NamedTuple):
    """What became of the texts; ``offered_again`` were given to LINE once more."""

    stored: int
    acknowledged: int
    answered: int
    lost: set[str]
    doubled: set[str]
    offered_again: int


async def kill_while_sending(served: Served, kills: int, rate: float) -> dict[str, str]:
    """Kill so often; return the texts that were acknowledged, by their reply tokens."""
    stop, taken = asyncio.Event(), list[Webhook]()
    numbers = itertools.count()

    def more() -> Webhook:
        return make_webhooks([f"note {next(numbers)}"])[0]

    sending = asyncio.create_task(keep_sending(served.port, more, rate, taken, stop))
    for number in range(kills):
        before, worker = len(taken), served.worker()
        while len(taken) <= before and not sending.done():
            await asyncio.sleep(0.01)
        await asyncio.sleep(random.uniform(*LIVES))
        with suppress(ProcessLookupError):
            os.kill(worker, signal.SIGKILL)
        while served.worker() == worker:
            await asyncio.sleep(0.01)
        if number % 25 == 24:
            print(f"{number + 1} kills, {len(taken)} acknowledged", flush=True)
    await asyncio.sleep(1)
    stop.set()
    await sending
    return {token: said for webhook in taken for token, said in webhook.texts.items()}


def count(database: str, platform_url: str, taken: dict[str, str]) -> Counted:
    """Wait until all is answered, and count."""
    from tests.small_shop import User

    engine = create_engine(database)
    unfinished = text("SELECT count(*) FROM lineconnect_inbox_event WHERE finished_at IS NULL")
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        with engine.connect() as connection:
            if not connection.scalar(unfinished):
                break
        time.sleep(0.5)
    with engine.connect() as connection:
        written = Counter(connection.scalars(select(User.name).where(User.name.like("note %"))))
        stored = connection.scalar(text("SELECT count(*) FROM lineconnect_inbox_event")) or 0
        states = connection.execute(
            text("SELECT state, error, count(*) FROM lineconnect_inbox_event GROUP BY state, error")
        ).all()
    engine.dispose()
    print("the inbox:", [tuple(row) for row in states])
    found = requests.get(f"{platform_url}/_emulator/replies", timeout=60).json()
    counts = requests.get(f"{platform_url}/_emulator/counts", timeout=60).json()
    unanswered = {said for token, said in taken.items() if token not in found["replies"]}
    undone = {said for said in taken.values() if not written[said]}
    doubled = {said for said, times in written.items() if times > 1}
    if counts.get("push"):
        doubled.add(f"{counts['push']} pushes")
    answered = len(taken) - len(unanswered)
    return Counted(stored, len(taken), answered, unanswered | undone, doubled, found["twice"])


def main(arguments: Sequence[str] | None = None) -> None:
    """Kill, count, and say so."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=500)
    parser.add_argument("--rate", type=float, default=100.0, help="messages a second")
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    options = parser.parse_args(arguments)
    random.seed(options.seed)
    print(f"{options.database}, seed {options.seed}", flush=True)
    with ExitStack() as stack:
        database = make_database(options.database, stack)
        with platform(50) as url, shop("extension", database, url, **SETTINGS) as served:
            taken = asyncio.run(kill_while_sending(served, options.kills, options.rate))
            counted = count(database, url, taken)
    print(
        f"{options.kills} kills: {counted.stored} events stored, {counted.acknowledged} of them "
        f"acknowledged, {counted.answered} answered, {len(counted.lost)} lost, "
        f"{len(counted.doubled)} doubled; {counted.offered_again} replies were offered to LINE "
        "again, which took none of them twice",
        flush=True,
    )
    if counted.lost or counted.doubled:
        sys.exit(f"lost: {sorted(counted.lost)[:10]}, doubled: {sorted(counted.doubled)[:10]}")


if __name__ == "__main__":
    main()
