"""What a campaign is: frozen data, for whom × what × when; ``reading.py`` is the same as TOML."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any
from typing import TypeAlias

from ...errors import UsageError
from ..calendar.times import Duration
from ..calendar.times import Recurring
from ..segments.rules import Rule


class InvalidCampaign(UsageError):
    """A campaign can't be read.

    :ivar place: where in it, such as ``autumn.variants[1].weight``.
    """

    def __init__(self, message: str, *, place: str):
        super().__init__(f"{place}: {message}")
        self.message = message
        self.place = place


class Everybody(Enum):
    """For whom a campaign is that chooses nobody in particular."""

    #: Every member who is linked.
    LINKED = "linked"
    #: Every friend of the official account, linked or not: LINE's broadcast.
    FRIENDS = "friends"


#: For whom: a rule about members, which may name a segment, or everybody.
Audience: TypeAlias = Rule | Everybody


class Tracked(Enum):
    """What its links lead through; see ``marketing/links``."""

    NO = "no"
    #: One address for all who get the same variant: the messages stay equal, and go in batches.
    SHARED = "shared"
    #: An address for each person: the messages differ, and go one by one.
    PERSONAL = "personal"


@dataclass(frozen=True, slots=True)
class Variant:
    """One of the messages that are compared.

    :ivar name: nothing where there is only one.
    :ivar weight: its share of the people, beside the others' weights.
    :ivar message: JSON of one draft or of several; see ``messages/draft_data.py``.
    """

    name: str
    weight: int
    message: str


@dataclass(frozen=True, slots=True)
class SentLately:
    """Whoever got one of these messages in the last days is left out.

    :ivar kind: ``campaign``, ``scenario`` or ``category``.
    :ivar name: of it; a category may also be ``advertising`` or ``anything``.
    """

    kind: str
    name: str
    days: int


@dataclass(frozen=True, slots=True)
class Definition:
    """One campaign as an owner wrote it.

    :ivar at: when it begins; ``None``: as soon as it is let go. A moment without a zone is the
        shop's.
    :ivar hold_out: how many of a hundred people who might get it get nothing, for comparison.
    :ivar unless_sent: who is left out because of what they got already.
    :ivar expires: how long after its beginning a message is worth sending.
    :ivar home: the blueprint that declares it.
    """

    name: str
    label: Any
    to: Audience
    variants: tuple[Variant, ...]
    category: str = "news"
    at: datetime | Recurring | None = None
    hold_out: int = 0
    tracked: Tracked = Tracked.NO
    unless_sent: tuple[SentLately, ...] = ()
    expires: Duration | None = None
    home: str = ""

    @property
    def is_broadcast(self) -> bool:
        """Tell whether LINE itself chooses the recipients: all friends."""
        return self.to is Everybody.FRIENDS
