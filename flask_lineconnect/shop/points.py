"""What is known of a member's points, whoever keeps them: the balance, and its changes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from datetime import datetime


@dataclass(frozen=True, slots=True)
class NextRank:
    """The rank above a member's own, in the shop's words.

    :ivar missing: what it still takes, for example 「あと3,200円のお買い物」.
    :ivar progress: how much of the way is done, from 0 to 1; drawn as a bar.
    """

    label: str
    missing: str
    progress: float | None = None


@dataclass(frozen=True, slots=True)
class PointBalance:
    """A member's points as the card shows them.

    :ivar points: spendable now.
    :ivar expiring_points: how many of them are lost on ``expires_on``.
    :ivar rank: the label of the member's rank, in the shop's words.
    """

    points: int
    expiring_points: int = 0
    expires_on: date | None = None
    rank: str | None = None
    next_rank: NextRank | None = None


@dataclass(frozen=True, slots=True)
class PointChange:
    """One line of a member's history of points.

    :ivar key: names its place in the history; the next page begins behind the last one's.
    :ivar at: aware, UTC.
    :ivar points: added, or negative for spent and expired.
    :ivar reason: in the shop's words, for example 「店頭でのお買い物」.
    """

    key: str
    at: datetime
    points: int
    reason: str
