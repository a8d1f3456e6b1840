"""From a stored webhook event to its hook, and from the hook to the reply.

The hook's changes and its reply are committed together, and only then is the reply sent: a process
that dies in between sends the stored reply again, and LINE takes a reply token once.
"""

from __future__ import annotations

import logging
from datetime import datetime
from datetime import timedelta

from sqlalchemy import and_
from sqlalchemy import or_
from sqlalchemy import select
from sqlalchemy import tuple_
from sqlalchemy import update
from sqlalchemy.orm import Session
from sqlalchemy.orm import aliased

from .. import chat_link
from .. import linking
from .. import signals
from ..after_commit import announce
from ..errors import LineApiError
from ..errors import Refused
from ..i18n import gettext as _
from ..messages.limits import check_messages
from ..messages.objects import Reply
from ..messages.objects import to_payloads
from ..models import InboxEvent
from ..state import LineState
from .events import AccountLinkEvent
from .events import Event
from .events import FollowEvent
from .events import UnfollowEvent
from .events import parse_event

logger = logging.getLogger(__name__)

#: How long a worker may take for one event before another takes it over.
LEASE = timedelta(seconds=60)
MAX_ATTEMPTS = 5
#: The first wait after a failure; each further one is twice as long.
FIRST_BACKOFF = timedelta(seconds=2)

_UNFINISHED = ("queued", "answering")


def dispatch_due(line: LineState) -> int:
    """Work on every event that is due, one after the other; return how many."""
    count = 0
    while True:
        with line.work_context():
            event_id = claim(line.session, now=line.clock())
            if event_id is None:
                return count
            _work_on(line, event_id)
        count += 1


def claim(session: Session, *, now: datetime) -> str | None:
    """Take the oldest due event, in one statement, and commit; ``None`` if there is none.

    An event waits until the same person's earlier ones are finished. The attempt is counted here,
    so that an event that kills the process is given up in the end.
    """
    earlier = aliased(InboxEvent)
    is_blocked = (
        select(earlier.webhook_event_id)
        .where(
            earlier.line_user_id == InboxEvent.line_user_id,
            earlier.state.in_(_UNFINISHED),
            tuple_(earlier.occurred_at, earlier.webhook_event_id)
            < tuple_(InboxEvent.occurred_at, InboxEvent.webhook_event_id),
        )
        .exists()
    )
    due = (
        select(InboxEvent.webhook_event_id)
        .where(
            InboxEvent.state.in_(_UNFINISHED),
            InboxEvent.next_attempt_at <= now,
            or_(InboxEvent.line_user_id.is_(None), ~is_blocked),
        )
        .order_by(InboxEvent.occurred_at, InboxEvent.webhook_event_id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    statement = (
        update(InboxEvent)
        .where(
            and_(
                InboxEvent.webhook_event_id == due.scalar_subquery(),
                InboxEvent.next_attempt_at <= now,
            )
        )
        .values(attempts=InboxEvent.attempts + 1, next_attempt_at=now + LEASE)
        .returning(InboxEvent.webhook_event_id)
        .execution_options(synchronize_session=False)
    )
    event_id = session.execute(statement).scalar_one_or_none()
    session.commit()
    return event_id


def _work_on(line: LineState, event_id: str) -> None:
    """Run the hook unless its reply is stored already, then send the reply."""
    row = line.session.get_one(InboxEvent, event_id)
    if row.attempts > MAX_ATTEMPTS:
        row.state = "dead"
        line.session.commit()
        return
    try:
        event = parse_event(row.payload)
        if row.state == "queued":
            row.reply = _answer(line, event)
            row.state = "answering"
            line.session.commit()
        _send_reply(line, event, row)
        row.state, row.error = "done", None
        line.session.commit()
    except Exception as error:  # a hook is the shop's code and may raise anything
        line.session.rollback()
        _put_back(line, event_id, error)


def _answer(line: LineState, event: Event) -> list[dict[str, object]]:
    """Keep what the event itself says, then ask its hook for the reply."""
    _note_friendship(line, event)
    own_reply = _close_chat_link(line, event)
    found = line.hooks.find(event)
    if found is None:
        return to_payloads(own_reply)
    payloads = to_payloads(found.hook.function(found.event, **found.arguments))
    if payloads:
        check_messages(payloads)
    return payloads


def _note_friendship(line: LineState, event: Event) -> None:
    if not isinstance(event, FollowEvent | UnfollowEvent) or event.line_user_id is None:
        return
    is_friend = isinstance(event, FollowEvent)
    account = linking.ensure_account(line.session, event.line_user_id, now=line.clock())
    # An event from the future would outlive all that follows it.
    at = min(event.occurred_at, line.clock())
    if linking.note_friendship(line.session, account, is_friend, at=at):
        signal = signals.account_followed if is_friend else signals.account_unfollowed
        announce(line.session, signal, account=account)


def _close_chat_link(line: LineState, event: Event) -> Reply:
    """Link what waited for this event; return what to say if the shop says nothing itself."""
    if not isinstance(event, AccountLinkEvent) or not event.is_ok or event.line_user_id is None:
        return None
    account = linking.ensure_account(line.session, event.line_user_id, now=line.clock())
    member_id = chat_link.redeem(line.session, account, event.nonce, now=line.clock())
    member = None if member_id is None else line.session.get(line.shop.model, member_id)
    if member is None or not line.shop.may_log_in(member):
        return None
    try:
        linking.link(line.session, account, member_id, source="chat", now=line.clock())
    except Refused as refused:
        return refused.message
    return _("連携が完了しました。")


def _send_reply(line: LineState, event: Event, row: InboxEvent) -> None:
    if not row.reply or event.reply_token is None:
        return
    try:
        line.api.reply(event.reply_token, row.reply)
    except LineApiError as error:
        if error.is_retryable or error.status in {401, 429}:
            raise
        # The token was used or is too old. An earlier try may have arrived, so nothing is pushed.
        logger.warning(
            "the reply to webhook event %s was dropped: %s", event.webhook_event_id, error
        )


def _put_back(line: LineState, event_id: str, error: Exception) -> None:
    row = line.session.get_one(InboxEvent, event_id)
    row.error = f"{type(error).__name__}: {error}"[:2_000]
    if row.attempts >= MAX_ATTEMPTS:
        row.state = "dead"
    else:
        row.next_attempt_at = line.clock() + FIRST_BACKOFF * 2 ** (row.attempts - 1)
    line.session.commit()
    logger.error("webhook event %s failed, attempt %d", event_id, row.attempts, exc_info=error)
