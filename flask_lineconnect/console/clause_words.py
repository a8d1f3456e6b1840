"""A sentence of clauses in words, and what can be chosen in each of its fields."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from datetime import datetime
from decimal import Decimal
from typing import Any

from ..marketing.segments.asking import Shop
from ..marketing.segments.attributes import Attribute
from ..marketing.segments.operators import IS_SET
from ..marketing.segments.operators import operators_for
from .clauses import DAYS
from .clauses import PAIRS
from .clauses import SEVERAL
from .clauses import Clause
from .clauses import Sentence
from .i18n import gettext as _


@dataclass(frozen=True, slots=True)
class Field:
    """How the values of a clause are asked for.

    :ivar kind: ``none``, ``number``, ``pair``, ``choice``, ``ticks``, ``date``, ``month`` or
        ``text``.
    :ivar choices: by value, their labels.
    """

    kind: str
    choices: Mapping[str, str]


def things(shop: Shop, segments: Mapping[str, str]) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return all that a clause can ask for, in groups, each by its value and label."""
    attributes = [(f"attribute:{one.name}", str(one.label)) for one in shop.attributes]
    events = [(f"event:{one.name}", str(one.label)) for one in shop.events]
    sent = [
        ("sent:anything", _("メッセージ（すべて）")),
        ("sent:advertising", _("ご案内（すべて）")),
        *((f"sent:{one.name}", str(one.label)) for one in shop.categories if one.is_optional),
    ]
    groups = [(_("会員の項目"), attributes), (_("したこと"), events), (_("届いたもの"), sent)]
    named = [(f"segment:{name}", label) for name, label in segments.items()]
    return [*groups, (_("ほかの絞り込み"), named)] if named else groups


def hows(shop: Shop, clause: Clause) -> list[tuple[str, str]]:
    """Return the operators that a clause may have, with their labels."""
    attribute = _attribute(shop, clause)
    if attribute is None:
        return []
    found = [(name, str(one.label)) for name, one in operators_for(attribute.type).items()]
    return [*found, (IS_SET, _("が分かっている"))]


def field_of(shop: Shop, clause: Clause) -> Field:
    """Return how the values of a clause are asked for."""
    attribute = _attribute(shop, clause)
    if attribute is None or clause.how == IS_SET:
        return Field("none", {})
    if clause.how in DAYS:
        return Field("number", {})
    if clause.how == "in_month":
        months = {str(month): _("%(n)s月", n=month) for month in range(1, 13)}
        return Field("month", {"this": _("今月"), **months})
    python = attribute.type.python
    if clause.how in PAIRS:
        return Field("date pair" if clause.how == "between" and _is_time(python) else "pair", {})
    if python is bool:
        return Field("choice", {"yes": _("はい"), "no": _("ちがいます")})
    choices = attribute.choices_now()
    if choices is not None:
        known = {str(value): str(label) for value, label in choices.items()}
        return Field("ticks" if clause.how in SEVERAL else "choice", known)
    if clause.how in SEVERAL:
        return Field("text", {})
    if _is_time(python):
        return Field("date", {})
    return Field("number" if python in (int, Decimal) else "text", {})


def words(shop: Shop, sentence: Sentence, segments: Mapping[str, str]) -> str:
    """Return a sentence as people read it."""
    said = [clause_words(shop, clause, segments) for clause in sentence.clauses]
    if not said:
        return _("すべての会員")
    return (_("、かつ ") if sentence.joint == "all" else _("、または ")).join(said)


def clause_words(shop: Shop, clause: Clause, segments: Mapping[str, str]) -> str:
    """Return one clause as people read it."""
    plain = _plain_words(shop, clause, segments)
    return _("「%(clause)s」の人を除く", clause=plain) if clause.is_not else plain


def _plain_words(shop: Shop, clause: Clause, segments: Mapping[str, str]) -> str:
    if clause.kind == "segment":
        return _("「%(name)s」に入る", name=segments.get(clause.name, clause.name))
    if clause.kind in {"event", "sent"}:
        label = label_of(shop, clause, segments)
        times, days = clause.times or "1", clause.days
        if days:
            return _("%(what)s（%(days)s日以内に%(n)s回以上）", what=label, days=days, n=times)
        return _("%(what)s（%(n)s回以上）", what=label, n=times)
    attribute = _attribute(shop, clause)
    if attribute is None:
        return _("「%(name)s」（いまはない項目）", name=clause.name)
    said = _of_days(clause)
    if said:
        return _("%(what)s: %(values)s", what=attribute.label, values=said)
    how = dict(hows(shop, clause)).get(clause.how, clause.how)
    choices = field_of(shop, clause).choices
    values = "・".join(choices.get(value, value) for value in clause.values)
    if clause.how == "is":
        return _("%(what)s: %(values)s", what=attribute.label, values=values)
    return _("%(what)s: %(values)s%(how)s", what=attribute.label, values=values, how=how)


def _of_days(clause: Clause) -> str:
    """Return what a clause says of days or between two values, as people say it."""
    first, second = clause.value(), clause.value(1)
    said = {
        "in_last_days": _("%(n)s日以内", n=first),
        "over_days_ago": _("%(n)s日より前", n=first),
        "in_next_days": _("これから%(n)s日のうち", n=first),
        "days_ago": _("%(n)s〜%(m)s日前", n=first, m=second),
        "between": _("%(n)s〜%(m)s", n=first, m=second),
    }
    return said.get(clause.how, "")


def label_of(shop: Shop, clause: Clause, segments: Mapping[str, str]) -> str:
    """Return what a clause asks for, as people read it."""
    known = dict(pair for _group, pairs in things(shop, segments) for pair in pairs)
    return known.get(clause.what, clause.name)


def _attribute(shop: Shop, clause: Clause) -> Attribute | None:
    return shop.attributes.find(clause.name) if clause.kind == "attribute" else None


def _is_time(python: type[Any]) -> bool:
    return python in (date, datetime)


def first_thing(shop: Shop) -> str:
    """Return what a new clause asks for, until something else is chosen."""
    names: Sequence[str] = [one.name for one in shop.attributes]
    own = [name for name in names if not name.startswith("line_")]
    return f"attribute:{(own or names)[0]}"
