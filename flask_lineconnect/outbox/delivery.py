"""Send what is in the outbox, with the retry key that makes a repeated call harmless."""

from __future__ import annotations

import logging
from datetime import timedelta

from ..errors import LineApiError
from ..errors import UsageError
from ..models import Account
from ..models import OutboxMessage
from ..state import LineState
from .queue import claim

logger = logging.getLogger(__name__)

#: LINE remembers a retry key for 24 hours; afterwards the same key would send again.
RETRY_KEY_LIFE = timedelta(hours=23)
FIRST_BACKOFF = timedelta(seconds=5)
LONGEST_BACKOFF = timedelta(minutes=30)


def deliver_due(line: LineState) -> int:
    """Send every message that is due, one after the other; return how many were tried."""
    count = 0
    while True:
        with line.work_context():
            message_id = claim(line.session, now=line.clock())
            if message_id is None:
                return count
            _deliver(line, message_id)
        count += 1


def _deliver(line: LineState, message_id: int) -> None:
    message = line.session.get_one(OutboxMessage, message_id)
    account = line.session.get_one(Account, message.account_id)
    now = line.clock()
    if not account.is_linked or account.is_friend is False:
        message.state = "cancelled"
        line.session.commit()
        return
    if message.first_tried_at is not None and now - message.first_tried_at > RETRY_KEY_LIFE:
        message.state = "expired"
        line.session.commit()
        return
    message.first_tried_at = message.first_tried_at or now
    line_user_id, messages, retry_key = account.line_user_id, message.messages, message.retry_key
    # Nothing is held open while LINE is waited for.
    line.session.commit()
    try:
        request_id = line.api.push(line_user_id, messages, retry_key=retry_key)
    except (LineApiError, UsageError) as error:
        _note_failure(line, message, error)
    else:
        message.state, message.error = "accepted", None
        message.accepted_at, message.line_request_id = line.clock(), request_id
    line.session.commit()


def _note_failure(line: LineState, message: OutboxMessage, error: Exception) -> None:
    message.error = str(error)[:2_000]
    may_retry = isinstance(error, LineApiError) and (
        error.is_retryable or error.status in {401, 429}
    )
    if may_retry:
        backoff = min(FIRST_BACKOFF * 2 ** min(message.attempts, 10), LONGEST_BACKOFF)
        message.next_attempt_at = line.clock() + backoff
    else:
        message.state = "refused"
    logger.warning("message %d was not accepted: %s", message.id, error)
