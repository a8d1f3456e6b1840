"""Which processes work on the database; written on SQLite alone, where several are worth a word."""

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped
from sqlalchemy.orm import mapped_column

from .base import LineBase
from .base import UtcDateTime


class LivingProcess(LineBase):
    """A process that serves the shop's pages or does its work, and when it last said so."""

    __tablename__ = "lineconnect_process"

    #: By chance: numbers of processes come again.
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    host: Mapped[str] = mapped_column(String(255))
    pid: Mapped[int]
    began_at: Mapped[datetime] = mapped_column(UtcDateTime)
    seen_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
