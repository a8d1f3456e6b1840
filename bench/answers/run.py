"""How fast a shop answers its chat, beside the official SDK's handler in the same run.

``pip install -e '.[bench,sink]' && python bench/answers/run.py``. gunicorn has one worker with four
threads; LINE is the emulator's sink, with answers after 50 ms and after none. The two shops take
turns, round by round. ``--database postgresql`` stores in PostgreSQL, durably as SQLite does.

Three questions: how many texts a second are answered when more come than that (from the first
webhook to the last reply), how long a text waits for its reply to be requested at 100 a second, and
how long the others wait when the hook of every tenth takes 200 ms.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from collections.abc import Sequence
from contextlib import ExitStack
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import requests
from load import Sent
from load import make_webhooks
from load import send_all

from flask_lineconnect.testing.emulator import free_port

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1]))
APPS = ("sdk", "extension")
#: Seconds after which what is not answered yet is lost.
PATIENCE = 180.0


@contextmanager
def running(
    command: Sequence[str], url: str, **environment: str
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a server until the block ends, which begins when it answers."""
    process = subprocess.Popen(
        command, cwd=HERE, env={**os.environ, **environment}, stdout=subprocess.DEVNULL
    )
    try:
        for _try in range(400):
            try:
                requests.get(url, timeout=1)
                break
            except (requests.ConnectionError, requests.Timeout):
                time.sleep(0.05)
        yield process
    finally:
        process.terminate()
        process.wait(60)


@contextmanager
def platform(answer_after: int) -> Iterator[str]:
    """Run what stands for LINE."""
    url = f"http://127.0.0.1:{free_port()}"
    command = [sys.executable, "-m", "flask_lineconnect.emulator", "--sink"]
    options = ["--port", url.rpartition(":")[2], "--answer-after", str(answer_after)]
    with running([*command, *options], f"{url}/_emulator/health"):
        yield url


@dataclass(frozen=True)
class Served:
    """A shop that runs: the port, and gunicorn's process, which has one worker."""

    port: int
    master: int

    def worker(self) -> int:
        """Return the worker's process; one that was killed has a successor soon."""
        for _try in range(1_200):
            found = Path(f"/proc/{self.master}/task/{self.master}/children").read_text().split()
            if found:
                return int(found[0])
            time.sleep(0.05)
        sys.exit("gunicorn has no worker")

    def cpu_seconds(self) -> float:
        """Return how long the worker has had a processor: other programs change it little."""
        fields = Path(f"/proc/{self.worker()}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def shop(app: str, database: str, platform_url: str, **environment: str) -> Iterator[Served]:
    """Run gunicorn with one of the shops."""
    port = free_port()
    command = [sys.executable, "-m", "gunicorn", "--workers=1", "--threads=4"]
    command += [f"--bind=127.0.0.1:{port}", "--log-level=warning", "apps:application"]
    with running(
        command,
        f"http://127.0.0.1:{port}/",
        BENCH_APP=app,
        BENCH_DATABASE=database,
        BENCH_PLATFORM=platform_url,
        PYTHONPATH=str(HERE.parents[1]),
        **environment,
    ) as process:
        yield Served(port, process.pid)


def answer(
    served: Served, platform_url: str, texts: Sequence[str], *, rate: float | None, size: int
) -> Outcome:
    """Send texts to a shop and wait until all of them are answered.

    :param size: how many texts a webhook has.
    """
    # What is loaded for good is loaded before anything is measured.
    warm_up = make_webhooks(["hello"] * 20)
    asyncio.run(send_all(served.port, warm_up, 50))
    _wait_for(platform_url, len(warm_up))
    requests.post(f"{platform_url}/_emulator/reset", timeout=10)
    cpu_before = served.cpu_seconds()
    sent = asyncio.run(send_all(served.port, make_webhooks(texts, size), rate))
    refused = sum(one.status != 200 for one in sent)
    if refused:
        sys.exit(f"{refused} webhooks were not taken")
    replies = _wait_for(platform_url, len(texts))
    return Outcome(sent, replies, served.cpu_seconds() - cpu_before)


def _wait_for(platform_url: str, count: int) -> dict[str, float]:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        found = requests.get(f"{platform_url}/_emulator/replies", timeout=10).json()
        if found["twice"]:
            sys.exit(f"{found['twice']} reply tokens were used twice")
        if len(found["replies"]) >= count:
            return dict(found["replies"])
        time.sleep(0.2)
    sys.exit(f"{len(found['replies'])} of {count} were answered within {PATIENCE:g} seconds")


class Outcome:
    """What was sent, when each reply was requested, and the shop's seconds of processor time."""

    def __init__(self, sent: Sequence[Sent], replies: dict[str, float], cpu_seconds: float):
        self._sent, self._replies, self._cpu_seconds = sent, replies, cpu_seconds

    @property
    def cpu_milliseconds(self) -> float:
        """Milliseconds of processor time for each answer, from its webhook to its end."""
        return self._cpu_seconds / len(self._replies) * 1000

    @property
    def rate(self) -> float:
        """Answers a second, from the first webhook to the last reply."""
        began = min(one.at for one in self._sent)
        return len(self._replies) / (max(self._replies.values()) - began)

    def waits(self, *, slow: bool = False) -> list[float]:
        """Milliseconds from webhook to reply, sorted; of texts whose hook is slow or is not."""
        return sorted(
            (self._replies[token] - one.at) * 1000
            for one in self._sent
            for token, text in one.webhook.texts.items()
            if text.startswith("slow") == slow
        )


def measure(options: argparse.Namespace, what: str, answer_after: int, stack: ExitStack) -> None:
    """Let the shops take turns; print medians."""
    rates: dict[str, list[float]] = {app: [] for app in APPS}
    waits: dict[str, list[float]] = {app: [] for app in APPS}
    times: dict[str, list[float]] = {app: [] for app in APPS}
    for _round in range(options.rounds):
        for app in APPS:
            # The SDK's threads wait for LINE, so it gets fewer.
            count = options.messages // (10 if app == "sdk" and answer_after else 1)
            texts, rate = [f"text {number}" for number in range(count)], None
            if what != "rate":
                texts, rate = [f"text {number}" for number in range(options.seconds * 100)], 100.0
            if what == "slow":
                texts[::10] = ["slow"] * len(texts[::10])
            if options.notes:
                texts = [f"note {text}" for text in texts]
            database = make_database(options.database, stack)
            with platform(answer_after) as url, shop(app, database, url) as served:
                size = options.size if what == "rate" else 1
                outcome = answer(served, url, texts, rate=rate, size=size)
            rates[app].append(outcome.rate)
            waits[app] += outcome.waits()
            times[app].append(outcome.cpu_milliseconds)
    _print(what, answer_after, rates, waits, times)


def _print(
    what: str,
    answer_after: int,
    rates: dict[str, list[float]],
    waits: dict[str, list[float]],
    cpu: dict[str, list[float]],
) -> None:
    of_sdk = statistics.median(rates["sdk"])
    for app in APPS:
        rate, times = statistics.median(rates[app]), sorted(waits[app])
        median, p99 = statistics.median(times), times[int(len(times) * 0.99)]
        print(
            f"{what:6}{answer_after:4} ms  {app:10}{rate:9,.1f} answers/s{rate / of_sdk:7.2f} of "
            f"the SDK's   waits: median {median:9,.1f} ms, p99 {p99:9,.1f} ms"
            f"   processor: {statistics.median(cpu[app]):.2f} ms each",
            flush=True,
        )


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
    parser.add_argument("what", nargs="*", choices=["rate", "wait", "slow", "all"], default="all")
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--messages", type=int, default=3_000)
    parser.add_argument("--seconds", type=int, default=15)
    parser.add_argument("--answer-after", type=int, nargs="*", default=[50, 0], help="milliseconds")
    parser.add_argument("--size", type=int, default=1, help="texts of a webhook, for `rate`")
    parser.add_argument("--notes", action="store_true", help="each hook writes a row")
    options = parser.parse_args()
    with ExitStack() as stack:
        for what in ["rate", "wait", "slow"] if "all" in options.what else options.what:
            for answer_after in options.answer_after:
                measure(options, what, answer_after, stack)


if __name__ == "__main__":
    main()
