"""Messages that staff saved, to be sent again or answered with."""

from datetime import datetime

from sqlalchemy import String
from sqlalchemy import Text
from sqlalchemy.orm import Mapped
from sqlalchemy.orm import mapped_column

from .base import LineBase
from .base import UtcDateTime


class SavedMessage(LineBase):
    """One message with places for values, under a name of its own; it says nothing of anybody."""

    __tablename__ = "lineconnect_saved_message"

    name: Mapped[str] = mapped_column(String(60), primary_key=True)
    label: Mapped[str] = mapped_column(Text)
    #: Grows with each change: whoever changes an older one is told.
    version: Mapped[int] = mapped_column(default=1)
    #: JSON of one draft or of several; see ``messages/draft_data.py``.
    message: Mapped[str] = mapped_column(Text)
    #: Whether it is offered where staff answer a person.
    is_phrase: Mapped[bool] = mapped_column(default=False)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)
    #: Flask-Login's id of who did it.
    updated_by: Mapped[str] = mapped_column(String(255))
