"""Attributes: what the shop's own tables say of each member, labelled, typed, and in SQL.

A shop declares them in a blueprint (``hooks/blueprint.py``). What many rows say of a member is made
once for all members (:func:`per_member`) and joined: asking it anew for each would cost more.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC
from datetime import date
from datetime import datetime
from decimal import Decimal
from typing import Any
from typing import TypeAlias
from typing import cast

from sqlalchemy import ColumnElement
from sqlalchemy import Integer
from sqlalchemy import Select
from sqlalchemy import SelectBase
from sqlalchemy import Subquery
from sqlalchemy import TypeDecorator
from sqlalchemy import case
from sqlalchemy import func
from sqlalchemy import select
from sqlalchemy import type_coerce
from sqlalchemy.orm import InstrumentedAttribute

from ...errors import UsageError
from ...i18n import gettext as _
from ...i18n import lazy_gettext
from ...models import Account
from ...models import Attribution
from ...models import MemberTag
from ..registry import Registry
from ..values import ValueType
from .errors import InvalidRule

NAME = re.compile(r"[a-z][a-z0-9_]{0,59}")
#: What the members of a shop are chosen by: an expression about the member's own row, a column of
#: :func:`per_member`, or, for lists, a select of member key, value and perhaps its time.
Source: TypeAlias = ColumnElement[Any] | InstrumentedAttribute[Any] | SelectBase
#: The values that there are, with their labels.
Choices: TypeAlias = Mapping[Any, Any] | Sequence[Any] | Callable[[], Mapping[Any, Any]]

#: Any time: what an attribute is made of does not depend on it.
_SOME_TIME = datetime(2026, 1, 1, tzinfo=UTC)
_TYPES: Mapping[type, type] = {
    bool: bool,
    int: int,
    str: str,
    float: Decimal,
    Decimal: Decimal,
    datetime: datetime,
    date: date,
}


def per_member(
    key: Any, *where: ColumnElement[bool], of: Any = None, **values: ColumnElement[Any]
) -> Subquery:
    """Return what many rows say of each member: a table with one row for each who has any.

    ::

        orders = per_member(Order.user_id, count=func.count(), total=func.sum(Order.total))
        shop.attribute("order_count", orders.c.count, label="ご注文の回数", absent=0)

    :param key: the column that names the member.
    :param where: which rows count.
    :param of: what to select from, where it is more than the key's own table: a join.
    :param values: aggregates, by the names of the table's columns.
    """
    columns = [value.label(name) for name, value in values.items()]
    statement = select(key.label("member_key"), *columns)
    if of is not None:
        statement = statement.select_from(of)
    return statement.where(key.is_not(None), *where).group_by(key).subquery()


@dataclass(frozen=True, slots=True)
class Attribute:
    """One thing that is known of each member.

    :ivar source: in SQL, or a function of the time now that makes it.
    :ivar absent: what counts for members of whom nothing is there, such as 0 orders.
    :ivar home: the name of the blueprint that declared it, or ``line``.
    """

    name: str
    label: Any
    type: ValueType
    source: Source | Callable[[datetime], Source]
    choices: Choices | None = None
    absent: Any = None
    home: str = "line"

    @classmethod
    def declared(
        cls,
        name: str,
        source: Source | Callable[[datetime], Source],
        label: Any,
        *,
        type_: Any = None,
        choices: Choices | None = None,
        absent: Any = None,
        home: str,
    ) -> Attribute:
        """Make an attribute; its type is that of its expression, unless the shop says it.

        :raises UsageError: it can't be called so, is no expression, or has no type that is known.
        """
        if not NAME.fullmatch(name):
            raise UsageError(
                f"{name!r} can't be the name of an attribute: it must be of small letters, digits "
                "and underscores, at most 60"
            )
        try:
            found = source(_SOME_TIME) if callable(source) else source
            kind = ValueType.of(type_) if type_ is not None else _type_of(found)
            if not kind.is_list and absent is not None:
                absent = kind.from_json(absent)
        except (UsageError, ValueError) as error:
            raise UsageError(f"the attribute {name}: {error}") from None
        return cls(name, label, kind, source, choices, absent, home)

    def expression(self, now: datetime) -> Source:
        """Return it in SQL."""
        found: Source = self.source(now) if callable(self.source) else self.source
        return found

    def choices_now(self) -> Mapping[Any, Any] | None:
        """Return the values that there are, with their labels; ``None`` if any may be."""
        choices = self.choices() if callable(self.choices) else self.choices
        if choices is None or isinstance(choices, Mapping):
            return choices
        return {value: value for value in choices}


def _type_of(source: Source) -> ValueType:
    if isinstance(source, Select):
        columns = list(source.selected_columns)
        if len(columns) not in (2, 3):
            raise UsageError("a list is a select of member key, value, and perhaps its time")
        return ValueType(_python_type(columns[1]), is_list=True)
    if not isinstance(source, ColumnElement | InstrumentedAttribute):
        raise UsageError(f"a {type(source).__name__} is no expression of SQLAlchemy's")
    return ValueType(_python_type(cast(ColumnElement[Any], source)))


def _python_type(column: ColumnElement[Any]) -> type:
    kind: Any = column.type
    while isinstance(kind, TypeDecorator):
        kind = kind.impl
    try:
        return _TYPES[kind.python_type]
    except (NotImplementedError, KeyError):
        raise UsageError(
            "SQLAlchemy does not know of which type it is, or it is one that can't be compared; "
            "say it with type=, for example type=int"
        ) from None


class Attributes(Registry[Attribute]):
    """The attributes of one app's members: what LINE tells of them, and what the shop declares."""

    called = "attribute"
    homes = ""

    def __init__(self) -> None:
        super().__init__([*_of_links(), *_of_staff(), *_of_orders()])

    def get(self, name: str, *, place: str) -> Attribute:
        """Return the attribute of this name.

        :raises InvalidRule: there is none, or none any more.
        """
        found = self.find(name)
        if found is None:
            raise InvalidRule(
                _("項目「%(name)s」は、いまのお店にはありません。", name=name), place=place
            )
        return found


def _of_links() -> Iterable[Attribute]:
    """Return what is known of whoever is linked."""
    links = (
        select(
            Account.member_id.label("member_key"),
            Account.link_source,
            Account.linked_at,
            Account.is_friend,
        )
        .where(Account.member_id.is_not(None))
        .subquery("link")
    )
    text, moment, flag = ValueType(str), ValueType(datetime), ValueType(bool)
    yield Attribute("line_source", lazy_gettext("LINE連携のきっかけ"), text, links.c.link_source)
    yield Attribute("line_linked_at", lazy_gettext("LINE連携の日時"), moment, links.c.linked_at)
    yield Attribute("line_is_friend", lazy_gettext("LINEの友だち"), flag, links.c.is_friend)


def _of_staff() -> Iterable[Attribute]:
    """Return what staff say of members in the console."""
    tags = select(MemberTag.member_id, MemberTag.tag, MemberTag.tagged_at)
    yield Attribute("line_tags", lazy_gettext("タグ"), ValueType(str, is_list=True), tags)


def buyers() -> Subquery:
    """Return who bought, one row each: last order, orders, sales, and the scores of RFM.

    A score is the fifth of all buyers in which one is, 5 the best; equals have the same. Orders are
    those of the adapter's ``order_events`` without what was undone, as far back as they are kept.
    """
    last, orders, spent = (
        func.max(Attribution.ordered_at),
        func.count(),
        func.sum(Attribution.value),
    )
    bought = (
        select(
            Attribution.member_id.label("member_key"),
            last.label("last_order_at"),
            orders.label("orders"),
            type_coerce(spent, Integer).label("spent"),
        )
        .where(Attribution.returned_at.is_(None))
        .group_by(Attribution.member_id)
        .subquery()
    )
    scores = [
        _fifth(bought.c.last_order_at).label("recency"),
        _fifth(bought.c.orders).label("frequency"),
        _fifth(bought.c.spent).label("money"),
    ]
    return select(*bought.c, *scores).subquery("buyers")


def _fifth(value: ColumnElement[Any]) -> ColumnElement[int]:
    rank = func.percent_rank().over(order_by=value)
    return case(*((rank < part / 5, part) for part in range(1, 5)), else_=5)


def _of_orders() -> Iterable[Attribute]:
    """Return what is known of whoever bought, where the adapter says what an order is."""
    found = buyers().c
    number, moment = ValueType(int), ValueType(datetime)
    yield Attribute("line_last_order", lazy_gettext("最後の購入"), moment, found.last_order_at)
    yield Attribute("line_orders", lazy_gettext("購入の回数"), number, found.orders, absent=0)
    yield Attribute("line_spent", lazy_gettext("購入の合計"), number, found.spent, absent=0)
    fifths = range(1, 6)
    for name, label in (
        ("recency", lazy_gettext("購入の新しさ（1〜5）")),
        ("frequency", lazy_gettext("購入の多さ（1〜5）")),
        ("money", lazy_gettext("購入金額の大きさ（1〜5）")),
    ):
        yield Attribute(f"line_{name}", label, number, found[name], choices=list(fifths))
