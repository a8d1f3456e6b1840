"""LINE's rates, kept in Redis by processes that know nothing of each other."""

from __future__ import annotations

import asyncio
import multiprocessing
import time
from bisect import bisect_left
from collections.abc import Iterator
from queue import Queue
from threading import Barrier

import pytest

from flask_lineconnect.line_api.sender import Kind
from flask_lineconnect.outbox.pacing import CATCH_UP
from flask_lineconnect.outbox.pacing import LINE_RATES
from flask_lineconnect.outbox.pacing import Pacer
from flask_lineconnect.outbox.pacing import RedisPace
from tests.conftest import run_apart
from tests.redis_server import running_redis

SECONDS = 3.0


@pytest.fixture(scope="module")
def redis_server() -> Iterator[str]:
    """Run a Redis."""
    with running_redis() as address:
        yield address


def _spend(address: str, endpoint: Kind, together: Barrier, results: Queue[list[float]]) -> None:
    async def spend() -> list[float]:
        pacer = Pacer(RedisPace(address, "1650000002"), endpoint)
        at = []
        # A process of a busy machine may take seconds for its start.
        together.wait()
        ends_at = time.time() + SECONDS
        while time.time() < ends_at:
            await pacer.wait()
            at.append(time.time())
        return at

    results.put(asyncio.run(spend()))


@pytest.mark.parametrize("endpoint", ["multicast", "push"])
def test_two_processes_keep_the_rate_together(redis_server: str, endpoint: Kind) -> None:
    # Not forked: the test process has threads.
    context = multiprocessing.get_context("spawn")
    results = context.Queue()
    arguments = (redis_server, endpoint, context.Barrier(2), results)
    workers = [context.Process(target=_spend, args=arguments) for _ in range(2)]
    for worker in workers:
        worker.start()
    each = [results.get(timeout=60) for _ in workers]
    for worker in workers:
        worker.join()

    at = sorted(each[0] + each[1])
    most = max(bisect_left(at, one + 1) - place for place, one in enumerate(at))
    rate = LINE_RATES[endpoint]
    assert most <= rate
    # How near they come to it is a matter of the machine: `test_slices_follow_one_another`.
    assert all(len(times) > 50 for times in each)


def test_slices_follow_one_another(redis_server: str) -> None:
    now = 1_000.0
    one, other = (RedisPace(redis_server, "slices", lambda: now) for _ in range(2))
    starts = [pace.take("push", 10, rate=100.0).start for pace in (one, other, one)]
    first = now - CATCH_UP
    assert starts == pytest.approx([first, first + 0.1, first + 0.2])
    # Other endpoints and other channels have rates of their own.
    assert one.take("multicast", 10, rate=100.0).start == pytest.approx(first)
    elsewhere = RedisPace(redis_server, "other", lambda: now)
    assert elsewhere.take("push", 10, rate=100.0).start == pytest.approx(first)


def test_when_line_says_that_it_is_too_much_everybody_waits(redis_server: str) -> None:
    now = 1_000.0
    one, other = (RedisPace(redis_server, "too-much", lambda: now) for _ in range(2))
    one.take("push", 10, rate=100.0)
    one.back_off("push", 1.0)
    assert other.take("push", 10, rate=100.0).start == pytest.approx(now - CATCH_UP + 1.1)


@pytest.mark.parametrize("jump", [-86_400.0, 86_400.0])
def test_a_clock_that_jumps_stops_nothing(redis_server: str, jump: float) -> None:
    now = 1_000_000.0
    pace = RedisPace(redis_server, f"jump{jump}", lambda: now)
    pace.take("push", 10, rate=100.0)
    now += jump
    assert pace.take("push", 10, rate=100.0).start == pytest.approx(now - CATCH_UP)


def test_permits_whose_time_is_over_are_given_up(redis_server: str) -> None:
    async def spend() -> float:
        pacer = Pacer(RedisPace(redis_server, "late"), "multicast")
        await pacer.wait()
        time.sleep(0.5)
        began = time.time()
        for _ in range(20):
            await pacer.wait()
        return time.time() - began

    # 20 requests at 200 a second; what the pause left undone is not made up for.
    assert run_apart(spend) > 0.06
