"""The demo's segments choose whom SQL written by hand chooses, on both databases."""

from __future__ import annotations

import random
import re
import uuid
from collections.abc import Iterator
from datetime import datetime
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from sqlalchemy import bindparam
from sqlalchemy import select
from sqlalchemy import text

from demo_shop import create_app
from demo_shop.extensions import db
from demo_shop.line.extension import line as extension
from demo_shop.models import Booking
from demo_shop.models import Coupon
from demo_shop.models import CouponUse
from demo_shop.models import Favourite
from demo_shop.models import Inquiry
from demo_shop.models import Order
from demo_shop.models import OrderLine
from demo_shop.models import PointEntry
from demo_shop.models import Product
from demo_shop.models import User
from demo_shop.models import UtcDateTime
from flask_lineconnect.linking import accounts
from flask_lineconnect.marketing import member_events
from flask_lineconnect.marketing.event_kinds import FOLLOWED
from flask_lineconnect.marketing.segments import audience
from flask_lineconnect.models import OutboxMessage
from flask_lineconnect.state import LineState
from tests.conftest import DATABASES
from tests.postgres import create_database
from tests.small_shop import SETTINGS

MEMBERS = 60
ZONE = ZoneInfo("Asia/Tokyo")
#: Of an order that is delivered nowhere.
ADDRESS = {"name": "", "postal_code": "", "address": "", "phone": ""}

#: One row for each member who ordered.
S = (
    '(SELECT user_id, count(*) n, sum(total) total, max(placed_at) last_at FROM "order" '
    "GROUP BY user_id) s"
)
FRAME = f'SELECT m.id FROM "user" m LEFT JOIN {S} ON s.user_id = m.id WHERE '
BOUGHT = (
    'EXISTS (SELECT 1 FROM "order" o JOIN order_line l ON l.order_id = o.id JOIN product p '
    "ON p.id = l.product_id WHERE o.user_id = m.id AND {})"
)
LINK = "EXISTS (SELECT 1 FROM lineconnect_account a WHERE a.member_id = m.id AND {})"
EVENT = "EXISTS (SELECT 1 FROM lineconnect_member_event e WHERE e.member_id = m.id AND {})"
#: Advertising that LINE accepted: the shop sends each message to one person.
SENT = (
    "(SELECT a.member_id, o.id FROM lineconnect_outbox_message o JOIN lineconnect_account a "
    "ON a.id = o.account_id WHERE o.state = 'accepted' AND o.category IN "
    "('restock', 'cart', 'news', 'birthday') AND o.{})"
)

#: Conditions; ``:d30`` is thirty days ago.
BY_HAND = {
    "bought_once": "s.n = 1 AND s.last_at BETWEEN :d90 AND :d30",
    "bought_twice": "s.n = 2",
    "regulars": '(SELECT count(*) FROM "order" o WHERE o.user_id = m.id '
    "AND o.placed_at >= :d365) >= 3",
    "best_fifth": "m.id IN (SELECT user_id FROM (SELECT user_id, ntile(5) OVER (ORDER BY "
    'sum(total) DESC, user_id) q FROM "order" WHERE placed_at >= :d365 GROUP BY user_id) t '
    "WHERE q = 1)",
    "not_seen_lately": "s.last_at BETWEEN :d180 AND :d90",
    "sleeping_regulars": "s.n >= 3 AND s.last_at < :d180",
    "linked_never_bought": "s.n IS NULL AND " + LINK.format("a.linked_at < :d14"),
    "tea_again": BOUGHT.format("p.category = 'tea'") + " AND s.last_at < :d60",
    "sencha_without_pot": BOUGHT.format("p.slug = 'sencha-asatsuyu'")
    + " AND NOT "
    + BOUGHT.format("p.slug IN ('kyusu-tokoname', 'kyusu-kuro')"),
    "cart_left": EVENT.format(
        "e.name = 'cart.changed' AND e.occurred_at >= :d2 "
        "AND CAST(e.facts ->> 'count' AS INTEGER) >= 1"
    )
    + " AND NOT "
    + EVENT.format("e.name = 'order.placed' AND e.occurred_at >= :d2"),
    "used_up_soon": EVENT.format(
        "e.name = 'product.delivered' AND CAST(e.facts ->> 'use_up_on' AS TEXT) "
        "BETWEEN :today AND :in_3"
    ),
    "viewed_not_bought": EVENT.format(
        "e.name = 'product.viewed' AND e.occurred_at >= :d7 GROUP BY e.subject HAVING count(*) >= 2"
    )
    + " AND NOT "
    + EVENT.format("e.name = 'order.placed' AND e.occurred_at >= :d7"),
    "birthday_this_month": "CAST(m.born_on AS TEXT) LIKE :month",
    "trial_only": BOUGHT.format("p.is_trial") + " AND NOT " + BOUGHT.format("NOT p.is_trial"),
    "booked_tomorrow": "EXISTS (SELECT 1 FROM booking b WHERE b.user_id = m.id "
    "AND b.status = 'booked' AND b.starts_at >= :t1 AND b.starts_at < :t2)",
    "favourite_in_stock": "EXISTS (SELECT 1 FROM favourite f JOIN product p ON p.id = f.product_id "
    "WHERE f.user_id = m.id AND p.stock > 0)",
    "points_expiring": "m.point_balance >= 100 AND (SELECT max(at) FROM point_entry e "
    "WHERE e.user_id = m.id) BETWEEN :d365 AND :d335",
    "points_never_used": "m.point_balance > 0 AND NOT EXISTS (SELECT 1 FROM point_entry e "
    "WHERE e.user_id = m.id AND e.amount < 0)",
    "near_next_rank": "CASE m.rank WHEN 'regular' THEN 300 WHEN 'silver' THEN 1000 END "
    "- (SELECT coalesce(sum(amount), 0) FROM point_entry e WHERE e.user_id = m.id "
    "AND e.amount > 0 AND e.at > :d365) BETWEEN 1 AND 30",
    "from_shelf_3": LINK.format("a.link_source = 'shelf-3'"),
    "linked_this_week": LINK.format("a.linked_at >= :d7"),
    "back_from_blocking": EVENT.format(
        "e.name = 'line.followed' AND e.occurred_at >= :d30 "
        "AND CAST(e.facts ->> 'is_unblocked' AS TEXT) IN ('true', '1')"
    ),
    "no_advertising_lately": f"NOT EXISTS (SELECT 1 FROM {SENT.format('accepted_at >= :d7')} s "
    "WHERE s.member_id = m.id)",
    "eight_ads_no_order": f"(SELECT count(*) FROM {SENT.format('accepted_at >= :d90')} s "
    "WHERE s.member_id = m.id) >= 8 AND NOT "
    + EVENT.format("e.name = 'order.placed' AND e.occurred_at >= :d90"),
    "kinki": "m.address LIKE '京都府%' OR m.address LIKE '大阪府%'",
    "big_baskets": "s.total >= 10000 * s.n",
    "without_coupons": "s.n >= 2 AND NOT EXISTS (SELECT 1 FROM coupon_use c "
    "WHERE c.user_id = m.id)",
    "being_answered": "EXISTS (SELECT 1 FROM inquiry i WHERE i.user_id = m.id "
    "AND NOT i.is_answered)",
    "open_to_offers": "NOT m.is_staff AND (s.last_at IS NULL OR s.last_at < :d3) AND NOT EXISTS "
    "(SELECT 1 FROM inquiry i WHERE i.user_id = m.id AND NOT i.is_answered)",
    "has_100_points": "m.point_balance >= 100",
    "birthday_known": "m.born_on IS NOT NULL AND (m.born_on_changed_at IS NULL "
    "OR m.born_on_changed_at < :d30)",
    "customers_for_a_year": '(SELECT min(placed_at) FROM "order" o WHERE o.user_id = m.id) '
    "< :d300 AND s.last_at < :d14",
    "fell_asleep": "s.last_at < :d90",
    "lapsed": "s.last_at IS NULL OR s.last_at < :d60",
}


@pytest.fixture(scope="module", params=DATABASES)
def shop(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Flask]:
    """Return the demo shop with members of all kinds."""
    folder = tmp_path_factory.mktemp("shop")
    uri = f"sqlite:///{folder / 'shop.db'}"
    if request.param == "postgresql":
        uri = create_database(request.getfixturevalue("postgres_server"), uuid.uuid4().hex)
    settings = {**SETTINGS, "SQLALCHEMY_DATABASE_URI": uri, "PICTURES_FOLDER": str(folder)}
    app = create_app(settings)
    with app.app_context():
        db.metadata.create_all(db.engine)
        now = app.extensions["lineconnect"].clock()
        app.extensions["lineconnect"].clock = lambda: now
        _fill(app.extensions["lineconnect"], random.Random(30), now)
        yield app
        db.session.remove()
        db.engine.dispose()


def _fill(line: LineState, chance: random.Random, now: datetime) -> None:
    products = [
        Product(slug=slug, name=slug, category=category, price=900, stock=stock, description="")
        for slug, category, stock in (
            ("sencha-asatsuyu", "tea", 3),
            ("kyusu-kuro", "ware", 0),
            ("daifuku-mame", "sweets", 5),
        )
    ]
    trial = Product(
        slug="trial", name="trial", category="tea", price=900, description="", is_trial=True
    )
    coupon = Coupon(code="C", title="", text="", ends_on=now.date())
    db.session.add_all([*products, trial, coupon])
    for number in range(MEMBERS):
        _fill_member(line, chance, now, number, products, coupon)
    db.session.flush()
    for number, member in enumerate(db.session.scalars(select(User).order_by(User.id)).all()):
        _fill_more(member, chance, now, number, trial)
    db.session.commit()


def _fill_member(
    line: LineState,
    chance: random.Random,
    now: datetime,
    number: int,
    products: list[Product],
    coupon: Coupon,
) -> None:
    def ago(*days: float) -> datetime:
        return now - timedelta(days=chance.choice(days) + chance.uniform(0.01, 0.9))

    member = User(
        email=f"m{number}@mail.example",
        name="会員",
        card_number=f"{number:013d}",
        address=chance.choice([None, "京都府京都市", "神奈川県鎌倉市", "大阪府堺市", "東京都港区"]),
        point_balance=chance.choice([0, 50, 100, 290]),
        rank=chance.choice(["regular", "silver", "gold"]),
        created_at=ago(10, 400),
        is_staff=chance.random() < 0.1,
        born_on=chance.choice([None, now.date()]),
        born_on_changed_at=chance.choice([None, ago(10, 40)]),
    )
    db.session.add(member)
    db.session.flush()
    since = chance.choice([0, 0, 185])
    for place in range(chance.choice([0, 0, 1, 1, 2, 3, 5])):
        order = Order(
            number=f"{number}-{place}",
            user_id=member.id,
            total=chance.choice([900, 9_000, 10_000, 25_000]),
            placed_at=ago(0, 1, 20, 45, 70, 120, 200) - timedelta(days=since),
            name="",
            postal_code="",
            address="",
            phone="",
            lines=[
                OrderLine(product=product, quantity=1, price=product.price)
                for product in chance.sample(products, chance.randint(1, 2))
            ],
        )
        db.session.add(order)
        if chance.random() < 0.5:
            facts = {"number": order.number, "total": 1, "products": [], "categories": []}
            extension.emit("order.placed", member, at=order.placed_at, **facts)
    for place in range(chance.choice([0, 1, 2])):
        amount = chance.choice([-20, 30, 280, 290])
        entry = PointEntry(user_id=member.id, amount=amount, reason="", key=f"{number}-{place}")
        entry.at = ago(5, 340, 350, 390)
        db.session.add(entry)
    for product in chance.sample(products, chance.choice([0, 1])):
        db.session.add(Favourite(user_id=member.id, product_id=product.id))
    if chance.random() < 0.2:
        db.session.add(CouponUse(user_id=member.id, coupon_id=coupon.id))
    if chance.random() < 0.4:
        is_answered = chance.random() < 0.5
        db.session.add(Inquiry(user_id=member.id, name="", text="", is_answered=is_answered))
    if chance.random() < 0.5:
        extension.emit(
            "cart.changed", member, at=ago(0, 1, 3), count=chance.choice([0, 1]), products=[]
        )
    if chance.random() < 0.7:
        account = accounts.ensure_account(line.session, f"U{number:032x}", now=now)
        _send(account.id, chance, now)
        source = chance.choice([None, "shelf-3", "chat"])
        accounts.link(line, account, member.id, source=source, now=ago(1, 5, 10, 20))
        member_events.record(
            line,
            FOLLOWED,
            member_id=member.id,
            account=account,
            at=ago(3, 28, 40),
            facts={"is_unblocked": chance.random() < 0.5},
        )


def _fill_more(
    member: User, chance: random.Random, now: datetime, number: int, trial: Product
) -> None:
    """Add what is about single products and days."""
    today = now.astimezone(ZONE).date()
    member.born_on = chance.choice([None, today, today - timedelta(days=40)])
    if chance.random() < 0.3:
        order = Order(
            number=f"{number}-trial", user_id=member.id, total=900, placed_at=now, **ADDRESS
        )
        order.lines = [OrderLine(product=trial, quantity=1, price=900)]
        db.session.add(order)
    for _ in range(chance.choice([0, 2, 3])):
        at = now - timedelta(days=chance.choice([1, 3, 9]))
        subject = chance.choice(["product:1", "product:2"])
        extension.emit("product.viewed", member, subject=subject, at=at, product="daifuku-mame")
    if chance.random() < 0.5:
        use_up_on = chance.choice([None, *(today + timedelta(days=n) for n in (-1, 1, 2, 9))])
        extension.emit("product.delivered", member, product="sencha-asatsuyu", use_up_on=use_up_on)
    for hours in chance.sample(range(72), 2):
        starts_at = now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=hours)
        status = chance.choice(["booked", "booked", "cancelled"])
        db.session.add(Booking(user_id=member.id, menu="tea", starts_at=starts_at, status=status))


def _send(account_id: int, chance: random.Random, now: datetime) -> None:
    for _ in range(chance.choice([0, 0, 1, 9, 12])):
        at = now - timedelta(days=chance.choice([2, 4, 20, 60, 100]))
        state = chance.choice(["accepted", "accepted", "accepted", "refused"])
        category = chance.choice(["news", "news", "news", "cart", "order"])
        db.session.add(
            OutboxMessage(
                account_id=account_id,
                messages="[]",
                category=category,
                priority=int(category != "order"),
                state=state,
                created_at=at,
                accepted_at=at if state == "accepted" else None,
            )
        )


def days_of(now: datetime) -> dict[str, Any]:
    """Return the days that conditions name, as texts, and when tomorrow begins and ends."""
    local = now.astimezone(ZONE)
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    # The zone has no summer time.
    t1 = midnight + timedelta(days=1)
    return {
        "today": f"{local:%Y-%m-%d}",
        "in_3": f"{local + timedelta(days=3):%Y-%m-%d}",
        "month": f"%-{local:%m}-%",
        "t1": t1,
        "t2": t1 + timedelta(days=1),
    }


def test_every_segment_chooses_whom_sql_by_hand_chooses(shop: Flask) -> None:
    line: LineState = shop.extensions["lineconnect"]
    now = line.clock()
    assert {one.name for one in audience.list_segments(line)} == set(BY_HAND)
    assert [one.problem for one in audience.list_segments(line) if one.problem] == []
    for name, condition in BY_HAND.items():
        limits: dict[str, Any] = {}
        for days in re.findall(r":d(\d+)", condition):
            limits[f"d{days}"] = now - timedelta(days=int(days))
        days_named = {key: one for key, one in days_of(now).items() if f":{key}" in condition}
        statement = text(FRAME + condition).bindparams(
            *(bindparam(key, value, type_=UtcDateTime()) for key, value in limits.items()),
            *(
                bindparam(key, value, type_=UtcDateTime() if key in ("t1", "t2") else None)
                for key, value in days_named.items()
            ),
        )
        by_hand = sorted(db.session.scalars(statement))
        assert sorted(db.session.scalars(audience.members_in(line, name))) == by_hand, name
        assert 0 < len(by_hand) < MEMBERS, name
