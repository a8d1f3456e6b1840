"""What a message truly brought: who was sent it held against who was held out, clicked or not.

Everybody counts on the side that the beginning put them on, also whom the message did not reach:
that alone makes the two sides alike. What is called an effect is decided once, when the people that
were planned are all there and their time to buy is over; a look before that tells nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from datetime import timedelta
from itertools import combinations
from typing import Any

from sqlalchemy import func
from sqlalchemy import or_
from sqlalchemy import select
from sqlalchemy.orm import Session

from ...models import Attribution
from ...models import Campaign
from ...models import CampaignMember
from . import statistics
from .attribution import Windows
from .statistics import Arm
from .statistics import Difference

#: With fewer people on a side nothing is said, whatever they did.
FEWEST_PEOPLE = 20
#: Why nothing is sent to somebody who was put on a side first.
_AFTER_THE_DRAW = "template"


@dataclass(frozen=True, slots=True)
class Judgement:
    """What can be said of two sides.

    :ivar kind: ``better`` or ``worse``: more than chance; ``none``: no difference was seen;
        ``unsure``: too few people; ``early``: it is not over; ``alone``: nobody was held out;
        ``nobody``: nobody was sent it; ``missing``: the libraries are not installed.
    :ivar people: of both sides.
    :ivar buyers: how many more bought, per person.
    :ivar sales: how much more each spent, in the currency's smallest unit; ``None``: too few
        bought.
    :ivar more_people: how many are missing until a worthwhile difference would be seen.
    """

    kind: str
    treated: Arm
    people: int
    buyers: Difference | None = None
    sales: Difference | None = None
    more_people: int | None = None


def judge(
    treated: Arm,
    held_out: Arm,
    *,
    is_over: bool,
    worthwhile: float,
    confidence: float = statistics.CONFIDENCE,
) -> Judgement:
    """Say what can be said of two sides.

    :param is_over: whether all who were planned are there, and their time to buy is over.
    :param worthwhile: the smallest difference that matters, in buyers per person.
    """
    people = treated.people + held_out.people
    if not treated.people:
        return Judgement("nobody", treated, people)
    if not held_out.people:
        return Judgement("alone", treated, people)
    if not is_over:
        return Judgement("early", treated, people)
    if not statistics.is_installed():
        return Judgement("missing", treated, people)
    buyers = statistics.rate_difference(treated, held_out, confidence=confidence)
    assert buyers is not None
    base = (treated.buyers + held_out.buyers) / people
    needed = statistics.people_needed(base, worthwhile, held_out.people / people)
    more = max(needed - people, 0)
    if min(treated.people, held_out.people) < FEWEST_PEOPLE:
        return Judgement("unsure", treated, people, more_people=max(more, FEWEST_PEOPLE))
    sales = statistics.sales_difference(treated, held_out, confidence=confidence)
    if buyers.is_clear:
        kind = "better" if buyers.low > 0 else "worse"
        return Judgement(kind, treated, people, buyers, sales)
    if buyers.high >= worthwhile and more:
        return Judgement("unsure", treated, people, buyers, sales, more)
    return Judgement("none", treated, people, buyers, sales)


@dataclass(frozen=True, slots=True)
class Sides:
    """The sides of one campaign.

    :ivar treated: by variant, of whom was sent it.
    :ivar held_out: all who were held out.
    :ivar is_over: whether what they bought is final.
    """

    treated: Mapping[str, Arm]
    held_out: Arm
    is_over: bool

    def judge(self, worthwhile: float) -> Judgement:
        """Hold all who were sent it against all who were held out."""
        amounts = [amount for arm in self.treated.values() for amount in arm.amounts]
        treated = Arm(sum(arm.people for arm in self.treated.values()), amounts)
        return judge(treated, self.held_out, is_over=self.is_over, worthwhile=worthwhile)

    def judge_variants(self, worthwhile: float) -> Sequence[tuple[str, str, Judgement]]:
        """Hold each variant against each other one.

        The more pairs there are, the wider each interval, so that all of them hold the truth
        together as often as one does (Bonferroni).
        """
        pairs = list(combinations(sorted(self.treated), 2))
        confidence = 1 - (1 - statistics.CONFIDENCE) / max(len(pairs), 1)
        return [
            (
                one,
                other,
                judge(
                    self.treated[one],
                    self.treated[other],
                    is_over=self.is_over,
                    worthwhile=worthwhile,
                    confidence=confidence,
                ),
            )
            for one, other in pairs
        ]


def sides_of(session: Session, campaign: Campaign, windows: Windows, *, now: datetime) -> Sides:
    """Return who was on which side of a campaign, and what they bought until it was over.

    Both sides' orders count from the campaign's beginning to the end of the longer window after its
    last message, with or without a tap.
    """
    hours = campaign.direct_hours or windows.direct_hours
    ended_at = campaign.finished_at
    until = None if ended_at is None else ended_at + timedelta(hours=hours)
    is_drawn = or_(CampaignMember.reason.is_(None), CampaignMember.reason == _AFTER_THE_DRAW)
    mine = CampaignMember.campaign_id == campaign.id, is_drawn
    side = CampaignMember.is_held_out, CampaignMember.variant
    people: dict[tuple[bool, str], int] = {
        (is_held_out, variant): number
        for is_held_out, variant, number in session.execute(
            select(*side, func.count()).where(*mine).group_by(*side)
        )
    }
    spent = (
        select(*side, func.sum(Attribution.value))
        .join(Attribution, Attribution.member_id == CampaignMember.member_id)
        .where(
            *mine,
            Attribution.ordered_at >= campaign.created_at,
            Attribution.ordered_at <= (until or now),
            Attribution.returned_at.is_(None),
        )
        .group_by(CampaignMember.member_id, *side)
    )
    amounts: dict[tuple[bool, str], list[Any]] = {key: [] for key in people}
    for is_held_out, variant, amount in session.execute(spent):
        amounts[is_held_out, variant].append(int(amount))
    arms = {key: Arm(number, amounts[key]) for key, number in people.items()}
    held_out = [arm for (is_held_out, _variant), arm in arms.items() if is_held_out]
    return Sides(
        treated={variant: arm for (is_held_out, variant), arm in arms.items() if not is_held_out},
        held_out=Arm(
            sum(arm.people for arm in held_out),
            [amount for arm in held_out for amount in arm.amounts],
        ),
        is_over=until is not None and now >= until,
    )
