"""From stored webhook events to their hooks, and from the hooks to LINE: many persons at once.

One thread claims events and writes down what came of them, many in one transaction; hooks run in
threads of their own (``hook_threads.py``), and replies are on their way by the hundred
(``replier.py``). A hook's changes and its reply are committed together, and only then is the reply
sent: a process that dies in between sends the stored reply again, and LINE takes a reply token
once. A person's next event begins when LINE has answered the last one. Next: ``claims.py``.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field
from datetime import datetime
from typing import Any
from typing import NamedTuple

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import SingletonThreadPool
from sqlalchemy.pool import StaticPool

from ..line_api.sender import MAX_IN_FLIGHT
from ..line_api.sender import SendAnswer
from ..log_fields import log_fields
from ..state import LineState
from ..state import itself
from . import claims
from . import outcomes
from . import replies
from . import turns
from .claims import Claim
from .claims import Outcome
from .hook_runs import HookRan
from .hook_runs import run_hook
from .hook_threads import HookThreads
from .hook_threads import Job
from .replier import Outgoing
from .replier import Replier

logger = logging.getLogger(__name__)

#: Seconds after which is looked for other events while some are worked on, unless somebody says so.
LOOK_AGAIN_SECONDS = 0.2
#: Claimed events that may wait for a thread: as many as the threads do in so many seconds, and
#: never more than so many for each thread. What waits for long is better left to other processes.
WAITING_SECONDS, MOST_FOR_EACH_THREAD = 0.25, 8
#: Seconds after which an event that still waits for a thread is given back.
GIVEN_BACK_AFTER = 5.0
#: As many times as LINE may take for an answer, a reply may: two tokens are asked for, and used.
LONGEST_REPLY = 5
#: Seconds for which what comes in is gathered, for each event on its way, and at the most: a lone
#: event waits for nobody, and of many a transaction takes along what came meanwhile.
GATHER_SECONDS, MOST_GATHER_SECONDS = 0.000_25, 0.02
#: Seconds between tries to write down what came of events.
WAITS_FOR_DATABASE = (0.1, 0.5, 1.0, 2.0, 4.0)


@dataclass(eq=False)
class Answering:
    """What one process keeps for answering: threads, connections, and what wakes it.

    :param engine: of the database in which the extension's tables are.
    :ivar refused_until: until then, by the monotonic clock, LINE is not asked: it does not take our
        token. 0 while it does.
    :ivar told_of: the hooks of which was told that they commit by themselves.
    """

    engine: Engine
    threads: HookThreads
    replier: Replier
    refused_until: float = 0.0
    told_of: set[str] = field(default_factory=set)
    runs: set[_Dispatch] = field(default_factory=set)

    def stir(self) -> None:
        """Let a run that goes on look for new events now."""
        for run in tuple(self.runs):
            run.look()

    @property
    def has_one_connection(self) -> bool:
        """Tell whether all threads would share one: so it is with a database in memory."""
        return isinstance(self.engine.pool, StaticPool | SingletonThreadPool)


def dispatch_due(line: LineState) -> int:
    """Work on every event that is due, and on what becomes due meanwhile; return how many.

    Does not wait for hooks that hang.
    """
    line = itself(line)
    answering = line.part(Answering)
    with answering.engine.connect() as connection:
        if not claims.is_anything_due(connection, now=line.clock()):
            return 0
    # What replies need is loaded before an event is claimed: dying meanwhile costs no attempt.
    answering.replier.begin()
    run = _Dispatch(line)
    answering.runs.add(run)
    try:
        return run.work()
    finally:
        answering.runs.discard(run)


class _Reply(NamedTuple):
    """A reply that is stored, how often LINE was given it, and the token that it takes it with."""

    claim: Claim
    messages: Sequence[Mapping[str, Any]]
    tries: int
    token: str | None


class _Told(NamedTuple):
    """What LINE said to a reply."""

    reply: _Reply
    answer: SendAnswer


class _Dispatch:
    """One run, until nothing is due and nothing is on its way."""

    def __init__(self, line: LineState):
        self._line = line
        self._answering = line.part(Answering)
        self._threads = self._answering.threads
        self._news = threading.Event()
        #: What threads have done, and what LINE said, since the last step.
        self._ran: deque[tuple[Job, HookRan | None]] = deque()
        self._told: deque[_Told] = deque()
        #: What is to be written down, and what follows when it is.
        self._outcomes: list[Outcome] = []
        self._outgoing: list[Outgoing] = []
        #: Jobs in the threads, the events that hooks work on, and replies on their way.
        self._jobs: dict[Job, Claim | None] = {}
        self._in_flight: dict[Claim, float] = {}
        self._hook_seconds = 0.0
        self._should_look = True
        self._looked_at = 0.0
        self._failures = 0
        self._count = 0

    def look(self) -> None:
        """Look for new events now."""
        self._should_look = True
        self._news.set()

    def work(self) -> int:
        """Work until nothing is due; return how many events were claimed."""
        while True:
            self._gather()
            self._collect()
            self._step()
            self._answering.replier.send(self._outgoing)
            self._outgoing = []
            if self._ran or self._told or self._outcomes:
                continue
            may_look = self._should_look and not self._line.stopping.is_set()
            if not (self._jobs or self._in_flight or may_look):
                return self._count
            if not may_look or self._room() <= 0:
                self._news.wait(LOOK_AGAIN_SECONDS)

    def _gather(self) -> None:
        on_their_way = len(self._jobs) + len(self._in_flight)
        if on_their_way > 1:
            time.sleep(min(GATHER_SECONDS * on_their_way, MOST_GATHER_SECONDS))
        self._news.clear()

    def _collect(self) -> None:
        """Turn what came in into what is to be written down."""
        now = self._line.clock()
        for job in self._threads.give_up_hanging():
            claim = self._jobs.pop(job, None)
            if claim is not None:
                self._outcomes.append(outcomes.after_hanging(claim, job, now=now))
        while self._ran:
            job, ran = self._ran.popleft()
            if self._jobs.pop(job, None) is not None and ran is not None:
                self._note_ran(job, ran, now)
            self._should_look = True
        while self._told:
            told = self._told.popleft()
            self._in_flight.pop(told.reply.claim, None)
            self._note_told(told, now)
            self._should_look = True
        self._forget_lost_replies()
        if time.monotonic() >= self._looked_at + LOOK_AGAIN_SECONDS:
            self._should_look = True

    def _forget_lost_replies(self) -> None:
        """Wait no longer for replies whose thread died: their leases end, and others send them."""
        patience = LONGEST_REPLY * self._line.config.timeout_seconds
        until = time.monotonic() - patience
        for claim, sent_at in tuple(self._in_flight.items()):
            if sent_at > until:
                return  # they stand in the order in which they were sent
            del self._in_flight[claim]

    def _step(self) -> None:
        """Write down what came of events and claim others, in one transaction; then go on."""
        limit = self._room() if self._should_look and not self._line.stopping.is_set() else 0
        if not self._outcomes and (limit <= 0 or not self._is_anything_free()):
            return
        try:
            written, claimed = self._write_and_claim(limit)
        except SQLAlchemyError as error:
            self._wait_for_database(error)
            return
        self._failures = 0
        done, self._outcomes = self._outcomes, []
        for outcome in done:
            if outcome.claim.event_id not in written:
                outcomes.log_overtaken(outcome.claim)
            elif outcome.then is not None:
                outcome.then()
        for claim in claimed:
            self._begin(claim)

    def _is_anything_free(self) -> bool:
        """Look whether there is anything to claim, without keeping others from writing."""
        with self._answering.engine.connect() as connection:
            now, suspects = self._line.clock(), self._suspects()
            found = claims.is_anything_free(connection, now=now, suspects=suspects)
        self._looked_at = time.monotonic()
        self._should_look = found
        return found

    def _write_and_claim(self, limit: int) -> tuple[set[str], Sequence[Claim]]:
        # A reply that is lost with the machine is sent again, and LINE takes its token once; but
        # where LINE's refusal is followed by a push, how often it was asked must be known.
        is_durable = self._line.config.late_answers_per_day > 0
        with turns.writing(self._answering.engine, is_durable=is_durable) as connection:
            written = claims.write(connection, self._outcomes)
            claimed: Sequence[Claim] = ()
            if limit > 0:
                now, suspects = self._line.clock(), self._suspects()
                claimed = claims.claim(connection, now=now, limit=limit, suspects=suspects)
                self._looked_at = time.monotonic()
                # There may be more: only so many rows were looked at.
                self._should_look = bool(claimed)
        self._count += len(claimed)
        return written, claimed

    def _wait_for_database(self, error: SQLAlchemyError) -> None:
        """Wait before the next try; a database that is away may come back.

        :raises SQLAlchemyError: it is away for long. The leases end by themselves.
        """
        if self._failures >= len(WAITS_FOR_DATABASE):
            raise error
        logger.warning(
            "what came of webhook events could not be written down; trying again",
            exc_info=error,
            extra=log_fields("events_unwritten", count=len(self._outcomes)),
        )
        time.sleep(WAITS_FOR_DATABASE[self._failures])
        self._failures += 1

    def _room(self) -> int:
        """Return how many events may be claimed now."""
        size = self._threads.size
        at_once = MOST_FOR_EACH_THREAD * size
        if self._hook_seconds:
            at_once = min(at_once, round(WAITING_SECONDS * size / self._hook_seconds))
        return min(size + at_once - len(self._jobs), MAX_IN_FLIGHT - len(self._in_flight))

    def _suspects(self) -> int:
        """Return how many events may be claimed that may end this process."""
        return int(not any(claim and claim.is_suspect for claim in self._jobs.values()))

    def _begin(self, claim: Claim) -> None:
        """Let a claimed event's hook run, or only its stored reply be sent."""
        if claim.state == "answering":
            self._send_again(claim)
        elif claim.is_last_passed:
            self._outcomes.append(outcomes.after_kills(claim, now=self._line.clock()))
        else:
            self._submit(lambda job: self._run_hook(claim, job), claim)

    def _run_hook(self, claim: Claim, job: Job) -> HookRan | None:
        lease = claims.lease_of(claim.attempt).total_seconds()
        if time.monotonic() > claim.ends_at - lease + GIVEN_BACK_AFTER:
            return HookRan(claim, is_given_back=True)
        return run_hook(self._line, self._threads, claim, job)

    def _submit(
        self, act: Callable[[Job], HookRan | None], claim: Claim | None, what: str = ""
    ) -> None:
        """Do something about an event, or what it gave cause for, in one of the threads.

        :param what: what it is, if it is no hook's run, which has the claim's own lease.
        """

        def run(job: Job) -> None:
            ran: HookRan | None = None
            try:
                ran = act(job)
            finally:
                self._ran.append((job, ran))
                self._news.set()

        ends_at = time.monotonic() + claims.LEASE.total_seconds()
        if claim is not None and not what:
            ends_at = claim.ends_at
        job = Job(run, ends_at, claim.event_id if claim else "", what)
        self._jobs[job] = claim
        if self._answering.has_one_connection:
            run(job)
        else:
            self._threads.submit(job)

    def _note_ran(self, job: Job, ran: HookRan, now: datetime) -> None:
        if job.began_at is not None:
            seconds = time.monotonic() - job.began_at
            self._hook_seconds += (seconds - self._hook_seconds) / 10
        if ran.is_given_back:
            self._outcomes.append(outcomes.give_back(ran.claim, now=now))
        elif ran.error is not None:
            outcomes.tell_of_commit(ran, self._answering.told_of)
            is_debug = self._line.app.debug
            self._outcomes += outcomes.after_failure(
                ran.claim, ran.error, now=now, is_debug=is_debug
            )
        elif ran.is_written:
            self._answer(ran)
        else:
            self._outcomes.append(Outcome(ran.claim, ran.changes, lambda: self._answer(ran)))

    def _answer(self, ran: HookRan) -> None:
        """Send a reply that is stored."""
        if ran.changes["state"] == "answering":
            self._send(_Reply(ran.claim, ran.reply, 1, ran.token))

    def _send_again(self, claim: Claim) -> None:
        now = self._line.clock()
        if replies.is_too_late(claim, now=now):
            self._outcomes.append(Outcome(claim, replies.end_too_late(claim, now=now)))
        else:
            token, stored = replies.reply_token(claim), claim.reply or ()
            self._send(_Reply(claim, stored, claim.reply_attempts, token))

    def _send(self, reply: _Reply) -> None:
        if reply.token is None:
            self._push_instead(reply)
            return
        answering, now = self._answering, time.monotonic()
        if answering.refused_until > now:
            put_off = outcomes.put_off(reply.claim, reply.tries, now=self._line.clock())
            self._outcomes.append(put_off)
            return
        if answering.refused_until:
            # One of them asks whether LINE takes our token again.
            answering.refused_until = now + replies.REFUSED_BACKOFF.total_seconds()
        self._in_flight[reply.claim] = now

        def tell(answer: SendAnswer) -> None:
            self._told.append(_Told(reply, answer))
            self._news.set()

        self._outgoing.append(Outgoing(replies.reply_body(reply.token, reply.messages), tell))

    def _push_instead(self, reply: _Reply) -> None:
        def push(_job: Job) -> None:
            replies.push_instead(self._line, reply.claim, reply.messages)

        self._submit(push, reply.claim, "a push")

    def _note_told(self, told: _Told, now: datetime) -> None:
        reply, answer, answering = told.reply, told.answer, self._answering
        if answer.is_token_refused:
            if not answering.refused_until:
                status = answer.status or 0
                self._submit(
                    lambda _job: replies.pause_sending(self._line, status),
                    None,
                    "ShopAdapter.tell_owner",
                )
            wait = replies.REFUSED_BACKOFF.total_seconds()
            answering.refused_until = time.monotonic() + wait
        elif answer.status is not None:
            answering.refused_until = 0.0
        changes, is_pushed = replies.after_answer(reply.claim, reply.tries, answer, now=now)
        if is_pushed:
            self._push_instead(reply)
        else:
            self._outcomes.append(Outcome(reply.claim, changes))
