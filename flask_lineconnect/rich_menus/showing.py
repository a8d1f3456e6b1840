"""Shows members the rich menu of the language that they chose.

The choice is a row; LINE is told afterwards, again and again until it answers.
"""

from __future__ import annotations

import logging
from datetime import datetime
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy import text
from sqlalchemy import update
from sqlalchemy.orm import Session

from ..errors import LineApiError
from ..line_api.client import LineApi
from ..log_fields import log_fields
from ..models import Account
from ..models import PublishedRichMenu
from ..models.account import IS_MENU_DUE
from ..state import LineState

logger = logging.getLogger(__name__)

#: How long one try may take before it is made again.
LEASE = timedelta(minutes=5)
#: How many people are shown theirs before other work has its turn.
BATCH = 20


def show_due(line: LineState) -> int:
    """Tell LINE of every menu that is due, one after the other; return how many were."""
    for count in range(BATCH):
        if line.stopping.is_set():
            return count
        with line.work_context():
            account_id = _claim(line.session, now=line.clock())
            if account_id is None:
                return count
            _show(line, account_id)
    return BATCH


def _claim(session: Session, *, now: datetime) -> int | None:
    """Take who has waited for longest, in one statement, and commit."""
    due = (
        select(Account.id)
        .where(text(IS_MENU_DUE), Account.menu_due_at <= now)
        .order_by(Account.menu_due_at)
        .limit(1)
    )
    account_id = session.scalar(due)
    if account_id is None:
        session.rollback()
        return None
    statement = (
        update(Account)
        .where(Account.id == account_id, Account.menu_due_at <= now)
        .values(menu_due_at=now + LEASE)
        .returning(Account.id)
        .execution_options(synchronize_session=False)
    )
    claimed = session.execute(statement).scalar_one_or_none()
    session.commit()
    return claimed


def _show(line: LineState, account_id: int) -> None:
    account = line.session.get_one(Account, account_id)
    line_user_id, due_at = account.line_user_id, account.menu_due_at
    menu_id = None if not account.is_linked else menu_of(line.session, account.language)
    # Nothing is held open while LINE is waited for.
    line.session.commit()
    api = line.part(LineApi)
    try:
        if menu_id is None:
            api.unlink_rich_menu(line_user_id)
        else:
            api.link_rich_menu(line_user_id, menu_id)
    except LineApiError as error:
        logger.warning(
            "LINE does not show a member the rich menu of their language yet: %s",
            error.text,
            extra=log_fields("menu_unshown", error, account_id=account_id),
        )
        if error.is_retryable:
            return
    # Unless they chose again meanwhile.
    line.session.execute(
        update(Account)
        .where(Account.id == account_id, Account.menu_due_at == due_at)
        .values(menu_due_at=None)
    )
    line.session.commit()


def menu_of(session: Session, language: str | None) -> str | None:
    """Return the id of the menu of a language; ``None`` where everybody's is shown."""
    if language is None:
        return None
    statement = select(PublishedRichMenu.rich_menu_id).where(PublishedRichMenu.language == language)
    return session.scalar(statement.order_by(PublishedRichMenu.published_at.desc()).limit(1))
