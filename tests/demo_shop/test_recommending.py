"""What goes with what, beside the same in plain Python, on both databases."""

from __future__ import annotations

import random
import uuid
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import event
from sqlalchemy import select

from demo_shop import create_app
from demo_shop.clock import utcnow
from demo_shop.extensions import db
from demo_shop.models import Order
from demo_shop.models import OrderLine
from demo_shop.models import Product
from demo_shop.models import User
from demo_shop.recommending import FEW_LEFT
from demo_shop.recommending import LATELY
from demo_shop.recommending import LEAST_BUYERS
from demo_shop.recommending import LEAST_GAPS
from demo_shop.recommending import LEAST_LIFT
from demo_shop.recommending import bought_together
from demo_shop.recommending import usual_interval
from tests.conftest import DATABASES
from tests.postgres import create_database
from tests.small_shop import SETTINGS


@pytest.fixture(scope="module", params=DATABASES)
def shop(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Flask]:
    """Return a shop whose customers have habits."""
    folder = tmp_path_factory.mktemp("shop")
    uri = f"sqlite:///{folder / 'shop.db'}"
    if request.param == "postgresql":
        uri = create_database(request.getfixturevalue("postgres_server"), uuid.uuid4().hex)
    app = create_app({**SETTINGS, "SQLALCHEMY_DATABASE_URI": uri, "PICTURES_FOLDER": str(folder)})
    with app.app_context():
        db.metadata.create_all(db.engine)
        now = utcnow()
        app.config["SHOP_CLOCK"] = lambda: now
        _fill(random.Random(8))
        yield app
        db.session.remove()
        db.engine.dispose()


def _fill(chance: random.Random) -> None:
    products = [
        Product(
            slug=f"p{number}", name=f"p{number}", category="tea", price=100, description="",
            stock=chance.choice([0, 2, 9, 9, 9]),
        )
        for number in range(12)
    ]  # fmt: skip
    members = [
        User(email=f"{number}@m.example", name="", card_number=f"{number:013d}")
        for number in range(60)
    ]
    db.session.add_all([*products, *members])
    db.session.flush()
    for number in range(200):
        buyer = chance.choice(members)
        habit = products[buyer.id % 3 * 4 : buyer.id % 3 * 4 + 4]
        chosen = chance.sample(habit, 2) + chance.sample(products, chance.choice([0, 1]))
        order = Order(
            number=str(number), user_id=buyer.id, total=1, name="", postal_code="", address="",
            phone="", placed_at=utcnow() - timedelta(days=chance.choice([3, 40, 90, 400, 800])),
            status=chance.choice(["delivered"] * 9 + ["cancelled"]),
            lines=[OrderLine(product=one, quantity=1, price=1) for one in {*chosen}],
        )  # fmt: skip
        db.session.add(order)
    db.session.commit()


def _in_python(members: set[int]) -> dict[int, list[str]]:
    now = utcnow()
    bought: dict[tuple[int, int], float] = {}
    for order in db.session.scalars(select(Order).where(Order.status != "cancelled")):
        age = (now - order.placed_at).total_seconds()
        if age < timedelta(days=730).total_seconds():
            for line in order.lines:
                key = order.user_id, line.product_id
                bought[key] = min(age, bought.get(key, age))
    owners = Counter(product for _member, product in bought)
    everyone = len({member for member, _product in bought})
    pairs = Counter(
        (a, b) for member, a in bought for other, b in bought if member == other and a != b
    )
    there = {one.id: one for one in db.session.scalars(select(Product)) if one.stock > FEW_LEFT}
    found = {}
    for member in members:
        lift: dict[int, float] = {}
        mine = {product: age for (one, product), age in bought.items() if one == member}
        for (a, b), both in pairs.items():
            strength = both * everyone / (owners[a] * owners[b])
            is_recent = a in mine and mine[a] < LATELY.total_seconds()
            if is_recent and b not in mine and both >= LEAST_BUYERS and strength >= LEAST_LIFT:
                lift[b] = max(strength, lift.get(b, 0))
        best = sorted((one for one in lift if one in there), key=lambda one: (-lift[one], one))
        found[member] = [there[one].slug for one in best[:3]]
    return {member: slugs for member, slugs in found.items() if slugs}


def test_what_goes_with_what_is_one_statement(shop: Flask) -> None:
    members = set(db.session.scalars(select(User.id)))
    expected = _in_python(members)
    asked: list[str] = []
    event.listen(db.engine, "before_cursor_execute", lambda *args: asked.append(args[2]))
    found = bought_together(db.session(), members)
    # The second one fetches the products to show.
    assert len(asked) == 2
    slugs = {member: [one.slug for one in products] for member, products in found.items()}
    assert {member: names for member, names in slugs.items() if names} == expected
    assert len(expected) > 5


def test_the_usual_interval_is_the_customers_own_or_the_owners(shop: Flask) -> None:
    tea = Product(
        slug="t", name="t", category="tea", price=1, stock=1, description="", cycle_days=30
    )
    ware = Product(slug="w", name="w", category="ware", price=1, stock=1, description="")
    db.session.add_all([tea, ware])
    db.session.flush()
    assert usual_interval(db.session(), ware) is None
    assert usual_interval(db.session(), tea) == timedelta(days=30)
    buyers = db.session.scalars(select(User.id).limit(LEAST_GAPS)).all()
    for number, buyer in enumerate(buyers):
        for ago in (100, 80 if number % 2 else 79):
            order = Order(
                number=f"i{number}-{ago}", user_id=buyer, total=1, name="", postal_code="",
                address="", phone="", placed_at=utcnow() - timedelta(days=ago),
                lines=[OrderLine(product=tea, quantity=1, price=1)],
            )  # fmt: skip
            db.session.add(order)
    db.session.flush()
    assert usual_interval(db.session(), tea) == timedelta(days=20, hours=12)
    db.session.rollback()
