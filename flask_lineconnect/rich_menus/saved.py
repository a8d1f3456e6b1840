"""Rich menus that are made in the console: each change is a new version, and the newest counts.

They are data like those of files, and are brought to LINE together with them.
"""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import func
from sqlalchemy import inspect
from sqlalchemy import select
from sqlalchemy.orm import Session

from ..models import SavedMenu
from ..models.base import insert_if_absent


def saved_menus(session: Session) -> Sequence[SavedMenu]:
    """Return the newest version of each menu that is not removed, by name.

    None where their table has yet to come: a shop is being set up, or brought to this version.
    """
    if not inspect(session.connection()).has_table(SavedMenu.__tablename__):
        return []
    newest = (
        select(SavedMenu.name, func.max(SavedMenu.version).label("version"))
        .group_by(SavedMenu.name)
        .subquery()
    )
    is_newest = (SavedMenu.name == newest.c.name) & (SavedMenu.version == newest.c.version)
    statement = (
        select(SavedMenu)
        .join(newest, is_newest)
        .where(SavedMenu.definition.is_not(None))
        .order_by(SavedMenu.name)
    )
    return session.scalars(statement).all()


def save_version(
    session: Session,
    name: str,
    definition: Mapping[str, Any] | None,
    image: bytes | None,
    *,
    after: int,
    now: datetime,
) -> bool:
    """Save a menu's next version, inside the caller's transaction.

    :param definition: ``None`` removes it.
    :param after: the version that its author had before them, 0 for a new one.
    :return: whether it is saved; else somebody else saved the menu meanwhile.
    """
    newest = select(func.max(SavedMenu.version)).where(SavedMenu.name == name)
    if (session.scalar(newest) or 0) != after:
        return False
    return insert_if_absent(
        session,
        SavedMenu,
        name=name,
        version=after + 1,
        definition=None if definition is None else dict(definition),
        image=image,
        saved_at=now,
    )
