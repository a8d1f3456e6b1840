"""What the shop knows of its members: the questions of which the owner makes segments."""

from datetime import datetime

from sqlalchemy import ColumnElement
from sqlalchemy import case
from sqlalchemy import func
from sqlalchemy import select

from flask_lineconnect import LineBlueprint
from flask_lineconnect import per_member

from ..coupons import AROUND
from ..extensions import db
from ..models import CANCELLED
from ..models import Coupon
from ..models import CouponUse
from ..models import Favourite
from ..models import Inquiry
from ..models import Order
from ..models import OrderLine
from ..models import PointEntry
from ..models import Product
from ..models import User
from ..points import RANKS
from ..points import YEAR

attributes = LineBlueprint("attributes", __name__)

#: Points that make the rank above each.
RANKS_AFTER = {"regular": RANKS["silver"], "silver": RANKS["gold"]}
RANK_LABELS = {"regular": "一般会員", "silver": "シルバー会員", "gold": "ゴールド会員"}

orders = per_member(
    Order.user_id,
    Order.status != CANCELLED,
    count=func.count(),
    total=func.sum(Order.total),
    # In whole yen.
    mean=func.sum(Order.total) // func.count(),
    first_at=func.min(Order.placed_at),
    last_at=func.max(Order.placed_at),
)
points = per_member(
    PointEntry.user_id,
    used=func.count().filter(PointEntry.amount < 0),
    last_at=func.max(PointEntry.at),
)
inquiries = per_member(Inquiry.user_id, Inquiry.is_answered.is_(False), open=func.count())
coupons = per_member(CouponUse.user_id, count=func.count())
# Of 神奈川県, 和歌山県 and 鹿児島県 the fourth character is the last one.
prefecture = case(
    (func.substr(User.address, 4, 1) == "県", func.substr(User.address, 1, 4)),
    else_=func.substr(User.address, 1, 3),
)
bought = (
    select(Order.user_id, Product.slug, Order.placed_at)
    .join(OrderLine, OrderLine.order_id == Order.id)
    .join(Product, Product.id == OrderLine.product_id)
    .where(Order.status != CANCELLED)
)


def products() -> dict[str, str]:
    """Return the products that there are, by their slugs."""
    found = db.session.execute(select(Product.slug, Product.name).order_by(Product.name))
    return {slug: name for slug, name in found}


attributes.attribute("rank", User.rank, label="会員ランク", choices=RANK_LABELS)
attributes.attribute("joined_at", User.created_at, label="入会日時")
attributes.attribute("prefecture", prefecture, type=str, label="都道府県")
attributes.attribute(
    "has_password", User.password_hash.is_not(None), label="パスワードを設定している"
)
attributes.attribute("is_staff", User.is_staff, label="スタッフ")
attributes.attribute("born_on", User.born_on, label="お誕生日")
attributes.attribute("born_on_changed_at", User.born_on_changed_at, label="お誕生日の登録日時")
attributes.attribute("points_expire_on", User.points_expire_on, label="ポイントの有効期限")
attributes.attribute("points", User.point_balance, label="ポイント残高")
attributes.attribute("points_used", points.c.used, label="ポイントを使った回数", absent=0)
attributes.attribute("last_points_at", points.c.last_at, label="最後にポイントが動いた日時")
attributes.attribute("order_count", orders.c.count, label="ご注文の回数", absent=0)
attributes.attribute("total_spent", orders.c.total, label="お買い上げの合計（円）", absent=0)
attributes.attribute("mean_order", orders.c.mean, type=int, label="1回あたりの金額（円）")
attributes.attribute("first_order_at", orders.c.first_at, label="最初のご注文")
attributes.attribute("last_order_at", orders.c.last_at, label="最後のご注文")
attributes.attribute("coupons_used", coupons.c.count, label="クーポンを使った回数", absent=0)
attributes.attribute("open_inquiries", inquiries.c.open, label="回答待ちのお問い合わせ", absent=0)
attributes.attribute(
    "favourites",
    select(Favourite.user_id, Product.slug, Favourite.at).join(
        Product, Product.id == Favourite.product_id
    ),
    label="お気に入り",
    choices=products,
)
attributes.attribute(
    "favourites_in_stock",
    select(Favourite.user_id, Product.slug)
    .join(Product, Product.id == Favourite.product_id)
    .where(Product.stock > 0),
    label="在庫のあるお気に入り",
    choices=products,
)
attributes.attribute("products_bought", bought, label="お買い上げの商品", choices=products)
attributes.attribute(
    "categories_bought",
    bought.with_only_columns(Order.user_id, Product.category, Order.placed_at),
    label="お買い上げの分類",
    choices={"tea": "お茶", "sweets": "和菓子", "ware": "うつわ", "gift": "贈りもの"},
)
attributes.attribute(
    "kinds_bought",
    bought.with_only_columns(
        Order.user_id, case((Product.is_trial, "trial"), else_="full"), Order.placed_at
    ),
    label="お買い上げの種類",
    choices={"trial": "お試し", "full": "通常の商品"},
)


def birthday_coupon_used(now: datetime) -> ColumnElement[bool]:
    """Return whether each member has used the coupon of the birthday that is near."""
    of_birthday = select(Coupon.id).where(Coupon.occasion == "birthday")
    return (
        select(CouponUse.user_id)
        .where(
            CouponUse.user_id == User.id,
            CouponUse.coupon_id.in_(of_birthday),
            CouponUse.at > now - 2 * AROUND,
        )
        .exists()
    )


def orders_in_year(now: datetime) -> ColumnElement[int]:
    """Return how many orders each member placed within the last year."""
    of_year = Order.placed_at >= now - YEAR, Order.status != CANCELLED
    found = per_member(Order.user_id, *of_year, count=func.count())
    return found.c.count


def spending_fifth(now: datetime) -> ColumnElement[int]:
    """Return in which fifth of the last year's customers a member is; the first spent the most."""
    of_year = Order.placed_at >= now - YEAR, Order.status != CANCELLED
    spent = per_member(Order.user_id, *of_year, total=func.sum(Order.total))
    fifth = func.ntile(5).over(order_by=(spent.c.total.desc(), spent.c.member_key))
    return select(spent.c.member_key, fifth.label("fifth")).subquery().c.fifth


def points_to_next_rank(now: datetime) -> ColumnElement[int]:
    """Return how many points of the last year are missing for the next rank."""
    is_of_year = PointEntry.at > now - YEAR, PointEntry.amount > 0
    collected = per_member(PointEntry.user_id, *is_of_year, points=func.sum(PointEntry.amount))
    goal = case(RANKS_AFTER, value=User.rank)
    return goal - func.coalesce(collected.c.points, 0)


attributes.attribute(
    "birthday_coupon_used", birthday_coupon_used, type=bool, label="お誕生日クーポンを使った"
)
attributes.attribute(
    "orders_in_year", orders_in_year, type=int, label="1年のご注文の回数", absent=0
)
attributes.attribute("spending_fifth", spending_fifth, type=int, label="1年の金額の順位（5段階）")
attributes.attribute(
    "points_to_next_rank", points_to_next_rank, type=int, label="次のランクまでのポイント"
)
