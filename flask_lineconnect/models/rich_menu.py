"""Rich menus that were published, by their content."""

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped
from sqlalchemy.orm import mapped_column

from .base import LineBase
from .base import UtcDateTime


class PublishedRichMenu(LineBase):
    """A rich menu at LINE, found again by the hash of its definition and image."""

    __tablename__ = "lineconnect_rich_menu"

    content_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    rich_menu_id: Mapped[str] = mapped_column(String(64), unique=True)
    #: Of the members who see it; ``None``: everybody who has none of their own.
    language: Mapped[str | None] = mapped_column(String(35))
    published_at: Mapped[datetime] = mapped_column(UtcDateTime)
