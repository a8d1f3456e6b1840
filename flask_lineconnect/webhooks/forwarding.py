"""Passes webhooks on to further addresses, as they came and with LINE's own signature.

LINE knows one webhook address of a channel, and a shop may run a second tool. What is to go on is
written down with the events (``writer.py``); here it is sent, by an engine. Each address has a
thread of its own while there is something for it, so that one that is dead holds no other up, nor
anything else.
"""

from __future__ import annotations

import hashlib
import logging
import threading
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Sequence
from concurrent.futures import Future
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import wait
from dataclasses import dataclass
from datetime import datetime
from datetime import timedelta
from urllib.parse import urlsplit

import requests
from sqlalchemy import delete
from sqlalchemy import func
from sqlalchemy import select
from sqlalchemy import update
from sqlalchemy.orm import Session

from ..log_fields import log_fields
from ..models import WebhookForward
from ..models.portions import Step
from ..models.portions import deleting
from ..state import LineState
from ..state import itself
from .writer import ForwardRow

logger = logging.getLogger(__name__)

#: For how long an address is tried with a webhook; what it says is a person's.
GIVE_UP_AFTER = timedelta(hours=6)
#: How many webhooks wait for one address; of more the oldest go.
MOST_WAITING = 10_000
#: How long a worker has for those that it took.
LEASE = timedelta(minutes=2)
FIRST_BACKOFF, LONGEST_BACKOFF = timedelta(seconds=5), timedelta(minutes=10)
#: How long an address that does not answer is left alone at the most.
LONGEST_REST = timedelta(minutes=1)
#: Of one claim.
BATCH = 20
#: Seconds that an address has to answer; LINE gives two.
TIMEOUT_SECONDS = 3.0
#: Seconds that the engine's turn waits for addresses, which go on without it.
TURN_SECONDS = 0.25


@dataclass(frozen=True, slots=True)
class Target:
    """A further address.

    :ivar key: by which rows know it.
    :ivar host: what logs and metrics say; the rest may be secret.
    """

    address: str
    key: str
    host: str

    @classmethod
    def of(cls, address: str) -> Target:
        """Return what an address is known by."""
        digest = hashlib.sha256(address.encode()).hexdigest()[:16]
        return cls(address, digest, urlsplit(address).netloc)


class Forwarding:
    """The further addresses of one app, and the threads that are busy with them."""

    def __init__(self, addresses: Sequence[str]):
        self.targets = [Target.of(address) for address in addresses]
        self._threads = ThreadPoolExecutor(max(1, len(addresses)), "lineconnect-forwarding")
        self._busy: dict[str, Future[int]] = {}
        #: Since when an address fails, in how many tries, and until when it is left alone.
        self._failures: dict[str, int] = {}
        self._rests_until: dict[str, datetime] = {}
        self._lock = threading.Lock()

    def rows(self, body: bytes, signature: str) -> list[ForwardRow]:
        """Return what is written down of a webhook: a row for each address."""
        return [(target.key, body, signature) for target in self.targets]

    def begin(self, work: Callable[[Target], int], *, now: datetime) -> list[Future[int]]:
        """Let each address that nobody is busy with be worked on; return who is busy now."""
        with self._lock:
            self._busy = {key: one for key, one in self._busy.items() if not one.done()}
            for target in self.targets:
                until = self._rests_until.get(target.key)
                is_resting = until is not None and now < until
                if target.key not in self._busy and not is_resting:
                    self._busy[target.key] = self._threads.submit(work, target)
            return list(self._busy.values())

    def note(self, target: Target, *, is_well: bool, now: datetime) -> None:
        """Leave an address alone for a while that fails, for longer each time."""
        with self._lock:
            failures = 0 if is_well else self._failures.get(target.key, 0) + 1
            self._failures[target.key] = failures
            rest = min(FIRST_BACKOFF * 2 ** min(failures - 1, 10), LONGEST_REST)
            self._rests_until[target.key] = now if is_well else now + rest


def forward_due(line: LineState) -> int:
    """Send what is due to each address, for a moment; return how much was sent until then."""
    forwarding = line.part(Forwarding)
    if not forwarding.targets or line.stopping.is_set():
        return 0
    own = itself(line)
    begun = forwarding.begin(lambda target: _send_due(own, target), now=line.clock())
    done, _others = wait(begun, TURN_SECONDS)
    return sum(one.result() for one in done)


def waiting(line: LineState) -> dict[str, tuple[int, datetime]]:
    """Return how many webhooks wait for each address, by its host, and since when the oldest."""
    hosts = {target.key: target.host for target in line.part(Forwarding).targets}
    rows = line.session.execute(
        select(WebhookForward.target, func.count(), func.min(WebhookForward.received_at)).group_by(
            WebhookForward.target
        )
    )
    return {hosts[key]: (count, oldest) for key, count, oldest in rows if key in hosts}


def pruning_steps(line: LineState, *, now: datetime) -> Iterator[Step]:
    """Return what gives up what is too old, or too much for an address that does not answer."""
    key, at = WebhookForward.id, WebhookForward.received_at
    yield deleting(key, at, at <= now - GIVE_UP_AFTER)
    for target in line.part(Forwarding).targets:
        of_target = WebhookForward.target == target.key
        newest = select(key).where(of_target).order_by(key.desc()).offset(MOST_WAITING).limit(1)
        limit = line.session.scalar(newest)
        line.session.rollback()
        if limit is not None:
            logger.warning(
                "more than %d webhooks wait for %s, which does not answer; the oldest are given up",
                MOST_WAITING,
                target.host,
                extra=log_fields("forward_full", host=target.host),
            )
            yield deleting(key, at, of_target, key <= limit)


def _send_due(line: LineState, target: Target) -> int:
    """Send what is due to one address, in its order, until it fails or there is no more."""
    count = 0
    try:
        with requests.Session() as client, line.work_context():
            while not line.stopping.is_set():
                rows = _claim(line.session, target, now=line.clock())
                if not rows:
                    break
                sent = _send_all(client, target, rows)
                is_well, now = len(sent) == len(rows), line.clock()
                line.part(Forwarding).note(target, is_well=is_well, now=now)
                _note(line.session, target, rows, sent, now=now)
                count += len(sent)
                if not is_well:
                    break
    except Exception:  # the database may be away for a while
        logger.exception("forwarding failed", extra=log_fields("forward_failed", host=target.host))
    return count


@dataclass(frozen=True, slots=True)
class _Claimed:
    id: int
    body: bytes
    signature: str
    attempts: int
    received_at: datetime


def _claim(session: Session, target: Target, *, now: datetime) -> list[_Claimed]:
    """Take what is due, the oldest first, and commit."""
    due = (
        select(WebhookForward.id)
        .where(WebhookForward.target == target.key, WebhookForward.next_attempt_at <= now)
        .order_by(WebhookForward.id)
        .limit(BATCH)
        .with_for_update(skip_locked=True)
    )
    statement = (
        update(WebhookForward)
        .where(WebhookForward.id.in_(due.scalar_subquery()), WebhookForward.next_attempt_at <= now)
        .values(next_attempt_at=now + LEASE, attempts=WebhookForward.attempts + 1)
        .returning(
            WebhookForward.id,
            WebhookForward.body,
            WebhookForward.signature,
            WebhookForward.attempts,
            WebhookForward.received_at,
        )
        .execution_options(synchronize_session=False)
    )
    if session.scalar(due.with_only_columns(WebhookForward.id).limit(1)) is None:
        session.rollback()
        return []
    rows = sorted((_Claimed(*row) for row in session.execute(statement)), key=lambda row: row.id)
    session.commit()
    return rows


def _send_all(client: requests.Session, target: Target, rows: Sequence[_Claimed]) -> list[int]:
    """Send in order until one fails; return the ids of those that were taken."""
    sent = []
    for row in rows:
        said = _send(client, target, row)
        if said is not None:
            logger.warning(
                "%s did not take a webhook that is passed on: %s",
                target.host,
                said,
                extra=log_fields("forward_refused", host=target.host),
            )
            break
        sent.append(row.id)
    return sent


def _send(client: requests.Session, target: Target, row: _Claimed) -> str | None:
    """Send one; return what went wrong."""
    headers = {
        "Content-Type": "application/json; charset=utf-8",
        "User-Agent": "flask-lineconnect",
        "X-Line-Signature": row.signature,
    }
    try:
        with client.post(
            target.address,
            data=row.body,
            headers=headers,
            timeout=TIMEOUT_SECONDS,
            allow_redirects=False,
            stream=True,  # its answer is nothing to us
        ) as answer:
            return None if answer.ok and not answer.is_redirect else f"status {answer.status_code}"
    except (requests.RequestException, OSError) as error:
        return type(error).__name__


def _note(
    session: Session,
    target: Target,
    rows: Sequence[_Claimed],
    sent: Sequence[int],
    *,
    now: datetime,
) -> None:
    """Forget what was taken; let the rest wait for longer each time, or give it up."""
    session.execute(delete(WebhookForward).where(WebhookForward.id.in_(sent)))
    left = [row for row in rows if row.id not in set(sent)]
    for row in left[:1]:
        if now - row.received_at > GIVE_UP_AFTER:
            logger.error(
                "%s is not passed a webhook of %s any more",
                target.host,
                f"{row.received_at:%Y-%m-%d %H:%M}",
                extra=log_fields("forward_given_up", host=target.host),
            )
            session.execute(delete(WebhookForward).where(WebhookForward.id == row.id))
        backoff = min(FIRST_BACKOFF * 2 ** min(row.attempts - 1, 10), LONGEST_BACKOFF)
        later = {"next_attempt_at": now + backoff}
        session.execute(update(WebhookForward).where(WebhookForward.id == row.id).values(**later))
    # Those behind it were not tried.
    again = WebhookForward.id.in_([row.id for row in left[1:]])
    untried = {"next_attempt_at": now + FIRST_BACKOFF, "attempts": WebhookForward.attempts - 1}
    session.execute(update(WebhookForward).where(again).values(**untried))
    session.commit()
