"""Rules about members: a small tree that Python, JSON and TOML write alike.

::

    {"all": [
        {"attribute": "rank", "one_of": ["silver", "gold"]},
        {"event": "order.placed", "where": {"total": {"at_least": 5000}}, "days": 90},
        {"not": {"any": [{"segment": "lapsed", "with": {"days": 30}}, {"campaign": "spring"}]}},
    ]}

Reading looks at the form alone. Whether there is such an attribute is asked by ``compiler.py``, and
each time: the shop's next version may have none.
"""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from datetime import datetime
from typing import Any
from typing import TypeAlias

from ...i18n import gettext as _
from .errors import InvalidRule

#: How deep rules may be nested, and of how many parts they may consist.
MAX_DEPTH, MAX_PARTS = 12, 200
MAX_TIMES, MAX_DAYS = 1_000, 36_525
#: Of which each rule has one.
_KINDS = ("all", "any", "not", "attribute", "event", "sent", "segment", "campaign")


@dataclass(frozen=True, slots=True)
class All:
    """All of these rules; without any, every member."""

    rules: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """At least one of these rules."""

    rules: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """Everybody whom a rule does not choose."""

    rule: Rule


@dataclass(frozen=True, slots=True)
class Asked:
    """One question: an operator, and what it compares with as JSON writes it."""

    operator: str
    operand: Any


@dataclass(frozen=True, slots=True)
class Has:
    """An attribute answers a question.

    :ivar days: of a list with times: only what is from the last so many days.
    """

    attribute: str
    asked: Asked
    days: int | None = None


@dataclass(frozen=True, slots=True)
class Did:
    """An event happened to the member, with these facts, often enough, lately enough.

    :ivar same: ``subject`` or the name of a fact: only events that agree in it are counted.
    """

    event: str
    where: tuple[tuple[str, Asked], ...] = ()
    at_least: int = 1
    days: int | None = None
    same: str | None = None


@dataclass(frozen=True, slots=True)
class Sent:
    """LINE accepted so many messages of a kind for the member; without limits at least one.

    :ivar category: its name, ``advertising`` or ``anything``.
    """

    category: str
    at_least: int | None = None
    at_most: int | None = None
    days: int | None = None


@dataclass(frozen=True, slots=True)
class InSegment:
    """Another segment chooses the member.

    :ivar arguments: of a query written in code, as JSON writes them.
    """

    segment: str
    arguments: tuple[tuple[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class InCampaign:
    """A campaign was meant for the member."""

    campaign: str


Rule: TypeAlias = All | AnyOf | Not | Has | Did | Sent | InSegment | InCampaign


def read_rule(data: object) -> Rule:
    """Read a rule from what JSON or TOML gave.

    :raises InvalidRule: it is none; says where.
    """
    return _Reader().read(data, "", depth=0)


def write_rule(rule: Rule) -> dict[str, Any]:
    """Return a rule as JSON has it; reading it gives the same rule."""
    match rule:
        case All(rules):
            return {"all": [write_rule(one) for one in rules]}
        case AnyOf(rules):
            return {"any": [write_rule(one) for one in rules]}
        case Not(inner):
            return {"not": write_rule(inner)}
        case Has(attribute, asked, days):
            return {"attribute": attribute, **_write_asked(asked), **_given(days=days)}
        case Did(event, where, at_least, days, same):
            facts = {fact: _write_asked(asked) for fact, asked in where}
            times = at_least if at_least != 1 else None
            return {
                "event": event,
                **_given(where=facts or None, at_least=times, days=days, same=same),
            }
        case Sent(category, at_least, at_most, days):
            return {"sent": category, **_given(at_least=at_least, at_most=at_most, days=days)}
        case InSegment(segment, arguments):
            written = {name: _thawed(value) for name, value in arguments}
            return {"segment": segment, **_given(**{"with": written or None})}
        case InCampaign(campaign):
            return {"campaign": campaign}


def segments_in(rule: Rule) -> Iterator[str]:
    """Return the names of the segments that a rule asks for."""
    match rule:
        case All(rules) | AnyOf(rules):
            for one in rules:
                yield from segments_in(one)
        case Not(inner):
            yield from segments_in(inner)
        case InSegment(segment):
            yield segment


def _write_asked(asked: Asked) -> dict[str, Any]:
    return {asked.operator: _thawed(asked.operand)}


def _given(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _thawed(value: Any) -> Any:
    return [_thawed(one) for one in value] if isinstance(value, tuple) else value


class _Reader:
    """Reads one rule, and counts its parts."""

    def __init__(self) -> None:
        self._parts = 0

    def read(self, data: object, place: str, *, depth: int) -> Rule:
        """Read the rule that stands at a place."""
        self._parts += 1
        if depth > MAX_DEPTH or self._parts > MAX_PARTS:
            raise InvalidRule(_("条件が大きすぎます。分けて保存してください。"), place=place)
        if not isinstance(data, Mapping) or not all(isinstance(key, str) for key in data):
            raise InvalidRule(_("条件の形が正しくありません。"), place=place)
        rest = dict(data)
        for word in _KINDS:
            if word in rest:
                return self._read_kind(word, rest.pop(word), rest, place, depth)
        raise InvalidRule(
            _(
                "条件には %(words)s のいずれかが必要です。",
                words=", ".join(_KINDS),
            ),
            place=place,
        )

    def _read_kind(
        self, word: str, said: object, rest: dict[str, Any], place: str, depth: int
    ) -> Rule:
        if word in ("all", "any"):
            _nothing_more(rest, place)
            rules = self._several(said, _joined(place, word), depth)
            return All(rules) if word == "all" else AnyOf(rules)
        if word == "not":
            _nothing_more(rest, place)
            return Not(self.read(said, _joined(place, word), depth=depth + 1))
        name = _name(said, _joined(place, word))
        if word == "attribute":
            days = _number(rest, "days", MAX_DAYS, place)
            return Has(name, _asked(rest, place), days)
        if word == "event":
            return _did(name, rest, place)
        if word == "sent":
            return _sent(name, rest, place)
        if word == "segment":
            arguments = _mapping(rest.pop("with", {}), _joined(place, "with"))
            _nothing_more(rest, place)
            return InSegment(name, tuple((key, _frozen(one)) for key, one in arguments.items()))
        _nothing_more(rest, place)
        return InCampaign(name)

    def _several(self, said: object, place: str, depth: int) -> tuple[Rule, ...]:
        if not isinstance(said, list | tuple):
            raise InvalidRule(_("条件を並べてください。"), place=place)
        return tuple(
            self.read(one, f"{place}[{number}]", depth=depth + 1) for number, one in enumerate(said)
        )


def _did(name: str, rest: dict[str, Any], place: str) -> Did:
    where = _mapping(rest.pop("where", {}), _joined(place, "where"))
    at_least = _number(rest, "at_least", MAX_TIMES, place) or 1
    days = _number(rest, "days", MAX_DAYS, place)
    same = rest.pop("same", None)
    if same is not None:
        same = _name(same, _joined(place, "same"))
    _nothing_more(rest, place)
    facts = []
    for fact, asked in where.items():
        inside = _joined(place, f"where.{fact}")
        facts.append((fact, _asked(dict(_mapping(asked, inside)), inside)))
    return Did(name, tuple(facts), at_least, days, same)


def _sent(category: str, rest: dict[str, Any], place: str) -> Sent:
    at_least = _number(rest, "at_least", MAX_TIMES, place)
    at_most = _number(rest, "at_most", MAX_TIMES, place, least=at_least or 0)
    days = _number(rest, "days", MAX_DAYS, place)
    _nothing_more(rest, place)
    return Sent(category, at_least, at_most, days)


def _asked(rest: dict[str, Any], place: str) -> Asked:
    if len(rest) != 1:
        raise InvalidRule(_("比べ方をひとつだけ指定してください。"), place=place)
    [(operator, operand)] = rest.items()
    return Asked(operator, _frozen(operand))


def _frozen(value: Any) -> Any:
    """Return data that nobody changes, without the times that TOML has and JSON has not."""
    if isinstance(value, list | tuple):
        return tuple(_frozen(one) for one in value)
    return value.isoformat() if isinstance(value, date | datetime) else value


def _name(said: object, place: str) -> str:
    if not isinstance(said, str) or not said:
        raise InvalidRule(_("名前を文字で指定してください。"), place=place)
    return said


def _mapping(said: object, place: str) -> Mapping[str, Any]:
    if not isinstance(said, Mapping):
        raise InvalidRule(_("条件の形が正しくありません。"), place=place)
    return said


def _number(
    rest: dict[str, Any], word: str, most: int, place: str, *, least: int = 1
) -> int | None:
    said = rest.pop(word, None)
    if said is None:
        return None
    if not isinstance(said, int) or isinstance(said, bool) or not least <= said <= most:
        raise InvalidRule(
            _("%(least)sから%(most)sまでの数を指定してください。", least=least, most=most),
            place=_joined(place, word),
        )
    return said


def _nothing_more(rest: Mapping[str, Any], place: str) -> None:
    if rest:
        raise InvalidRule(
            _("「%(word)s」は、ここでは使えません。", word=next(iter(rest))), place=place
        )


def _joined(place: str, word: str) -> str:
    return f"{place}.{word}" if place else word
