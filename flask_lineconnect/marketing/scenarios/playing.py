"""Plays one member's way through a scenario over what they did, by a clock that jumps.

A pure function: nothing is read, written or sent. It asks what the engine asks, step by step
(``stepping.py``, ``deciding.py``); what it is handed is read by ``rehearsal.py``.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable
from collections.abc import Collection
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field
from datetime import datetime
from datetime import timedelta
from functools import partial
from itertools import count
from typing import Any
from zoneinfo import ZoneInfo

from .. import event_kinds
from ..campaigns.sides import is_below
from ..campaigns.sides import scenario_hold_out
from ..segments.operators import Clock
from ..values import ValueType
from .conditions import Asking
from .conditions import holds
from .deciding import FINISHED
from .deciding import HELD_OUT
from .deciding import RESTARTED
from .deciding import UNLINKED
from .deciding import Earlier
from .deciding import Happened
from .deciding import begins
from .deciding import end_by
from .deciding import key_for
from .deciding import may_begin
from .definition import END
from .definition import Again
from .definition import OnEvent
from .definition import Scenario
from .stepping import Circumstances
from .stepping import Move
from .stepping import Rules
from .stepping import Standing
from .stepping import category_of
from .stepping import move
from .stepping import next_due

#: What becomes of a message; other outcomes are the engine's.
SENT, DROPPED = "sent", "dropped"


#: What happened, and when.
Happening = tuple[datetime, Happened]


@dataclass(frozen=True, slots=True)
class Cap:
    """How many advertisements one person is sent in a length of time."""

    most: int
    period: timedelta


@dataclass(frozen=True, slots=True)
class Stage:
    """What is the same for all members.

    :ivar until: when the play ends.
    :ivar read: reads the facts of the event that begins the scenario.
    """

    scenario: Scenario
    types: Mapping[str, ValueType]
    rules: Rules
    until: datetime
    cap: Cap | None
    read: Callable[[Mapping[str, Any]], Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Player:
    """A member, as far as it is known now.

    :ivar values: of attributes.
    :ivar segments: that choose them.
    :ivar refusals: why they may not be sent a message, by category.
    :ivar advertised: when they were sent advertisements.
    """

    key: Any
    zone: ZoneInfo
    values: Mapping[str, Any] = field(default_factory=dict)
    segments: Collection[str] = ()
    refusals: Mapping[str, str | None] = field(default_factory=dict)
    advertised: Sequence[datetime] = ()


@dataclass(slots=True)
class PlayedStep:
    """What a step would have done.

    :ivar messages: LINE's message objects, which whoever plays may fill in.
    """

    step: str
    at: datetime
    outcome: str
    reason: str | None = None
    messages: Sequence[Mapping[str, Any]] = ()


@dataclass(slots=True)
class PlayedRun:
    """One run, as it would have been."""

    member: Any
    key: str
    began_at: datetime
    facts: Mapping[str, Any]
    event_id: int | None
    standing: Standing
    steps: list[PlayedStep] = field(default_factory=list)
    ended_at: datetime | None = None
    end_reason: str | None = None

    def end(self, at: datetime, reason: str) -> None:
        """Write down that it ended."""
        self.ended_at, self.end_reason = at, reason


@dataclass(slots=True)
class Played:
    """What would have become of one member.

    :ivar turned_away: how often it did not begin, by the reason.
    """

    runs: list[PlayedRun] = field(default_factory=list)
    turned_away: Counter[str] = field(default_factory=Counter)


def play(
    stage: Stage,
    player: Player,
    happenings: Sequence[Happening],
    beginnings: Sequence[tuple[datetime, str]] = (),
) -> Played:
    """Play a member's way.

    :param happenings: what the member did since the first moment that is played, in its order.
    :param beginnings: when a time or a segment begins it, and what such a run is about.
    """
    game = _Game(stage, player, happenings)
    for at, event in happenings:
        game.plan(at, partial(game.hear, event))
    for at, key in beginnings:
        game.plan(at, partial(game.begin, key, None))
    game.run()
    return game.played


class _Game:
    """One member's time, from moment to moment."""

    def __init__(self, stage: Stage, player: Player, happenings: Sequence[Happening]):
        self.played = Played()
        self._stage = stage
        self._player = player
        self._happenings = happenings
        self._advertised = sorted(player.advertised)
        self._plan: list[tuple[datetime, int, Callable[[datetime], None]]] = []
        self._numbers = count()

    def plan(self, at: datetime, act: Callable[[datetime], None]) -> None:
        """Let something happen at a moment."""
        heapq.heappush(self._plan, (at, next(self._numbers), act))

    def run(self) -> None:
        """Let all of it happen that happens until the end."""
        while self._plan and self._plan[0][0] <= self._stage.until:
            at, _number, act = heapq.heappop(self._plan)
            act(at)

    def hear(self, event: Happened, at: datetime) -> None:
        """End what an event ends, then begin what it begins."""
        scenario = self._stage.scenario
        for run in self._live():
            is_unlinked = event.name == event_kinds.UNLINKED.name
            reason = UNLINKED if is_unlinked else end_by(scenario, run.key, event)
            if reason is not None:
                run.end(at, reason)
        if begins(scenario, event.name):
            values = {**self._player.values, **self._stage.read(event.facts)}
            where = scenario.start.where if isinstance(scenario.start, OnEvent) else None
            if where is not None and not holds(where, self._asking(at, values, None)):
                self.played.turned_away["where"] += 1
            else:
                self.begin(key_for(scenario, event), event, at)

    def begin(self, key: str, event: Happened | None, at: datetime) -> None:
        """Begin a run, if the scenario may begin again."""
        scenario, again = self._stage.scenario, self._stage.scenario.again
        same_key = [run for run in self.played.runs if run.key == key]
        if again.rule is Again.RESTART:
            for run in same_key:
                if run.ended_at is None:
                    run.end(at, RESTARTED)
        before = self.played.runs if again.rule is Again.NEVER else same_key
        earlier = None
        if before:
            is_live = any(run.ended_at is None for run in before)
            earlier = Earlier(max(run.began_at for run in before), is_live)
        if not may_begin(again, earlier, at, self._stage.rules.zone):
            self.played.turned_away[f"again: {again}"] += 1
            return
        standing = Standing(scenario.steps[0].name, at, at)
        facts, event_id = ({}, None) if event is None else (event.facts, event.id)
        run = PlayedRun(self._player.key, key, at, facts, event_id, standing)
        self.played.runs.append(run)
        if is_below(scenario_hold_out(scenario.name), self._player.key, scenario.hold_out):
            run.end(at, HELD_OUT)
            return
        due_at = next_due(scenario, standing, self._seen(run, at))
        self.plan(max(at, due_at), partial(self._step, run))

    def _step(self, run: PlayedRun, at: datetime) -> None:
        if run.ended_at is not None:
            return
        name = run.standing.step
        found = move(self._stage.scenario, run.standing, self._seen(run, at))
        if found.ends is not None:
            run.end(at, found.ends)
            return
        if found.outcome is not None:
            if run.steps and run.steps[-1].step == name:
                # It waited until now.
                run.steps.pop()
            run.steps.append(self._told(name, found, at))
        run.standing = found.standing
        if run.standing.step == END:
            run.end(at, FINISHED)
        else:
            self.plan(max(at, found.due_at), partial(self._step, run))

    def _told(self, name: str, found: Move, at: datetime) -> PlayedStep:
        """Return what a step did; of one that sends, whether it could."""
        step = self._stage.scenario.step(name)
        if step is None or not found.is_sent:
            return PlayedStep(name, at, str(found.outcome), found.reason)
        category = category_of(self._stage.scenario, step)
        refusal = self._player.refusals.get(category)
        if refusal is not None:
            return PlayedStep(name, at, DROPPED, refusal)
        if category in self._stage.rules.advertising:
            self._advertised.append(at)
        return PlayedStep(name, at, SENT)

    def _live(self) -> list[PlayedRun]:
        return [run for run in self.played.runs if run.ended_at is None]

    def _seen(self, run: PlayedRun, at: datetime) -> Circumstances:
        values = {**self._player.values, **self._stage.read(run.facts)}
        asking = self._asking(at, values, run)
        return Circumstances(at, self._player.zone, asking, self._stage.rules, self._capped(at))

    def _asking(self, at: datetime, values: Mapping[str, Any], run: PlayedRun | None) -> Asking:
        def times_done(name: str) -> int:
            return sum(
                run is not None
                and event.name == name
                and event.id != run.event_id
                and run.began_at <= moment <= at
                for moment, event in self._happenings
            )

        segments, clock = self._player.segments, Clock(at, self._stage.rules.zone)
        return Asking(values, self._stage.types, clock, times_done, lambda one: one in segments)

    def _capped(self, at: datetime) -> datetime | None:
        cap = self._stage.cap
        if cap is None:
            return None
        lately = sorted(moment for moment in self._advertised if at - cap.period < moment <= at)
        return lately[-cap.most] + cap.period if len(lately) >= cap.most else None
