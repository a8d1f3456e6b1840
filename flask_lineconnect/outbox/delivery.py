"""Send what is due: many requests on their way at once, at LINE's pace, each exactly once.

What is claimed is fixed in the database before LINE hears of it (``claims.py``), and what LINE
answers is written down afterwards (``results.py``). A process that dies in between leaves a claim
that ends by itself; whoever takes it over makes the same request, with the same retry key, and LINE
answers that it has it already.

Next on the reading path: ``line_api/sender.py``.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from typing import ParamSpec
from typing import TypeVar

from sqlalchemy import or_
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from .. import signals
from ..after_commit import announce
from ..errors import LineApiError
from ..line_api.sender import MAX_IN_FLIGHT
from ..line_api.sender import Kind
from ..line_api.sender import Sender
from ..log_fields import log_fields
from ..models import OutboxBatch
from ..models import OutboxMessage
from ..shop import OwnerNotice
from ..state import LineState
from . import budget
from . import pauses
from .claims import claim_batches
from .claims import claim_messages
from .pacing import Pacer
from .requests import Claimed
from .requests import Request
from .results import Answered
from .results import QuotaReading
from .results import record

logger = logging.getLogger(__name__)

#: Answers written down in one transaction, at the most.
ANSWERS_AT_ONCE = 500
#: Seconds that the first of them waits for others.
GATHER_SECONDS = 0.05
#: Seconds after which a lane without work looks again, as long as the other one has some.
LOOK_AGAIN_SECONDS = 0.2
#: Seconds between tries to write answers down.
WAITS_FOR_DATABASE = (0.5, 1, 2, 4, 8)

P = ParamSpec("P")
T = TypeVar("T")


def deliver_due(line: LineState) -> int:
    """Send everything that is due and may be sent; return how many rows were looked at."""
    if not _may_send_anything(line):
        return 0
    _read_quota(line)
    # In a thread of its own: the caller's may have an event loop already.
    with ThreadPoolExecutor(1, "lineconnect-delivery") as thread:
        return thread.submit(lambda: asyncio.run(_Delivery(line).run())).result()


def _may_send_anything(line: LineState) -> bool:
    """Ask whether anything is due and not paused, before anything is opened for it."""
    with line.work_context():
        now = line.clock()
        if any(not one.is_for_marketing_only for one in pauses.current(line.session, now=now)):
            return False
        due = [
            select(model.id).where(model.next_attempt_at <= now).exists()
            for model in (OutboxMessage, OutboxBatch)
        ]
        return bool(line.session.scalar(select(or_(*due))))


def _read_quota(line: LineState) -> None:
    """Ask LINE for the month's quota now and then; without an answer our own count rules."""
    with line.work_context():
        now = line.clock()
        month = budget.lock(line.session, now)
        is_fresh = month.read_at is not None and now - month.read_at < budget.READ_EVERY
        line.session.commit()
        if not is_fresh:
            _note_quota(line)


def _note_quota(line: LineState) -> QuotaReading | None:
    try:
        granted, used = line.api.quota()
    except LineApiError as error:
        logger.warning(
            "LINE did not say how many messages are left: %s",
            error.text,
            extra=log_fields("quota_unknown", error),
        )
        return None
    now = line.clock()
    month = budget.lock(line.session, now)
    budget.note_reading(month, granted=granted, line_used=used, now=now)
    line.session.commit()
    return QuotaReading(granted, used)


@dataclass(slots=True)
class _Lane:
    """One of LINE's endpoints: what is claimed for it, and how fast it goes."""

    kind: Kind
    claim: Callable[[LineState], Claimed]
    pacer: Pacer
    is_working: bool = False


class _Delivery:
    """One run, until nothing is due: a lane for pushes, one for multicasts, one writer."""

    def __init__(self, line: LineState):
        config = line.config
        self._line = line
        self._sender = Sender(config.hosts.api, line.api.messaging_token, config.timeout_seconds)
        self._slots = asyncio.Semaphore(MAX_IN_FLIGHT)
        #: Set when no lane has work.
        self._idle = asyncio.Event()
        self._on_their_way: set[asyncio.Task[None]] = set()
        self._answers: asyncio.Queue[Answered | None] = asyncio.Queue()
        self._lanes = (
            _Lane("push", _claim_messages, Pacer(line.pace, "push")),
            _Lane("multicast", _claim_batches, Pacer(line.pace, "multicast")),
        )

    async def run(self) -> int:
        """Send until nothing is due; return how many rows were looked at."""
        total = 0
        async with self._sender:
            writing = asyncio.create_task(self._write_answers())
            try:
                while count := sum(await asyncio.gather(*map(self._run_lane, self._lanes))):
                    self._idle.clear()
                    total += count
                    # What LINE refused to take now may be due again.
                    await self._wait_for_answers()
            finally:
                await self._wait_for_answers()
                await self._answers.put(None)
                await writing
        return total

    async def _run_lane(self, lane: _Lane) -> int:
        """Send what is due; look again now and then while the other lane is at work.

        An order's notice must not wait for the end of a campaign.
        """
        total = 0
        while True:
            lane.is_working = True
            try:
                total += await self._send_claims(lane)
            finally:
                lane.is_working = False
            if not any(other.is_working for other in self._lanes):
                self._idle.set()
                return total
            with suppress(TimeoutError):
                await asyncio.wait_for(self._idle.wait(), LOOK_AGAIN_SECONDS)

    async def _send_claims(self, lane: _Lane) -> int:
        """Claim and send until nothing is due, the next claim being made while this one is sent."""
        total = 0
        claiming = self._claim(lane)
        while (claimed := await claiming).count:
            total += claimed.count
            claiming = self._claim(lane)
            for request in claimed.requests:
                await lane.pacer.wait()
                await self._slots.acquire()
                task = asyncio.create_task(self._send(request))
                self._on_their_way.add(task)
                task.add_done_callback(self._on_their_way.discard)
        return total

    def _claim(self, lane: _Lane) -> asyncio.Future[Claimed]:
        claim = _claim_nothing if self._line.stopping.is_set() else lane.claim
        return _in_thread(claim, self._line)

    async def _send(self, request: Request) -> None:
        try:
            answer = await self._sender.send(
                request.kind, request.body, retry_key=request.retry_key
            )
        finally:
            self._slots.release()
        await self._answers.put((request, answer))

    async def _wait_for_answers(self) -> None:
        await asyncio.gather(*self._on_their_way, return_exceptions=True)
        await self._answers.join()

    async def _write_answers(self) -> None:
        while (first := await self._answers.get()) is not None:
            answered = [first]
            await asyncio.sleep(GATHER_SECONDS)
            while len(answered) < ANSWERS_AT_ONCE and not self._answers.empty():
                one = self._answers.get_nowait()
                if one is not None:
                    answered.append(one)
            await self._write_down(answered)
            for _ in answered:
                self._answers.task_done()

    async def _write_down(self, answered: Sequence[Answered]) -> None:
        """Write answers down, many in one transaction; a database that is away may come back."""
        for seconds in WAITS_FOR_DATABASE:
            try:
                for kind in await _in_thread(_record, self._line, answered):
                    await _in_thread(self._line.pace.back_off, kind, 1.0)
                return
            except SQLAlchemyError:
                logger.exception(
                    "LINE's answers could not be written down; trying again",
                    extra=log_fields("answers_unwritten", count=len(answered)),
                )
                await asyncio.sleep(seconds)
        # The claims end by themselves; the same requests then bring the same answers.
        logger.error(
            "%d answers of LINE's were not written down",
            len(answered),
            extra=log_fields("answers_lost", count=len(answered)),
        )


def _in_thread(call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> asyncio.Future[T]:
    """Call in a thread without the caller's context: its database session is nobody else's."""
    return asyncio.get_running_loop().run_in_executor(None, partial(call, *args, **kwargs))


def _claim_nothing(_line: LineState) -> Claimed:
    return Claimed()


def _claim_messages(line: LineState) -> Claimed:
    with line.work_context():
        claimed = claim_messages(line.session, line.rules, now=line.clock())
        _tell_owner(line, claimed.notices)
        return claimed


def _claim_batches(line: LineState) -> Claimed:
    with line.work_context():
        claimed = claim_batches(line.session, line.rules, now=line.clock())
        _tell_owner(line, claimed.notices)
        return claimed


def _record(line: LineState, answered: Sequence[Answered]) -> set[Kind]:
    """Write answers down; return of which endpoints LINE said that it was too fast."""
    with line.work_context():
        is_limited = any(
            answer.status == HTTPStatus.TOO_MANY_REQUESTS for _request, answer in answered
        )
        quota = _note_quota(line) if is_limited else None
        recorded = record(line.session, answered, quota=quota, now=line.clock())
        line.session.commit()
        _tell_owner(line, recorded.notices)
        for request, answer in answered:
            if not answer.is_accepted:
                # LINE's words are in the row, where `flask line outbox show` finds them.
                logger.warning(
                    "%s of row %d was not accepted: status %s",
                    request.kind,
                    request.row_id,
                    answer.status,
                    extra=log_fields(
                        "not_accepted",
                        endpoint=request.kind,
                        row_id=request.row_id,
                        status=answer.status,
                        line_request_id=answer.request_id,
                        attempt=request.attempt,
                    ),
                )
        return recorded.too_fast


def _tell_owner(line: LineState, notices: Sequence[OwnerNotice]) -> None:
    """Tell the owner by the shop's own way, and whoever listens to the signal."""
    for notice in notices:
        logger.error(
            "sending: %s", notice.text, extra=log_fields("owner_notified", kind=notice.kind)
        )
        announce(line.session, signals.owner_notified, notice=notice)
        try:
            line.shop.tell_owner(notice)
            line.session.commit()
        except Exception:  # the shop's code; what is sent must not depend on it
            logger.exception("ShopAdapter.tell_owner failed", extra=log_fields("tell_owner_failed"))
            line.session.rollback()
