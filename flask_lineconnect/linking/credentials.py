"""What a member's new password ends: all that an older one began, or could still finish.

Source of the rules: Sudhodanan and Paverd, "Pre-hijacked accounts" (USENIX Security 2022).
"""

from __future__ import annotations

from datetime import datetime
from datetime import timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy import update
from sqlalchemy.orm import Session

from ..errors import Refused
from ..i18n import gettext as _
from ..models import Account
from ..models import AuditEntry
from ..models import CredentialChange
from ..models import LoginAttempt
from ..models.base import insert_if_absent
from ..state import LineState
from . import accounts
from . import chat_link

#: Longer than anything waits that was begun before.
_KEPT = timedelta(hours=1)


def note_change(line: LineState, member: Any, *, is_proven: bool, now: datetime) -> Account | None:
    """End links that wait, recent logins and sessions that LINE gave; ask again for the link.

    :param is_proven: it was done in a session that came from the linked account itself.
    :return: the account to which the member is linked.
    """
    session, key = line.session, accounts.member_key(line.session, member)
    chat_link.end_waiting(session, key)
    session.execute(
        update(LoginAttempt)
        .where(LoginAttempt.member_key == str(key))
        .values(handle_hash=None, email=None)
        .execution_options(synchronize_session=False)
    )
    recent = timedelta(seconds=line.config.recent_login_seconds)
    times = {"changed_at": now, "expires_at": now + max(recent, _KEPT)}
    if not insert_if_absent(session, CredentialChange, member_key=str(key), **times):
        session.execute(
            update(CredentialChange).where(CredentialChange.member_key == str(key)).values(times)
        )
    account = accounts.account_of_member(line, member)
    if account is not None:
        account.session_generation += 1
        account.in_doubt_since = account.in_doubt_since if is_proven else now
        session.flush()
    return account


def changed_at(session: Session, member_id: Any) -> datetime | None:
    """Return when a member's credentials changed, if that was lately."""
    statement = select(CredentialChange.changed_at)
    return session.scalars(
        statement.where(CredentialChange.member_key == str(member_id))
    ).one_or_none()


def require_unchanged(session: Session, member_id: Any, *, since: datetime) -> None:
    """Go on only if a member's credentials are those of when something began.

    :raises Refused: they have changed.
    """
    changed = changed_at(session, member_id)
    if changed is not None and changed >= since:
        raise Refused(
            _("パスワードが変更されたため、連携をはじめからやり直してください。"),
            step="person-changed",
        )


def confirm(session: Session, account: Account, *, now: datetime) -> None:
    """Keep a link that was in doubt, because its member said so with the new credentials."""
    account.in_doubt_since = None
    session.add(
        AuditEntry(
            at=now,
            action="confirmed",
            actor="member",
            account_id=account.id,
            member_key=str(account.member_id),
        )
    )
    session.flush()
