"""Fills the demo shop with as many members, orders and events as are asked for."""

from __future__ import annotations

import random
from collections.abc import Callable
from collections.abc import Iterator
from datetime import datetime
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection
from sqlalchemy import Table
from sqlalchemy import insert

from demo_shop.models import Order
from demo_shop.models import OrderLine
from demo_shop.models import Product
from demo_shop.models import User
from flask_lineconnect.models import Account
from flask_lineconnect.models import MemberEvent

TOWNS = ("京都府京都市", "大阪府堺市", "東京都港区", "神奈川県鎌倉市", "福岡県福岡市")
PRODUCTS = (("sencha-asatsuyu", "tea"), ("kyusu-kuro", "ware"), ("daifuku-mame", "sweets"))
AT_ONCE = 10_000


def fill(connection: Connection, now: datetime, *, members: int, orders: int, events: int) -> None:
    """Write the rows; always the same, but for the times."""
    chance = random.Random(20)

    def ago(days: int) -> datetime:
        return now - timedelta(days=chance.random() * days)

    _write(connection, Product, len(PRODUCTS), lambda n: _product(n))
    _write(connection, User, members, lambda n: _user(n, chance, ago(2_000)))
    _write(connection, Account, members * 4 // 5, lambda n: _account(n, ago(400)))
    _write(connection, Order, orders, lambda n: _order(n, chance.randint(1, members), ago(900)))
    _write(connection, OrderLine, orders, lambda n: _line(n, chance.randint(1, len(PRODUCTS))))
    _write(connection, MemberEvent, events, lambda _n: _event(chance, members, ago(400)))


def _write(
    connection: Connection, model: Any, count: int, row: Callable[[int], dict[str, Any]]
) -> None:
    table: Table = model.__table__
    for rows in _portions(count, row):
        connection.execute(insert(table).inline(), rows)
    connection.commit()


def _portions(count: int, row: Callable[[int], dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    for start in range(1, count + 1, AT_ONCE):
        yield [row(number) for number in range(start, min(start + AT_ONCE, count + 1))]


def _product(number: int) -> dict[str, Any]:
    slug, category = PRODUCTS[number - 1]
    return {
        "id": number,
        "slug": slug,
        "name": slug,
        "category": category,
        "price": 900,
        "stock": 9,
        "description": "",
    }


def _user(number: int, chance: random.Random, at: datetime) -> dict[str, Any]:
    return {
        "id": number,
        "email": f"m{number}@mail.example",
        "name": "会員",
        "card_number": f"{number:013d}",
        "address": chance.choice(TOWNS),
        "point_balance": chance.randint(0, 900),
        "rank": chance.choice(("regular", "silver", "gold")),
        "is_staff": False,
        "is_locked": False,
        "created_at": at,
    }


def _account(number: int, at: datetime) -> dict[str, Any]:
    return {
        "id": number,
        "line_user_id": f"U{number:032x}",
        "display_name": "",
        "is_friend": True,
        "member_id": number,
        "linked_at": at,
        "session_generation": 0,
        "card_version": 0,
        "created_at": at,
    }


def _order(number: int, user_id: int, at: datetime) -> dict[str, Any]:
    return {
        "id": number,
        "number": f"K-{number}",
        "user_id": user_id,
        "status": "delivered",
        "placed_at": at,
        "total": 900 + number % 20_000,
        "points_earned": 0,
        "name": "",
        "postal_code": "",
        "address": "",
        "phone": "",
    }


def _line(number: int, product_id: int) -> dict[str, Any]:
    return {
        "id": number,
        "order_id": number,
        "product_id": product_id,
        "quantity": 1,
        "price": 900,
    }


def _event(chance: random.Random, members: int, at: datetime) -> dict[str, Any]:
    name = chance.choice(("cart.changed", "order.placed", "points.booked"))
    facts: dict[str, Any] = {"count": chance.randint(0, 3), "products": ["daifuku-mame"]}
    if name == "order.placed":
        facts = {"number": "K", "total": chance.randint(900, 20_000), "products": []}
    if name == "points.booked":
        facts = {"amount": 9, "balance": 90}
    return {
        "name": name,
        "member_id": chance.randint(1, members),
        "facts": facts,
        "occurred_at": at,
        "attempts": 0,
    }
