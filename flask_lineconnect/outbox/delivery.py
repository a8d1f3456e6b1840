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
import time
from collections import Counter
from collections.abc import Callable
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from typing import ParamSpec
from typing import TypeVar

from .. import signals
from ..after_commit import announce
from ..error_words import for_log
from ..errors import LineApiError
from ..line_api.client import LineApi
from ..line_api.native_threads import run_in_native_thread
from ..line_api.sender import MAX_IN_FLIGHT
from ..line_api.sender import Kind
from ..line_api.sender import SendAnswer
from ..line_api.sender import Sender
from ..log_fields import log_fields
from ..models.sqlite import begin_writing
from ..shop.adapter import OwnerNotice
from ..state import LineState
from . import budget
from . import claims
from . import pauses
from .claims import claim_batches
from .claims import claim_messages
from .due import is_anything_due
from .pacing import Pacer
from .pacing import SharedPace
from .results import Answered
from .results import QuotaReading
from .results import put_back
from .results import record
from .rules import Rules
from .send_requests import Claimed
from .send_requests import Request

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
    return run_in_native_thread(lambda: asyncio.run(_Delivery(line).run()), "lineconnect-delivery")


def _may_send_anything(line: LineState) -> bool:
    """Ask whether anything is due and not paused, before anything is opened for it."""
    with line.work_context():
        now = line.clock()
        if any(not one.is_for_marketing_only for one in pauses.current(line.session, now=now)):
            return False
        return is_anything_due(line.session, now=now)


def _read_quota(line: LineState) -> None:
    """Ask LINE for the month's quota now and then; without an answer our own count rules."""
    with line.work_context():
        now = line.clock()
        begin_writing(line.session)
        month = budget.lock(line.session, now)
        should_ask = budget.should_ask(month, now)
        if should_ask:
            month.asked_at = now
        line.session.commit()
        if should_ask:
            _note_quota(line)


def _note_quota(line: LineState) -> QuotaReading | None:
    try:
        granted, used = line.part(LineApi).quota()
    except LineApiError as error:
        logger.warning(
            "LINE did not say how many messages are left: %s",
            error.text,
            extra=log_fields("quota_unknown", error),
        )
        return None
    now = line.clock()
    begin_writing(line.session)
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
    is_idle: bool = False


class _Delivery:
    """One run, until nothing is due: a lane for pushes, one for multicasts, one writer."""

    def __init__(self, line: LineState):
        config = line.config
        self._line = line
        self._sender = Sender(
            config.hosts.api, line.part(LineApi).messaging_token, config.timeout_seconds
        )
        self._slots = asyncio.Semaphore(MAX_IN_FLIGHT)
        self._requests: set[asyncio.Task[None]] = set()
        #: The latest of them to each person.
        self._latest_to: dict[str, asyncio.Task[None]] = {}
        self._answers: asyncio.Queue[Answered | None] = asyncio.Queue()
        #: Requests whose answers are not written down yet.
        self._open = 0
        #: Set when a lane may have something new to do.
        self._stirred = asyncio.Event()
        self._is_token_refused = False
        self._lanes = (
            _Lane("push", _claim_messages, Pacer(line.part(SharedPace), "push")),
            _Lane("multicast", _claim_batches, Pacer(line.part(SharedPace), "multicast")),
        )

    async def run(self) -> int:
        """Send until nothing is due; return how many rows were looked at."""
        async with self._sender:
            writing = asyncio.create_task(self._write_answers())
            reading = asyncio.create_task(self._keep_reading_quota())
            counts = await asyncio.gather(*map(self._run_lane, self._lanes), return_exceptions=True)
            reading.cancel()
            # Whatever went wrong in a lane, what is on its way is waited for and written down.
            await asyncio.gather(*self._requests, return_exceptions=True)
            await self._answers.put(None)
            await writing
        total = 0
        for count in counts:
            if isinstance(count, BaseException):
                raise count
            total += count
        return total

    async def _run_lane(self, lane: _Lane) -> int:
        """Claim and send, the next claim being made while this one is sent.

        Ends when no lane finds anything and every answer is written down; until then it looks
        again now and then, for an order's notice must not wait for the end of a campaign.
        """
        total = 0
        try:
            claiming = self._claim(lane)
            while True:
                claimed = await claiming
                total += claimed.count
                lane.is_idle = claimed.count == 0
                if claimed.count:
                    self._stirred.set()
                if lane.is_idle and self._is_over():
                    return total
                if lane.is_idle:
                    await self._wait_a_little()
                claiming = self._claim(lane)
                await self._send_all(lane, claimed.requests)
        finally:
            lane.is_idle = True

    def _is_over(self) -> bool:
        return self._open == 0 and all(lane.is_idle for lane in self._lanes)

    async def _wait_a_little(self) -> None:
        self._stirred.clear()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stirred.wait(), LOOK_AGAIN_SECONDS)

    def _claim(self, lane: _Lane) -> asyncio.Future[Claimed]:
        is_over = self._line.stopping.is_set() or self._is_token_refused
        return _in_thread(_claim_nothing if is_over else lane.claim, self._line)

    async def _send_all(self, lane: _Lane, requests: Sequence[Request]) -> None:
        """Make a claim's requests, for as long as they are ours; what was not made is put back."""
        ends_at = time.monotonic() + claims.LEASE.total_seconds()
        for number, request in enumerate(requests):
            await lane.pacer.wait()
            await self._slots.acquire()
            if self._is_token_refused:
                self._slots.release()
                return await _in_thread(_put_back, self._line, requests[number:])
            self._begin(request, ends_at)

    def _begin(self, request: Request, ends_at: float) -> None:
        self._open += 1
        latest = self._latest_to
        task = asyncio.create_task(self._send_after(latest.get(request.to), request, ends_at))
        self._requests.add(task)
        latest[request.to] = task
        task.add_done_callback(partial(self._end, request.to))

    def _end(self, to: str, task: asyncio.Task[None]) -> None:
        self._requests.discard(task)
        if self._latest_to.get(to) is task:
            del self._latest_to[to]

    async def _send_after(
        self, earlier: asyncio.Task[None] | None, request: Request, ends_at: float
    ) -> None:
        """Make a request after an earlier one to the same person, who reads them in this order."""
        if earlier is not None:
            await asyncio.wait([earlier])
        # A process that slept must not wake up and send what others have sent meanwhile.
        if time.monotonic() >= ends_at or self._line.clock() >= request.until:
            self._slots.release()
            self._close(1)
        else:
            await self._send(request)

    async def _send(self, request: Request) -> None:
        try:
            answer = await self._sender.send(
                request.kind, request.body, retry_key=request.retry_key
            )
        except Exception as error:  # a fault of ours; what LINE made of it nobody knows
            logger.exception("a request failed", extra=log_fields("request_failed"))
            answer = SendAnswer(None, text=f"the request failed: {type(error).__name__}")
        finally:
            self._slots.release()
        self._is_token_refused |= answer.is_token_refused
        await self._answers.put((request, answer))

    async def _write_answers(self) -> None:
        """Write answers down, many in one transaction, until ``None`` comes."""
        is_last = False
        while not is_last and (first := await self._answers.get()) is not None:
            answered = [first]
            await asyncio.sleep(GATHER_SECONDS)
            while len(answered) < ANSWERS_AT_ONCE and not self._answers.empty() and not is_last:
                one = self._answers.get_nowait()
                is_last = one is None
                if one is not None:
                    answered.append(one)
            try:
                await self._write_down(answered)
            finally:
                self._close(len(answered))

    def _close(self, count: int) -> None:
        self._open -= count
        if self._open == 0:
            self._stirred.set()

    async def _write_down(self, answered: Sequence[Answered]) -> None:
        """Write answers down; a database that is away may come back."""
        for seconds in WAITS_FOR_DATABASE:
            try:
                for kind in await _in_thread(_record, self._line, answered):
                    await _in_thread(self._line.part(SharedPace).back_off, kind, 1.0)
                return
            except Exception:  # whatever it is, answers that follow must be written down
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

    async def _keep_reading_quota(self) -> None:
        """Ask for the quota now and then during a long run."""
        while True:
            await asyncio.sleep(budget.ASK_AGAIN.total_seconds())
            try:
                await _in_thread(_read_quota, self._line)
            except Exception:  # sending goes on by our own count
                logger.exception("the quota was not read", extra=log_fields("quota_unread"))


def _in_thread(call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> asyncio.Future[T]:
    """Call in a thread without the caller's context: its database session is nobody else's."""
    return asyncio.get_running_loop().run_in_executor(None, partial(call, *args, **kwargs))


def _claim_nothing(_line: LineState) -> Claimed:
    return Claimed()


def _claim_messages(line: LineState) -> Claimed:
    with line.work_context():
        claimed = claim_messages(line.session, line.part(Rules), now=line.clock())
        tell_owner(line, claimed.notices)
        return claimed


def _claim_batches(line: LineState) -> Claimed:
    with line.work_context():
        claimed = claim_batches(line.session, line.part(Rules), now=line.clock())
        tell_owner(line, claimed.notices)
        return claimed


def _record(line: LineState, answered: Sequence[Answered]) -> set[Kind]:
    """Write answers down; return of which endpoints LINE said that it was too fast."""
    with line.work_context():
        is_limited = any(
            answer.status == HTTPStatus.TOO_MANY_REQUESTS for _request, answer in answered
        )
        quota = _ask_after_limit(line) if is_limited else None
        begin_writing(line.session)
        now, zone = line.clock(), line.config.zone
        recorded = record(line.session, answered, quota=quota, now=now, zone=zone)
        line.session.commit()
        tell_owner(line, recorded.notices)
        _log_refusals(answered)
        return recorded.too_fast


def _ask_after_limit(line: LineState) -> QuotaReading | None:
    """Ask for the quota; whatever comes of it, the answers that are there are written down."""
    try:
        return _note_quota(line)
    except Exception:  # without LINE's figures our own count rules
        line.session.rollback()
        logger.exception("the quota was not read", extra=log_fields("quota_unread"))
        return None


def _put_back(line: LineState, requests: Sequence[Request]) -> None:
    """Put back what LINE was not asked for."""
    with line.work_context():
        begin_writing(line.session)
        for request in requests:
            put_back(line.session, request, None, at=line.clock())
        line.session.commit()


def _log_refusals(answered: Sequence[Answered]) -> None:
    """Log what was not accepted, by kind and status; the outbox has the rows, and LINE's words."""
    refused = Counter(
        (request.kind, answer.status) for request, answer in answered if not answer.is_accepted
    )
    for (kind, status), count in refused.items():
        logger.warning(
            "%d requests (%s) were not accepted: status %s; see `flask line outbox list`",
            count,
            kind,
            status,
            extra=log_fields("not_accepted", endpoint=kind, status=status, count=count),
        )


def tell_owner(line: LineState, notices: Sequence[OwnerNotice]) -> None:
    """Tell whoever listens to the signal, and the owner by the shop's own way."""
    for notice in notices:
        logger.error(
            "sending: %s", notice.text, extra=log_fields("owner_notified", kind=notice.kind)
        )
        announce(line.session, signals.owner_notified, notice=notice)
        line.session.commit()
        try:
            line.shop.tell_owner(notice)
            line.session.commit()
        except BaseException as error:  # the shop's code; what is sent must not depend on it
            logger.error(
                "ShopAdapter.tell_owner failed",
                exc_info=for_log(error),
                extra=log_fields("tell_owner_failed"),
            )
            line.session.rollback()
