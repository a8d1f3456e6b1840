"""Segments that an owner saves: each change is a new version, and the newest one counts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func
from sqlalchemy import select
from sqlalchemy.orm import Session

from ...errors import Refused
from ...i18n import gettext as _
from ...models import SavedSegment
from ...models.base import insert_if_absent
from .rules import Rule
from .rules import write_rule


def saved_segments(session: Session) -> Sequence[SavedSegment]:
    """Return the newest version of each segment that is not removed, by name."""
    newest = (
        select(SavedSegment.name, func.max(SavedSegment.version).label("version"))
        .group_by(SavedSegment.name)
        .subquery()
    )
    statement = (
        select(SavedSegment)
        .join(
            newest,
            (SavedSegment.name == newest.c.name) & (SavedSegment.version == newest.c.version),
        )
        .where(SavedSegment.rule.is_not(None))
        .order_by(SavedSegment.name)
    )
    return session.scalars(statement).all()


def newest_version(session: Session, name: str) -> SavedSegment | None:
    """Return the newest version of a segment, which may be the one that removed it."""
    statement = (
        select(SavedSegment)
        .where(SavedSegment.name == name)
        .order_by(SavedSegment.version.desc())
        .limit(1)
    )
    return session.scalars(statement).one_or_none()


def save_version(
    session: Session,
    name: str,
    label: str,
    rule: Rule | None,
    *,
    after: int | None = None,
    now: datetime,
) -> int:
    """Save a segment's next version, inside the caller's transaction; return its number.

    :param rule: ``None`` removes it.
    :param after: the version that the owner had before them; another one's is not overwritten.
    :raises Refused: somebody else saved it meanwhile.
    """
    before = newest_version(session, name)
    newest = 0 if before is None else before.version
    is_saved = (after is None or after == newest) and insert_if_absent(
        session,
        SavedSegment,
        name=name,
        version=newest + 1,
        label=label,
        rule=None if rule is None else write_rule(rule),
        saved_at=now,
    )
    if not is_saved:
        raise Refused(
            _("ほかの方が先に保存しました。読み込み直してから、もう一度保存してください。"),
            step="saved-meanwhile",
        )
    return newest + 1
