"""What a campaign would reach, and cost, before it begins."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import func
from sqlalchemy import select

from ...config.plans import Estimate
from ...models import Account
from ...outbox.budget import estimate
from ...outbox.grouping import MOST_RECIPIENTS
from ...outbox.pacing import LINE_RATES
from ...outbox.rules import Rules
from ...shop.categories import category_named
from ...state import LineState
from .choosing import chosen_by
from .definition import Definition
from .messages import is_personal
from .messages import messages_for


@dataclass(frozen=True, slots=True)
class Estimation:
    """What would become of a campaign that began now.

    :ivar chosen: for how many people it is; of a message to all friends, how many we know of.
    :ivar messages: how many people would be sent one: LINE counts people, not message objects.
    :ivar held_out: how many would get nothing, for comparison.
    :ivar fallen: how many others would not, by the reason.
    :ivar cost: in yen, and what the month's quota and budget leave.
    :ivar is_personal: whether each person gets another message, which goes one by one.
    :ivar is_broadcast: whether LINE sends it to all friends, also to those who declined such
        messages or whom we do not know.
    :ivar takes: at LINE's highest rate.
    """

    chosen: int
    messages: int
    held_out: int
    fallen: Mapping[str, int]
    cost: Estimate
    is_personal: bool
    is_broadcast: bool
    takes: timedelta


def estimate_campaign(line: LineState, definition: Definition) -> Estimation:
    """Say what a campaign would reach and cost; counts who would be sent it now, in one statement.

    :raises UsageError: a segment, an attribute, a value or the category is gone.
    """
    now, session, rules = line.clock(), line.session, line.part(Rules)
    category = category_named(line.shop.categories, definition.category)
    fallen: Counter[str] = Counter()
    messages = held_out = 0
    if definition.is_broadcast:
        friends = select(func.count()).where(Account.is_friend.is_not(False))
        messages = session.scalar(friends) or 0
    else:
        chosen = chosen_by(line, definition, now).subquery("chosen")
        by = chosen.c.reason, chosen.c.is_held_out
        for reason, is_held_out, number in session.execute(select(*by, func.count()).group_by(*by)):
            if reason is not None:
                fallen[reason] += number
            elif is_held_out:
                held_out += number
            else:
                messages += number
    personal = not definition.is_broadcast and is_personal(definition, messages_for(line))
    return Estimation(
        chosen=messages + held_out + fallen.total(),
        messages=messages,
        held_out=held_out,
        fallen=dict(fallen),
        cost=estimate(session, rules.budget, messages, category, now=now),
        is_personal=personal,
        is_broadcast=definition.is_broadcast,
        takes=_time_for(messages, personal=personal, broadcast=definition.is_broadcast),
    )


def _time_for(messages: int, *, personal: bool, broadcast: bool) -> timedelta:
    if broadcast:
        return timedelta(0)
    rate = LINE_RATES["push"] if personal else LINE_RATES["multicast"] * MOST_RECIPIENTS
    return timedelta(seconds=messages / rate)
