"""Shows everybody their rich menu: a round over all accounts, in portions, whenever it may differ.

A round begins with a release, when a menu's time begins or ends, and now and then where segments
choose. LINE is told of those alone who see another menu than they must, 500 in a request; whatever
is interrupted is told again.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime
from datetime import timedelta
from http import HTTPStatus
from itertools import groupby
from typing import NamedTuple

from sqlalchemy import func
from sqlalchemy import select
from sqlalchemy import text
from sqlalchemy import update
from sqlalchemy.orm import Session

from ..errors import LineApiError
from ..line_api.client import LineApi
from ..line_api.rich_menus import MOST_PEOPLE
from ..line_api.rich_menus import RichMenuApi
from ..log_fields import log_fields
from ..models import Account
from ..models import RichMenuRelease
from ..models.rich_menu import IS_CURRENT
from ..state import LineState
from .choosing import MembersIn
from .choosing import Published
from .choosing import everybodys
from .choosing import has_segments
from .choosing import menus_of
from .choosing import next_change
from .choosing import wanted

logger = logging.getLogger(__name__)

#: How long one portion may take before it is taken again.
LEASE = timedelta(minutes=5)
#: How often it is asked who is in a segment.
SEGMENTS_EVERY = timedelta(hours=1)
#: Of how many accounts it is asked at once.
ACCOUNTS_AT_ONCE = 5_000


class _Person(NamedTuple):
    account_id: int
    line_user_id: str
    menu_id: str | None


def show_some(line: LineState, members_in: MembersIn) -> int:
    """Do one portion of a round, if one is due; return 1 if there is more to do."""
    with line.work_context():
        try:
            return int(show_portion(line, members_in) is not None)
        except LineApiError as error:
            line.session.rollback()
            logger.warning(
                "LINE does not show people their rich menus yet: %s",
                error.text,
                extra=log_fields("menus_unshown", error),
            )
            return 0


def show_portion(line: LineState, members_in: MembersIn) -> int | None:
    """Do one portion of a round; commits.

    :return: how many people LINE was told of; ``None``: no portion is due.
    :raises LineApiError: LINE did not do it; the portion is done again when its lease is over.
    """
    now = line.clock()
    release = _claim(line.session, now=now)
    if release is None:
        return None
    release_id, cursor, default = release.id, release.cursor, release.default_menu_id
    menus = menus_of(release)
    people, last = _people(line.session, menus, cursor, now, members_in)
    # Nothing is held open while LINE is waited for.
    line.session.rollback()
    if cursor == 0:
        _show_everybody(line, release_id, menus, default, now=now)
    count = _tell(line, people)
    _note(line.session, release_id, menus, last, now=now)
    return count


def _claim(session: Session, *, now: datetime) -> RichMenuRelease | None:
    """Take the portion that is due, in one statement, and commit."""
    is_due = text(IS_CURRENT), RichMenuRelease.next_portion_at <= now
    if session.scalar(select(RichMenuRelease.id).where(*is_due)) is None:
        session.rollback()
        return None
    statement = (
        update(RichMenuRelease)
        .where(*is_due)
        .values(next_portion_at=now + LEASE)
        .returning(RichMenuRelease.id)
        .execution_options(synchronize_session=False)
    )
    claimed = session.execute(statement).scalar_one_or_none()
    session.commit()
    return None if claimed is None else session.get(RichMenuRelease, claimed)


def _people(
    session: Session, menus: Sequence[Published], cursor: int, now: datetime, members_in: MembersIn
) -> tuple[list[_Person], int | None]:
    """Return who sees another menu than they must, and the last account that was looked at."""
    menu_id, end = wanted(menus, now, members_in), cursor + ACCOUNTS_AT_ONCE
    found = session.execute(
        select(Account.id, Account.line_user_id, menu_id)
        .where(
            Account.id > cursor,
            Account.id <= end,
            Account.is_friend.is_not(False),
            menu_id.is_distinct_from(Account.rich_menu_id),
        )
        .order_by(Account.id)
        .limit(MOST_PEOPLE)
    )
    people = [_Person(*row) for row in found]
    if len(people) == MOST_PEOPLE:
        return people, people[-1].account_id
    newest = session.scalar(select(func.max(Account.id))) or 0
    return people, None if end >= newest else end


def _show_everybody(
    line: LineState,
    release_id: int,
    menus: Sequence[Published],
    shown: str | None,
    *,
    now: datetime,
) -> None:
    menu_id = everybodys(menus, now)
    if menu_id is not None:
        # Again, should somebody have set another one by hand.
        line.part(LineApi).set_default_rich_menu(menu_id)
    elif shown is not None:
        RichMenuApi(line.part(LineApi)).clear_default()
    change = update(RichMenuRelease).where(RichMenuRelease.id == release_id)
    line.session.execute(change.values(default_menu_id=menu_id))
    line.session.commit()


def _tell(line: LineState, people: Sequence[_Person]) -> int:
    """Tell LINE, one request for all who see the same menu, and note it after each.

    :raises LineApiError: LINE did not do it, and may later.
    """
    api, session = RichMenuApi(line.part(LineApi)), line.session
    in_order = sorted(people, key=lambda one: one.menu_id or "")
    for menu_id, group in groupby(in_order, key=lambda one: one.menu_id):
        some = list(group)
        ids = [one.line_user_id for one in some]
        try:
            api.unlink(ids) if menu_id is None else api.link(menu_id, ids)
        except LineApiError as error:
            if error.is_retryable or error.status == HTTPStatus.TOO_MANY_REQUESTS:
                raise
            logger.warning(
                "LINE refuses to show %d people a rich menu; `flask line richmenu sync` makes what "
                "LINE has lost: %s",
                len(some),
                error.text,
                extra=log_fields("menus_refused", error),
            )
            continue
        told = Account.id.in_([one.account_id for one in some])
        session.execute(update(Account).where(told).values(rich_menu_id=menu_id))
        session.commit()
    return len(people)


def _note(
    session: Session,
    release_id: int,
    menus: Sequence[Published],
    last: int | None,
    *,
    now: datetime,
) -> None:
    """Write down how far the round is, or when the next one begins."""
    due = now if last is not None else next_change(menus, now)
    if last is None and has_segments(menus, now):
        due = min(now + SEGMENTS_EVERY, due or now + SEGMENTS_EVERY)
    change = update(RichMenuRelease).where(
        RichMenuRelease.id == release_id, RichMenuRelease.next_portion_at == now + LEASE
    )
    session.execute(change.values(cursor=last or 0, next_portion_at=due))
    session.commit()
