"""From a rule to one ``Select`` of member keys: expressions of SQLAlchemy's, never strings.

What stands in other tables than the member's is joined, once, as a table with one row per member.
So a rule reads the same to the database whether it stands below *all*, *any* or *not*: none of them
becomes a question that is asked for each member anew.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field
from dataclasses import replace
from datetime import timedelta
from typing import Any
from typing import cast

from sqlalchemy import CTE
from sqlalchemy import ColumnElement
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

from ...i18n import gettext as _
from ...models import LineBase
from .asking import Shop
from .asking import Where
from .asking import ask
from .asking import flag
from .attributes import Attribute
from .campaigns import members_of_campaign
from .did import members_who_did
from .errors import InvalidRule
from .narrowing import narrowed
from .operators import IS_SET
from .operators import Question
from .operators import fitting
from .operators import fitting_moment
from .rules import All
from .rules import AnyOf
from .rules import Did
from .rules import Has
from .rules import InCampaign
from .rules import InSegment
from .rules import Not
from .rules import Rule
from .rules import Sent
from .sends import categories_of
from .sends import members_sent

Condition = ColumnElement[bool]


def compile_rule(
    rule: Rule, shop: Shop, *, name: str = "", place: str = "", among: CTE | None = None
) -> Select[Any]:
    """Return the keys of the members whom a rule chooses, each once.

    :param name: of the segment that the rule is, so that it can't include itself.
    :param place: with which the places of refusals begin.
    :param among: member keys; nobody else is asked.
    :raises InvalidRule: the rule asks for what there is not; says where.
    """
    within = (name,) if name else ()
    return _Statement(shop, among).select(rule, Where(place, within, is_required=True))


@dataclass(slots=True)
class _Statement:
    """One statement in the making."""

    shop: Shop
    among: CTE | None = None
    #: The joined tables, and whether members without a row there are left out anyway.
    joins: dict[Subquery, bool] = field(default_factory=dict)
    asks_member: bool = False
    #: The tables of each expression: a rule may ask one a hundred times, for each year.
    tables: dict[ColumnElement[Any], Sequence[Any]] = field(default_factory=dict)

    def select(self, rule: Rule, where: Where) -> Select[Any]:
        """Return the statement for a rule."""
        condition, narrow = narrowed(self._condition(rule, where), self.joins, self.among)
        self.joins = {narrow.get(table, table): only for table, only in self.joins.items()}
        base, key = self._base()
        statement = select(key.label("member_key")).select_from(base)
        for table, is_required in self.joins.items():
            if table is not base:
                joined = table.c[0] == key
                statement = statement.join_from(base, table, joined, isouter=not is_required)
        if base is not self.shop.model:
            statement = statement.where(key.is_not(None))
        if self.among is not None:
            statement = statement.where(key.in_(select(self.among.c[0])))
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

    def _condition(self, rule: Rule, where: Where) -> Condition:
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
                return self._is_among(members_who_did(rule, where, self.shop), where)
            case Sent():
                return self._sent(rule, where)
            case InSegment():
                return self._in_segment(rule, where)
            case InCampaign(campaign):
                found = members_of_campaign(campaign, self.shop.dialect)
                return self._is_among(found, where)

    def _several(
        self, rules: tuple[Rule, ...], word: str, where: Where, *, is_and: bool
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

    def _has(self, rule: Has, where: Where) -> Condition:
        attribute = self.shop.attributes.get(rule.attribute, place=where.inside("attribute").place)
        source = attribute.expression(self.shop.clock.now)
        if isinstance(source, Select):
            return self._is_among(self._owners(attribute, source, rule, where), where)
        if rule.days is not None:
            raise InvalidRule(_("「days」は、日時のある一覧だけに使えます。"), place=where.place)
        value = cast(ColumnElement[Any], source)
        if rule.asked.operator == IS_SET:
            is_wanted = flag(rule.asked, where) is not where.is_negated
            if attribute.absent is not None:
                return true() if is_wanted else false()
            self._need(value, is_required=False)
            return value.is_not(None) if is_wanted else value.is_(None)
        question = ask(attribute.type, rule.asked, where, self.shop.clock, attribute)
        question = fitting(question, value)
        return self._answered(value, question, attribute.absent, where)

    def _answered(
        self, value: ColumnElement[Any], question: Question, absent: Any, where: Where
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
        if value not in self.tables:
            self.tables[value] = select(value).get_final_froms()
        tables = self.tables[value]
        for table in tables:
            if isinstance(table, Subquery):
                self._join(table, is_required=is_required)
        if not tables or any(not isinstance(table, Subquery) for table in tables):
            self.asks_member = True

    def _join(self, table: Subquery, *, is_required: bool) -> None:
        self.joins[table] = self.joins.get(table, False) or is_required

    def _is_among(self, keys: Select[Any], where: Where) -> Condition:
        """Return whether a member is among others, of whom each has one row."""
        table = keys.subquery()
        is_wanted = not where.is_negated
        self._join(table, is_required=where.is_required and is_wanted)
        return table.c[0].is_not(None) if is_wanted else table.c[0].is_(None)

    def _owners(
        self, attribute: Attribute, source: Select[Any], rule: Has, where: Where
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
            statement = statement.where(times[0] >= fitting_moment(since, times[0]))
        if rule.asked.operator == IS_SET:
            if not flag(rule.asked, where):
                raise InvalidRule(_("「not」の中に入れてください。"), place=where.place)
            return statement
        question = ask(attribute.type, rule.asked, where, self.shop.clock, attribute)
        statement = statement.where(question.sql(value))
        if rule.asked.operator == "all_of":
            wanted = len(set(question.operand))
            statement = statement.having(func.count(distinct(value)) == wanted)
        return statement

    def _sent(self, rule: Sent, where: Where) -> Condition:
        place = where.inside("sent").place
        categories = categories_of(rule.category, self.shop.categories, place=place)
        days = rule.days
        since = None if days is None else self.shop.clock.now - timedelta(days=days)
        dialect, most = self.shop.dialect, rule.at_most
        if rule.at_least is None and most is not None:
            # Also those to whom nothing was sent: all but those to whom more was.
            more = members_sent(categories, since, dialect, at_least=most + 1)
            return self._is_among(more, replace(where, is_negated=not where.is_negated))
        least = rule.at_least or 1
        found = members_sent(categories, since, dialect, at_least=least, at_most=most)
        return self._is_among(found, where)

    def _in_segment(self, rule: InSegment, where: Where) -> Condition:
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
