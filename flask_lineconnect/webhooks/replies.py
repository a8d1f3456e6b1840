"""Replies: free and once, while LINE's token lives; afterwards only what the shop pays for.

A reply takes no retry key, but LINE takes its token once. So one whose outcome nobody knows is sent
again for as long as the token may live, apart from the hook's attempts; and whenever LINE may have
taken an earlier try, nothing is pushed instead.
Source: Messaging API reference, "Send reply message".
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from collections.abc import Sequence
from datetime import datetime
from datetime import timedelta
from http import HTTPStatus
from typing import Any

from sqlalchemy import func
from sqlalchemy import select
from sqlalchemy.orm import Session

from ..line_api.sender import SendAnswer
from ..line_api.words import is_dead_token
from ..line_api.words import said_in
from ..linking import accounts
from ..log_fields import log_fields
from ..models import Account
from ..models import OutboxMessage
from ..outbox import queue
from ..outbox.delivery import tell_owner
from ..outbox.pauses import pause_for_token
from ..shop.categories import ACCOUNT
from ..state import LineState
from .claims import Changes
from .claims import Claim
from .claims import finished
from .claims import write_one
from .events import Event
from .hook_runs import read_event
from .parsing import read_payload

logger = logging.getLogger(__name__)

#: LINE takes no reply token that is older, not even of an event that was delivered again.
TOKEN_LIFE = timedelta(minutes=20)
FIRST_BACKOFF, LONGEST_BACKOFF = timedelta(seconds=1), timedelta(seconds=30)
#: When to ask again with a token that LINE did not take: a reply token's life is short.
REFUSED_BACKOFF = timedelta(seconds=5)
_KEY = "answer:"
#: What the inbox says of an event of which the person got no answer, because it came too late.
TOO_LATE = "LINE took no reply while its token lived"


_to_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def reply_token(claim: Claim) -> str | None:
    """Return the token of an event, unless it was used for something else."""
    try:
        token = read_payload(claim.payload).get("replyToken")
    except ValueError:  # it was cleared, for example
        return None
    return token if isinstance(token, str) and not claim.is_token_used else None


def reply_body(reply_token: str, messages: Sequence[Mapping[str, Any]]) -> bytes:
    """Return the body of a request to LINE."""
    return _to_json({"replyToken": reply_token, "messages": messages}).encode(errors="replace")


def after_answer(
    claim: Claim, tries: int, answer: SendAnswer, *, now: datetime
) -> tuple[Changes, bool]:
    """Return what to write to an event after LINE was given its reply.

    :param tries: how often LINE was given it, with this time.
    :return: the changes, and whether the reply is to be pushed instead.
    """
    if answer.is_accepted:
        return {"error": None, **finished("done", now=now)}, False
    is_limited = answer.status == HTTPStatus.TOO_MANY_REQUESTS
    if answer.is_unknown or answer.is_token_refused or is_limited:
        # What LINE certainly did not take is as if it had never been asked.
        count = tries if answer.is_unknown else tries - 1
        wait = _backoff(tries, answer)
        if claim.received_at + TOKEN_LIFE > now + wait:
            error = f"LINE has not taken the reply yet: {answer.status or 'no answer'}"
            again = {"reply_attempts": count, "next_attempt_at": now + wait, "error": error}
            return again, False
        return end_too_late(claim, now=now), count == 0
    logger.warning(
        "LINE refused the reply to webhook event %s: status %s%s",
        claim.event_id,
        answer.status,
        said_in(answer.text),
        extra=log_fields(
            "reply_refused",
            webhook_event_id=claim.event_id,
            status=answer.status,
            line_request_id=answer.request_id,
        ),
    )
    # What LINE does not take as a reply it does not take as a push either.
    is_pushed = tries == 1 and is_dead_token(answer.text)
    error = f"LINE refused the reply: {answer.status}{said_in(answer.text)}"
    return {"error": error, **finished("done", now=now)}, is_pushed


def is_too_late(claim: Claim, *, now: datetime) -> bool:
    """Tell whether a reply that was tried before would only find a dead token.

    The first try is always made: whether the token lives, LINE says, and no clock.
    """
    return claim.reply_attempts > 1 and now > claim.received_at + TOKEN_LIFE


def end_too_late(claim: Claim, *, now: datetime) -> Changes:
    """Return what to write to an event whose reply LINE did not take while its token lived."""
    _log_end(claim)
    return {"error": TOO_LATE, **finished("done", now=now)}


def _backoff(tries: int, answer: SendAnswer) -> timedelta:
    if answer.is_token_refused:
        return REFUSED_BACKOFF
    return min(FIRST_BACKOFF * (1 << min(max(tries, 1), 10) - 1), LONGEST_BACKOFF)


def _log_end(claim: Claim) -> None:
    logger.warning(
        "the reply to webhook event %s was not taken before its token's end",
        claim.event_id,
        extra=log_fields("reply_too_late", webhook_event_id=claim.event_id),
    )


def push_instead(line: LineState, claim: Claim, messages: Sequence[Mapping[str, Any]]) -> None:
    """Push a reply if the shop spends quota on it; else drop it, say so and note it. Commits."""
    with line.work_context():
        connection, done = line.session.connection(), finished("done", now=line.clock())
        if write_one(connection, claim, done):
            if not _push(line, claim, messages):
                write_one(connection, claim, {"error": TOO_LATE})
            line.session.commit()


def _push(line: LineState, claim: Claim, messages: Sequence[Mapping[str, Any]]) -> bool:
    """Put a reply into the outbox, unless the shop does not pay for it; return whether it did."""
    account, event = None, _read(claim)
    if event is not None and event.line_user_id is not None and event.is_one_to_one:
        account = accounts.ensure_account(line.session, event.line_user_id, now=line.clock())
    per_day = line.config.late_answers_per_day
    if account is None or _pushed_today(line.session, account, line.clock()) >= per_day:
        logger.warning(
            "the reply to webhook event %s came too late for its token and was dropped; "
            "LINECONNECT_LATE_ANSWERS_PER_DAY is %d",
            claim.event_id,
            per_day,
            extra=log_fields("reply_too_late", webhook_event_id=claim.event_id),
        )
        return False
    key = f"{_KEY}{claim.event_id}"
    wish = queue.Wish(ACCOUNT)
    content = [dict(message) for message in messages]
    queue.enqueue(line.session, account, content, wish, key=key, now=line.clock())
    return True


def _read(claim: Claim) -> Event | None:
    try:
        return read_event(claim)
    except ValueError:
        return None


def _pushed_today(session: Session, account: Account, now: datetime) -> int:
    statement = select(func.count()).where(
        OutboxMessage.account_id == account.id,
        OutboxMessage.dedupe_key.startswith(_KEY),
        OutboxMessage.created_at > now - timedelta(days=1),
    )
    return session.scalar(statement) or 0


def pause_sending(line: LineState, status: int) -> None:
    """Stop all sending, because LINE does not take our token, and tell the owner once; commits."""
    with line.work_context():
        notices = pause_for_token(line.session, status, now=line.clock())
        line.session.commit()
        tell_owner(line, notices)
