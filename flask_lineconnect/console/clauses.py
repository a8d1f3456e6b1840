"""A segment as a sentence of clauses, such as owners put together: forms to rules, and back.

A rule that is no such sentence, for example one with groups in groups, is shown and not changed
here; a clause may ask for another segment by its name instead.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import replace
from datetime import date
from datetime import datetime
from datetime import time
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from werkzeug.datastructures import MultiDict

from ..folding import fold_text
from ..marketing.calendar.times import instant
from ..marketing.segments.asking import Shop
from ..marketing.segments.attributes import Attribute
from ..marketing.segments.errors import InvalidRule
from ..marketing.segments.operators import IS_SET
from ..marketing.segments.operators import operators_for
from ..marketing.segments.rules import All
from ..marketing.segments.rules import AnyOf
from ..marketing.segments.rules import Did
from ..marketing.segments.rules import Has
from ..marketing.segments.rules import InSegment
from ..marketing.segments.rules import Not
from ..marketing.segments.rules import Rule
from ..marketing.segments.rules import Sent
from ..marketing.segments.rules import read_rule
from .i18n import gettext as _

#: So many clauses make a sentence that people still read.
MOST = 12
#: Operators that compare with so many days, with two values, or with several.
DAYS = {"in_last_days", "over_days_ago", "in_next_days"}
PAIRS = {"between", "days_ago"}
SEVERAL = {"one_of", "any_of", "all_of"}
_COMMAS = re.compile("[,、，\n]+")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT")
_WHOLE = re.compile(r"-?\d{1,15}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Clause:
    """One clause, as its fields say it.

    :ivar what: ``attribute:rank``, ``event:order.placed``, ``sent:news`` or ``segment:lapsed``.
    :ivar how: an operator, of an attribute.
    :ivar values: what is compared with.
    :ivar days: within so many days, of events and messages.
    :ivar times: so often at least.
    """

    what: str
    is_not: bool = False
    how: str = ""
    values: tuple[str, ...] = ()
    days: str = ""
    times: str = ""

    @property
    def kind(self) -> str:
        """What sort of thing it asks for."""
        return self.what.partition(":")[0]

    @property
    def name(self) -> str:
        """The name of what it asks for."""
        return self.what.partition(":")[2]

    def value(self, number: int = 0) -> str:
        """Return one of its values; empty where there is none."""
        return self.values[number] if number < len(self.values) else ""


@dataclass(frozen=True, slots=True)
class Sentence:
    """Clauses, all of which must hold, or any.

    :ivar joint: ``all`` or ``any``.
    """

    clauses: tuple[Clause, ...] = ()
    joint: str = "all"


def from_form(form: MultiDict[str, str]) -> Sentence:
    """Return the sentence that a form says."""
    count = form.get("count", 0, type=int)
    clauses = tuple(
        Clause(
            what=form.get(f"what{number}", "")[:200],
            is_not=form.get(f"is{number}") == "not",
            how=form.get(f"how{number}", "")[:40],
            values=tuple(form.getlist(f"value{number}"))[:200],
            days=form.get(f"days{number}", "").strip(),
            times=form.get(f"times{number}", "").strip(),
        )
        for number in range(max(0, min(count, MOST)))
    )
    return Sentence(clauses, "any" if form.get("joint") == "any" else "all")


def fitting(shop: Shop, clause: Clause) -> Clause:
    """Return a clause whose operator its attribute has, after another one was chosen."""
    attribute = shop.attributes.find(clause.name) if clause.kind == "attribute" else None
    if attribute is None:
        return clause
    known = [*operators_for(attribute.type), IS_SET]
    return clause if clause.how in known else replace(clause, how=known[0], values=())


def to_rule(shop: Shop, sentence: Sentence) -> Rule:
    """Return the rule that a sentence says.

    :raises InvalidRule: a clause says nothing that can be asked.
    """
    written = [_written(shop, clause) for clause in sentence.clauses]
    return read_rule({sentence.joint: written})


def from_rule(rule: Rule, zone: ZoneInfo) -> Sentence | None:
    """Return a rule as a sentence; ``None`` if it is none."""
    match rule:
        case All(rules):
            joint = "all"
        case AnyOf(rules):
            joint = "any"
        case _:
            joint, rules = "all", (rule,)
    clauses = [_read(one, zone) for one in rules]
    if any(clause is None for clause in clauses) or len(clauses) > MOST:
        return None
    return Sentence(tuple(clause for clause in clauses if clause is not None), joint)


def _written(shop: Shop, clause: Clause) -> Mapping[str, Any]:
    """Return a clause as JSON writes rules."""
    match clause.kind:
        case "attribute":
            attribute = shop.attributes.get(clause.name, place="attribute")
            asked: dict[str, Any] = {"attribute": clause.name, **_asked(shop, clause, attribute)}
            if attribute.type.is_list and clause.days:
                asked["days"] = _count(clause.days, _("日数"))
        case "event":
            asked = {"event": clause.name, **_often(clause)}
        case "sent":
            asked = {"sent": clause.name, **_often(clause)}
        case "segment":
            asked = {"segment": clause.name}
        case _:
            raise InvalidRule(_("条件を選んでください。"), place="")
    return {"not": asked} if clause.is_not else asked


def _often(clause: Clause) -> dict[str, int]:
    found = {}
    if clause.times:
        found["at_least"] = _count(clause.times, _("回数"))
    if clause.days:
        found["days"] = _count(clause.days, _("日数"))
    return found


def _asked(shop: Shop, clause: Clause, attribute: Attribute) -> dict[str, Any]:
    how, python = clause.how, attribute.type.python
    if how == IS_SET:
        return {how: True}
    label = str(attribute.label)
    if how in DAYS:
        return {how: _count(clause.value(), label)}
    if how == "days_ago":
        return {how: [_count(clause.value(number), label) for number in (0, 1)]}
    if how == "in_month":
        return {how: "this" if clause.value() == "this" else _count(clause.value(), label)}
    if how == "between":
        return {how: [_one(shop, clause.value(place), python, label) for place in (0, 1)]}
    if how in SEVERAL:
        typed = [part for value in clause.values for part in _parts(value, attribute)]
        return {how: [_one(shop, part, python, label) for part in typed if part]}
    return {how: _one(shop, clause.value(), python, label)}


def _parts(value: str, attribute: Attribute) -> Sequence[str]:
    """Return the values of one field: what was ticked is one, what was typed may be several."""
    if attribute.choices is not None:
        return [value]
    return [part.strip() for part in _COMMAS.split(value)]


def _one(shop: Shop, typed: str, python: type, label: str) -> Any:
    """Return a value as JSON writes it, of what somebody typed or chose."""
    folded = fold_text(typed)
    if python is bool:
        return folded == "yes"
    if python is int:
        return _count(typed, label)
    if python is datetime:
        try:
            day = date.fromisoformat(folded)
        except ValueError:
            return folded
        zone = shop.clock.zone
        return instant(day, time(0), zone).astimezone(zone).isoformat()
    if not folded:
        raise InvalidRule(_("「%(label)s」の値を入れてください。", label=label), place="")
    return folded.replace(",", "") if python is Decimal else typed.strip()


def _count(typed: str, label: str) -> int:
    folded = fold_text(typed).replace(",", "")
    if not _WHOLE.fullmatch(folded):
        raise InvalidRule(_("「%(label)s」には数を入れてください。", label=label), place="")
    return int(folded)


def _read(rule: Rule, zone: ZoneInfo) -> Clause | None:
    match rule:
        case Not(inner):
            clause = _read(inner, zone)
            return None if clause is None or clause.is_not else replace(clause, is_not=True)
        case Has(attribute, asked, days):
            operand = asked.operand
            if asked.operator == IS_SET:
                return Clause(f"attribute:{attribute}", is_not=operand is False, how=IS_SET)
            values = operand if isinstance(operand, tuple) else (operand,)
            typed = tuple(text for value in values if (text := _typed(value, zone)) is not None)
            if len(typed) < len(values):
                return None
            return Clause(f"attribute:{attribute}", False, asked.operator, typed, _or(days))
        case Did(event, (), at_least, days, None):
            return Clause(f"event:{event}", days=_or(days), times=str(at_least))
        case Sent(category, at_least, None, days):
            return Clause(f"sent:{category}", days=_or(days), times=_or(at_least))
        case InSegment(segment, ()):
            return Clause(f"segment:{segment}")
    return None


def _or(number: int | None) -> str:
    return "" if number is None else str(number)


def _typed(value: Any, zone: ZoneInfo) -> str | None:
    """Return a value of a rule as its field has it; ``None`` if no field has."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = str(value)
    if not _MOMENT.match(text):
        return text
    try:
        moment = datetime.fromisoformat(text).astimezone(zone)
    except ValueError:
        return None
    return moment.date().isoformat() if moment.time() == time(0) else None
