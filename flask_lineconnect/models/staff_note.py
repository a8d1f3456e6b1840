"""What staff write down about members: notes, and tags by which members are chosen."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger
from sqlalchemy import Integer
from sqlalchemy import String
from sqlalchemy import Text
from sqlalchemy.orm import Mapped
from sqlalchemy.orm import mapped_column

from .base import LineBase
from .base import MemberKey
from .base import UtcDateTime

#: Of a tag, in characters.
MAX_TAG = 40


class StaffNote(LineBase):
    """A few words of staff about a member."""

    __tablename__ = "lineconnect_staff_note"

    id: Mapped[int] = mapped_column(
        BigInteger().with_variant(Integer(), "sqlite"), primary_key=True
    )
    member_id: Mapped[Any] = mapped_column(MemberKey, index=True, info={"ondelete": "CASCADE"})
    text: Mapped[str] = mapped_column(Text)
    written_at: Mapped[datetime] = mapped_column(UtcDateTime)
    #: Flask-Login's id of who wrote it.
    written_by: Mapped[str] = mapped_column(String(255))


class MemberTag(LineBase):
    """A word that staff put on a member."""

    __tablename__ = "lineconnect_member_tag"

    member_id: Mapped[Any] = mapped_column(
        MemberKey, primary_key=True, info={"ondelete": "CASCADE"}
    )
    tag: Mapped[str] = mapped_column(String(MAX_TAG), primary_key=True, index=True)
    tagged_at: Mapped[datetime] = mapped_column(UtcDateTime)
