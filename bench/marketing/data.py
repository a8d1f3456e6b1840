"""Fills the demo shop with as many members, orders and events as are asked for, in SQL.

What looks like chance is computed from each row's number, so it is the same each time but for the
times, and much the same on both databases. Indexes are made when the rows are there.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from typing import cast

from sqlalchemy import JSON
from sqlalchemy import BigInteger
from sqlalchemy import ColumnElement
from sqlalchemy import Connection
from sqlalchemy import DateTime
from sqlalchemy import Index
from sqlalchemy import Integer
from sqlalchemy import String
from sqlalchemy import Table
from sqlalchemy import case
from sqlalchemy import cast as sql_cast
from sqlalchemy import func
from sqlalchemy import insert
from sqlalchemy import literal
from sqlalchemy import select

from demo_shop.models import Order
from demo_shop.models import OrderLine
from demo_shop.models import Product
from demo_shop.models import User
from flask_lineconnect.models import Account
from flask_lineconnect.models import MemberEvent

TOWNS = ("京都府京都市", "大阪府堺市", "東京都港区", "神奈川県鎌倉市", "福岡県福岡市")
PRODUCTS = (("sencha-asatsuyu", "tea"), ("kyusu-kuro", "ware"), ("daifuku-mame", "sweets"))
RANKS = ("regular", "silver", "gold")
EVENTS = ("cart.changed", "order.placed", "points.booked")
#: Rows of one statement.
AT_ONCE = 1_000_000
DAY = 86_400
#: Knuth's multiplier, numbers that stir what it leaves, and a prime. A multiplier of its own for
#: each purpose: two columns that go by the same one would know each other.
_SPREAD, _ROUND = 2_654_435_761, 4_294_967_296
_HIGH, _LOW, _PRIME = 48_271, 40_503, 2_147_483_647

#: What is written of each row, by the names of columns; made of the row's number.
Values = Mapping[str, ColumnElement[Any]]


def fill(connection: Connection, now: datetime, *, members: int, orders: int, events: int) -> None:
    """Write the rows, and say how long each table took."""
    chance = Chance(connection.dialect.name, now)
    for model, count, values in (
        (Product, len(PRODUCTS), lambda n: _product(n)),
        (User, members, lambda n: _user(n, chance)),
        (Account, members * 4 // 5, lambda n: _account(n, chance)),
        (Order, orders, lambda n: _order(n, chance, members)),
        (OrderLine, orders, lambda n: _line(n, chance)),
        (MemberEvent, events, lambda n: _event(n, chance, members)),
    ):
        began = time.perf_counter()
        _write(connection, cast(Table, model.__table__), count, values)
        took = time.perf_counter() - began
        print(f"  {count:,} rows of {model.__tablename__}: {took:.1f} s", flush=True)


class Chance:
    """Makes of a row's number what looks like chance, in the words of one database."""

    def __init__(self, dialect: str, now: datetime):
        self._is_sqlite = dialect == "sqlite"
        self._now = now

    def below(self, number: ColumnElement[int], most: int, salt: int) -> ColumnElement[int]:
        """Return a number from 0 on, below another one."""
        spread = (number * _big(_SPREAD + 2 * 99_991 * salt)) % _big(_ROUND)
        high, low = spread // 65_536 * _HIGH, spread % 65_536 * _LOW
        return (high + low + salt) % _big(_PRIME) % most

    def member(self, number: ColumnElement[int], members: int, salt: int) -> ColumnElement[int]:
        """Return the key of a member: a few come often, most seldom."""
        often = self.below(number, members, salt) * self.below(number, 10_000, salt + 100)
        return often // 10_000 + 1

    def one_of(
        self, number: ColumnElement[int], values: tuple[str, ...], salt: int
    ) -> ColumnElement[str]:
        """Return one of some texts."""
        return case(
            dict(enumerate(values)), value=self.below(number, len(values), salt), else_=values[0]
        )

    def ago(self, number: ColumnElement[int], days: int, salt: int) -> ColumnElement[datetime]:
        """Return a time within the last so many days, as the tables keep it."""
        seconds = self.below(number, days * DAY, salt)
        if self._is_sqlite:
            at = _big(int(self._now.timestamp())) - seconds
            return func.strftime("%Y-%m-%d %H:%M:%S.000000", at, "unixepoch")
        back = func.make_interval(0, 0, 0, 0, 0, 0, seconds)
        return literal(self._now, DateTime(timezone=True)) - back

    def json(self, written: ColumnElement[str]) -> ColumnElement[Any]:
        """Return JSON that is written as a text, as the tables keep it."""
        return written if self._is_sqlite else sql_cast(written, JSON)


def _write(
    connection: Connection, table: Table, count: int, values: Callable[[Any], Values]
) -> None:
    indexes = [index for index in table.indexes if not index.unique]
    for index in indexes:
        index.drop(connection)
    for start in range(1, count + 1, AT_ONCE):
        numbers = _numbers(connection.dialect.name, start, min(start + AT_ONCE - 1, count))
        row = values(numbers)
        statement = insert(table).from_select(
            list(row), select(*(value.label(name) for name, value in row.items()))
        )
        connection.execute(statement)
        connection.commit()
    for index in indexes:
        Index.create(index, connection)
    _count_on(connection, table, count)
    connection.commit()


def _numbers(dialect: str, first: int, last: int) -> ColumnElement[int]:
    """Return the column of a table of the numbers in a range."""
    if dialect != "sqlite":
        series = func.generate_series(_big(first), _big(last)).column_valued("number")
        return sql_cast(series, BigInteger)
    numbers = select(literal(first, Integer).label("number")).cte("numbers", recursive=True)
    numbers = numbers.union_all(select(numbers.c.number + 1).where(numbers.c.number < last))
    return cast(ColumnElement[int], numbers.c.number)


def _count_on(connection: Connection, table: Table, count: int) -> None:
    """Let the database number its own rows from behind ours on."""
    if connection.dialect.name == "postgresql":
        sequence = func.pg_get_serial_sequence(f'"{table.name}"', "id")
        connection.execute(select(func.setval(sequence, max(count, 1))))


def _big(number: int) -> ColumnElement[int]:
    return literal(number, BigInteger)


def _text(number: ColumnElement[int]) -> ColumnElement[str]:
    return sql_cast(number, String)


def _padded(number: ColumnElement[int]) -> ColumnElement[str]:
    """Return 32 digits, which are hexadecimal ones, too."""
    return literal("0" * 16) + _text(number + 10**15)


def _product(number: ColumnElement[int]) -> Values:
    slugs = {place + 1: slug for place, (slug, _category) in enumerate(PRODUCTS)}
    categories = {place + 1: category for place, (_slug, category) in enumerate(PRODUCTS)}
    return {
        "id": number,
        "slug": case(slugs, value=number),
        "name": case(slugs, value=number),
        "category": case(categories, value=number),
        "price": literal(900),
        "stock": literal(9),
        "description": literal(""),
    }


def _user(number: ColumnElement[int], chance: Chance) -> Values:
    return {
        "id": number,
        "email": literal("m") + _text(number) + literal("@mail.example"),
        "name": literal("会員"),
        "card_number": _text(number + 1_000_000_000_000),
        "address": chance.one_of(number, TOWNS, 1),
        "point_balance": chance.below(number, 900, 2),
        "rank": chance.one_of(number, RANKS, 3),
        "created_at": chance.ago(number, 2_000, 4),
    }


def _account(number: ColumnElement[int], chance: Chance) -> Values:
    at = chance.ago(number, 400, 5)
    return {
        "id": number,
        "line_user_id": literal("U") + _padded(number),
        "is_friend": literal(True),
        "member_id": number,
        "linked_at": at,
        "created_at": at,
    }


def _order(number: ColumnElement[int], chance: Chance, members: int) -> Values:
    return {
        "id": number,
        "number": literal("K-") + _text(number),
        "user_id": chance.member(number, members, 6),
        "status": literal("delivered"),
        "placed_at": chance.ago(number, 900, 7),
        "total": chance.below(number, 20_000, 8) + 900,
        "name": literal(""),
        "postal_code": literal(""),
        "address": literal(""),
        "phone": literal(""),
    }


def _line(number: ColumnElement[int], chance: Chance) -> Values:
    return {
        "id": number,
        "order_id": number,
        "product_id": chance.below(number, len(PRODUCTS), 9) + 1,
        "quantity": literal(1),
        "price": literal(900),
    }


def _event(number: ColumnElement[int], chance: Chance, members: int) -> Values:
    kind = chance.below(number, len(EVENTS), 10)
    several = _text(chance.below(number, 4, 11))
    total = _text(chance.below(number, 20_000, 12) + 900)
    facts = case(
        {
            0: literal('{"count": ') + several + literal(', "products": ["daifuku-mame"]}'),
            1: literal('{"number": "K", "total": ') + total + literal(', "products": []}'),
        },
        value=kind,
        else_='{"amount": 9, "balance": 90, "is_at_counter": false}',
    )
    return {
        "id": number,
        "name": case(dict(enumerate(EVENTS)), value=kind),
        "member_id": chance.member(number, members, 13),
        "facts": chance.json(facts),
        "occurred_at": chance.ago(number, 400, 14),
        "attempts": literal(0),
    }
