"""What to show whom: lists of products, each one statement for many members.

They are asked when a message is sent, so what is sold out or bought by then is in none.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from collections.abc import Mapping
from collections.abc import Sequence
from datetime import datetime
from datetime import timedelta
from statistics import median
from typing import Any

from sqlalchemy import ColumnElement
from sqlalchemy import Executable
from sqlalchemy import Float
from sqlalchemy import Select
from sqlalchemy import SQLColumnExpression
from sqlalchemy import cast
from sqlalchemy import func
from sqlalchemy import select
from sqlalchemy.orm import Session
from sqlalchemy.orm import aliased

from .clock import utcnow
from .models import CANCELLED
from .models import Favourite
from .models import Order
from .models import OrderLine
from .models import Product
from .models import ProductView

#: How far back orders count for what goes with what, and for what sells.
TWO_YEARS, SEASON = timedelta(days=730), timedelta(days=90)
#: Buyers that two products must have in common, and how much more often than by chance. A shop with
#: thousands of customers asks for twenty.
LEAST_BUYERS, LEAST_LIFT = 3, 1.5
#: What is nearly gone is not recommended.
FEW_LEFT = 2
#: Since when what a member bought says what would go with it; since when a look counts.
LATELY, LOOKED = timedelta(days=60), timedelta(days=7)
#: The message about what is new may be on its way a little longer than the thing itself.
SLACK = timedelta(minutes=5)
#: Gaps between two purchases that make a usual interval.
LEAST_GAPS = 20

ByMember = Mapping[int, Sequence[Product]]


def bestsellers(session: Session, *, limit: int = 5) -> Sequence[Product]:
    """Return what sold best in the last season and is there."""
    sold = (
        select(OrderLine.product_id, func.sum(OrderLine.quantity).label("sold"))
        .join(Order, Order.id == OrderLine.order_id)
        .where(Order.placed_at > utcnow() - SEASON, Order.status != CANCELLED)
        .group_by(OrderLine.product_id)
        .subquery()
    )
    statement = (
        select(Product)
        .join(sold, sold.c.product_id == Product.id)
        .where(Product.stock > FEW_LEFT, Product.is_trial.is_(False))
        .order_by(sold.c.sold.desc(), Product.id)
    )
    return session.scalars(statement.limit(limit)).all()


def new_arrivals(session: Session, *, limit: int = 5) -> Sequence[Product]:
    """Return what came into the shop last and is there."""
    is_there = Product.stock > FEW_LEFT, Product.is_trial.is_(False)
    statement = select(Product).where(*is_there).order_by(Product.id.desc()).limit(limit)
    return session.scalars(statement).all()


def bought_together(session: Session, members: Collection[int], *, limit: int = 3) -> ByMember:
    """Return what customers also bought who bought what these members bought lately.

    What a member owns is left out, and so is what is nearly sold out.
    """
    return _by_member(session, together(members), limit)


def together(members: Collection[int]) -> Select[Any]:
    """Return the statement behind it: member, product, and how much it goes with what they have."""
    now = utcnow()
    counted = Order.placed_at > now - TWO_YEARS, Order.status != CANCELLED
    bought = (
        select(Order.user_id, OrderLine.product_id, func.max(Order.placed_at).label("at"))
        .join(OrderLine, OrderLine.order_id == Order.id)
        .where(*counted)
        .group_by(Order.user_id, OrderLine.product_id)
        .cte("bought")
    )
    buyers = select(func.count(bought.c.user_id.distinct())).scalar_subquery()
    known = (
        select(bought.c.product_id, func.count().label("buyers"))
        .group_by(bought.c.product_id)
        .cte("known")
    )
    mine = aliased(bought, name="mine")
    wanted = (
        select(mine.c.product_id)
        .where(mine.c.user_id.in_(members), mine.c.at > now - LATELY)
        .distinct()
    )
    first, second = aliased(bought, name="first"), aliased(bought, name="second")
    of_first, of_second = aliased(known, name="of_first"), aliased(known, name="of_second")
    both = func.count()
    lift = both * cast(buyers, Float) / (of_first.c.buyers * of_second.c.buyers)
    pairs = (
        select(first.c.product_id.label("a"), second.c.product_id.label("b"), lift.label("lift"))
        .join(second, second.c.user_id == first.c.user_id)
        .join(of_first, of_first.c.product_id == first.c.product_id)
        .join(of_second, of_second.c.product_id == second.c.product_id)
        .where(second.c.product_id != first.c.product_id, first.c.product_id.in_(wanted))
        .group_by(first.c.product_id, second.c.product_id, of_first.c.buyers, of_second.c.buyers)
        .having(both >= LEAST_BUYERS, lift >= LEAST_LIFT)
        .cte("pairs")
    )
    owned = aliased(bought, name="owned")
    has_it = (
        select(owned.c.product_id)
        .where(owned.c.user_id == mine.c.user_id, owned.c.product_id == pairs.c.b)
        .exists()
    )
    return (
        select(mine.c.user_id, pairs.c.b, func.max(pairs.c.lift))
        .join(pairs, pairs.c.a == mine.c.product_id)
        .where(mine.c.user_id.in_(members), mine.c.at > now - LATELY, ~has_it)
        .group_by(mine.c.user_id, pairs.c.b)
    )


def viewed(session: Session, members: Collection[int], *, limit: int = 5) -> ByMember:
    """Return what members looked at in the last days and did not buy, the most looked at first."""
    now = utcnow()
    statement = select(ProductView.user_id, ProductView.product_id, ProductView.times).where(
        ProductView.user_id.in_(members),
        ProductView.last_at > now - LOOKED,
        ~_bought_since(ProductView.user_id, ProductView.product_id, now - LOOKED),
    )
    return _by_member(session, statement, limit)


def back_in_stock(session: Session, since: Mapping[int, datetime]) -> ByMember:
    """Return the favourites that came back since, of which some are left.

    :param since: by member; who bought it meanwhile needs no message.
    """
    statement = select(Favourite.user_id, Favourite.product_id, Favourite.back_at).where(
        Favourite.user_id.in_(since),
        Favourite.back_at >= min(since.values()) - SLACK,
        ~_bought_since(Favourite.user_id, Favourite.product_id, Favourite.back_at),
    )
    rows = [
        (user_id, product_id, back_at.timestamp())
        for user_id, product_id, back_at in session.execute(statement)
        if back_at is not None and back_at >= since[user_id] - SLACK
    ]
    return _shown(session, rows, 5)


def lowered(session: Session, since: Mapping[int, datetime]) -> ByMember:
    """Return the favourites that became cheaper since, and still are.

    :param since: by member; who bought it lately is not told that it costs less now.
    """
    now = utcnow()
    statement = (
        select(Favourite.user_id, Favourite.product_id, Product.lowered_at)
        .join(Product, Product.id == Favourite.product_id)
        .where(
            Favourite.user_id.in_(since),
            Product.price < Product.price_before,
            Product.lowered_at >= min(since.values()) - SLACK,
            ~_bought_since(Favourite.user_id, Favourite.product_id, now - timedelta(days=14)),
        )
    )
    rows = [
        (user_id, product_id, lowered_at.timestamp())
        for user_id, product_id, lowered_at in session.execute(statement)
        if lowered_at is not None and lowered_at >= since[user_id] - SLACK
    ]
    return _shown(session, rows, 5)


def usual_interval(session: Session, product: Product) -> timedelta | None:
    """Return after how long customers buy a product again; else what the owner says.

    The median of the last thousand gaps between two purchases of the same customer's.
    """
    before = func.lag(Order.placed_at, type_=Order.placed_at.type).over(
        partition_by=Order.user_id, order_by=(Order.placed_at, Order.id)
    )
    gaps = (
        select(Order.placed_at.label("at"), before.label("before"))
        .join(OrderLine, OrderLine.order_id == Order.id)
        .where(OrderLine.product_id == product.id, Order.status != CANCELLED)
        .subquery()
    )
    statement = select(gaps.c.at, gaps.c.before).where(gaps.c.before.is_not(None))
    found = session.execute(statement.order_by(gaps.c.at.desc()).limit(1_000)).all()
    lengths = [(at - before).total_seconds() for at, before in found]
    if len(lengths) >= LEAST_GAPS:
        return timedelta(seconds=median(lengths))
    return None if product.cycle_days is None else timedelta(days=product.cycle_days)


def _bought_since(
    member: SQLColumnExpression[int], product: SQLColumnExpression[int], since: object
) -> ColumnElement[bool]:
    return (
        select(Order.id)
        .join(OrderLine, OrderLine.order_id == Order.id)
        .where(
            Order.user_id == member,
            OrderLine.product_id == product,
            Order.status != CANCELLED,
            Order.placed_at > since,
        )
        .exists()
    )


def _by_member(session: Session, statement: Executable, limit: int) -> ByMember:
    return _shown(session, session.execute(statement).all(), limit, few=FEW_LEFT)


def _shown(session: Session, rows: Sequence[Any], limit: int, few: int = 0) -> ByMember:
    """Return the products of these rows that are there, of each member the best first."""
    wanted = {product_id for _user_id, product_id, _score in rows}
    statement = select(Product).where(Product.id.in_(wanted), Product.stock > few)
    there = {product.id: product for product in session.scalars(statement)}
    found: dict[int, list[Product]] = defaultdict(list)
    for user_id, product_id, _score in sorted(rows, key=lambda row: (-row[2], row[1])):
        if product_id in there and len(found[user_id]) < limit:
            found[user_id].append(there[product_id])
    return found
