"""What is written to an event after its hook ran, failed or hung, and what follows then."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime
from datetime import timedelta

from ..error_words import for_log
from ..error_words import said_of
from ..log_fields import log_fields
from . import replies
from .claims import MAX_ATTEMPTS
from .claims import Claim
from .claims import Outcome
from .claims import finished
from .hook_runs import HookRan
from .hook_runs import Overtaken
from .hook_threads import HANGS
from .hook_threads import Job

logger = logging.getLogger(__name__)

#: The first wait after a failure; each further one is twice as long.
FIRST_BACKOFF = timedelta(seconds=2)
#: Characters of what a hook raised that are kept.
MAX_ERROR = 2_000


def after_failure(
    claim: Claim, error: BaseException, *, now: datetime, is_debug: bool = False
) -> Sequence[Outcome]:
    """Put an event back whose hook raised, or give it up after the last attempt.

    :param is_debug: whether the log may say all that the error says.
    """
    if isinstance(error, Overtaken):
        log_overtaken(claim)
        return ()
    logger.error(
        "webhook event %s failed, attempt %d",
        claim.event_id,
        claim.attempt,
        exc_info=error if is_debug else for_log(error, claim.payload),
        extra=log_fields("hook_failed", webhook_event_id=claim.event_id, attempt=claim.attempt),
    )
    wait = FIRST_BACKOFF * 2 ** (claim.attempt - 1)
    return (_put_back(claim, _describe(claim, error), again_at=now + wait, now=now),)


def _describe(claim: Claim, error: BaseException) -> str:
    """Say what was raised, in characters that every database takes."""
    said = said_of(error, claim.payload)[:MAX_ERROR]
    return said.replace("\0", "\ufffd").encode(errors="replace").decode()


def after_hanging(claim: Claim, job: Job, *, now: datetime) -> Outcome:
    """Let an event come again whose hook did not return, or give it up after the last attempt."""
    logger.error(
        "the hook %s of webhook event %s did not return within its lease, attempt %d; "
        "another thread takes its place",
        job.hook,
        claim.event_id,
        claim.attempt,
        extra=log_fields("hook_hangs", webhook_event_id=claim.event_id, attempt=claim.attempt),
    )
    return _put_back(claim, f"{HANGS}{job.hook} did not return", again_at=now, now=now)


def after_kills(claim: Claim, *, now: datetime) -> Outcome:
    """Give an event up whose hook never came to an end: the process died, or the hook hung."""
    logger.error(
        "webhook event %s is given up: the process ended while it was worked on, %d times",
        claim.event_id,
        claim.attempt - 1,
        extra=log_fields("event_dead", webhook_event_id=claim.event_id),
    )
    return Outcome(claim, {"attempts": claim.attempt - 1, **finished("dead", now=now)})


def _put_back(claim: Claim, error: str, *, again_at: datetime, now: datetime) -> Outcome:
    is_last = claim.attempt >= MAX_ATTEMPTS
    after = finished("dead", now=now) if is_last else {"next_attempt_at": again_at}
    return Outcome(claim, {"error": error, **after})


def give_back(claim: Claim, *, now: datetime) -> Outcome:
    """Leave an event for which no thread had time to whoever has; no attempt is counted."""
    return Outcome(claim, {"attempts": claim.attempt - 1, "next_attempt_at": now})


def put_off(claim: Claim, tries: int, *, now: datetime) -> Outcome:
    """Let a reply wait while LINE does not take our token; it was not given it."""
    again_at = now + replies.REFUSED_BACKOFF
    return Outcome(claim, {"reply_attempts": tries - 1, "next_attempt_at": again_at})


def log_overtaken(claim: Claim) -> None:
    """Say that another worker has the event, so that nothing was written here."""
    logger.error(
        "webhook event %s took too long; another worker has it",
        claim.event_id,
        extra=log_fields("hook_too_long", webhook_event_id=claim.event_id),
    )


def tell_of_commit(ran: HookRan, told_of: set[str]) -> None:
    """Say once of a hook that it commits by itself, which it did before it failed."""
    if ran.has_committed and ran.hook not in told_of:
        told_of.add(ran.hook)
        logger.error(
            "the hook %s commits by itself and then failed: what it had committed is done again at "
            "its next attempt; leave the commit to LineConnect",
            ran.hook,
            extra=log_fields("hook_commits", hook=ran.hook),
        )
