"""What members bought, by themselves and after messages; points and ranks that follow from it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from datetime import timedelta
from typing import Any
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from ..clock import day_of
from ..models import Product
from ..points import RANKS
from ..points import YEAR
from ..points import points_for
from ..seed import status_after
from .told import EVENTS
from .told import SEASONS
from .told import Person
from .told import Placed
from .told import Purchase
from .told import Told

#: How often each kind of product is bought, and more so in December, when gifts are.
LIKED = {"tea": 10, "sweets": 8, "ware": 1, "gift": 2}
GIFTS_IN_DECEMBER = 6
#: Of a thousand orders so many are cancelled.
CANCELLED = 12


class Sold(NamedTuple):
    """A product as it is sold."""

    id: int
    slug: str
    category: str
    price: int


def book(told: Told, session: Session) -> None:
    """Let members buy; write orders, points and what the shop tells of them, in their order."""
    products = [
        Sold(one.id, one.slug, one.category, one.price)
        for one in session.scalars(select(Product).order_by(Product.id))
    ]
    _by_themselves(told)
    earned = defaultdict[int, list[tuple[datetime, int]]](list)
    told.purchases.sort(key=lambda one: (one.at, one.person.id))
    for number, purchase in enumerate(told.purchases, start=1_000):
        points = _order(told, purchase, number, products)
        if points:
            earned[purchase.person.id].append((purchase.at, points))
    _stand(told, earned)


def _by_themselves(told: Told) -> None:
    """Let each member buy as eagerly as they do, more in the months when everybody does."""
    busiest = max(SEASONS)
    for person in told.people:
        first = max(person.joined_at, told.began_at)
        years = (told.now - first) / timedelta(days=365)
        tries = person.eagerness * years * busiest
        for _try in range(int(tries + told.chance.random())):
            at = told.moment(first, told.now - timedelta(minutes=5))
            if told.chance.random() < SEASONS[at.month - 1] / busiest:
                told.purchases.append(Purchase(at, person))


def _order(told: Told, purchase: Purchase, number: int, products: Sequence[Sold]) -> int:
    """Write one order; return the points that it brought."""
    person, at = purchase.person, purchase.at
    key = told.rows.new_id("order")
    name = f"K-{at:%y%m}-{number:06d}"
    lines = _lines(told, at, products)
    total = sum(one.price * quantity for one, quantity in lines)
    is_cancelled = told.chance.randrange(1_000) < CANCELLED
    points = 0 if is_cancelled else points_for(total)
    status = "cancelled" if is_cancelled else status_after(told.now - at)
    told.rows.add(
        "order",
        id=key,
        number=name,
        user_id=person.id,
        status=status,
        placed_at=at,
        total=total,
        points_earned=points,
        name=person.name,
        postal_code=person.postal_code,
        address=person.address,
        phone=person.phone,
        delivery_on=day_of(at + timedelta(days=4)),
        tracking_number=f"5{number:011d}" if status in {"shipped", "delivered"} else None,
        payment="cod",
    )
    for one, quantity in lines:
        told.rows.add(
            "order_line", order_id=key, product_id=one.id, quantity=quantity, price=one.price
        )
    if points:
        _book_points(told, person, name, points, at)
    told.orders.append(Placed(key, name, at, person))
    _tell(told, person, at, key, name, total, lines, is_cancelled=is_cancelled)
    _count(told, purchase, total, is_cancelled=is_cancelled)
    return points


def _lines(told: Told, at: datetime, products: Sequence[Sold]) -> list[tuple[Sold, int]]:
    gifts = GIFTS_IN_DECEMBER if at.month in (7, 12) else 1
    weights = [LIKED[one.category] * (gifts if one.category == "gift" else 1) for one in products]
    chosen = told.chance.choices(products, weights, k=told.chance.choice((1, 1, 2, 2, 3, 4)))
    return [(one, told.chance.choice((1, 1, 1, 2))) for one in dict.fromkeys(chosen)]


def _book_points(told: Told, person: Person, number: str, points: int, at: datetime) -> None:
    told.rows.add(
        "point_entry",
        user_id=person.id,
        amount=points,
        reason=f"ご注文 {number}",
        key=f"order:{number}",
        at=at,
    )


def _tell(
    told: Told,
    person: Person,
    at: datetime,
    key: int,
    number: str,
    total: int,
    lines: list[tuple[Sold, int]],
    *,
    is_cancelled: bool,
) -> None:
    subject = f"order:{key}"
    told.event(
        "order.placed",
        person,
        at,
        subject=subject,
        number=number,
        total=total,
        products=[one.slug for one, _quantity in lines],
        categories=sorted({one.category for one, _quantity in lines}),
        payment="cod",
        earned=points_for(total),
    )
    if is_cancelled:
        told.event(
            "order.cancelled", person, at + timedelta(minutes=40), subject=subject, number=number
        )


def _count(told: Told, purchase: Purchase, total: int, *, is_cancelled: bool) -> None:
    """Count what is kept no longer; of the rest the extension finds the messages itself."""
    if purchase.owner is None or is_cancelled or told.now - purchase.at < EVENTS:
        return
    owner: dict[str, Any] = dict(purchase.owner)
    kind = owner.pop("kind")
    told.counts.add(f"orders_{kind}", purchase.at, is_kept=False, **owner)
    told.counts.add(f"sales_{kind}", purchase.at, total, is_kept=False, **owner)


def _stand(told: Told, earned: dict[int, list[tuple[datetime, int]]]) -> None:
    """Give each member the points and the rank that their bookings make."""
    for row in told.rows.of("user"):
        bookings = earned.get(row["id"], [])
        # Points that nobody moved for a year are lost; what was spent is a booking, too.
        balance = sum(points for _at, points in bookings)
        lately = sum(points for at, points in bookings if told.now - at < YEAR)
        ranks = [name for name, needed in RANKS.items() if lately >= needed]
        row["rank"] = ranks[-1] if ranks else "regular"
        row["points_expire_on"] = None
        if not bookings:
            continue
        last = bookings[-1][0]
        if last + YEAR < told.now:
            _take(told, row["id"], -balance, "ポイントの有効期限", "expired", last + YEAR)
            balance = 0
        elif balance > 300 and told.chance.random() < 0.5:
            spent = balance // 2
            at = last + (told.now - last) * told.chance.random()
            _take(told, row["id"], -spent, "ポイントでのお支払い", "spent", at)
            balance -= spent
        row["point_balance"] = balance
        row["points_expire_on"] = day_of(last + YEAR)


def _take(told: Told, member: int, amount: int, reason: str, key: str, at: datetime) -> None:
    told.rows.add(
        "point_entry",
        user_id=member,
        amount=amount,
        reason=reason,
        key=f"{key}:{member}",
        at=at,
    )
