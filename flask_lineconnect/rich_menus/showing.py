"""Shows a person the rich menu that is theirs, when their link or language has changed.

The choice is a row; LINE is told afterwards, again and again until it answers. All people at once:
``rounds.py``.
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
from .choosing import MembersIn
from .choosing import current_release
from .choosing import menus_of
from .choosing import wanted

logger = logging.getLogger(__name__)

#: How long one try may take before it is made again.
LEASE = timedelta(minutes=5)
#: How many people are shown theirs before other work has its turn.
BATCH = 20


def show_due(line: LineState, members_in: MembersIn) -> int:
    """Tell LINE of every menu that is due, one after the other; return how many were.

    :param members_in: returns the members of a segment, by its name.
    """
    for count in range(BATCH):
        if line.stopping.is_set():
            return count
        with line.work_context():
            account_id = _claim(line.session, now=line.clock())
            if account_id is None:
                return count
            _show(line, account_id, members_in)
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


def _show(line: LineState, account_id: int, members_in: MembersIn) -> None:
    account = line.session.get_one(Account, account_id)
    line_user_id, due_at = account.line_user_id, account.menu_due_at
    menu_id = _menu_for(line, account, members_in)
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
        .values(menu_due_at=None, rich_menu_id=menu_id)
    )
    line.session.commit()


def _menu_for(line: LineState, account: Account, members_in: MembersIn) -> str | None:
    release = current_release(line.session)
    if release is None:
        return None if not account.is_linked else menu_of(line.session, account.language)
    menu_id = wanted(menus_of(release), line.clock(), members_in)
    return line.session.scalar(select(menu_id).where(Account.id == account.id))


def menu_of(session: Session, language: str | None) -> str | None:
    """Return the id of the menu of a language; ``None`` where everybody's is shown."""
    if language is None:
        return None
    statement = select(PublishedRichMenu.rich_menu_id).where(PublishedRichMenu.language == language)
    return session.scalar(statement.order_by(PublishedRichMenu.published_at.desc()).limit(1))
