"""What people want to be sent."""

from datetime import datetime

from sqlalchemy import ForeignKey
from sqlalchemy import String
from sqlalchemy.orm import Mapped
from sqlalchemy.orm import mapped_column

from .account import Account
from .base import LineBase
from .base import UtcDateTime


class Preference(LineBase):
    """Whether one person wants one category of messages; without a row they do."""

    __tablename__ = "lineconnect_preference"

    account_id: Mapped[int] = mapped_column(
        ForeignKey(Account.id, ondelete="CASCADE"), primary_key=True
    )
    category: Mapped[str] = mapped_column(String(40), primary_key=True)
    is_wanted: Mapped[bool]
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)
