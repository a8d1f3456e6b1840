"""LINE's rates: never exceeded by all workers together, and approached."""

from __future__ import annotations

import asyncio
import itertools
import threading
import time
from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from flask_lineconnect.models import Pace
from flask_lineconnect.outbox.pacing import CATCH_UP
from flask_lineconnect.outbox.pacing import LINE_RATES
from flask_lineconnect.outbox.pacing import SHARE
from flask_lineconnect.outbox.pacing import DatabasePace
from flask_lineconnect.outbox.pacing import Pacer
from flask_lineconnect.outbox.pacing import SharedPace
from flask_lineconnect.outbox.pacing import Slice
from flask_lineconnect.state import LineState
from tests.conftest import DATABASES
from tests.conftest import run_apart

on_both = pytest.mark.parametrize("database", DATABASES, indirect=True)


def _pace(app: Flask, now: Callable[[], float]) -> DatabasePace:
    line: LineState = app.extensions["lineconnect"]

    def run(step: Callable[[Session], float]) -> float:
        with app.app_context():
            result = step(line.session)
            line.session.commit()
            return result

    return DatabasePace(run, now)


@on_both
def test_slices_of_all_workers_follow_one_another(app: Flask) -> None:
    now = 1_000.0
    pace = _pace(app, lambda: now)
    starts = [pace.take("push", 10, rate=100.0).start for _ in range(3)]
    assert starts == pytest.approx([now, now + 0.1, now + 0.2])
    # Another endpoint has a rate of its own.
    assert pace.take("multicast", 10, rate=100.0).start == pytest.approx(now)


@on_both
def test_a_pause_is_made_up_for_by_a_little_only(app: Flask) -> None:
    now = 1_000.0
    pace = _pace(app, lambda: now)
    pace.take("push", 10, rate=100.0)
    now = 1_060.0
    assert pace.take("push", 10, rate=100.0).start == pytest.approx(now - CATCH_UP)


@on_both
@pytest.mark.parametrize("jump", [-86_400.0, 86_400.0])
def test_a_clock_that_jumps_stops_nothing(app: Flask, jump: float) -> None:
    now = 1_000_000.0
    pace = _pace(app, lambda: now)
    pace.take("push", 10, rate=100.0)
    now += jump
    assert pace.take("push", 10, rate=100.0).start == pytest.approx(now, abs=CATCH_UP + 1e-6)


@on_both
def test_when_line_says_that_it_is_too_much_everybody_waits(app: Flask) -> None:
    now = 1_000.0
    pace = _pace(app, lambda: now)
    pace.take("push", 10, rate=100.0)
    pace.back_off("push", 1.0)
    assert pace.take("push", 10, rate=100.0).start == pytest.approx(now + 1.1)


@on_both
def test_no_permit_is_given_twice_when_workers_race(app: Flask) -> None:
    pace = _pace(app, lambda: 1_000.0)
    taken: list[Slice] = []
    barrier = threading.Barrier(4)

    def take() -> None:
        barrier.wait()
        taken.extend(pace.take("push", 10, rate=100.0) for _ in range(5))

    workers = [threading.Thread(target=take) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    starts = sorted(one.start for one in taken)
    gaps = [later - earlier for earlier, later in itertools.pairwise(starts)]
    assert len(starts) == 20
    assert gaps == pytest.approx([0.1] * 19)


def test_within_no_second_are_there_more_requests_than_line_allows(app: Flask) -> None:
    line: LineState = app.extensions["lineconnect"]
    at: list[float] = []

    async def spend(count: int) -> None:
        pacer = Pacer(line.part(SharedPace), "multicast")
        for _ in range(count):
            await pacer.wait()
            at.append(time.monotonic())

    async def both() -> None:
        # Two workers, with a pause in the middle that one might want to make up for.
        await asyncio.gather(spend(60), spend(60))
        await asyncio.sleep(0.3)
        await asyncio.gather(spend(60), spend(60))

    run_apart(both)
    at.sort()
    rate = LINE_RATES["multicast"]
    most = max(sum(1 for other in at if one <= other < one + 1) for one in at)
    assert most <= rate
    assert len(at) == 240


def test_the_share_of_the_rate_and_what_is_made_up_for_are_the_whole_rate() -> None:
    assert SHARE + SHARE * CATCH_UP <= 1


def test_a_row_is_made_at_first_use(app: Flask, line: LineState) -> None:
    line.part(SharedPace).take("push", 1, rate=10.0)
    line.session.rollback()
    assert [row.endpoint for row in line.session.query(Pace)] == ["push"]
