"""Point cards: the code on them that pays, and how open ones learn that points have changed.

The code is short-lived, for one use and bound to the member: a screenshot is worth nothing a minute
later, or once the member has paid. The database keeps its hash only, and one statement decides who
of several counters was first.
"""

from __future__ import annotations

import base64
import secrets
from datetime import datetime
from datetime import timedelta
from typing import Any

from sqlalchemy import delete
from sqlalchemy import update
from sqlalchemy.orm import Session

from ..folding import fold_code
from ..models import Account
from ..models import CardCode
from ..models.base import insert_if_absent
from ..vault import hashed

LIFETIME = timedelta(seconds=60)
#: 130 bits in letters and digits: a QR code holds those densely, and a scanner that types them
#: types the same on every keyboard layout.
_BYTES, _LENGTH = 17, 26


def issue(session: Session, account: Account, *, now: datetime) -> str:
    """Return a new code for a member's card, in the caller's transaction; older ones end."""
    code = base64.b32encode(secrets.token_bytes(_BYTES)).decode()[:_LENGTH]
    values = {"code_hash": hashed(code), "expires_at": now + LIFETIME}
    replace = update(CardCode).where(CardCode.account_id == account.id).values(values)
    if session.execute(replace.returning(CardCode.account_id)).first() is None and (
        not insert_if_absent(session, CardCode, account_id=account.id, **values)
    ):
        # Another page of the same member was faster; the newest code is the one that counts.
        session.execute(replace)
    return code


def redeem(session: Session, code: str, *, now: datetime) -> Account | None:
    """Take a code in the caller's transaction; return whose it was, the first time only."""
    statement = (
        delete(CardCode)
        .where(CardCode.code_hash == hashed(fold_code(code).upper()), CardCode.expires_at > now)
        .returning(CardCode.account_id)
        .execution_options(synchronize_session=False)
    )
    account_id = session.scalars(statement).one_or_none()
    return None if account_id is None else session.get(Account, account_id)


def note_change(session: Session, member_id: Any) -> None:
    """Raise what open cards of a member look at, in the caller's transaction."""
    session.execute(
        update(Account)
        .where(Account.member_id == member_id)
        .values(card_version=Account.card_version + 1)
        .execution_options(synchronize_session=False)
    )


def version_name(account_id: int, card_version: int) -> str:
    """Return what an open card calls its version: another person's is never the same."""
    return f"{account_id}.{card_version}"
