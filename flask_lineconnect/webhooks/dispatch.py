"""From a stored webhook event to its hook, and from the hook to the reply.

The hook's changes and its reply are committed together, and only then is the reply sent: a process
that dies in between sends the stored reply again, and LINE takes a reply token once. A worker that
was overtaken writes nothing: each claim has a number, and every write asks for it. Next:
``replies.py``.
"""

from __future__ import annotations

import json
import logging
from datetime import datetime
from datetime import timedelta
from typing import Any
from typing import NamedTuple

from flask import g
from sqlalchemy import and_
from sqlalchemy import case
from sqlalchemy import exists
from sqlalchemy import func
from sqlalchemy import literal_column
from sqlalchemy import or_
from sqlalchemy import select
from sqlalchemy import update
from sqlalchemy.orm import Session
from sqlalchemy.orm import aliased

from .. import signals
from ..after_commit import announce
from ..errors import Refused
from ..hooks.table import HookTable
from ..i18n import gettext as _
from ..line_api.client import LineApi
from ..linking import accounts
from ..linking import chat_link
from ..linking import telling
from ..log_fields import log_fields
from ..messages.limits import check_messages
from ..messages.objects import PASS_ON
from ..messages.objects import Reply
from ..messages.objects import to_payloads
from ..models import Account
from ..models import InboxEvent
from ..state import LineState
from . import people
from .dialogues import dialogue_of
from .events import AccountLinkEvent
from .events import Event
from .events import FollowEvent
from .events import UnfollowEvent
from .inbox import QUESTION_WAITS
from .inbox import take_question
from .parsing import parse_event
from .replies import send_reply

logger = logging.getLogger(__name__)

#: How long a hook may take before another worker takes its event over, and what it did is undone.
#: Short enough for LINE's reply token, which lives about a minute, to outlive a killed process.
#: Each further one is twice as long: a server that keeps falling over costs no innocent event.
LEASE = timedelta(seconds=20)
MAX_ATTEMPTS = 5
#: The first wait after a failure; each further one is twice as long.
FIRST_BACKOFF = timedelta(seconds=2)
#: LINE's limit on the messages of one reply.
MAX_MESSAGES = 5

#: The name of the lock under which a worker chooses; any number that nobody else uses.
_CLAIMING = int.from_bytes(b"LINEhook")


class Claim(NamedTuple):
    """An event that this worker works on, and the number by which it may write."""

    event_id: str
    number: int
    attempt: int


def dispatch_due(line: LineState) -> int:
    """Work on every event that is due, one after the other; return how many."""
    _get_ready(line)
    count = 0
    while not line.stopping.is_set():
        with line.work_context():
            claimed = claim(line.session, now=line.clock())
            if claimed is None:
                return count
            _work_on(line, claimed)
        count += 1
    return count


def _get_ready(line: LineState) -> None:
    """Load what replies need before an event is claimed: dying meanwhile costs no attempt."""
    with line.work_context():
        is_due = exists().where(InboxEvent.next_attempt_at <= line.clock())
        if line.session.scalar(select(is_due)):
            line.part(LineApi).load()


def claim(session: Session, *, now: datetime) -> Claim | None:
    """Take the oldest due event, in one statement, and commit; ``None`` if there is none.

    Events wait while another one of the same person is worked on or waits for its next attempt.
    The attempt is counted here, so that an event that kills the process is given up in the end.
    """
    _wait_for_other_claims(session)
    other = aliased(InboxEvent)
    # Only what was tried is put off; a number in the statement itself lets the index be used.
    busy = select(other.line_user_id).where(
        other.next_attempt_at > now,
        other.attempts > literal_column("0"),
        other.line_user_id.is_not(None),
    )
    due = (
        select(InboxEvent.webhook_event_id)
        .where(
            InboxEvent.next_attempt_at <= now,
            or_(InboxEvent.line_user_id.is_(None), InboxEvent.line_user_id.not_in(busy)),
        )
        .order_by(InboxEvent.occurred_at, InboxEvent.webhook_event_id)
        .limit(1)
    )
    statement = (
        update(InboxEvent)
        .where(
            and_(
                InboxEvent.webhook_event_id == due.scalar_subquery(),
                InboxEvent.next_attempt_at <= now,
            )
        )
        .values(
            attempts=InboxEvent.attempts + 1,
            claims=InboxEvent.claims + 1,
            next_attempt_at=case(
                {attempts: now + LEASE * 2**attempts for attempts in range(MAX_ATTEMPTS)},
                value=InboxEvent.attempts,
                else_=now + LEASE,
            ),
        )
        .returning(InboxEvent.webhook_event_id, InboxEvent.claims, InboxEvent.attempts)
        .execution_options(synchronize_session=False)
    )
    row = session.execute(statement).one_or_none()
    session.commit()
    return None if row is None else Claim(*row)


def _wait_for_other_claims(session: Session) -> None:
    """Let one worker choose at a time, so that no two take events of the same person.

    Who waited must see what the others took, so a transaction that sees what was when it began
    won't do, whatever the shop's others are. SQLite does all this anyway.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.commit()
        session.connection(execution_options={"isolation_level": "READ COMMITTED"})
        session.execute(select(func.pg_advisory_xact_lock(_CLAIMING)))


def _work_on(line: LineState, claimed: Claim) -> None:
    """Run the hook unless its reply is stored already, then send the reply."""
    if claimed.attempt > MAX_ATTEMPTS:
        _write(line.session, claimed, **_finished(line, "dead"))
        line.session.commit()
        return
    try:
        row = line.session.get_one(InboxEvent, claimed.event_id)
        event = parse_event(json.loads(row.payload), reach=people.REACH)
        if row.state == "queued":
            changes = _answer(line, event)
            if not _write(line.session, claimed, state="answering", **changes):
                logger.error(
                    "webhook event %s took too long; another worker has it",
                    claimed.event_id,
                    extra=log_fields("hook_too_long", webhook_event_id=claimed.event_id),
                )
                line.session.rollback()
                return
            line.session.commit()
        send_reply(line, event, claimed.event_id)
        _write(line.session, claimed, **_finished(line, "done"), error=None)
        line.session.commit()
    except Exception as error:  # a hook is the shop's code and may raise anything
        line.session.rollback()
        _put_back(line, claimed, error)


def _write(session: Session, claimed: Claim, **changes: Any) -> bool:
    """Write to a claimed event, unless another worker has taken it over meanwhile."""
    statement = (
        update(InboxEvent)
        .where(
            InboxEvent.webhook_event_id == claimed.event_id,
            InboxEvent.claims == claimed.number,
        )
        .values(**changes)
        .returning(InboxEvent.webhook_event_id)
    )
    return session.execute(statement).first() is not None


def _finished(line: LineState, state: str) -> dict[str, Any]:
    return {"state": state, "next_attempt_at": None, "finished_at": line.clock()}


def _answer(line: LineState, event: Event) -> dict[str, Any]:
    """Keep what the event itself says, then ask its hook; return what to write to its row."""
    _note_friendship(line, event)
    own_reply, answer = _close_chat_link(line, event)
    g.pop("_lineconnect_question_waits", None)
    payloads = [*_ask_hooks(line, event, otherwise=own_reply), *answer][:MAX_MESSAGES]
    if payloads:
        check_messages(payloads)
    waits = g.pop("_lineconnect_question_waits", False)
    return {"reply": payloads, "waits_until": line.clock() + QUESTION_WAITS if waits else None}


def _ask_hooks(line: LineState, event: Event, *, otherwise: Reply = None) -> list[dict[str, Any]]:
    """Return the reply of the first hook that does not pass the event on.

    :param otherwise: what we say ourselves if no hook but a fallback would answer.
    """
    dialogue = dialogue_of(line.session, event.line_user_id, now=line.clock())
    place = None if dialogue is None else (dialogue.name, dialogue.step)
    for found in line.part(HookTable).find_all(event, dialogue=place):
        if found.hook.is_last and otherwise is not None:
            break
        arguments = dict(found.arguments)
        if found.hook.dialogue is not None:
            arguments["dialogue"] = dialogue
        reply: Reply = found.hook.function(found.event, **arguments)
        if reply is not PASS_ON:
            return to_payloads(reply)
    return to_payloads(otherwise)


def _note_friendship(line: LineState, event: Event) -> None:
    if not isinstance(event, FollowEvent | UnfollowEvent) or event.line_user_id is None:
        return
    is_friend = isinstance(event, FollowEvent)
    account = accounts.ensure_account(line.session, event.line_user_id, now=line.clock())
    # An event from the future would outlive all that follows it.
    at = min(event.occurred_at, line.clock())
    if accounts.note_friendship(line.session, account, is_friend, at=at):
        signal = signals.account_followed if is_friend else signals.account_unfollowed
        announce(line.session, signal, account=account)


def _close_chat_link(line: LineState, event: Event) -> tuple[Reply, list[dict[str, Any]]]:
    """Link what waited for this event.

    :return: what to say if the shop says nothing itself, and the answer that waited for the link.
    """
    if not isinstance(event, AccountLinkEvent) or not event.is_ok or event.line_user_id is None:
        return None, []
    account = accounts.ensure_account(line.session, event.line_user_id, now=line.clock())
    member_id = chat_link.redeem(line.session, account, event.nonce, now=line.clock())
    member = None if member_id is None else line.session.get(line.shop.model, member_id)
    if member is None or not line.shop.may_log_in(member):
        return None, []
    try:
        accounts.link(line, account, member_id, source="chat", now=line.clock())
    except Refused as refused:
        return refused.message, []
    telling.tell(line, account, member, "linked", by_line=False)
    return _("連携が完了しました。"), _answer_question(line, account)


def _answer_question(line: LineState, account: Account) -> list[dict[str, Any]]:
    """Return the answer to what the person asked before they were invited to link."""
    question = take_question(line.session, account.line_user_id, now=line.clock())
    if question is None:
        return []
    return _ask_hooks(line, parse_event(json.loads(question.payload), reach=people.REACH))


def _put_back(line: LineState, claimed: Claim, error: Exception) -> None:
    changes: dict[str, Any] = {"error": f"{type(error).__name__}: {error}"[:2_000]}
    if claimed.attempt >= MAX_ATTEMPTS:
        changes |= _finished(line, "dead")
    else:
        backoff = FIRST_BACKOFF * 2 ** (claimed.attempt - 1)
        changes["next_attempt_at"] = line.clock() + backoff
    _write(line.session, claimed, **changes)
    line.session.commit()
    logger.error(
        "webhook event %s failed, attempt %d",
        claimed.event_id,
        claimed.attempt,
        exc_info=error,
        extra=log_fields("hook_failed", webhook_event_id=claimed.event_id, attempt=claimed.attempt),
    )
