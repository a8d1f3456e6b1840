"""To whom a member event happened, in SQL."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any
from typing import cast

from sqlalchemy import ColumnElement
from sqlalchemy import Select
from sqlalchemy import and_
from sqlalchemy import func
from sqlalchemy import select

from ...errors import UsageError
from ...i18n import gettext as _
from ...models import MemberEvent
from ..event_kinds import EventKind
from ..values import ValueType
from .asking import Shop
from .asking import Where
from .asking import ask
from .asking import flag
from .errors import InvalidRule
from .fact_sql import as_written
from .fact_sql import fact_contains
from .fact_sql import fact_value
from .operators import IS_SET
from .rules import Asked
from .rules import Did

#: What an event is about, beside its facts.
SUBJECT = "subject"


def members_who_did(rule: Did, where: Where, shop: Shop) -> Select[Any]:
    try:
        kind = shop.events.get(rule.event)
    except UsageError:
        raise InvalidRule(
            _("出来事「%(name)s」は、いまのお店にはありません。", name=rule.event),
            place=where.inside("event").place,
        ) from None
    statement = select(MemberEvent.member_id.label("member_key")).where(
        MemberEvent.name == kind.name, MemberEvent.member_id.is_not(None)
    )
    if rule.days is not None:
        since = shop.clock.now - timedelta(days=rule.days)
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
        statement = statement.where(_fact(fact, kind.types[fact], asked, inside, shop))
    if rule.at_least == 1:
        return statement.group_by(MemberEvent.member_id)
    if rule.same is None:
        often = statement.group_by(MemberEvent.member_id)
        return often.having(func.count() >= rule.at_least)
    same = _same(rule.same, kind, where, shop)
    often = statement.where(same.is_not(None)).group_by(MemberEvent.member_id, same)
    found = often.having(func.count() >= rule.at_least).subquery()
    return select(found.c.member_key).distinct()


def _same(name: str, kind: EventKind, where: Where, shop: Shop) -> ColumnElement[Any]:
    """Return in what events must agree."""
    if name == SUBJECT:
        return cast(ColumnElement[Any], MemberEvent.subject)
    if name not in kind.types or kind.types[name].is_list:
        known = [SUBJECT, *(fact for fact, one in kind.types.items() if not one.is_list)]
        raise InvalidRule(
            _(
                "「%(word)s」では比べられません。使えるもの: %(known)s",
                word=name,
                known=", ".join(known),
            ),
            place=where.inside("same").place,
        )
    return fact_value(name, kind.types[name], shop.dialect)


def _fact(
    name: str, kind: ValueType, asked: Asked, where: Where, shop: Shop
) -> ColumnElement[bool]:
    value = fact_value(name, kind, shop.dialect)
    if asked.operator == IS_SET:
        return value.is_not(None) if flag(asked, where) else value.is_(None)
    question = ask(kind, asked, where, shop.clock)
    if not kind.is_list:
        return replace(question, operand=as_written(kind, question.operand)).sql(value)
    groups = [question.operand]
    if asked.operator == "all_of":
        groups = [(one,) for one in question.operand]
    found = [fact_contains(name, kind, group, shop.dialect) for group in groups]
    return and_(*found)
