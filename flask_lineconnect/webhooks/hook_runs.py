"""One event and its hook: what the hook does and says, in one transaction of the shop's session.

Whatever a hook raises is an attempt that failed, and nothing else. Next: ``replies.py``.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Awaitable
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field
from typing import Any

from flask import g
from sqlalchemy import Connection

from .. import signals
from ..after_commit import announce
from ..errors import Refused
from ..hooks.table import HookTable
from ..i18n import gettext as _
from ..line_api.native_threads import is_patched
from ..line_api.native_threads import run_in_native_thread
from ..linking import accounts
from ..linking import chat_link
from ..linking import languages
from ..linking import telling
from ..marketing import member_events
from ..marketing.event_kinds import FOLLOWED
from ..marketing.event_kinds import UNFOLLOWED
from ..messages.limits import check_messages
from ..messages.objects import PASS_ON
from ..messages.objects import Reply
from ..messages.objects import to_payloads
from ..models import Account
from ..state import LineState
from . import claims
from . import people
from .claims import Claim
from .claims import finished
from .claims import write_one
from .dialogues import dialogue_of
from .events import AccountLinkEvent
from .events import Event
from .events import FollowEvent
from .events import UnfollowEvent
from .hook_threads import HookThreads
from .hook_threads import Job
from .inbox import QUESTION_WAITS
from .inbox import take_question
from .parsing import parse_event
from .parsing import read_payload
from .session_use import SessionUse
from .session_use import noted_use

logger = logging.getLogger(__name__)

#: LINE's limit on the messages of one reply.
MAX_MESSAGES = 5


@dataclass(frozen=True, slots=True)
class HookRan:
    """What a hook's run came to.

    :ivar reply: the messages to send, if any.
    :ivar token: LINE's reply token, unless it was used for something else.
    :ivar changes: what is to be written to the event.
    :ivar is_written: whether it is, with the hook's own changes; else it may be written with the
        results of other hooks.
    :ivar error: what the hook raised.
    :ivar hook: its name, then.
    :ivar is_given_back: whether no thread had time for it.
    :ivar has_committed: whether it had committed something by itself, which can't be undone.
    """

    claim: Claim
    reply: list[dict[str, Any]] = field(default_factory=list)
    token: str | None = None
    changes: Mapping[str, Any] = field(default_factory=dict)
    is_written: bool = False
    error: BaseException | None = None
    hook: str = ""
    is_given_back: bool = False
    has_committed: bool = False


class Overtaken(Exception):
    """Another worker has the event."""


def run_hook(line: LineState, threads: HookThreads, claim: Claim, job: Job) -> HookRan:
    """Ask an event's hook; never raises.

    What the hook wrote is committed here, with its reply. Where it wrote nothing, nothing but the
    reply has to be written, and that may wait for others'.
    """
    try:
        with line.work_context(), noted_use() as use:
            job.use = use
            try:
                return _run(line, _Call(threads, job), claim, use)
            except BaseException as error:
                line.session.rollback()
                return HookRan(claim, error=error, hook=job.hook, has_committed=use.commits > 0)
            finally:
                job.use = None
    except BaseException as error:  # a hook is the shop's code and may raise anything
        return HookRan(claim, error=error, hook=job.hook)


def _run(line: LineState, call: _Call, claim: Claim, use: SessionUse) -> HookRan:
    session, event = line.db.session, read_event(claim)
    languages.answer_to(event.line_user_id)
    reply, waits = _answer(line, call, event)
    if call.job.is_given_up:
        raise Overtaken
    changes = _changes(line, claim, event, reply)
    if waits:
        changes["waits_until"] = line.clock() + QUESTION_WAITS
    token = None if claim.is_token_used else event.reply_token
    # Making a session, and ending it, costs more than all the rest.
    if not session.registry.has():
        return HookRan(claim, reply, token, changes)
    session.flush()
    has_written = use.has_written()
    if has_written and not write_one(_inbox_connection(line), claim, changes):
        raise Overtaken
    session.commit()
    return HookRan(claim, reply, token, changes, is_written=has_written)


def read_event(claim: Claim) -> Event:
    """Return the typed event that is stored."""
    return parse_event(read_payload(claim.payload), reach=people.REACH)


def _changes(
    line: LineState, claim: Claim, event: Event, reply: list[dict[str, Any]]
) -> dict[str, Any]:
    """Return what is written to an event whose hook ran."""
    now = line.clock()
    if not reply or (event.reply_token is None and not claim.is_token_used):
        return {"reply": reply, "error": None, **finished("done", now=now)}
    return {
        "reply": reply,
        "state": "answering",
        # Counted first: after a try whose outcome nobody knows, a dead token proves nothing.
        "reply_attempts": 1,
        "next_attempt_at": now + claims.LEASE,
        "error": None,
    }


def _inbox_connection(line: LineState) -> Connection:
    return line.session.connection(bind_arguments={"bind": line.db.engine})


@dataclass(frozen=True, slots=True)
class _Call:
    """Calls hooks, and notes which."""

    threads: HookThreads
    job: Job

    def __call__(self, line: LineState, name: str, function: Any, *given: Any, **more: Any) -> Any:
        self.threads.check(name)
        self.job.hook = name
        reply = function(*given, **more)
        return _wait_for(line, reply) if inspect.isawaitable(reply) else reply


def _wait_for(line: LineState, reply: Awaitable[Any]) -> Any:
    """Wait for what an ``async def`` hook returns, as Flask waits for its async views."""

    async def wait() -> Any:
        return await reply

    if is_patched():
        # The greenlets' own thread must be free of event loops for the shop's async pages.
        import contextvars

        context = contextvars.copy_context()
        return run_in_native_thread(lambda: context.run(asyncio.run, wait()), "lineconnect-async")
    return line.app.ensure_sync(wait)()


def _answer(line: LineState, call: _Call, event: Event) -> tuple[list[dict[str, Any]], bool]:
    """Keep what the event itself says, then ask its hook.

    :return: the reply's messages, and whether the question waits for its person to link.
    """
    _note_friendship(line, event)
    own_reply, answer = _close_chat_link(line, call, event)
    g.pop("_lineconnect_question_waits", None)
    payloads = [*_ask_hooks(line, call, event, otherwise=own_reply), *answer][:MAX_MESSAGES]
    if payloads:
        check_messages(payloads)
    return payloads, g.pop("_lineconnect_question_waits", False)


def _ask_hooks(
    line: LineState, call: _Call, event: Event, *, otherwise: Reply = None
) -> list[dict[str, Any]]:
    """Return the reply of the first hook that does not pass the event on.

    :param otherwise: what we say ourselves if no hook but a fallback would answer.
    """
    dialogue = None
    if line.part(HookTable).has_dialogues:
        dialogue = dialogue_of(line.session, event.line_user_id, now=line.clock())
    place = None if dialogue is None else (dialogue.name, dialogue.step)
    for found in line.part(HookTable).find_all(event, dialogue=place):
        if found.hook.is_last and otherwise is not None:
            break
        arguments = dict(found.arguments)
        if found.hook.dialogue is not None:
            arguments["dialogue"] = dialogue
        hook = found.hook
        reply: Reply = call(line, hook.name, hook.function, found.event, **arguments)
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
        _record_friendship(line, event, account)
        if is_friend and account.is_linked:
            languages.show_menu(line, account)
        signal = signals.account_followed if is_friend else signals.account_unfollowed
        announce(line.session, signal, account=account)


def _record_friendship(
    line: LineState, event: FollowEvent | UnfollowEvent, account: Account
) -> None:
    kind, facts = UNFOLLOWED, {}
    if isinstance(event, FollowEvent):
        kind, facts = FOLLOWED, {"is_unblocked": event.is_unblocked}
    member_events.record(
        line,
        kind,
        member_id=account.member_id,
        account=account,
        at=event.occurred_at,
        facts=facts,
    )


def _close_chat_link(
    line: LineState, call: _Call, event: Event
) -> tuple[Reply, list[dict[str, Any]]]:
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
    return _("連携が完了しました。"), _answer_question(line, call, account)


def _answer_question(line: LineState, call: _Call, account: Account) -> list[dict[str, Any]]:
    """Return the answer to what the person asked before they were invited to link."""
    question = take_question(line.session, account.line_user_id, now=line.clock())
    if question is None:
        return []
    event = parse_event(read_payload(question.payload), reach=people.REACH)
    return _ask_hooks(line, call, event)
