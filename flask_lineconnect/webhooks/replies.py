"""Replies: free and once, while LINE's token lives; afterwards only what the shop pays for.

A reply takes no retry key. Whenever LINE may have taken an earlier try, nothing is pushed instead.
Source: Messaging API reference, "Send reply message".
"""

from __future__ import annotations

import logging
from datetime import datetime
from datetime import timedelta

from sqlalchemy import func
from sqlalchemy import select
from sqlalchemy.orm import Session

from ..errors import LineApiError
from ..line_api.client import LineApi
from ..line_api.words import is_dead_token
from ..line_api.words import said_in
from ..linking import accounts
from ..log_fields import log_fields
from ..models import Account
from ..models import InboxEvent
from ..models import OutboxMessage
from ..outbox import queue
from ..shop.categories import ACCOUNT
from ..state import LineState
from .events import Event

logger = logging.getLogger(__name__)

#: LINE takes no reply token that is older, not even of an event that was delivered again.
TOKEN_LIFE = timedelta(minutes=20)
_KEY = "answer:"


def send_reply(line: LineState, event: Event, event_id: str) -> None:
    """Send the reply that is stored with an event; commits.

    :raises LineApiError: LINE did not take it now and may later.
    """
    row = line.session.get_one(InboxEvent, event_id)
    if not row.reply or (event.reply_token is None and not row.is_token_used):
        return
    is_too_old = event.occurred_at + TOKEN_LIFE < line.clock()
    if event.reply_token is None or row.is_token_used or is_too_old:
        _push_instead(line, event, row)
        return
    # Counted first: after a try whose outcome nobody knows, a dead token proves nothing.
    row.reply_attempts += 1
    is_first = row.reply_attempts == 1
    messages = row.reply
    line.session.commit()
    try:
        line.part(LineApi).reply(event.reply_token, messages)
    except LineApiError as error:
        if error.is_retryable or error.status in {401, 429}:
            raise
        logger.warning(
            "LINE refused the reply to webhook event %s: %s%s",
            event_id,
            error.text,
            said_in(error.answer),
            extra=log_fields("reply_refused", error, webhook_event_id=event_id),
        )
        # What LINE does not take as a reply it does not take as a push either.
        if is_first and is_dead_token(error.answer):
            _push_instead(line, event, row)


def _push_instead(line: LineState, event: Event, row: InboxEvent) -> None:
    """Push the reply if the shop spends quota on it; otherwise drop it with a log line."""
    account = None
    if event.line_user_id is not None and event.is_one_to_one:
        account = accounts.ensure_account(line.session, event.line_user_id, now=line.clock())
    per_day = line.config.late_answers_per_day
    if account is None or _pushed_today(line.session, account, line.clock()) >= per_day:
        logger.warning(
            "the reply to webhook event %s came too late for its token and was dropped; "
            "LINECONNECT_LATE_ANSWERS_PER_DAY is %d",
            row.webhook_event_id,
            per_day,
            extra=log_fields("reply_too_late", webhook_event_id=row.webhook_event_id),
        )
        return
    key = f"{_KEY}{row.webhook_event_id}"
    wish = queue.Wish(ACCOUNT)
    queue.enqueue(line.session, account, row.reply or [], wish, key=key, now=line.clock())


def _pushed_today(session: Session, account: Account, now: datetime) -> int:
    statement = select(func.count()).where(
        OutboxMessage.account_id == account.id,
        OutboxMessage.dedupe_key.startswith(_KEY),
        OutboxMessage.created_at > now - timedelta(days=1),
    )
    return session.scalar(statement) or 0
