"""Forget who clicked what: by age, or with the person. The counts stay, and say how much of them.

Run by ``upkeep.py``, where every step may run twice, and with an erasure.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from datetime import timedelta
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement
from sqlalchemy import delete
from sqlalchemy import select
from sqlalchemy.orm import Session

from ...models import Click
from ...models import TrackedLink
from ...models.portions import Step
from ..results.counts import KEY
from ..results.counts import adding
from ..results.counts import day_of


def pruning_step(kept: timedelta, zone: ZoneInfo, *, now: datetime) -> Step:
    """Return what deletes clicks that are older than they are kept.

    :param zone: the shop's, by whose days clicks are counted.
    """
    is_old = Click.clicked_at <= now - kept
    find = select(Click.id).where(is_old).order_by(Click.clicked_at)
    return Step(find, partial(_delete_some, zone=zone))


def forget_members(session: Session, member_ids: Sequence[Any], zone: ZoneInfo) -> None:
    """Delete the clicks of members with these keys."""
    _delete(session, Click.member_id.in_(member_ids), zone)


def forget_account(session: Session, account_id: int, zone: ZoneInfo) -> None:
    """Delete the clicks of a LINE account, whoever was linked to it then."""
    _delete(session, Click.account_id == account_id, zone)


def _delete_some(session: Session, ids: Sequence[int], *, zone: ZoneInfo) -> None:
    _delete(session, Click.id.in_(ids), zone)


def _delete(session: Session, is_theirs: ColumnElement[bool], zone: ZoneInfo) -> None:
    gone = session.execute(
        delete(Click)
        .where(is_theirs)
        .returning(Click.link_id, Click.clicked_at, Click.kind)
        .execution_options(synchronize_session=False)
    ).all()
    counted = [row for row in gone if row.kind == "person"]
    if counted:
        links = {
            link.id: link
            for link in session.scalars(
                select(TrackedLink).where(TrackedLink.id.in_({row.link_id for row in counted}))
            )
        }
        _note(session, [(links[row.link_id], day_of(row.clicked_at, zone)) for row in counted])


def _note(session: Session, gone: Sequence[tuple[TrackedLink, Any]]) -> None:
    """Add to the part of the counts whose facts are no more."""
    total: dict[tuple[Any, ...], int] = {}
    for link, day in gone:
        key = (
            *(link.campaign_id or 0, link.scenario_id or 0, link.step, link.variant, link.id),
            *(day, "clicks"),
        )
        total[key] = total.get(key, 0) + 1
    rows = [
        {**dict(zip(KEY, key, strict=True)), "number": 0, "forgotten": number}
        for key, number in sorted(total.items())
    ]
    statement = adding(session.get_bind().dialect.name, "forgotten")
    # One by one: SQLite took no more than 999 values before 3.32.
    session.connection().execute(statement, rows)
