"""Rich menus that were published, by their content, and those that were made in the console."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON
from sqlalchemy import LargeBinary
from sqlalchemy import String
from sqlalchemy import Text
from sqlalchemy.orm import Mapped
from sqlalchemy.orm import mapped_column

from .base import LineBase
from .base import UtcDateTime
from .base import partial_index


class PublishedRichMenu(LineBase):
    """A rich menu at LINE, found again by the hash of its definition and image."""

    __tablename__ = "lineconnect_rich_menu"

    content_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    rich_menu_id: Mapped[str] = mapped_column(String(64), unique=True)
    #: Of the members who see it; ``None``: everybody who has none of their own.
    language: Mapped[str | None] = mapped_column(String(35))
    published_at: Mapped[datetime] = mapped_column(UtcDateTime)


#: Of the :class:`RichMenuRelease` that people see.
IS_CURRENT = "is_current"


class RichMenuRelease(LineBase):
    """All rich menus that are data, as ``flask line richmenu sync`` left them; one is current.

    The menus themselves never change, so the one before is there to go back to.
    """

    __tablename__ = "lineconnect_rich_menu_release"
    __table_args__ = (
        partial_index("rich_menu_release_current", "is_current", where=IS_CURRENT, is_unique=True),
        partial_index("rich_menu_release_due", "next_portion_at", where=IS_CURRENT),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    released_at: Mapped[datetime] = mapped_column(UtcDateTime)
    is_current: Mapped[bool]
    #: JSON: what ``rich_menus/releases.py`` calls a published menu, each of them.
    menus: Mapped[str] = mapped_column(Text)
    #: What LINE was last told to show to everybody; ``None``: nothing of ours.
    default_menu_id: Mapped[str | None] = mapped_column(String(64))
    #: The last account that was shown its menu in this round, and when the next portion is due.
    cursor: Mapped[int] = mapped_column(default=0)
    next_portion_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class SavedMenu(LineBase):
    """One version of a rich menu that was made in the console; never changed, the newest counts."""

    __tablename__ = "lineconnect_saved_menu"

    name: Mapped[str] = mapped_column(String(32), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    #: In the words of a menu's file; absent in the version that removed it.
    definition: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    #: PNG or JPEG, up to 1 MB; absent: it is drawn.
    image: Mapped[bytes | None] = mapped_column(LargeBinary)
    saved_at: Mapped[datetime] = mapped_column(UtcDateTime)
