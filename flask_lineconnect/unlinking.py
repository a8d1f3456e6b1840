"""The end of a link: by the member, by staff, on LINE's side, or with the member's erasure.

What changes here commits with the caller. What LINE must be told is a row as well, and is told
afterwards, again and again until LINE answers.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import delete
from sqlalchemy import select
from sqlalchemy import update
from sqlalchemy.orm import Session

from .models import Account
from .models import AuditEntry
from .models import ChatLink
from .models import InboxEvent
from .models import LoginAttempt
from .models import OutboxMessage
from .models import UnlinkTask

#: Messages that were not given to LINE yet.
_UNSENT = ("queued", "sending")


def unlink(session: Session, account: Account, *, action: str = "unlinked", now: datetime) -> bool:
    """End an account's link; its sessions, tokens and waiting messages end with it.

    :param action: what the audit log says: ``unlinked`` or ``consent-ended``.
    :return: whether there was a link, also when several callers race.
    """
    member_id, sealed_tokens = account.member_id, account.sealed_tokens
    if member_id is None:
        return False
    statement = (
        update(Account)
        .where(Account.id == account.id, Account.member_id == member_id)
        .values(
            member_id=None,
            linked_at=None,
            link_source=None,
            sealed_tokens=None,
            session_generation=Account.session_generation + 1,
        )
        .returning(Account.id)
    )
    if session.execute(statement).first() is None:
        return False
    _stop_what_waits(session, account)
    _tell_line(session, account, sealed_tokens, now)
    session.add(AuditEntry(at=now, action=action, account_id=account.id, member_key=str(member_id)))
    session.flush()
    session.refresh(account)
    return True


def erase(session: Session, account: Account, *, now: datetime) -> None:
    """Forget a person: the account, their messages and events; an audit row without a name stays.

    LINE's id is kept in the task that tells LINE, and goes with it.
    """
    sealed_tokens = account.sealed_tokens
    _tell_line(session, account, sealed_tokens, now)
    session.execute(delete(InboxEvent).where(InboxEvent.line_user_id == account.line_user_id))
    session.execute(delete(OutboxMessage).where(OutboxMessage.account_id == account.id))
    session.execute(delete(LoginAttempt).where(LoginAttempt.account_id == account.id))
    session.execute(delete(ChatLink).where(ChatLink.account_id == account.id))
    entry = AuditEntry(at=now, action="erased", account_id=account.id, member_key=None)
    session.execute(
        update(AuditEntry).where(AuditEntry.account_id == account.id).values(member_key=None)
    )
    session.add(entry)
    session.execute(delete(Account).where(Account.id == account.id))
    session.expunge(account)
    session.flush()


def end_links_of(session: Session, member_id: Any, *, now: datetime) -> Account | None:
    """End the link of a member, if there is one; return the account that was linked."""
    statement = select(Account).where(Account.member_id == member_id)
    account = session.scalars(statement).one_or_none()
    return account if account is not None and unlink(session, account, now=now) else None


def _stop_what_waits(session: Session, account: Account) -> None:
    session.execute(
        update(OutboxMessage)
        .where(OutboxMessage.account_id == account.id, OutboxMessage.state.in_(_UNSENT))
        .values(state="cancelled")
    )
    session.execute(delete(LoginAttempt).where(LoginAttempt.account_id == account.id))
    session.execute(delete(ChatLink).where(ChatLink.account_id == account.id))


def _tell_line(
    session: Session, account: Account, sealed_tokens: str | None, now: datetime
) -> None:
    session.add(
        UnlinkTask(
            account_id=account.id,
            line_user_id=account.line_user_id,
            sealed_tokens=sealed_tokens,
            created_at=now,
            next_attempt_at=now,
        )
    )
