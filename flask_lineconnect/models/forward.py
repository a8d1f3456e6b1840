"""Webhooks on their way to the addresses of ``LINECONNECT_FORWARD_WEBHOOKS``."""

from datetime import datetime

from sqlalchemy import Index
from sqlalchemy import LargeBinary
from sqlalchemy import String
from sqlalchemy import Text
from sqlalchemy.orm import Mapped
from sqlalchemy.orm import mapped_column

from .base import LineBase
from .base import UtcDateTime


class WebhookForward(LineBase):
    """One webhook that one further address has not taken yet; gone when it has, or too late."""

    __tablename__ = "lineconnect_webhook_forward"
    __table_args__ = (
        Index("ix_lineconnect_webhook_forward_due", "target", "next_attempt_at"),
        Index("ix_lineconnect_webhook_forward_received_at", "received_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    #: The beginning of the address's SHA-256: the address itself may hold a secret.
    target: Mapped[str] = mapped_column(String(16))
    #: As it came, byte for byte.
    body: Mapped[bytes] = mapped_column(LargeBinary)
    #: LINE's own ``X-Line-Signature``.
    signature: Mapped[str] = mapped_column(Text)
    attempts: Mapped[int] = mapped_column(default=0)
    received_at: Mapped[datetime] = mapped_column(UtcDateTime)
    #: From when a worker may take it.
    next_attempt_at: Mapped[datetime] = mapped_column(UtcDateTime)
