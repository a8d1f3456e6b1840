"""Conditions of scenarios: on the facts of what began a run, on what was done since, on segments.

::

    {fact = "total", at_least = 5000}
    {event = "order.placed", at_least = 1}          # since the run began
    {segment = "lapsed"}
    {all = [{fact = "is_gift", is = false}, {not = {event = "review.written"}}]}
"""

from __future__ import annotations

import difflib
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from datetime import datetime
from typing import Any
from typing import TypeAlias

from ..segments.operators import IS_SET
from ..segments.operators import Clock
from ..segments.operators import Question
from ..segments.operators import operators_for
from ..values import ValueType

MAX_DEPTH, MAX_TIMES = 8, 1_000


@dataclass(frozen=True, slots=True)
class Fact:
    """A fact answers a question; one that is absent answers ``is_set`` alone.

    :ivar operand: what it is compared with, as JSON writes it.
    """

    fact: str
    operator: str
    operand: Any


@dataclass(frozen=True, slots=True)
class Done:
    """The member did something since the run began, often enough."""

    event: str
    at_least: int = 1


@dataclass(frozen=True, slots=True)
class InSegment:
    """A segment chooses the member now."""

    segment: str


@dataclass(frozen=True, slots=True)
class All:
    """All of these hold."""

    conditions: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """At least one of these holds."""

    conditions: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """This does not hold."""

    condition: Condition


Condition: TypeAlias = Fact | Done | InSegment | All | AnyOf | Not


class InvalidCondition(ValueError):
    """A condition can't be read or asked.

    :ivar place: where in it.
    """

    def __init__(self, message: str, place: str):
        super().__init__(message)
        self.place = place


def read_condition(data: object, place: str = "", depth: int = 0) -> Condition:
    """Read a condition from data; whether there is such a fact is asked by :func:`problems`.

    :raises InvalidCondition: it is none; names the place.
    """
    if not isinstance(data, Mapping) or not data or depth > MAX_DEPTH:
        raise InvalidCondition("a condition is a table such as {fact = …, at_least = …}", place)
    rest = dict(data)
    for word in ("all", "any", "not", "fact", "event", "segment"):
        if word in rest:
            return _read_kind(word, rest.pop(word), rest, place, depth)
    raise InvalidCondition("one of fact, event, segment, all, any, not is needed", place)


def _read_kind(word: str, said: Any, rest: dict[str, Any], place: str, depth: int) -> Condition:
    if word in ("all", "any", "not", "segment") and rest:
        raise InvalidCondition(f"{next(iter(rest))!r} can't stand beside {word!r}", place)
    inside = f"{place}.{word}" if place else word
    if word == "not":
        return Not(read_condition(said, inside, depth + 1))
    if word in ("all", "any"):
        if not isinstance(said, list | tuple) or not said:
            raise InvalidCondition("a list of conditions is needed", inside)
        several = tuple(
            read_condition(one, f"{inside}[{number}]", depth + 1) for number, one in enumerate(said)
        )
        return All(several) if word == "all" else AnyOf(several)
    if not isinstance(said, str) or not said:
        raise InvalidCondition("a name is needed", inside)
    if word == "segment":
        return InSegment(said)
    if word == "event":
        return _done(said, rest, place)
    if len(rest) != 1:
        raise InvalidCondition("exactly one question is needed, such as at_least = 5000", place)
    [(operator, operand)] = rest.items()
    return Fact(said, operator, _frozen(operand))


def _done(event: str, rest: dict[str, Any], place: str) -> Done:
    times = rest.pop("at_least", 1)
    if rest:
        raise InvalidCondition(f"{next(iter(rest))!r} can't stand beside 'event'", place)
    if not isinstance(times, int) or isinstance(times, bool) or not 1 <= times <= MAX_TIMES:
        raise InvalidCondition(f"at_least is a number from 1 to {MAX_TIMES}", place)
    return Done(event, times)


def write_condition(condition: Condition) -> dict[str, Any]:
    """Return a condition as JSON has it; reading it gives the same one."""
    match condition:
        case Fact(fact, operator, operand):
            return {"fact": fact, operator: _thawed(operand)}
        case Done(event, at_least):
            return {"event": event, "at_least": at_least}
        case InSegment(segment):
            return {"segment": segment}
        case All(several):
            return {"all": [write_condition(one) for one in several]}
        case AnyOf(several):
            return {"any": [write_condition(one) for one in several]}
        case Not(inner):
            return {"not": write_condition(inner)}


def leaves(condition: Condition | None) -> Iterator[Fact | Done | InSegment]:
    """Return all questions of a condition."""
    match condition:
        case All(several) | AnyOf(several):
            for one in several:
                yield from leaves(one)
        case Not(inner):
            yield from leaves(inner)
        case Fact() | Done() | InSegment():
            yield condition


def problem_of(leaf: Fact, types: Mapping[str, ValueType]) -> str | None:
    """Say why a question can't be asked of facts of these types, if it can't."""
    kind = types.get(leaf.fact)
    if kind is None:
        near = difflib.get_close_matches(leaf.fact, list(types), n=1)
        mean = f". Did you mean {near[0]}" if near else ""
        return f"there is no fact {leaf.fact!r}{mean}; there are {', '.join(types) or 'none'}"
    if leaf.operator == IS_SET:
        return None if isinstance(leaf.operand, bool) else f"{IS_SET} is true or false"
    operator = operators_for(kind).get(leaf.operator)
    if operator is None:
        known = ", ".join([*operators_for(kind), IS_SET])
        return f"{leaf.operator!r} can't be asked of {leaf.fact} ({kind.name}); {known} can"
    try:
        operator.read(kind, leaf.operand)
    except ValueError as error:
        return f"{leaf.fact} {leaf.operator}: {error}"
    return None


@dataclass(frozen=True, slots=True)
class Asking:
    """Where conditions look for what they ask, for one run.

    :ivar facts: values; absent ones are ``None``.
    :ivar times_done: how often the member did something since the run began.
    :ivar is_in: whether a segment chooses the member now.
    """

    facts: Mapping[str, Any]
    types: Mapping[str, ValueType]
    clock: Clock
    times_done: Callable[[str], int]
    is_in: Callable[[str], bool]


def holds(condition: Condition, asking: Asking) -> bool:
    """Tell whether a condition holds, which :func:`problem_of` found nothing wrong with."""
    match condition:
        case All(several):
            return all(holds(one, asking) for one in several)
        case AnyOf(several):
            return any(holds(one, asking) for one in several)
        case Not(inner):
            return not holds(inner, asking)
        case Done(event, at_least):
            return asking.times_done(event) >= at_least
        case InSegment(segment):
            return asking.is_in(segment)
        case Fact(fact):
            return _answers(condition, asking.facts.get(fact), asking)


def _answers(leaf: Fact, value: Any, asking: Asking) -> bool:
    if leaf.operator == IS_SET:
        return (value is not None) is leaf.operand
    kind = asking.types[leaf.fact]
    operator = operators_for(kind)[leaf.operator]
    operand = operator.resolve(operator.read(kind, leaf.operand), asking.clock, kind.python)
    return Question(operator, operand).test(value)


def _frozen(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return tuple(_frozen(one) for one in value)
    return value.isoformat() if isinstance(value, date | datetime) else value


def _thawed(value: Any) -> Any:
    return [_thawed(one) for one in value] if isinstance(value, tuple) else value
