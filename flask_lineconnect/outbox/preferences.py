"""What a person wants to be sent: read when a message is about to go, changed on the LIFF page."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import delete
from sqlalchemy import select
from sqlalchemy.orm import Session

from ..models import Account
from ..models import Preference
from ..models.base import insert_if_absent


def declined_by(session: Session, account: Account) -> frozenset[str]:
    """Return the names of the categories that a person does not want."""
    statement = select(Preference.category).where(
        Preference.account_id == account.id, Preference.is_wanted.is_(False)
    )
    return frozenset(session.scalars(statement))


def set_preferences(
    session: Session, account: Account, wanted: Mapping[str, bool], *, now: datetime
) -> None:
    """Write what a person wants, inside the caller's transaction; other categories stay.

    :param wanted: by the name of the category.
    """
    session.execute(
        delete(Preference).where(
            Preference.account_id == account.id, Preference.category.in_(wanted)
        )
    )
    for category, is_wanted in wanted.items():
        insert_if_absent(
            session,
            Preference,
            account_id=account.id,
            category=category,
            is_wanted=is_wanted,
            changed_at=now,
        )
