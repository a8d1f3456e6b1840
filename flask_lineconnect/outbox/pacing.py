"""LINE's request rates, kept by all workers together and approached.

A worker takes permits for a slice of time, and spends them evenly within it. Where the shop counts
its logins in Redis, the package ``limits`` keeps these counts there too; otherwise one row of the
database does, for which no kept library has a form that costs one statement.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from limits import RateLimitItemPerSecond
from limits.storage import MovingWindowSupport
from limits.storage import storage_from_string
from limits.strategies import MovingWindowRateLimiter
from sqlalchemy import case
from sqlalchemy import update
from sqlalchemy.orm import Session

from ..line_api.sender import Kind
from ..models import Pace
from ..models.base import insert_if_absent

#: Requests per second and channel. Source: Messaging API reference, "Rate limits".
LINE_RATES: dict[Kind, int] = {"push": 2_000, "multicast": 200}
#: How much of a rate is used. The rest covers :data:`CATCH_UP`: within no second are there more
#: requests than LINE allows.
SHARE = 0.975
#: Seconds of a pause between two slices that may be made up for.
CATCH_UP = 0.025
#: Seconds of work for which permits are taken at once.
SLICE = 0.1
#: A later time than this many seconds from now was left by a clock that was wrong.
FARTHEST = 30.0


@dataclass(frozen=True, slots=True)
class Slice:
    """Permits: ``count`` requests, the first one at ``start`` (seconds since 1970)."""

    start: float
    count: int


class SharedPace(Protocol):
    """Where permits come from, for all workers."""

    def take(self, endpoint: Kind, count: int, *, rate: float) -> Slice:
        """Take up to ``count`` permits."""

    def back_off(self, endpoint: Kind, seconds: float) -> None:
        """Let everybody wait, because LINE said that it was too much."""


class DatabasePace:
    """Permits by one row for each endpoint (generic cell rate algorithm, ITU-T I.371).

    :param run: calls a function with a database session, commits and returns what it returned.
    :param now: seconds since 1970; the machine's own clock, whatever tests do with the app's.
    """

    def __init__(
        self,
        run: Callable[[Callable[[Session], float]], float],
        now: Callable[[], float] = time.time,
    ):
        self._run = run
        self._now = now

    def take(self, endpoint: Kind, count: int, *, rate: float) -> Slice:
        """Take ``count`` permits; they may begin later than now."""
        end = self._run(lambda session: self._advance(session, endpoint, count / rate))
        return Slice(end - count / rate, count)

    def back_off(self, endpoint: Kind, seconds: float) -> None:
        """Move the time of the next permit."""
        self._run(lambda session: self._advance(session, endpoint, seconds))

    def _advance(self, session: Session, endpoint: Kind, seconds: float) -> float:
        now = self._now()
        earliest = now - CATCH_UP
        is_plausible = Pace.free_at.between(earliest, now + FARTHEST)
        statement = (
            update(Pace)
            .where(Pace.endpoint == endpoint)
            .values(free_at=case((is_plausible, Pace.free_at), else_=earliest) + seconds)
            .returning(Pace.free_at)
            .execution_options(synchronize_session=False)
        )
        end = session.execute(statement).scalar_one_or_none()
        if end is None:
            insert_if_absent(session, Pace, endpoint=endpoint, free_at=now)
            end = session.execute(statement).scalar_one()
        return end


class RedisPace:
    """Permits by the package ``limits``: a moving window of one second, in Redis.

    :param uri: as for ``LINECONNECT_RATE_LIMIT_STORAGE``.
    :param channel_id: LINE counts by channel.
    """

    def __init__(self, uri: str, channel_id: str):
        storage = storage_from_string(uri)
        assert isinstance(storage, MovingWindowSupport)
        self._limiter = MovingWindowRateLimiter(storage)
        self._channel_id = channel_id

    def take(self, endpoint: Kind, count: int, *, rate: float) -> Slice:
        """Take as many permits as are left now, at least one; waits until there is one."""
        item = RateLimitItemPerSecond(int(rate), namespace="lineconnect")
        while True:
            for some in (count, 1):
                if self._limiter.hit(item, endpoint, self._channel_id, cost=some):
                    return Slice(time.time(), some)
            time.sleep(1 / rate)

    def back_off(self, endpoint: Kind, seconds: float) -> None:
        """Use up the window."""
        rate = int(LINE_RATES[endpoint] * SHARE)
        item = RateLimitItemPerSecond(rate, namespace="lineconnect")
        left = self._limiter.get_window_stats(item, endpoint, self._channel_id).remaining
        self._limiter.hit(item, endpoint, self._channel_id, cost=max(left, 1))


class Pacer:
    """Hands one worker's permits to its requests, one after the other and evenly in time."""

    def __init__(self, shared: SharedPace, endpoint: Kind, *, scale: float = 1.0):
        self._shared = shared
        self._endpoint: Kind = endpoint
        self._rate = LINE_RATES[endpoint] * SHARE * scale
        self._count = max(1, round(self._rate * SLICE))
        self._left = 0
        self._next_at = 0.0
        self._ahead: asyncio.Future[Slice] | None = None

    async def wait(self) -> None:
        """Return when the next request may be made."""
        if self._left == 0:
            ahead = self._ahead or self._take()
            self._ahead = None
            taken = await ahead
            self._left, self._next_at = taken.count, taken.start
        elif self._left == self._count // 2 and self._ahead is None:
            self._ahead = self._take()
        now = time.time()
        # Whoever comes late, because the machine was busy, does not make up for all of it.
        self._next_at = max(self._next_at, now - CATCH_UP)
        delay = self._next_at - now
        self._left -= 1
        self._next_at += 1 / self._rate
        # A timer is good for a millisecond; what is due sooner goes at once.
        if delay > 0.002:
            await asyncio.sleep(delay)

    def back_off(self, seconds: float) -> None:
        """Let all workers wait."""
        self._shared.back_off(self._endpoint, seconds)

    def _take(self) -> asyncio.Future[Slice]:
        take = partial(self._shared.take, self._endpoint, self._count, rate=self._rate)
        return asyncio.get_running_loop().run_in_executor(None, take)
