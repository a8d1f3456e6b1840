"""What the console's inbox asks of a shop: an :class:`InquiryDesk` and its values.

The desk is the attribute ``inquiries`` of the shop's adapter. The shop keeps its questions itself:
a hook of its own decides what it can't answer, and writes that down for staff.
"""

from __future__ import annotations

from abc import ABC
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Generic
from typing import TypeVar

Member = TypeVar("Member")


@dataclass(frozen=True, slots=True)
class Inquiry(Generic[Member]):
    """One question that waits for staff, or did.

    :ivar key: names it, in addresses.
    :ivar name: who asks, as far as the shop knows.
    :ivar text: what they wrote.
    :ivar at: aware.
    :ivar member: who asks; ``None`` for somebody whom the shop does not know, who can't be answered
        from here.
    """

    key: str
    name: str
    text: str
    at: datetime
    member: Member | None = None


class InquiryDesk(ABC, Generic[Member]):
    """Answers for the inbox of the console."""

    @abstractmethod
    def waiting(self, *, limit: int) -> Sequence[Inquiry[Member]]:
        """Return the questions that nobody has answered, the longest wait first."""

    @abstractmethod
    def find(self, key: str) -> Inquiry[Member] | None:
        """Return one of them; ``None`` if it is unknown or done."""

    @abstractmethod
    def done(self, key: str) -> bool:
        """Note that a question is answered, in the caller's transaction; return whether it waited.

        Of two who answer at once the second is told so, and nothing of theirs is sent.
        """
