"""Plays a scenario over what members did lately, and says what would have come of it.

Nothing is written or sent. What is known of members (attributes, segments, links, what they want to
receive) is as it is now: the shop's tables do not say how it was. ``playing.py`` plays.
"""

from __future__ import annotations

import json
from collections import Counter
from collections import defaultdict
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import select

from ...config.plans import Estimate
from ...models import MemberEvent
from ...outbox.budget import estimate
from ...outbox.rules import Rules as ShopRules
from ...shop.categories import ACCOUNT
from ...shop.categories import category_named
from ...state import LineState
from .. import event_kinds
from . import putting
from .conditions import Done
from .deciding import Happened
from .definition import OF_DAY
from .definition import OnEvent
from .definition import OnSegment
from .definition import OnTime
from .definition import Scenario
from .knowing import Known
from .knowing import know_all
from .knowing import leaves_of
from .occasions import occurrences_between
from .playing import DROPPED
from .playing import SENT
from .playing import Cap
from .playing import Happening
from .playing import Played
from .playing import PlayedRun
from .playing import PlayedStep
from .playing import Player
from .playing import Stage
from .playing import play
from .publishing import require_sound
from .starting import chosen_now
from .starting import people_now
from .stepping import Move
from .wordings import StepMessages
from .wordings import messages_for

#: Members who are played together.
AT_A_TIME = 500
NOT_LINKED = "not linked"
#: Of runs that had not ended.
ON_THE_WAY = "on the way"
#: When a run of a time or a segment begins, and what it is about, by member.
Beginnings = Mapping[Any, list[tuple[datetime, str]]]


@dataclass(slots=True)
class Rehearsal:
    """What would have come of a scenario.

    :ivar members: how many members it would have begun for, or tried to.
    :ivar not_begun: how often it would not have begun, by the reason.
    """

    scenario: Scenario
    since: datetime
    until: datetime
    members: int = 0
    runs: list[PlayedRun] = field(default_factory=list)
    not_begun: Counter[str] = field(default_factory=Counter)
    cost: Estimate | None = None

    @property
    def messages(self) -> int:
        """How many messages would have been sent, as LINE counts them."""
        return sum(step.outcome == SENT for run in self.runs for step in run.steps)

    def outcomes(self) -> Counter[tuple[str, str, str | None]]:
        """Return how often each step came to what, and why."""
        return Counter((s.step, s.outcome, s.reason) for run in self.runs for s in run.steps)

    def ends(self) -> Counter[str]:
        """Return how many runs ended, by the reason."""
        return Counter(run.end_reason or ON_THE_WAY for run in self.runs)


def rehearse(line: LineState, scenario: Scenario, *, since: datetime) -> Rehearsal:
    """Play a scenario from a moment until now.

    :raises UsageError: something is wrong with the scenario.
    :raises InvalidRule: its segment asks for what there is not.
    """
    require_sound(line, scenario, "rehearsed")
    now = line.clock()
    found = Rehearsal(scenario, since, now)
    messages, beginnings = messages_for(line, scenario), _beginnings(line, scenario, since, now)
    for ids in _portions(line, scenario, beginnings, since):
        known = know_all(line, scenario, ids, messages)
        stage, events = stage_for(line, known, until=now), _events(line, scenario, ids, since)
        advertised = _advertised(line, known, since)
        already = len(found.runs)
        for member_id in ids:
            player = player_for(known, member_id, advertised.get(member_id, ()))
            mine = beginnings.get(member_id, [])
            _add(found, known, play(stage, player, events[member_id], mine), member_id)
        write_texts(line, known, messages, found.runs[already:])
    line.session.rollback()
    categories = line.shop.categories
    is_own = scenario.category == ACCOUNT.name
    category = ACCOUNT if is_own else category_named(categories, scenario.category)
    budget = line.part(ShopRules).budget
    found.cost = estimate(line.session, budget, found.messages, category, now=now)
    return found


def stage_for(line: LineState, known: Known, *, until: datetime) -> Stage:
    """Return what is the same for all members."""
    policy = line.part(ShopRules).policy
    most = policy.marketing_cap
    cap = None if most is None else Cap(most, policy.cap_period)
    return Stage(known.scenario, known.types, known.rules, until, cap, known.read)


def player_for(known: Known, member_id: Any, advertised: Sequence[datetime] = ()) -> Player:
    """Return a member, as far as they are known now."""
    reader = known.readers.get(member_id)
    return Player(
        member_id,
        known.zone_of(member_id),
        known.facts.get(member_id, {}),
        {name for name, inside in known.inside.items() if member_id in inside},
        {} if reader is None else reader.reasons,
        advertised,
    )


def _add(found: Rehearsal, known: Known, played: Played, member_id: Any) -> None:
    """Count what was played; whoever is not linked has no runs."""
    found.members += 1
    found.not_begun += played.turned_away
    if member_id in known.readers:
        found.runs += played.runs
    elif played.runs:
        found.not_begun[NOT_LINKED] += len(played.runs)


def _beginnings(line: LineState, scenario: Scenario, since: datetime, now: datetime) -> Beginnings:
    """Return for whom a time or a segment would have begun it, and when."""
    start, found = scenario.start, defaultdict[Any, list[tuple[datetime, str]]](list)
    session = line.session
    if isinstance(start, OnSegment):
        for key in session.scalars(chosen_now(line, start)):
            found[key].append((since, ""))
    elif isinstance(start, OnTime):
        for one in occurrences_between(start, since, now, line.config.zone):
            about = one.day.isoformat() if scenario.key == OF_DAY else ""
            for key in session.scalars(people_now(line, start, one.day)):
                found[key].append((one.at, about))
    return found


def _portions(
    line: LineState, scenario: Scenario, beginnings: Beginnings, since: datetime
) -> Iterator[list[Any]]:
    """Return the keys of all whom it concerns, some at a time."""
    if not isinstance(scenario.start, OnEvent):
        keys = list(beginnings)
        yield from (keys[at : at + AT_A_TIME] for at in range(0, len(keys), AT_A_TIME))
        return
    statement = (
        select(MemberEvent.member_id)
        .where(
            MemberEvent.name == scenario.start.event,
            MemberEvent.occurred_at >= since,
            MemberEvent.member_id.is_not(None),
        )
        .group_by(MemberEvent.member_id)
        .order_by(MemberEvent.member_id)
        .limit(AT_A_TIME)
    )
    some = list(line.session.scalars(statement))
    while some:
        yield some
        some = list(line.session.scalars(statement.where(MemberEvent.member_id > some[-1])))


def _events(
    line: LineState, scenario: Scenario, ids: Sequence[Any], since: datetime
) -> Mapping[Any, list[Happening]]:
    """Return what members did that matters to a scenario, in its order."""
    asked = {leaf.event for leaf in leaves_of(scenario) if isinstance(leaf, Done)}
    names = {event_kinds.UNLINKED.name, *scenario.exits_on, *asked}
    names |= {scenario.goal} if scenario.goal is not None else set()
    names |= {scenario.start.event} if isinstance(scenario.start, OnEvent) else set()
    table, found = MemberEvent, defaultdict[Any, list[Happening]](list)
    columns = table.member_id, table.occurred_at, table.name, table.facts, table.subject, table.id
    statement = select(*columns).where(
        table.member_id.in_(ids), table.name.in_(names), table.occurred_at >= since
    )
    for member_id, at, *event in line.session.execute(
        statement.order_by(table.occurred_at, table.id)
    ):
        found[member_id].append((at, Happened(*event)))
    return found


def _advertised(line: LineState, known: Known, since: datetime) -> Mapping[Any, Sequence[datetime]]:
    """Return when members were really sent advertisements, as far as the cap asks."""
    policy = line.part(ShopRules).policy
    if policy.marketing_cap is None or not known.readers:
        return {}
    long = replace(policy, cap_period=policy.cap_period + (known.now - since))
    ids = {reader.account_id: member_id for member_id, reader in known.readers.items()}
    found: defaultdict[Any, list[datetime]] = defaultdict(list)
    for account_id, at in line.session.execute(
        long.times_of(line.session, list(ids), now=known.now)
    ):
        found[ids[account_id]].append(at)
    return found


@dataclass(frozen=True, slots=True)
class _Row:
    """A played run at one of its steps, as what writes messages knows runs."""

    id: int
    member_id: Any
    facts: Mapping[str, Any]
    began_at: datetime


def write_texts(
    line: LineState, known: Known, messages: StepMessages, runs: Sequence[PlayedRun]
) -> None:
    """Write the messages of what would be sent; one that can't be made is dropped."""
    sent = [(run, step) for run in runs for step in run.steps if step.outcome == SENT]
    sending = []
    for number, (run, played) in enumerate(sent):
        step = known.scenario.step(played.step)
        row: Any = _Row(number, run.member, run.facts, run.began_at)
        values, found = known.values(run.member, run.facts), Move(run.standing, played.at)
        assert step is not None
        sending.append(putting.Sending(row, step, replace(found, is_sent=True), values))
    changes = putting.Changes()
    putting.send(line, known, messages, sending, changes)
    for row in changes.messages:
        sent[row["run_id"]][1].messages = json.loads(row["messages"])
    reasons = {run.id: found.reason for run, found in changes.moved if not found.is_sent}
    reasons |= {run.id: str(error) for run, error in changes.failed}
    for number, reason in reasons.items():
        played = sent[number][1]
        played.outcome, played.reason = DROPPED, reason


def words_of(played: PlayedStep) -> str | None:
    """Return the words of a step's messages, of each what a notification would show."""
    shown = (str(one.get("text") or one.get("altText") or one["type"]) for one in played.messages)
    return " / ".join(shown) or None
