"""What rules are compiled against, where in one we are, and the questions that values answer."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import replace
from typing import Any

from sqlalchemy import Select

from ...i18n import gettext as _
from ...shop.categories import Category
from ..event_kinds import EventKinds
from ..values import ValueType
from .attributes import Attribute
from .attributes import Attributes
from .errors import InvalidRule
from .operators import IS_SET
from .operators import Clock
from .operators import Question
from .operators import operators_for
from .rules import Asked
from .rules import Rule

#: A segment by its name and arguments: a rule, or the shop's own query.
FindSegment = Callable[[str, Mapping[str, Any], str], "Rule | Select[Any]"]


@dataclass(frozen=True, slots=True)
class Shop:
    """What rules are compiled against: one app's members, and what is known of them.

    :ivar model: the member model.
    :ivar find_segment: raises :class:`InvalidRule` where there is none.
    :ivar dialect: of the database, as SQLAlchemy names it.
    :ivar categories: the kinds of messages that there are.
    """

    model: type[Any]
    attributes: Attributes
    events: EventKinds
    find_segment: FindSegment
    clock: Clock
    dialect: str
    categories: Sequence[Category]


@dataclass(frozen=True, slots=True)
class Where:
    """Where in a rule we are.

    :ivar place: as errors name it.
    :ivar within: the segments around it.
    :ivar is_negated: whether the members are wanted whom it does not choose.
    :ivar is_required: whether only those can be chosen whom it chooses.
    """

    place: str
    within: tuple[str, ...]
    is_negated: bool = False
    is_required: bool = False

    def inside(self, word: str, **changes: Any) -> Where:
        place = f"{self.place}.{word}" if self.place else word
        return replace(self, place=place, **changes)


def ask(
    kind: ValueType, asked: Asked, where: Where, clock: Clock, attribute: Attribute | None = None
) -> Question:
    """Return a question that values of a type answer."""
    operators = operators_for(kind)
    if asked.operator not in operators:
        raise InvalidRule(
            _(
                "「%(word)s」では比べられません。使えるもの: %(known)s",
                word=asked.operator,
                known=", ".join([*operators, IS_SET]),
            ),
            place=where.place,
        )
    operator = operators[asked.operator]
    place = where.inside(asked.operator).place
    try:
        operand = operator.read(kind, asked.operand)
    except ValueError as error:
        raise InvalidRule(f"「{asked.operator}」{error}", place=place) from None
    _check_choices(attribute, operand, place)
    return Question(operator, operator.resolve(operand, clock, kind.python))


def flag(asked: Asked, where: Where) -> bool:
    """Return what a question is asked for that has yes or no for an answer."""
    if not isinstance(asked.operand, bool):
        raise InvalidRule(
            _("true か false を指定してください。"), place=where.inside(asked.operator).place
        )
    return asked.operand


def _check_choices(attribute: Attribute | None, operand: Any, place: str) -> None:
    """Refuse a value that the attribute never has; those of a function may come and go."""
    if attribute is None or attribute.choices is None or callable(attribute.choices):
        return
    known = attribute.choices_now() or {}
    for value in operand if isinstance(operand, tuple) else (operand,):
        if value not in known:
            raise InvalidRule(
                _(
                    "「%(value)s」という値はありません。選べるもの: %(known)s",
                    value=value,
                    known=", ".join(map(str, known)),
                ),
                place=place,
            )
