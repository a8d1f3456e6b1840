"""The end of a link: by the member, by staff, on LINE's side, or with the member's erasure.

What changes here commits with the caller. What LINE must be told is a row as well, and is told
afterwards, again and again until LINE answers.
"""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Sequence
from datetime import datetime
from datetime import timedelta
from functools import partial
from typing import Any
from typing import Literal

from flask import current_app
from flask import has_app_context
from sqlalchemy import ColumnElement
from sqlalchemy import and_
from sqlalchemy import delete
from sqlalchemy import event
from sqlalchemy import inspect
from sqlalchemy import or_
from sqlalchemy import select
from sqlalchemy import update
from sqlalchemy.orm import Session
from sqlalchemy.orm import scoped_session

from .. import signals
from ..after_commit import after_commit
from ..after_commit import announce
from ..marketing import member_events
from ..marketing.event_kinds import UNLINKED
from ..marketing.links import pruning as clicks
from ..marketing.results import forgetting
from ..models import Account
from ..models import AuditEntry
from ..models import CardCode
from ..models import ChatLink
from ..models import EndedLink
from ..models import InboxEvent
from ..models import LoginAttempt
from ..models import OpenDialogue
from ..models import OutboxMessage
from ..models import PointEntry
from ..models import Preference
from ..models import UnlinkTask
from ..models.base import insert_if_absent
from ..models.outbox import UNSENT
from ..state import EXTENSION_KEY
from ..state import LineState
from ..vault import hashed
from . import left_over
from . import staff_words
from . import telling
from .marks import MemberMarks

#: Who ended a link: the member, the shop (its staff or its code), or the person at LINE.
Actor = Literal["member", "shop", "line"]

#: How long a LIFF ID token lives, as LINE documents it.
_ID_TOKEN_LIFETIME = timedelta(hours=1)
#: Keys in one statement; SQLite takes 32,766 values.
_KEYS_AT_ONCE = 500
#: In ``Session.info``: the keys of the members whom this flush has made.
_NEW_MEMBERS = "lineconnect_new_members"


def unlink(
    line: LineState,
    account: Account,
    *,
    actor: Actor,
    now: datetime,
    may_return: bool = False,
    is_left_over: bool = False,
) -> bool:
    """End an account's link; its sessions, tokens and waiting messages end with it.

    The signal :data:`~flask_lineconnect.signals.account_unlinked` follows the commit.

    :param may_return: the member has no other way in, and LINE leads them back.
    :param is_left_over: the member's row is another person's by now, or nobody's.
    :return: whether there was a link, also when several callers race.
    """
    session = line.session
    member_id, sealed_tokens = account.member_id, account.sealed_tokens
    if member_id is None:
        return False
    statement = (
        update(Account)
        .where(Account.id == account.id, Account.member_id == member_id)
        .values(
            member_id=None,
            member_mark=None,
            former_member_id=None if is_left_over else member_id,
            former_member_mark=None if is_left_over else Account.member_mark,
            may_return=may_return,
            in_doubt_since=None,
            linked_at=None,
            link_source=None,
            sealed_tokens=None,
            consent_checked_at=None,
            # LINE is told to take it away; see ``unlink_tasks.py``.
            rich_menu_id=None,
            session_generation=Account.session_generation + 1,
        )
        .returning(Account.id)
    )
    if session.execute(statement).first() is None:
        return False
    _stop_what_waits(session, account)
    _note_end(session, account, now)
    _tell_line(line, account, None if actor == "line" else sealed_tokens, now)
    session.add(
        AuditEntry(
            at=now,
            action="consent-ended" if actor == "line" else "unlinked",
            actor=actor,
            account_id=account.id,
            member_key=str(member_id),
        )
    )
    session.flush()
    session.refresh(account)
    member = None if is_left_over else session.get(line.shop.model, member_id)
    member_events.record(
        line,
        UNLINKED,
        # Whoever has the key now did not do it.
        member_id=None if member is None else member_id,
        account=account,
        at=now,
        facts={"actor": actor},
    )
    announce(session, signals.account_unlinked, account=account, member=member)
    if not is_left_over:
        # Whoever ended the consent at LINE knows it, and wants nothing more of us there.
        telling.tell(line, account, member, "unlinked", by_line=actor != "line")
    return True


def erase(line: LineState, account: Account, *, now: datetime) -> None:
    """Forget a person: the account, their messages and events; an audit row without a name stays.

    LINE's id is kept in the task that tells LINE, and goes with it.
    """
    session, sealed_tokens = line.session, account.sealed_tokens
    _note_end(session, account, now)
    _tell_line(line, account, sealed_tokens, now)
    _delete_events(session, account.line_user_id)
    whose = [] if account.member_id is None else [account.member_id]
    forgetting.note_erasure(line, whose, account_id=account.id)
    staff_words.forget_members(session, whose)
    member_events.forget_account(session, account)
    clicks.forget_account(session, account.id, line.config.zone)
    if account.member_id is not None:
        clicks.forget_members(session, [account.member_id], line.config.zone)
    session.execute(delete(OutboxMessage).where(OutboxMessage.account_id == account.id))
    session.execute(delete(Preference).where(Preference.account_id == account.id))
    session.execute(delete(OpenDialogue).where(OpenDialogue.line_user_id == account.line_user_id))
    session.execute(delete(LoginAttempt).where(LoginAttempt.account_id == account.id))
    session.execute(delete(ChatLink).where(ChatLink.account_id == account.id))
    session.execute(delete(CardCode).where(CardCode.account_id == account.id))
    entry = AuditEntry(at=now, action="erased", actor="shop", account_id=account.id)
    session.execute(
        update(AuditEntry).where(AuditEntry.account_id == account.id).values(member_key=None)
    )
    session.add(entry)
    session.execute(delete(Account).where(Account.id == account.id))
    session.expunge(account)
    announce(session, signals.account_unlinked, account=account, member=None)


def _delete_events(session: Session, line_user_id: str) -> None:
    """Delete a person's webhook events: those that wait, and by their index all others."""
    is_theirs = InboxEvent.line_user_id == line_user_id
    waiting = select(InboxEvent.webhook_event_id).order_by(InboxEvent.occurred_at)
    waiting = waiting.where(is_theirs, InboxEvent.next_attempt_at.is_not(None))
    ids = session.scalars(waiting).all()
    for some in _portions(ids):
        session.execute(delete(InboxEvent).where(InboxEvent.webhook_event_id.in_(some)))
    session.execute(delete(InboxEvent).where(is_theirs, InboxEvent.finished_at.is_not(None)))


def end_left_over(line: LineState, member_id: Any, member: Any | None, *, now: datetime) -> None:
    """End the link of somebody before this member, whose row had the same key."""
    statement = select(Account).where(Account.member_id == member_id)
    account = line.session.scalars(statement).one_or_none()
    if account is not None and not _is_of(line, account, member):
        unlink(line, account, actor="shop", now=now, is_left_over=True)


def end_if_left_over(line: LineState, account: Account, *, now: datetime) -> None:
    """End an account's link if its member is there no more, whoever has the key now."""
    if account.member_id is None:
        return
    member = line.session.get(line.shop.model, account.member_id)
    if not _is_of(line, account, member):
        unlink(line, account, actor="shop", now=now, is_left_over=True)


def _is_of(line: LineState, account: Account, member: Any | None) -> bool:
    return member is not None and line.part(MemberMarks).is_same(account.member_mark, member)


def end_links_of(line: LineState, member_id: Any, *, actor: Actor, now: datetime) -> Account | None:
    """End the link of a member, if there is one; return the account that was linked."""
    statement = select(Account).where(Account.member_id == member_id)
    account = line.session.scalars(statement).one_or_none()
    if account is None or not unlink(line, account, actor=actor, now=now):
        return None
    return account


def watch_members(session: scoped_session[Any], member_model: type[Any]) -> None:
    """Let a member's LINE account go whenever the shop deletes the member through the session.

    A key that the database gives to the next member must not bring the link along: what is left of
    one who was deleted by SQL, past the session, goes when the next one comes, or is noticed by
    ``upkeep.py``.
    """

    def erase_with_member(session: Session, _context: object, _objects: object) -> None:
        deleted = [one for one in session.deleted if isinstance(one, member_model)]
        line = _line_of_app() if deleted else None
        if line is not None:
            _erase_with_points(line, [_key(one) for one in deleted])

    def note_new(session: Session, _context: object) -> None:
        made = [_key(one) for one in session.new if isinstance(one, member_model)]
        if made:
            session.info.setdefault(_NEW_MEMBERS, []).extend(made)

    def erase_before_new(session: Session, _context: object) -> None:
        made = session.info.pop(_NEW_MEMBERS, None)
        line = _line_of_app() if made else None
        if line is not None:
            erase_left_over(line, made)

    event.listen(session, "before_flush", erase_with_member)
    event.listen(session, "after_flush", note_new)
    event.listen(session, "after_flush_postexec", erase_before_new)


def _line_of_app() -> LineState | None:
    return current_app.extensions.get(EXTENSION_KEY) if has_app_context() else None


def _key(member: Any) -> Any:
    (key,) = inspect(member).mapper.primary_key_from_instance(member)
    return key


def _erase_with_points(line: LineState, member_ids: Sequence[Any]) -> None:
    """Erase members who are gone from the shop, too: points are of its record, not of LINE's."""
    erase_all(line, member_ids)
    for some in _portions(member_ids):
        line.session.execute(delete(PointEntry).where(PointEntry.member_id.in_(some)))


def erase_all(line: LineState, member_ids: Sequence[Any]) -> bool:
    """Erase the accounts that are or were linked to members of these keys, who are gone or go.

    :return: whether there were any.
    """
    is_any = False
    for some in _portions(member_ids):
        for account in line.session.scalars(select(Account).where(_was_linked_to(some))).all():
            erase(line, account, now=line.clock())
            is_any = True
        # Also of members who never were on LINE.
        forgetting.note_erasure(line, some)
        member_events.forget_members(line.session, some)
        clicks.forget_members(line.session, some, line.config.zone)
        staff_words.forget_members(line.session, some)
    return is_any


def erase_left_over(line: LineState, member_ids: Sequence[Any]) -> None:
    """Erase what is left of those who had these keys before the new members."""
    for some in _portions(member_ids):
        if left_over.is_anything_kept(line.session, some):
            _erase_with_points(line, some)


def _portions(keys: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for start in range(0, len(keys), _KEYS_AT_ONCE):
        yield keys[start : start + _KEYS_AT_ONCE]


def accounts_kept_of(line: LineState, member_id: Any) -> Sequence[int]:
    """Return the ids of the accounts that an erasure of this member would forget."""
    return line.session.scalars(select(Account.id).where(_was_linked_to([member_id]))).all()


def _was_linked_to(member_ids: Sequence[Any]) -> ColumnElement[bool]:
    """Tell of which accounts members are or were the last ones linked."""
    return or_(
        Account.member_id.in_(member_ids),
        and_(Account.member_id.is_(None), Account.former_member_id.in_(member_ids)),
    )


def has_ended_since(session: Session, line_user_id: str, issued_at: datetime) -> bool:
    """Tell whether a person's link ended when or after LINE issued an ID token.

    LINE counts whole seconds; in doubt the token is from before.
    """
    statement = select(EndedLink.ended_at).where(EndedLink.line_user_hash == hashed(line_user_id))
    ended_at = session.scalars(statement).one_or_none()
    return ended_at is not None and issued_at <= ended_at


def _note_end(session: Session, account: Account, now: datetime) -> None:
    person = hashed(account.line_user_id)
    times = {"ended_at": now, "expires_at": now + _ID_TOKEN_LIFETIME}
    if not insert_if_absent(session, EndedLink, line_user_hash=person, **times):
        again = update(EndedLink).where(EndedLink.line_user_hash == person).values(times)
        session.execute(again)


def _stop_what_waits(session: Session, account: Account) -> None:
    is_waiting = or_(OutboxMessage.state == "queued", OutboxMessage.first_tried_at.is_(None))
    session.execute(
        update(OutboxMessage)
        .where(OutboxMessage.account_id == account.id, OutboxMessage.state.in_(UNSENT), is_waiting)
        .values(state="cancelled", next_attempt_at=None, error="the link has ended")
    )
    session.execute(delete(LoginAttempt).where(LoginAttempt.account_id == account.id))
    session.execute(delete(ChatLink).where(ChatLink.account_id == account.id))
    session.execute(delete(CardCode).where(CardCode.account_id == account.id))
    session.execute(delete(OpenDialogue).where(OpenDialogue.line_user_id == account.line_user_id))


def _tell_line(line: LineState, account: Account, sealed_tokens: str | None, now: datetime) -> None:
    line.session.add(
        UnlinkTask(
            account_id=account.id,
            line_user_id=account.line_user_id,
            sealed_tokens=sealed_tokens,
            created_at=now,
            next_attempt_at=now,
        )
    )
    after_commit(line.session, partial(line.engine.wake, "upkeep"))
