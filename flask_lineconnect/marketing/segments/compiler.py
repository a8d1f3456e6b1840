"""From a rule to one ``Select`` of member keys: expressions of SQLAlchemy's, never strings.

What stands in other tables than the member's is joined, once, as a table with one row per member.
So a rule reads the same to the database whether it stands below *all*, *any* or *not*: none of them
becomes a question that is asked for each member anew.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field
from dataclasses import replace
from datetime import UTC
from datetime import datetime
from datetime import timedelta
from typing import Any
from typing import cast

from sqlalchemy import ColumnElement
from sqlalchemy import DateTime
from sqlalchemy import Select
from sqlalchemy import Subquery
from sqlalchemy import and_
from sqlalchemy import distinct
from sqlalchemy import false
from sqlalchemy import func
from sqlalchemy import inspect
from sqlalchemy import not_
from sqlalchemy import or_
from sqlalchemy import select
from sqlalchemy import true

from ...errors import UsageError
from ...i18n import gettext as _
from ...models import LineBase
from ...models import MemberEvent
from ..event_kinds import EventKinds
from ..values import ValueType
from .attributes import Attribute
from .attributes import Attributes
from .campaigns import members_of_campaign
from .errors import InvalidRule
from .fact_sql import as_written
from .fact_sql import fact_contains
from .fact_sql import fact_value
from .narrowing import narrowed
from .operators import IS_SET
from .operators import Clock
from .operators import Question
from .operators import operators_for
from .rules import All
from .rules import AnyOf
from .rules import Asked
from .rules import Did
from .rules import Has
from .rules import InCampaign
from .rules import InSegment
from .rules import Not
from .rules import Rule

#: A segment by its name and arguments: a rule, or the shop's own query.
FindSegment = Callable[[str, Mapping[str, Any], str], "Rule | Select[Any]"]
Condition = ColumnElement[bool]


@dataclass(frozen=True, slots=True)
class Shop:
    """What rules are compiled against: one app's members, and what is known of them.

    :ivar model: the member model.
    :ivar find_segment: raises :class:`InvalidRule` where there is none.
    :ivar dialect: of the database, as SQLAlchemy names it.
    """

    model: type[Any]
    attributes: Attributes
    events: EventKinds
    find_segment: FindSegment
    clock: Clock
    dialect: str


def compile_rule(rule: Rule, shop: Shop, *, name: str = "") -> Select[Any]:
    """Return the keys of the members whom a rule chooses, each once.

    :param name: of the segment that the rule is, so that it can't include itself.
    :raises InvalidRule: the rule asks for what there is not; says where.
    """
    within = (name,) if name else ()
    return _Statement(shop).select(rule, _Where("", within, is_required=True))


@dataclass(frozen=True, slots=True)
class _Where:
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

    def inside(self, word: str, **changes: Any) -> _Where:
        place = f"{self.place}.{word}" if self.place else word
        return replace(self, place=place, **changes)


@dataclass(slots=True)
class _Statement:
    """One statement in the making."""

    shop: Shop
    #: The joined tables, and whether members without a row there are left out anyway.
    joins: dict[Subquery, bool] = field(default_factory=dict)
    asks_member: bool = False

    def select(self, rule: Rule, where: _Where) -> Select[Any]:
        """Return the statement for a rule."""
        condition, narrow = narrowed(self._condition(rule, where), self.joins)
        self.joins = {narrow.get(table, table): only for table, only in self.joins.items()}
        base, key = self._base()
        statement = select(key.label("member_key")).select_from(base)
        for table, is_required in self.joins.items():
            if table is not base:
                joined = table.c[0] == key
                statement = statement.join_from(base, table, joined, isouter=not is_required)
        if base is not self.shop.model:
            statement = statement.where(key.is_not(None))
        return statement.where(condition)

    def _base(self) -> tuple[Any, ColumnElement[Any]]:
        """Return what is read first, and its member key.

        Usually the members; where another table leaves out all others, and can hold nobody but
        members, that one: each table that is not joined is time saved.
        """
        if not self.asks_member:
            for table, is_required in self.joins.items():
                if is_required and self._holds_members_only(table):
                    return table, table.c[0]
        return self.shop.model, member_key_of(self.shop.model)

    def _holds_members_only(self, table: Subquery) -> bool:
        (member_key,) = inspect(self.shop.model).primary_key
        for column in table.c[0].base_columns:
            if getattr(column.table, "metadata", None) is LineBase.metadata:
                return True
            if any(key.column is member_key for key in column.foreign_keys):
                return True
        return False

    def _condition(self, rule: Rule, where: _Where) -> Condition:
        match rule:
            case All(rules):
                return self._several(rules, "all", where, is_and=True)
            case AnyOf(rules):
                return self._several(rules, "any", where, is_and=False)
            case Not(inner):
                turned = where.inside("not", is_negated=not where.is_negated)
                return self._condition(inner, turned)
            case Has():
                return self._has(rule, where)
            case Did():
                return self._is_among(self._did(rule, where), where)
            case InSegment():
                return self._in_segment(rule, where)
            case InCampaign(campaign):
                found = members_of_campaign(campaign, self.shop.dialect)
                return self._is_among(found, where)

    def _several(
        self, rules: tuple[Rule, ...], word: str, where: _Where, *, is_and: bool
    ) -> Condition:
        # The opposite of "all of them" is "one of them is not".
        needs_all = is_and is not where.is_negated
        is_required = where.is_required and (needs_all or len(rules) == 1)
        found = [
            self._condition(rule, where.inside(f"{word}[{number}]", is_required=is_required))
            for number, rule in enumerate(rules)
        ]
        if not found:
            return true() if needs_all else false()
        return and_(*found) if needs_all else or_(*found)

    def _has(self, rule: Has, where: _Where) -> Condition:
        attribute = self.shop.attributes.get(rule.attribute, place=where.inside("attribute").place)
        source = attribute.expression(self.shop.clock.now)
        if isinstance(source, Select):
            return self._is_among(self._owners(attribute, source, rule, where), where)
        if rule.days is not None:
            raise InvalidRule(_("「days」は、日時のある一覧だけに使えます。"), place=where.place)
        value = cast(ColumnElement[Any], source)
        if rule.asked.operator == IS_SET:
            is_wanted = _flag(rule.asked, where) is not where.is_negated
            if attribute.absent is not None:
                return true() if is_wanted else false()
            self._need(value, is_required=False)
            return value.is_not(None) if is_wanted else value.is_(None)
        question = self._question(attribute.type, rule.asked, where, attribute)
        question = _fitting(question, value)
        return self._answered(value, question, attribute.absent, where)

    def _answered(
        self, value: ColumnElement[Any], question: Question, absent: Any, where: _Where
    ) -> Condition:
        """Return the condition, in which nothing is neither true nor false."""
        holds_for_absent = question.test(absent)
        is_strict = holds_for_absent is where.is_negated
        self._need(value, is_required=where.is_required and is_strict)
        if where.is_negated:
            fails = not_(question.sql(value))
            return fails if is_strict else or_(fails, value.is_(None))
        return question.sql(value) if is_strict else question.sql(func.coalesce(value, absent))

    def _need(self, value: ColumnElement[Any], *, is_required: bool) -> None:
        """Join the tables from which an expression comes."""
        tables = select(value).get_final_froms()
        for table in tables:
            if isinstance(table, Subquery):
                self._join(table, is_required=is_required)
        if not tables or any(not isinstance(table, Subquery) for table in tables):
            self.asks_member = True

    def _join(self, table: Subquery, *, is_required: bool) -> None:
        self.joins[table] = self.joins.get(table, False) or is_required

    def _is_among(self, keys: Select[Any], where: _Where) -> Condition:
        """Return whether a member is among others, of whom each has one row."""
        table = keys.subquery()
        is_wanted = not where.is_negated
        self._join(table, is_required=where.is_required and is_wanted)
        return table.c[0].is_not(None) if is_wanted else table.c[0].is_(None)

    def _owners(
        self, attribute: Attribute, source: Select[Any], rule: Has, where: _Where
    ) -> Select[Any]:
        """Return who has something of a list."""
        key, value, *times = source.selected_columns
        statement = source.with_only_columns(key.label("member_key"), maintain_column_froms=True)
        statement = statement.where(key.is_not(None)).order_by(None).group_by(key)
        if rule.days is not None:
            if not times:
                raise InvalidRule(
                    _("「days」は、日時のある一覧だけに使えます。"), place=where.place
                )
            since = self.shop.clock.now - timedelta(days=rule.days)
            statement = statement.where(times[0] >= _fitting_moment(since, times[0]))
        if rule.asked.operator == IS_SET:
            if not _flag(rule.asked, where):
                raise InvalidRule(_("「not」の中に入れてください。"), place=where.place)
            return statement
        question = self._question(attribute.type, rule.asked, where, attribute)
        statement = statement.where(question.sql(value))
        if rule.asked.operator == "all_of":
            wanted = len(set(question.operand))
            statement = statement.having(func.count(distinct(value)) == wanted)
        return statement

    def _did(self, rule: Did, where: _Where) -> Select[Any]:
        try:
            kind = self.shop.events.get(rule.event)
        except UsageError:
            raise InvalidRule(
                _("出来事「%(name)s」は、いまのお店にはありません。", name=rule.event),
                place=where.inside("event").place,
            ) from None
        statement = select(MemberEvent.member_id.label("member_key")).where(
            MemberEvent.name == kind.name, MemberEvent.member_id.is_not(None)
        )
        if rule.days is not None:
            since = self.shop.clock.now - timedelta(days=rule.days)
            statement = statement.where(MemberEvent.occurred_at >= since)
        for fact, asked in rule.where:
            inside = where.inside(f"where.{fact}")
            if fact not in kind.types:
                raise InvalidRule(
                    _(
                        "出来事「%(event)s」に「%(fact)s」はありません。",
                        event=kind.name,
                        fact=fact,
                    ),
                    place=inside.place,
                )
            statement = statement.where(self._fact(fact, kind.types[fact], asked, inside))
        statement = statement.group_by(MemberEvent.member_id)
        return statement if rule.at_least == 1 else statement.having(func.count() >= rule.at_least)

    def _fact(self, name: str, kind: ValueType, asked: Asked, where: _Where) -> Condition:
        value = fact_value(name, kind, self.shop.dialect)
        if asked.operator == IS_SET:
            return value.is_not(None) if _flag(asked, where) else value.is_(None)
        question = self._question(kind, asked, where)
        if not kind.is_list:
            return replace(question, operand=as_written(kind, question.operand)).sql(value)
        groups = [question.operand]
        if asked.operator == "all_of":
            groups = [(one,) for one in question.operand]
        found = [fact_contains(name, kind, group, self.shop.dialect) for group in groups]
        return and_(*found)

    def _question(
        self, kind: ValueType, asked: Asked, where: _Where, attribute: Attribute | None = None
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
        return Question(operator, operator.resolve(operand, self.shop.clock, kind.python))

    def _in_segment(self, rule: InSegment, where: _Where) -> Condition:
        inside = where.inside("segment")
        if rule.segment in where.within:
            way = " → ".join([*where.within, rule.segment])
            raise InvalidRule(
                _("セグメントが自分自身を含んでいます: %(way)s", way=way), place=inside.place
            )
        found = self.shop.find_segment(rule.segment, dict(rule.arguments), inside.place)
        if isinstance(found, Select):
            # The shop's own query may name somebody twice.
            key = found.selected_columns[0]
            once = found.with_only_columns(key.label("member_key")).order_by(None).distinct()
            return self._is_among(once, where)
        deeper = replace(where, place=rule.segment, within=(*where.within, rule.segment))
        return self._condition(found, deeper)


def member_key_of(model: type[Any]) -> ColumnElement[Any]:
    """Return the key of the member model."""
    mapper = inspect(model)
    key = mapper.get_property_by_column(mapper.primary_key[0])
    return cast(ColumnElement[Any], key.class_attribute)


def _flag(asked: Asked, where: _Where) -> bool:
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


def _fitting(question: Question, value: ColumnElement[Any]) -> Question:
    """Return a question whose moments are as the column stores them."""
    operand = question.operand
    if isinstance(operand, tuple):
        operand = tuple(_fitting_moment(one, value) for one in operand)
    else:
        operand = _fitting_moment(operand, value)
    return replace(question, operand=operand)


def _fitting_moment(moment: Any, value: ColumnElement[Any]) -> Any:
    """Return a moment for a column without zones in UTC: PostgreSQL would take its own zone's."""
    is_naive = isinstance(value.type, DateTime) and not value.type.timezone
    if isinstance(moment, datetime) and is_naive:
        return moment.astimezone(UTC).replace(tzinfo=None)
    return moment
