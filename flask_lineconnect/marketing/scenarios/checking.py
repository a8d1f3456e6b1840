"""Refuses scenarios that could not run, before anything runs; each problem names its place.

What can be asked of one is said all at once, and one that is broken holds back no other.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Collection
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from dataclasses import field
from datetime import date
from datetime import datetime
from functools import partial
from typing import Any

from flask import has_request_context
from sqlalchemy import select

from ...errors import UsageError
from ...i18n import languages
from ...messages.draft_data import Known
from ...messages.drafts import Draft
from ...messages.word_filters import Manner
from ...models import MemberEvent
from ...shop.categories import ACCOUNT
from ...state import LineState
from ..calendar.times import Near
from ..calendar.times import Wait
from ..event_kinds import UNLINKED
from ..event_kinds import EventKinds
from ..registry import did_you_mean
from ..segments.attributes import Attributes
from ..segments.audience import problem_of_segment
from ..segments.declared import DeclaredSegments
from ..segments.saved import saved_segments
from ..values import ValueType
from .cards import FAVOURITES
from .cards import coupon_names
from .cards import find_products
from .cards import manner_for
from .cards import product_lists
from .cards import shown
from .conditions import Condition
from .conditions import Done
from .conditions import InSegment
from .conditions import leaves
from .conditions import problem_of
from .definition import END
from .definition import OF_DAY
from .definition import OF_MEMBER
from .definition import OF_SUBJECT
from .definition import Again
from .definition import OnEvent
from .definition import OnSegment
from .definition import OnTime
from .definition import Scenario
from .definition import Step
from .draft_checking import check_message
from .reaching import Hours
from .reaching import loop_of
from .reaching import never_done
from .reaching import no_time_left
from .reaching import steps_reached
from .stepping import category_of

#: What every message may name: the member's name in the shop's record, and the shop's.
ALWAYS: Mapping[str, ValueType] = {
    "name": ValueType(str, is_optional=True),
    "shop_name": ValueType(str),
}


#: How many events of before are looked at for the length of their facts.
AT_HAND = 500


@dataclass(frozen=True, slots=True)
class World:
    """What scenarios of one app may name.

    :ivar segments: names of segments.
    :ivar segment_problem: says of a segment why it chooses nobody, if it asks for what is gone.
    :ivar attributes: what is known of each member, by name.
    :ivar products: names of lists of products for cards.
    :ivar coupons: names of coupons for cards.
    :ivar manner: how values and addresses are written.
    :ivar languages: in which messages are held against LINE's limits.
    :ivar quiet_hours: of advertising, which are the categories ``advertising``.
    """

    kinds: EventKinds
    categories: Collection[str]
    segments: Collection[str] = ()
    attributes: Mapping[str, ValueType] = field(default_factory=dict)
    products: Collection[str] = (FAVOURITES,)
    coupons: Collection[str] = ()
    languages: Sequence[str] = ("ja",)
    manner: Manner = field(default_factory=lambda: Manner(base_url="https://shop.example"))
    segment_problem: Callable[[str], str | None] = lambda _name: None
    quiet_hours: Hours | None = None
    advertising: Collection[str] = ()

    @classmethod
    def of(cls, line: LineState) -> World:
        """Return what the scenarios of an app may name."""
        return cls(
            line.part(EventKinds),
            categories={category.name for category in (*line.shop.categories, ACCOUNT)},
            segments={
                *(one.name for one in line.part(DeclaredSegments)),
                *(one.name for one in saved_segments(line.session)),
            },
            attributes={one.name: one.type for one in line.part(Attributes)},
            products=product_lists(line),
            coupons=coupon_names(line),
            languages=tuple(languages()),
            manner=manner_for(line, "ja"),
            segment_problem=partial(problem_of_segment, line),
            quiet_hours=line.config.quiet_hours,
            advertising={one.name for one in line.shop.categories if one.is_marketing},
        )

    def known_to_messages(self, scenario: Scenario, types: Mapping[str, ValueType]) -> Known:
        """Return what messages may name, beside facts and attributes of these types."""
        start = scenario.start
        facts: Collection[str] = ()
        if isinstance(start, OnEvent) and start.event in self.kinds:
            facts = self.kinds.get(start.event).product_facts
        return self.known_beside(types, facts)

    def known_beside(
        self, types: Mapping[str, ValueType], product_facts: Collection[str] = ()
    ) -> Known:
        """Return what any messages may name, beside values of these types."""
        products = sorted({*self.products, *product_facts})
        return Known({**ALWAYS, **types}, products, self.coupons)


def facts_at_hand(line: LineState, scenario: Scenario) -> list[Mapping[str, Any]]:
    """Return what the latest events said with which a scenario begins, as texts show it."""
    kinds, start = line.part(EventKinds), scenario.start
    if not isinstance(start, OnEvent) or start.event not in kinds:
        return []
    latest = (
        select(MemberEvent.facts)
        .where(MemberEvent.name == start.event)
        .order_by(MemberEvent.occurred_at.desc())
        .limit(AT_HAND)
    )
    kind = kinds.get(start.event)
    read = [kind.read(facts) for facts in line.session.scalars(latest)]
    named = [facts[name] for facts in read for name in kind.product_facts if facts[name]]
    keys = {key for one in named for key in ([one] if isinstance(one, str) else one)}
    # A shop's desk makes addresses, and a command has no request in which it could.
    with nullcontext() if has_request_context() else line.work_context():
        products = find_products(line, keys) if keys else {}
    return [
        facts | {name: shown(facts[name], products) for name in kind.product_facts}
        for facts in read
    ]


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a scenario can't run.

    :ivar place: such as ``cart.steps.remind.wait``.
    """

    place: str
    message: str

    def __str__(self) -> str:
        return f"{self.place}: {self.message}"


@dataclass(frozen=True, slots=True)
class Checked:
    """A scenario, and what is wrong with it; without problems it can run.

    :ivar drafts: the messages of each step that has any.
    """

    scenario: Scenario
    problems: tuple[Problem, ...]
    drafts: Mapping[str, tuple[Draft, ...]]


def check_scenario(
    scenario: Scenario, world: World, *, at_hand: Iterable[Mapping[str, Any]] = ()
) -> Checked:
    """Look for everything that is wrong with a scenario.

    :param at_hand: facts of events of before, by which the length of messages is judged.
    """
    check = _Check(scenario, world, list(at_hand))
    check.start()
    check.ends()
    if check.knows_its_event:
        for step in scenario.steps:
            check.step(step)
        check.ways()
    return Checked(scenario, tuple(check.problems), check.drafts)


class _Check:
    """Looks at one scenario, and keeps what is wrong."""

    def __init__(self, scenario: Scenario, world: World, at_hand: Sequence[Mapping[str, Any]]):
        self.problems: list[Problem] = []
        self.drafts: dict[str, tuple[Draft, ...]] = {}
        self._scenario = scenario
        self._world = world
        self._at_hand = at_hand
        #: Facts and attributes; what the event tells goes first.
        self._types = {**world.attributes, **self._facts()}

    @property
    def knows_its_event(self) -> bool:
        """Whether there is the event that it begins with: without, no facts are known."""
        start = self._scenario.start
        return not isinstance(start, OnEvent) or start.event in self._world.kinds

    def start(self) -> None:
        """Look at how it begins, and what it is about."""
        start = self._scenario.start
        if isinstance(start, OnEvent):
            self._event(start.event, "starts_on")
            if not self.knows_its_event:
                return
            self._condition(start.where, "where")
            if start.event == UNLINKED.name:
                self._say("starts_on", "never begins: only members who are linked have runs")
        if isinstance(start, OnTime):
            self._wait(start.at, "starts_at")
        if isinstance(start, OnTime | OnSegment) and start.segment is not None:
            self._segment(start.segment, "starts_in" if isinstance(start, OnSegment) else "segment")
        self._key(self._scenario.key)
        self._category(self._scenario.category, "category")
        self._hours()

    def ends(self) -> None:
        """Look at the events that end it."""
        scenario = self._scenario
        goals = [("goal", scenario.goal)] if scenario.goal is not None else []
        exits = [(f"exits_on[{number}]", name) for number, name in enumerate(scenario.exits_on)]
        for place, name in (*goals, *exits):
            self._event(name, place)
            if isinstance(scenario.start, OnEvent) and name == scenario.start.event:
                self._say(place, f"{name} begins it, and would end it at once")

    def step(self, step: Step) -> None:
        """Look at one step."""
        place = f"steps.{step.name}"
        if step.wait is not None:
            self._wait(step.wait, f"{place}.wait")
        self._condition(step.only, f"{place}.only")
        for number, way in enumerate(step.branch):
            self._condition(way.when, f"{place}.branch[{number}].when")
        if step.category is not None:
            self._category(step.category, f"{place}.category")
        if step.message is not None:
            self._message(step, step.message, f"{place}.message")
        elif (word := step.about_message) is not None:
            self._say(f"{place}.{word}", "is about a message, and this step has none")
        elif step.wait is None and not step.branch:
            self._say(place, "does nothing: a message, a wait or a branch is needed")

    def ways(self) -> None:
        """Look where the steps lead: to steps that there are, to all of them, and to an end."""
        names = [step.name for step in self._scenario.steps]
        twice = [name for name in dict.fromkeys(names) if names.count(name) > 1]
        for name in twice:
            self._say(f"steps.{name}", "two steps have this name")
        if twice:
            return
        for place, name in self._targets():
            if name != END and name not in names:
                self._say(place, f"there is no step {name!r}{did_you_mean(name, [*names, END])}")
        loop = loop_of(self._scenario)
        if loop:
            self._say(f"steps.{loop[0]}", f"never ends: {' → '.join(loop)}")
        else:
            for place, problem in never_done(self._scenario):
                self._say(place, problem)
        reached = steps_reached(self._scenario)
        for name in dict.fromkeys(names):
            if name not in reached:
                self._say(f"steps.{name}", "no step leads here")

    def _targets(self) -> Iterator[tuple[str, str]]:
        for step in self._scenario.steps:
            for number, way in enumerate(step.branch):
                yield f"steps.{step.name}.branch[{number}].go", way.go
            if step.then is not None:
                yield f"steps.{step.name}.then", step.then

    def _facts(self) -> Mapping[str, ValueType]:
        start = self._scenario.start
        if isinstance(start, OnEvent) and start.event in self._world.kinds:
            return self._world.kinds.get(start.event).types
        return {}

    def _key(self, key: str) -> None:
        facts = self._facts()
        of_event = isinstance(self._scenario.start, OnEvent)
        if key == OF_MEMBER and self._scenario.again.rule is Again.PER_KEY:
            self._say("again", "each member is one key: say never, or such as after P90D")
        is_of_time = key == OF_DAY and isinstance(self._scenario.start, OnTime)
        if key == OF_MEMBER or is_of_time or (key == OF_SUBJECT and of_event):
            return
        if key not in facts:
            known = [OF_MEMBER, *((OF_SUBJECT, *facts) if of_event else (OF_DAY,))]
            there = ", ".join(known)
            self._say("key", f"there is no {key!r}{did_you_mean(key, known)}; there are {there}")
        elif facts[key].is_optional or facts[key].is_list:
            self._say("key", f"{key} is {facts[key].name}, and names nothing where it is absent")

    def _message(self, step: Step, message: str, place: str) -> None:
        known = self._world.known_to_messages(self._scenario, self._types)
        world = self._world
        drafts, problems = check_message(
            message, known, place, world.languages, world.manner, self._at_hand
        )
        for where, problem in problems:
            self._say(where, problem)
        if drafts:
            self.drafts[step.name] = drafts

    def _wait(self, wait: Wait, place: str) -> None:
        if not isinstance(wait, Near):
            return
        kind = self._types.get(wait.value)
        if kind is None:
            near, there = did_you_mean(wait.value, self._types), ", ".join(self._types) or "none"
            what = "fact" if isinstance(self._scenario.start, OnEvent) else "attribute"
            self._say(place, f"there is no {what} {wait.value!r}{near}; there are {there}")
        elif kind.is_list or kind.python not in (date, datetime):
            self._say(place, f"{wait.value} is {kind.name}, and no date")
        elif kind.python is date and wait.at is None:
            self._say(place, f"{wait.value} is a day; a time is needed, such as `{wait} at 10:00`")

    def _hours(self) -> None:
        own, world = self._scenario.quiet_hours, self._world
        categories = {category_of(self._scenario, step) for step in self._scenario.steps}
        shops = world.quiet_hours if categories <= set(world.advertising) else None
        if own is not None and no_time_left(own, shops):
            of_shop = "" if shops is None else f"; the shop's are {shops[0]:%H:%M}-{shops[1]:%H:%M}"
            self._say("quiet_hours", f"leave no time at which a message may be sent{of_shop}")

    def _condition(self, condition: Condition | None, place: str) -> None:
        for leaf in leaves(condition):
            if isinstance(leaf, Done):
                self._event(leaf.event, place)
            elif isinstance(leaf, InSegment):
                self._segment(leaf.segment, place)
            elif (problem := problem_of(leaf, self._types)) is not None:
                self._say(place, problem)

    def _event(self, name: str, place: str) -> None:
        try:
            self._world.kinds.get(name)
        except UsageError as error:
            self._say(place, str(error))

    def _segment(self, name: str, place: str) -> None:
        if name not in self._world.segments:
            near = did_you_mean(name, self._world.segments)
            self._say(place, f"there is no segment {name!r}{near}")
        elif (problem := self._world.segment_problem(name)) is not None:
            self._say(place, f"the segment {name!r} chooses nobody: {problem}")

    def _category(self, name: str, place: str) -> None:
        if name not in self._world.categories:
            there = ", ".join(sorted(self._world.categories))
            near = did_you_mean(name, self._world.categories)
            self._say(place, f"there is no category {name!r}{near}; there are {there}")

    def _say(self, place: str, message: str) -> None:
        self.problems.append(Problem(f"{self._scenario.name}.{place}", message))
