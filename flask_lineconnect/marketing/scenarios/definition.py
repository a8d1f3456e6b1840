"""What a scenario is: frozen data, which a console can show and a version can pin.

A scenario begins for a member with an event, at a time, or when a segment first chooses them. Its
steps follow one another, each after its wait. It ends behind the last one, with its goal, or with
an event that makes it pointless. ``reading.py`` is the same as TOML.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import time
from enum import Enum
from typing import Any
from typing import TypeAlias

from ...errors import UsageError
from ..calendar.times import Duration
from ..calendar.times import Near
from ..calendar.times import Recurring
from ..calendar.times import Wait
from .conditions import Condition

#: Where a step leads that is the last one.
END = "end"
#: What a run is about, where it is no fact: the member alone, the event's own subject, or the day
#: of a time that comes again.
OF_MEMBER, OF_SUBJECT, OF_DAY = "member", "subject", "day"


class InvalidScenario(UsageError):
    """A scenario can't be read.

    :ivar place: where in it, such as ``cart.steps.remind.wait``.
    """

    def __init__(self, message: str, *, place: str):
        super().__init__(f"{place}: {message}")
        self.message = message
        self.place = place


class Again(Enum):
    """Whether a scenario begins again for a member; there is no default."""

    #: Once for each member, ever.
    NEVER = "never"
    #: Once for each key: each order, each version of a cart.
    PER_KEY = "per key"
    #: Again for the same key, once the run before has ended.
    WHEN_ENDED = "when ended"
    #: Again for the same key, and at once: the run before ends, and its waits begin anew.
    RESTART = "restart"
    #: Not before so long after the run before began; written ``after P90D``.
    AFTER = "after"


@dataclass(frozen=True, slots=True)
class ReEntry:
    """When a scenario may begin again.

    :ivar after: for ``AFTER`` alone.
    """

    rule: Again
    after: Duration | None = None

    def __str__(self) -> str:
        return self.rule.value if self.after is None else f"{self.rule.value} {self.after}"


class Otherwise(Enum):
    """What becomes of a message that may not be sent now."""

    WAIT = "wait"
    DROP = "drop"


@dataclass(frozen=True, slots=True)
class OnEvent:
    """It begins with a member event.

    :ivar where: what the event's facts must say.
    """

    event: str
    where: Condition | None = None


@dataclass(frozen=True, slots=True)
class OnTime:
    """It begins at a time: by a day that is known of each member, or for those in a segment."""

    at: Recurring | Near
    segment: str | None = None


@dataclass(frozen=True, slots=True)
class OnSegment:
    """It begins when a segment chooses a member whom it did not choose before."""

    segment: str


Start: TypeAlias = OnEvent | OnTime | OnSegment


@dataclass(frozen=True, slots=True)
class Way:
    """One way of a branch: where it leads if a condition holds."""

    when: Condition
    go: str


@dataclass(frozen=True, slots=True)
class Track:
    """Whether links of messages lead through the shop, so that it is known who opened them.

    :ivar utm: parameters for the shop's own statistics: ``(("utm_source", "line"),)``.
    """

    is_on: bool = True
    utm: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Step:
    """One step: after its wait, a message, a branch, or nothing.

    :ivar only: without which the step's message is not sent; the run goes on behind it.
    :ivar message: JSON of one draft or of several; see ``messages/draft_data.py``.
    :ivar branch: the first way whose condition holds is gone.
    :ivar then: the next step, or ``end``; ``None``: the one that is written behind it.
    :ivar category: instead of the scenario's.
    :ivar expires: how long after it is due a message is worth sending; later it is dropped.
    :ivar in_quiet_hours: whether it waits for their end.
    :ivar over_cap: whether it waits until the member may be sent another advertisement.
    :ivar track: instead of the scenario's.
    """

    name: str
    wait: Wait | None = None
    only: Condition | None = None
    message: str | None = None
    branch: tuple[Way, ...] = ()
    then: str | None = None
    category: str | None = None
    expires: Duration | None = None
    in_quiet_hours: Otherwise = Otherwise.WAIT
    over_cap: Otherwise = Otherwise.DROP
    track: Track | None = None

    @property
    def about_message(self) -> str | None:
        """The first of its words that are about a message, whether it has one or not."""
        words = {"only": self.only, "expires": self.expires, "track": self.track}
        return next((word for word, said in words.items() if said is not None), None)


@dataclass(frozen=True, slots=True)
class Scenario:
    """Which messages follow from what.

    :ivar label: for the owner; a text, or one that is translated when it is shown.
    :ivar key: what a run is about: ``member``; of an event ``subject``, or the name of a fact; of a
        time ``day``.
        There is one live run of a member's for each.
    :ivar goal: the event with which it has reached its aim.
    :ivar exits_on: events that end it otherwise.
    :ivar quiet_hours: when nothing of it is sent, beside the shop's own quiet hours.
    :ivar ends_after: how long a run lives at the most.
    :ivar track: whether the links of its messages are tracked.
    :ivar hold_out: how many of a hundred members get nothing of it, for comparison.
    :ivar home: the blueprint that declares it.
    """

    name: str
    label: Any
    start: Start
    key: str
    again: ReEntry
    steps: tuple[Step, ...]
    category: str
    goal: str | None = None
    exits_on: tuple[str, ...] = ()
    quiet_hours: tuple[time, time] | None = None
    ends_after: Duration | None = None
    track: Track | None = None
    hold_out: int = 0
    home: str = ""

    def step(self, name: str) -> Step | None:
        """Return the step of a name."""
        return next((step for step in self.steps if step.name == name), None)

    def tracks(self, step: Step) -> Track | None:
        """Return how the links of a step's messages are tracked; ``None``: they are not."""
        said = self.track if step.track is None else step.track
        return said if said is not None and said.is_on else None

    def leads_to(self, step: Step) -> Iterator[str]:
        """Return the names of the steps that may follow a step; the last leads to ``end``."""
        yield from (way.go for way in step.branch)
        yield self.after(step)

    def after(self, step: Step) -> str:
        """Return the step that follows one, where no way of its branch is gone."""
        if step.then is not None:
            return step.then
        names = [one.name for one in self.steps]
        place = names.index(step.name) + 1
        return names[place] if place < len(names) else END
