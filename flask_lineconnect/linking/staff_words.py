"""What staff wrote down about members: read, written, and forgotten with the person."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete
from sqlalchemy import select
from sqlalchemy.orm import Session

from ..models import MemberTag
from ..models import StaffNote
from ..models.base import insert_if_absent

#: Of one member.
MOST_NOTES, MOST_TAGS = 50, 20
#: Tags that are offered while one types.
OFFERED = 100


def notes_on(session: Session, member_id: Any) -> Sequence[StaffNote]:
    """Return the latest notes on a member, the latest first."""
    statement = select(StaffNote).where(StaffNote.member_id == member_id)
    return session.scalars(statement.order_by(StaffNote.id.desc()).limit(MOST_NOTES)).all()


def tags_of(session: Session, member_id: Any) -> Sequence[str]:
    """Return a member's tags."""
    statement = select(MemberTag.tag).where(MemberTag.member_id == member_id)
    return session.scalars(statement.order_by(MemberTag.tag).limit(MOST_TAGS)).all()


def tags_in_use(session: Session) -> Sequence[str]:
    """Return the tags that there are on members."""
    statement = select(MemberTag.tag).distinct().order_by(MemberTag.tag).limit(OFFERED)
    return session.scalars(statement).all()


def put_tag(session: Session, member_id: Any, tag: str, *, now: datetime) -> None:
    """Put a tag on a member, inside the caller's transaction; once, however often."""
    insert_if_absent(session, MemberTag, member_id=member_id, tag=tag, tagged_at=now)


def take_tag(session: Session, member_id: Any, tag: str) -> None:
    """Take a tag off a member, inside the caller's transaction."""
    session.execute(delete(MemberTag).where(MemberTag.member_id == member_id, MemberTag.tag == tag))


def forget_members(session: Session, member_ids: Sequence[Any]) -> None:
    """Forget what is written down about members, inside the caller's transaction."""
    session.execute(delete(StaffNote).where(StaffNote.member_id.in_(member_ids)))
    session.execute(delete(MemberTag).where(MemberTag.member_id.in_(member_ids)))
