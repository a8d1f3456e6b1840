"""A believable shop: products, members, a year of orders, and points that add up."""

from __future__ import annotations

import random
from datetime import date
from datetime import datetime
from datetime import timedelta
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.security import generate_password_hash

from .catalogue import CATALOGUE
from .catalogue import CYCLES
from .catalogue import TRIALS
from .clock import day_of
from .members import new_card_number
from .models import Coupon
from .models import Favourite
from .models import Order
from .models import OrderLine
from .models import PointEntry
from .models import Product
from .models import User
from .models import utcnow
from .points import YEAR
from .points import points_for

#: E-mail address and password, for whoever tries the demo.
STAFF = ("staff@komorebi.example", "komorebi-staff")
HANAKO = ("hanako@komorebi.example", "hanako-2019")
#: Points of the member of long standing.
HANAKO_POINTS = 1_240
#: Places of hers among the latest orders: one is on its way, one can still be changed.
HANAKO_LATELY = (1, 3)

MEMBERS, ORDERS = 40, 120
# fmt: off
FAMILY = (
    "佐々木", "山本", "中村", "小林", "加藤", "吉田", "渡辺", "松本", "井上", "木村", "林",
    "清水", "斎藤", "森", "池田",
)
GIVEN = (
    "結衣", "陽菜", "葵", "凛", "美咲", "彩", "健", "大輔", "翔太", "悠斗", "直樹", "誠",
    "真由美", "久美子", "恵子", "和夫",
)
# fmt: on
TOWNS = (
    ("6048005", "京都府京都市中京区恵比須町 {}"),
    ("9200902", "石川県金沢市尾張町 {}"),
    ("1500001", "東京都渋谷区神宮前 {}"),
    ("4600008", "愛知県名古屋市中区栄 {}"),
    ("8100001", "福岡県福岡市中央区天神 {}"),
)


def _(text: str) -> str:
    """Mark a text for translation; the database keeps the Japanese one."""
    return text


#: Code, title, conditions, and days from today to the last one.
COUPONS = (
    ("KMRB-TEA300", _("お茶 300円引き"), _("店頭で1,500円以上お買い上げの方に。"), 12),
    ("KMRB-MAME1", _("豆大福 1個プレゼント"), _("お会計のときにお見せください。"), 40),
)
#: Those of an occasion, which ``coupons.py`` knows: code, title, conditions, the occasion.
OCCASIONS = (
    (
        "KMRB-BIRTHDAY",
        _("お誕生日 500円引き"),
        _("お誕生日の前後15日に、店頭で。"),
        "birthday",
    ),
    (
        "KMRB-WELCOME",
        _("次のお買い物 200円引き"),
        _("店頭で1,000円以上お買い上げの方に。"),
        "absence",
    ),
)


def is_empty(session: Session) -> bool:
    """Tell whether the shop has no products yet."""
    return session.scalars(select(Product.id).limit(1)).first() is None


def fill(session: Session, pictures_folder: Path) -> None:
    """Fill an empty shop; always the same, but for the dates, which end today. Commits."""
    chance = random.Random(2026)
    products = _products(pictures_folder)
    staff, hanako = _known_people()
    members = [hanako, *(_member(chance, number) for number in range(MEMBERS - 1))]
    session.add_all([*products, *coupons(), staff, *members])
    session.flush()
    session.add_all(Favourite(user_id=hanako.id, product_id=one.id) for one in products[:3])
    usual = [product for product in products if not product.is_trial]
    for number in range(ORDERS):
        is_hanakos = number % 15 == 0 or ORDERS - number in HANAKO_LATELY
        buyer = hanako if is_hanakos else chance.choice(members)
        session.add(_order(chance, number, buyer, usual))
    session.flush()
    _book_all(session, hanako)
    session.commit()


def _products(folder: Path) -> list[Product]:
    # Drawing needs Pillow, and only an empty shop is filled.
    from . import pictures

    for item in CATALOGUE:
        path = folder / f"{item.slug}.png"
        pictures.draw(path, item.shape, item.ground, item.main, item.accent)
    return [
        Product(
            slug=item.slug,
            name=item.name,
            category=item.category,
            price=item.price,
            description=item.description,
            stock=30,
            is_trial=item.slug in TRIALS,
            cycle_days=CYCLES.get(item.slug),
        )
        for item in CATALOGUE
    ]


def coupons() -> list[Coupon]:
    """Return what the counter takes off: for all, and for occasions."""
    today = utcnow().date()
    of_all = [
        Coupon(code=code, title=title, text=text, ends_on=today + timedelta(days=days))
        for code, title, text, days in COUPONS
    ]
    far = today + timedelta(days=3_650)
    return of_all + [
        Coupon(code=code, title=title, text=text, ends_on=far, occasion=occasion)
        for code, title, text, occasion in OCCASIONS
    ]


def _known_people() -> tuple[User, User]:
    year = timedelta(days=365)
    staff = User(
        email=STAFF[0],
        password_hash=generate_password_hash(STAFF[1]),
        name="店主 小森",
        card_number=new_card_number(twelve="290000000001"),
        is_staff=True,
        created_at=utcnow() - 9 * year,
    )
    hanako = User(
        email=HANAKO[0],
        password_hash=generate_password_hash(HANAKO[1]),
        name="山田 花子",
        phone="0750000000",
        postal_code="6048005",
        address="京都府京都市中京区恵比須町 12-3",
        card_number=new_card_number(twelve="290000000002"),
        rank="gold",
        born_on=date(1978, 5, 12),
        created_at=utcnow() - 7 * year,
    )
    return staff, hanako


def _member(chance: random.Random, number: int) -> User:
    postal_code, address = chance.choice(TOWNS)
    return User(
        email=f"member{number:02d}@komorebi.example",
        name=f"{chance.choice(FAMILY)} {chance.choice(GIVEN)}",
        phone=f"0900000{number:04d}",
        postal_code=postal_code,
        address=address.format(f"{chance.randint(1, 30)}-{chance.randint(1, 20)}"),
        card_number=new_card_number(twelve=f"29{chance.randrange(10**10):010d}"),
        rank=chance.choices(["regular", "silver", "gold"], [6, 3, 1])[0],
        created_at=utcnow() - timedelta(days=chance.randint(400, 2_000)),
    )


def _order(chance: random.Random, number: int, buyer: User, products: list[Product]) -> Order:
    age = timedelta(days=365 * (ORDERS - 1 - number) / ORDERS, hours=chance.randint(1, 8))
    placed_at = utcnow() - age
    chosen = chance.sample(products, chance.randint(1, 4))
    lines = [
        OrderLine(product=product, quantity=chance.randint(1, 2), price=product.price)
        for product in chosen
    ]
    total = sum(line.subtotal for line in lines)
    status = status_after(age)
    return Order(
        number=f"K-{placed_at:%y%m}-{number:06d}",
        user=buyer,
        status=status,
        placed_at=placed_at,
        total=total,
        points_earned=points_for(total),
        lines=lines,
        name=buyer.name,
        postal_code=buyer.postal_code or "",
        address=buyer.address or "",
        phone=buyer.phone or "",
        delivery_on=(placed_at + timedelta(days=4)).date(),
        tracking_number=f"4{number:011d}" if status in {"shipped", "delivered"} else None,
    )


def status_after(age: timedelta) -> str:
    """Return how far an order of some age is on its way."""
    for days, status in ((2, "received"), (5, "preparing"), (9, "shipped")):
        if age < timedelta(days=days):
            return status
    return "delivered"


def _book_all(session: Session, hanako: User) -> None:
    """Book every order's points, and what the member of long standing brought along."""
    balances: dict[int, int] = {}
    latest: dict[int, datetime] = {}
    for order in session.scalars(select(Order)):
        reason, key = f"ご注文 {order.number}", f"order:{order.number}"
        session.add(_entry(order.user_id, order.points_earned, reason, key, order.placed_at))
        balances[order.user_id] = balances.get(order.user_id, 0) + order.points_earned
        latest[order.user_id] = max(order.placed_at, latest.get(order.user_id, order.placed_at))
    carried = HANAKO_POINTS - balances.get(hanako.id, 0)
    before = utcnow() - timedelta(days=370)
    session.add(_entry(hanako.id, carried, "以前のカードからの引き継ぎ", "carried:hanako", before))
    balances[hanako.id] = HANAKO_POINTS
    for member_id, balance in balances.items():
        member = session.get_one(User, member_id)
        member.point_balance = balance
        member.points_expire_on = day_of(latest[member_id] + YEAR)


def _entry(user_id: int, amount: int, reason: str, key: str, at: datetime) -> PointEntry:
    return PointEntry(user_id=user_id, amount=amount, reason=reason, key=key, at=at)
