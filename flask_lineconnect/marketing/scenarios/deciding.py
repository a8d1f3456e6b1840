"""Whether an event begins a run or ends one, and whether one may begin again: pure functions.

The engine, a rehearsal and a test in fast time ask the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any
from zoneinfo import ZoneInfo

from .definition import OF_MEMBER
from .definition import OF_SUBJECT
from .definition import Again
from .definition import OnEvent
from .definition import ReEntry
from .definition import Scenario

#: The longest key of a run, in characters; of a longer one its hash tells it from others.
MAX_KEY = 255
FINISHED, GOAL, UNLINKED, STOPPED = "finished", "goal", "unlinked", "stopped"
RESTARTED, FAILED, HELD_OUT = "restarted", "failed", "held out"


@dataclass(frozen=True, slots=True)
class Happened:
    """What a member event says to a scenario.

    :ivar facts: in their written form.
    :ivar id: of the event.
    """

    name: str
    facts: Mapping[str, Any]
    subject: str | None = None
    id: int | None = None


@dataclass(frozen=True, slots=True)
class Earlier:
    """The runs that there were of the same key; for ``never``, of the same member.

    :ivar began_at: of the latest.
    """

    began_at: datetime
    is_live: bool


def key_for(scenario: Scenario, event: Happened) -> str:
    """Return what a run is about that an event begins: nothing where it is the member alone.

    An event without a subject is about itself.
    """
    if scenario.key == OF_MEMBER:
        return ""
    if scenario.key == OF_SUBJECT:
        return event.subject or f"event:{event.id}"
    return _written(event.facts.get(scenario.key))


def begins(scenario: Scenario, event: str) -> bool:
    """Tell whether an event begins a scenario, if its condition holds."""
    return isinstance(scenario.start, OnEvent) and scenario.start.event == event


def may_begin(again: ReEntry, earlier: Earlier | None, now: datetime, zone: ZoneInfo) -> bool:
    """Tell whether a run may begin, by those before it; ``restart`` ends the live one first."""
    if earlier is None or again.rule is Again.RESTART:
        return True
    if again.rule in (Again.NEVER, Again.PER_KEY) or earlier.is_live:
        return False
    return again.after is None or again.after.of_moment(earlier.began_at, zone) <= now


def end_by(scenario: Scenario, key: str, event: Happened) -> str | None:
    """Return the reason for which an event of its member's ends a run; ``None``: it does not."""
    if event.name != scenario.goal and event.name not in scenario.exits_on:
        return None
    if not _is_about(scenario, key, event):
        return None
    return GOAL if event.name == scenario.goal else f"exit: {event.name}"


def _is_about(scenario: Scenario, key: str, event: Happened) -> bool:
    """Tell whether an event is about what a run is about.

    If it can be told at all: an event about other things ends all of them.
    """
    if scenario.key == OF_SUBJECT:
        if event.subject is None or _table_of(event.subject) != _table_of(key):
            return True
        return event.subject == key
    if scenario.key in event.facts:
        return _written(event.facts[scenario.key]) == key
    return True


def _table_of(subject: str) -> str:
    """Return the table of a row; texts of the shop's own are of one kind."""
    table, colon, _key = subject.partition(":")
    return table if colon else ""


def _written(value: Any) -> str:
    key = str(value)
    if len(key) <= MAX_KEY:
        return key
    return f"{key[:100]}…{sha256(key.encode()).hexdigest()}"
