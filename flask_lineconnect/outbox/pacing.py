"""LINE's request rates, kept by all workers together and approached.

A worker takes permits for a slice of time, and spends them evenly within it. One number says from
when the next slice is free: in Redis, where the shop counts its logins there, otherwise in a row of
the database. The windows of the package ``limits`` don't do: they count permits when they are
taken, and LINE counts requests, which come later.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from sqlalchemy import update
from sqlalchemy.orm import Session

from ..line_api.sender import Kind
from ..models import Pace
from ..models.base import insert_if_absent

#: Requests per second and channel. Source: Messaging API reference, "Rate limits".
LINE_RATES: dict[Kind, int] = {"push": 2_000, "multicast": 200}
#: How much of a rate is used. The rest covers :data:`CATCH_UP` and :data:`TIMER`: within no second
#: are there more requests than LINE allows.
SHARE = 0.973
#: Seconds by which a permit may be spent late.
CATCH_UP = 0.025
#: Seconds for which no timer is set: it is good for a millisecond, and what is due goes at once.
TIMER = 0.002
#: Seconds of work for which permits are taken at once, and ahead: a busy database may take as long.
SLICE = 0.25
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
        free_at = self._lock(session, endpoint)
        # Asked now: to have waited for the row must not cost the permits of that time.
        earliest = self._now() - CATCH_UP
        if not earliest <= free_at <= earliest + FARTHEST:
            free_at = earliest
        statement = update(Pace).where(Pace.endpoint == endpoint).values(free_at=free_at + seconds)
        session.execute(statement.execution_options(synchronize_session=False))
        return free_at + seconds

    def _lock(self, session: Session, endpoint: Kind) -> float:
        """Return from when on there are permits; nobody else takes any until the commit."""
        statement = (
            update(Pace)
            .where(Pace.endpoint == endpoint)
            .values(free_at=Pace.free_at)
            .returning(Pace.free_at)
            .execution_options(synchronize_session=False)
        )
        free_at = session.execute(statement).scalar_one_or_none()
        if free_at is None:
            insert_if_absent(session, Pace, endpoint=endpoint, free_at=self._now())
            free_at = session.execute(statement).scalar_one()
        return free_at


#: Does in Redis what :meth:`DatabasePace._advance` does, in one step.
_ADVANCE = """
local now, seconds = tonumber(ARGV[1]), tonumber(ARGV[2])
local earliest, farthest = now - tonumber(ARGV[3]), now + tonumber(ARGV[4])
local free_at = tonumber(redis.call('GET', KEYS[1]) or 0)
if free_at < earliest or free_at > farthest then free_at = earliest end
-- As text: Redis would cut a number's fraction off.
free_at = string.format('%.6f', free_at + seconds)
redis.call('SET', KEYS[1], free_at, 'EX', 60)
return free_at
"""


class RedisPace:
    """Permits by one key for each endpoint, as :class:`DatabasePace` has them by a row.

    :param uri: as for ``LINECONNECT_RATE_LIMIT_STORAGE``.
    :param channel_id: LINE counts by channel.
    """

    def __init__(self, uri: str, channel_id: str, now: Callable[[], float] = time.time):
        # Shops without Redis need none of it.
        from limits.storage import RedisStorage
        from limits.storage import storage_from_string

        storage = storage_from_string(uri)
        assert isinstance(storage, RedisStorage)
        self._script = storage.get_connection().register_script(_ADVANCE.encode())
        self._channel_id = channel_id
        self._now = now

    def take(self, endpoint: Kind, count: int, *, rate: float) -> Slice:
        """Take ``count`` permits; they may begin later than now."""
        return Slice(self._advance(endpoint, count / rate) - count / rate, count)

    def back_off(self, endpoint: Kind, seconds: float) -> None:
        """Move the time of the next permit."""
        self._advance(endpoint, seconds)

    def _advance(self, endpoint: Kind, seconds: float) -> float:
        keys = [f"lineconnect:pace:{self._channel_id}:{endpoint}"]
        return float(self._script(keys, [self._now(), seconds, CATCH_UP, FARTHEST]))


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
        while not self._is_in_time():
            ahead = self._ahead or self._take()
            self._ahead = None
            taken = await ahead
            self._left, self._next_at = taken.count, taken.start
        if self._ahead is None:
            self._ahead = self._take()
        delay = self._next_at - time.time()
        self._left -= 1
        self._next_at += 1 / self._rate
        if delay > TIMER:
            await asyncio.sleep(delay)

    def back_off(self, seconds: float) -> None:
        """Let all workers wait."""
        self._shared.back_off(self._endpoint, seconds)

    def _is_in_time(self) -> bool:
        """Tell whether permits are left; those whose time is over are given up.

        Spent later, they would come on top of the permits that others have for that time.
        """
        now = time.time()
        missed = (now - CATCH_UP - self._next_at) * self._rate
        if self._next_at > now + FARTHEST:
            self._left = 0
        elif missed > 0:
            given_up = min(self._left, math.ceil(missed))
            self._left -= given_up
            self._next_at += given_up / self._rate
        return self._left > 0

    def _take(self) -> asyncio.Future[Slice]:
        take = partial(self._shared.take, self._endpoint, self._count, rate=self._rate)
        return asyncio.get_running_loop().run_in_executor(None, take)
