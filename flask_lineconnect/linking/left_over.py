"""Whether anything is kept of keys that new members got: of those who had them before.

A member who was deleted by SQL, past the session, may have left rows. That is asked of everybody
who registers, so it is one statement, and what erases comes only where there is something.
"""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Sequence
from functools import cache
from typing import Any

from sqlalchemy import Column
from sqlalchemy import Select
from sqlalchemy import bindparam
from sqlalchemy import or_
from sqlalchemy import select
from sqlalchemy.orm import Session

from ..models.base import LineBase
from ..models.base import MemberKey

_ACCOUNT = "lineconnect_account"


def is_anything_kept(session: Session, member_ids: Sequence[Any]) -> bool:
    """Ask whether an erasure of members with these keys would find anything."""
    return bool(session.scalar(_question(), {"member_ids": list(member_ids)}))


@cache
def _question() -> Select[Any]:
    keys = bindparam("member_ids", expanding=True, type_=MemberKey())
    return select(or_(*(select(column).where(column.in_(keys)).exists() for column in _columns())))


def _columns() -> Iterator[Column[Any]]:
    """Give the columns whose rows go with a member."""
    for table in LineBase.metadata.sorted_tables:
        for column in table.columns:
            is_members = isinstance(column.type, MemberKey)
            if is_members and (table.name == _ACCOUNT or column.info.get("ondelete") == "CASCADE"):
                yield column
