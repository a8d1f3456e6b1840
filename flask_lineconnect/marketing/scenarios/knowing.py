"""What the steps of many runs look at, read for all of them at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from collections.abc import Collection
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import func
from sqlalchemy import literal
from sqlalchemy import or_
from sqlalchemy import select

from ...errors import UsageError
from ...models import Account
from ...models import MemberEvent
from ...models import ScenarioRun
from ...outbox.policy import Policy
from ...outbox.rules import Rules as ShopRules
from ...shop.categories import ACCOUNT
from ...state import LineState
from ..calendar.times import Near
from ..event_kinds import EventKinds
from ..member_zones import MemberZones
from ..segments.attributes import Attributes
from ..segments.audience import members_in
from ..segments.compiler import member_key_of
from ..segments.operators import Clock
from ..segments.values_of import Values
from ..segments.values_of import values_of
from ..values import ValueType
from .conditions import Asking
from .conditions import Condition
from .conditions import Done
from .conditions import Fact
from .conditions import InSegment
from .conditions import leaves
from .definition import OnEvent
from .definition import Scenario
from .definition import Step
from .stepping import Circumstances
from .stepping import Rules
from .stepping import category_of
from .wordings import StepMessages


@dataclass(frozen=True, slots=True)
class Reader:
    """The LINE account of a member.

    :ivar reasons: why a message may not be sent to them, by category.
    """

    account_id: int
    language: str | None
    reasons: Mapping[str, str | None]


@dataclass(slots=True)
class Known:
    """What the steps of some runs of one version look at."""

    scenario: Scenario
    now: datetime
    rules: Rules
    types: Mapping[str, ValueType]
    clock: Clock
    zone_of: Callable[[Any], ZoneInfo]
    facts: Values = field(default_factory=dict)
    readers: dict[Any, Reader] = field(default_factory=dict)
    members: Mapping[Any, Any] = field(default_factory=dict)
    done: dict[tuple[int, str], int] = field(default_factory=dict)
    inside: dict[str, Collection[Any]] = field(default_factory=dict)
    capped_until: dict[int, datetime] = field(default_factory=dict)
    read: Callable[[Mapping[str, Any]], Mapping[str, Any]] = dict

    def values(self, member_id: Any, facts: Mapping[str, Any]) -> dict[str, Any]:
        """Return what is known of a run's member; what its event told goes first."""
        return {**self.facts.get(member_id, {}), **self.read(facts)}

    def circumstances(self, run: Any, values: Mapping[str, Any]) -> Circumstances:
        """Return what one run's step looks at."""
        asking = Asking(
            facts=values,
            types=self.types,
            clock=self.clock,
            times_done=lambda event: self.done.get((run.id, event), 0),
            is_in=lambda segment: run.member_id in self.inside[segment],
        )
        reader = self.readers.get(run.member_id)
        capped = None if reader is None else self.capped_until.get(reader.account_id)
        zone = self.zone_of(run.member_id)
        return Circumstances(self.now, zone, asking, self.rules, capped)


def rules_of(line: LineState) -> Rules:
    """Return the shop's own rules for sending, as steps ask for them."""
    policy = line.part(ShopRules).policy
    advertising = frozenset(one.name for one in policy.categories if one.is_marketing)
    return Rules(policy.zone, policy.quiet_hours, advertising)


def zones_of(line: LineState, member_ids: Sequence[Any]) -> Callable[[Any], ZoneInfo]:
    """Return what tells the zone of each of these members."""
    zone = line.config.zone
    if line.shop.member_zone is None:
        return lambda _member_id: zone
    zones = line.part(MemberZones).of(line.session, member_ids)
    return lambda member_id: zones.get(member_id, zone)


def members_of(line: LineState, member_ids: Sequence[Any]) -> Mapping[Any, Any]:
    """Return the shop's members by their keys, in one statement."""
    key = member_key_of(line.shop.model)
    statement = select(key, line.shop.model).where(key.in_(set(member_ids)))
    return {row[0]: row[1] for row in line.session.execute(statement)}


def know(line: LineState, scenario: Scenario, runs: Sequence[Any], messages: StepMessages) -> Known:
    """Read what the steps at which these runs stand look at.

    :raises UsageError: a segment, an attribute or a category is gone.
    """
    ids = [run.member_id for run in runs]
    known = _known(line, scenario, ids, messages)
    steps = [step for step in scenario.steps if step.name in {run.step for run in runs}]
    _check_categories(line, scenario, steps)
    conditions = [step.only for step in steps]
    conditions += [way.when for step in steps for way in step.branch]
    asked = [leaf for condition in conditions for leaf in leaves(condition)]
    following = [scenario.step(name) for step in steps for name in scenario.leads_to(step)]
    names = {
        step.wait.value
        for step in (*steps, *following)
        if step is not None and isinstance(step.wait, Near)
    }
    names |= {name for step in steps for name in messages.names(step)}
    _read_answers(line, known, asked, names, ids, messages)
    _read_done(line, known, {one.event for one in asked if isinstance(one, Done)}, runs)
    if any(step.message is not None for step in steps):
        _read_readers(line, known, steps, ids)
        if any(messages.names_member(step) for step in steps):
            known.members = members_of(line, ids)
    return known


def _check_categories(line: LineState, scenario: Scenario, steps: Sequence[Step]) -> None:
    """Refuse to send in a category that is gone: who declined it, and its hours, would not count.

    :raises UsageError: one is.
    """
    there = {one.name for one in (*line.part(ShopRules).policy.categories, ACCOUNT)}
    for step in steps:
        if step.message is not None and category_of(scenario, step) not in there:
            raise UsageError(f"there is no category {category_of(scenario, step)!r} any more")


def know_all(
    line: LineState, scenario: Scenario, ids: Sequence[Any], messages: StepMessages
) -> Known:
    """Read what any step may look at, of members who may have no run: for a rehearsal.

    :raises InvalidRule: a segment or an attribute is gone.
    """
    known = _known(line, scenario, ids, messages)
    asked, waits = leaves_of(scenario), [step.wait for step in scenario.steps]
    names = {wait.value for wait in waits if isinstance(wait, Near)}
    names |= {name for step in scenario.steps for name in messages.names(step)}
    _read_answers(line, known, asked, names, ids, messages)
    _read_readers(line, known, scenario.steps, ids)
    known.members = members_of(line, ids)
    return known


def leaves_of(scenario: Scenario) -> list[Fact | Done | InSegment]:
    """Return all that a scenario's conditions ask."""
    conditions = [step.only for step in scenario.steps]
    conditions += [way.when for step in scenario.steps for way in step.branch]
    if isinstance(scenario.start, OnEvent):
        conditions.append(scenario.start.where)
    return [leaf for condition in conditions for leaf in leaves(condition)]


def know_members(
    line: LineState,
    scenario: Scenario,
    member_ids: Sequence[Any],
    condition: Condition | None,
    messages: StepMessages,
) -> Known:
    """Read what a condition asks of members of whom there is no run yet."""
    known = _known(line, scenario, member_ids, messages)
    _read_answers(line, known, list(leaves(condition)), set(), member_ids, messages)
    return known


def _known(
    line: LineState, scenario: Scenario, ids: Sequence[Any], messages: StepMessages
) -> Known:
    now, start, kinds = line.clock(), scenario.start, line.part(EventKinds)
    clock = Clock(now, line.config.zone)
    known = Known(scenario, now, rules_of(line), messages.types, clock, zones_of(line, ids))
    if isinstance(start, OnEvent) and start.event in kinds:
        known.read = kinds.get(start.event).read
    return known


def _read_answers(
    line: LineState,
    known: Known,
    asked: Sequence[Fact | Done | InSegment],
    names: set[str],
    ids: Sequence[Any],
    messages: StepMessages,
) -> None:
    """Read the attributes and the segments that are asked for."""
    names = names | {leaf.fact for leaf in asked if isinstance(leaf, Fact)}
    attributes = {one.name for one in line.part(Attributes)} - set(messages.facts)
    if names & attributes:
        known.facts = values_of(line, sorted(names & attributes), ids)
    for segment in {leaf.segment for leaf in asked if isinstance(leaf, InSegment)}:
        known.inside[segment] = _members_in(line, segment, ids)


def _read_done(line: LineState, known: Known, names: set[str], runs: Sequence[Any]) -> None:
    """Count what was done since each run began, apart from what began it."""
    if not names:
        return
    statement = (
        select(ScenarioRun.id, MemberEvent.name, func.count())
        .join(MemberEvent, MemberEvent.member_id == ScenarioRun.member_id)
        .where(
            ScenarioRun.id.in_([run.id for run in runs]),
            MemberEvent.name.in_(names),
            MemberEvent.occurred_at >= ScenarioRun.began_at,
            or_(ScenarioRun.event_id.is_(None), MemberEvent.id != ScenarioRun.event_id),
        )
        .group_by(ScenarioRun.id, MemberEvent.name)
    )
    for run_id, name, count in line.session.execute(statement):
        known.done[run_id, name] = count


def _members_in(line: LineState, segment: str, ids: Sequence[Any]) -> Collection[Any]:
    chosen = members_in(line, segment).subquery("chosen")
    return set(line.session.scalars(select(chosen.c[0]).where(chosen.c[0].in_(ids))))


def _read_readers(line: LineState, known: Known, steps: Sequence[Step], ids: Sequence[Any]) -> None:
    policy = line.part(ShopRules).policy
    categories = sorted(
        {step.category or known.scenario.category for step in steps if step.message is not None}
    )
    reasons = [
        policy.reason_against(literal(name), now=known.now).label(f"reason_{number}")
        for number, name in enumerate(categories)
    ]
    statement = select(Account.member_id, Account.id, Account.language, *reasons)
    for row in line.session.execute(statement.where(Account.member_id.in_(ids))):
        member_id, account_id, language, *said = row
        by_category = dict(zip(categories, said, strict=True))
        known.readers[member_id] = Reader(account_id, language, by_category)
    is_any_advertising = not set(categories).isdisjoint(known.rules.advertising)
    if policy.marketing_cap is not None and is_any_advertising:
        known.capped_until = _capped(line, policy, known)


def _capped(line: LineState, policy: Policy, known: Known) -> dict[int, datetime]:
    ids = [reader.account_id for reader in known.readers.values()]
    times: defaultdict[int, list[datetime]] = defaultdict(list)
    for account_id, at in line.session.execute(policy.times_of(line.session, ids, now=known.now)):
        times[account_id].append(at)
    cap = policy.marketing_cap or 0
    return {
        account_id: sorted(found)[len(found) - cap] + policy.cap_period
        for account_id, found in times.items()
        if len(found) >= cap
    }
