"""What people asked in the chat and staff have not answered yet."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from .models import Inquiry


def open_inquiries(session: Session) -> Sequence[Inquiry]:
    """Return what waits for an answer, the longest wait first."""
    statement = (
        select(Inquiry).where(~Inquiry.is_answered).order_by(Inquiry.at, Inquiry.id).limit(50)
    )
    return session.scalars(statement).all()
