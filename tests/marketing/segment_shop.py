"""The small shop with attributes and segments, and members of all kinds."""

from __future__ import annotations

import random
from dataclasses import dataclass
from dataclasses import field
from datetime import UTC
from datetime import date
from datetime import datetime
from datetime import timedelta
from typing import Any

from flask import Flask
from sqlalchemy import func
from sqlalchemy import select

from flask_lineconnect import Fact
from flask_lineconnect import LineBlueprint
from flask_lineconnect import MemberQuery
from flask_lineconnect import per_member
from tests.small_shop import Purchase
from tests.small_shop import User
from tests.small_shop import db
from tests.small_shop import line as extension

NOW = datetime(2026, 11, 28, 3, 0, tzinfo=UTC)
TODAY = date(2026, 11, 28)


def make_blueprint() -> LineBlueprint:
    """Return what the shop knows of its members, and how it chooses them."""
    shop = LineBlueprint("shop", __name__)
    purchases = per_member(
        Purchase.user_id,
        count=func.count(),
        last_on=func.max(Purchase.deliver_on),
        farthest=func.max(Purchase.step),
    )
    shop.attribute("name", User.name, label="お名前")
    shop.attribute("email", User.email, label="メール")
    shop.attribute("is_locked", User.is_locked, label="停止中")
    shop.attribute("name_length", func.length(User.name), type=int, label="お名前の長さ")
    shop.attribute("purchases", purchases.c.count, label="お買い物", absent=0)
    shop.attribute("last_on", purchases.c.last_on, label="最後のお届け")
    shop.attribute(
        "farthest",
        purchases.c.farthest,
        label="いちばん進んだ",
        choices=range(3),
    )
    shop.attribute(
        "recent",
        lambda now: (
            select(func.count())
            .where(Purchase.user_id == User.id, Purchase.deliver_on >= now.date() - timedelta(30))
            .scalar_subquery()
        ),
        label="30日のお買い物",
        type=int,
    )
    shop.attribute("steps", select(Purchase.user_id, Purchase.step), label="段階")
    shop.member_event(
        "cart.changed",
        label="カート",
        facts={
            "count": Fact(int, "点数"),
            "products": Fact(list[str] | None, "商品"),
            "note": Fact(str | None, "メモ"),
            "is_gift": Fact(bool | None, "贈り物"),
            "on": Fact(date | None, "日"),
        },
    )

    @shop.segment("named", label="名前の長いお客さま")
    def named(now: datetime, length: int = 3) -> MemberQuery:
        # Twice, as a careless query would.
        found = select(User.id).join(Purchase, Purchase.user_id == User.id)
        return found.where(func.length(User.name) >= length)

    return shop


@dataclass
class Known:
    """What a test knows of one member."""

    attributes: dict[str, Any]
    steps: list[int]
    #: Days ago, and facts.
    events: list[tuple[int, dict[str, Any]]] = field(default_factory=list)


def fill(app: Flask, chance: random.Random, *, members: int = 30) -> dict[int, Known]:
    """Make members of all kinds; return what is true of each."""
    found: dict[int, Known] = {}
    for number in range(members):
        member = User(
            name="花" * chance.randint(1, 5),
            email=chance.choice([None, f"m{number}@mail.example", f"m{number}@other.example"]),
            is_locked=chance.random() < 0.3,
        )
        db.session.add(member)
        db.session.flush()
        bought = [
            Purchase(
                user_id=member.id,
                number=f"{member.id}-{place}",
                step=chance.randint(0, 2),
                deliver_on=chance.choice([None, TODAY - timedelta(chance.randint(0, 60))]),
            )
            for place in range(chance.choice([0, 0, 1, 2, 3]))
        ]
        db.session.add_all(bought)
        days = [one.deliver_on for one in bought if one.deliver_on is not None]
        known = Known(
            {
                "name": member.name,
                "email": member.email,
                "is_locked": member.is_locked,
                "name_length": len(member.name),
                "purchases": len(bought),
                "last_on": max(days, default=None),
                "farthest": max((one.step for one in bought), default=None),
                "recent": sum(day >= TODAY - timedelta(30) for day in days),
            },
            [one.step for one in bought],
        )
        for _ in range(chance.choice([0, 0, 1, 3])):
            ago, facts = chance.randint(0, 60), _facts(chance)
            at = NOW - timedelta(days=ago, seconds=-1)
            extension.emit("cart.changed", member, at=at, **facts)
            known.events.append((ago, facts))
        found[member.id] = known
    db.session.commit()
    return found


def _facts(chance: random.Random) -> dict[str, Any]:
    return {
        "count": chance.randint(0, 3),
        "products": chance.choice([None, [], ["煎茶"], ["煎茶", "どら焼き"]]),
        "note": chance.choice([None, "急ぎ", "のし"]),
        "is_gift": chance.choice([None, True, False]),
        "on": chance.choice([None, TODAY, TODAY - timedelta(5)]),
    }
