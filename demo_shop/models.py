"""Members, products, orders and points of the shop."""

from __future__ import annotations

from datetime import UTC
from datetime import date
from datetime import datetime

from flask_babel import gettext as _
from flask_babel import lazy_gettext
from flask_login import UserMixin
from sqlalchemy import CheckConstraint
from sqlalchemy import DateTime
from sqlalchemy import Dialect
from sqlalchemy import ForeignKey
from sqlalchemy import String
from sqlalchemy import Text
from sqlalchemy import TypeDecorator
from sqlalchemy.orm import Mapped
from sqlalchemy.orm import mapped_column
from sqlalchemy.orm import relationship

from .clock import utcnow as utcnow
from .extensions import Base


class UtcDateTime(TypeDecorator[datetime]):
    """An aware UTC time; SQLite forgets the zone, and PostgreSQL answers in its session's."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Store UTC."""
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give back an aware time."""
        if value is None or value.tzinfo is None:
            return None if value is None else value.replace(tzinfo=UTC)
        return value.astimezone(UTC)


class User(UserMixin, Base):
    """A member of the shop, or one of its staff."""

    __tablename__ = "user"
    # The key of a member who left is nobody else's, ever.
    __table_args__ = {"sqlite_autoincrement": True}  # noqa: RUF012  # SQLAlchemy's own form

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(String(254), unique=True)
    #: Absent for members who come in by another door than the password.
    password_hash: Mapped[str | None] = mapped_column(Text)
    name: Mapped[str] = mapped_column(String(100))
    phone: Mapped[str | None] = mapped_column(String(20))
    postal_code: Mapped[str | None] = mapped_column(String(8))
    address: Mapped[str | None] = mapped_column(String(200))
    card_number: Mapped[str] = mapped_column(String(13), unique=True)
    #: Kept by the functions of ``points.py`` alone.
    point_balance: Mapped[int] = mapped_column(default=0)
    rank: Mapped[str] = mapped_column(String(10), default="regular")
    is_staff: Mapped[bool] = mapped_column(default=False)
    is_locked: Mapped[bool] = mapped_column(default=False)
    #: When the points are lost; kept by the functions of ``points.py``, too.
    points_expire_on: Mapped[date | None]
    born_on: Mapped[date | None]
    #: Since when the birthday is what it is: nobody is congratulated on one that is just made up.
    born_on_changed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    #: Since when the member lets the shop look at which products they look at.
    views_allowed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)

    @property
    def is_active(self) -> bool:
        """Flask-Login's question: a locked member can't log in."""
        return not self.is_locked

    @property
    def rank_label(self) -> str:
        """The rank as people read it."""
        return rank_label(self.rank)


def rank_label(rank: str) -> str:
    """Return a rank as people read it."""
    labels = {"gold": _("ゴールド会員"), "silver": _("シルバー会員")}
    return str(labels.get(rank, _("一般会員")))


class Product(Base):
    """Something to buy."""

    __tablename__ = "product"
    __table_args__ = (CheckConstraint("stock >= 0", name="stock_is_not_negative"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(String(60), unique=True)
    name: Mapped[str] = mapped_column(String(100))
    category: Mapped[str] = mapped_column(String(20), index=True)
    #: Whole yen, tax included.
    price: Mapped[int]
    stock: Mapped[int] = mapped_column(default=0)
    description: Mapped[str] = mapped_column(Text)
    #: Whether it is to try what the shop sells.
    is_trial: Mapped[bool] = mapped_column(default=False)
    #: How long one lasts, by the owner's experience; ``None``: it does not run out.
    cycle_days: Mapped[int | None]
    #: What it cost before, and since when it costs less.
    price_before: Mapped[int | None]
    lowered_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    @property
    def tax_percent(self) -> int:
        """Rate of the consumption tax in the price; food has the reduced one."""
        return 8 if self.category in {"tea", "sweets"} else 10


#: The way of an order, as people read it.
STATES = {
    "received": lazy_gettext("受付済み"),
    "preparing": lazy_gettext("準備中"),
    "shipped": lazy_gettext("発送済み"),
    "delivered": lazy_gettext("お届け済み"),
}
#: Beside the way: an order that goes no further.
CANCELLED = "cancelled"
#: How an order is paid: to the carrier at the door, or by bank transfer beforehand.
PAYMENTS = {"cod": lazy_gettext("代金引換"), "transfer": lazy_gettext("銀行振込")}


class Order(Base):
    """An order and its way to the customer."""

    __tablename__ = "order"

    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(String(20), unique=True)
    #: Made with the checkout page, so that pressing twice orders once.
    key: Mapped[str | None] = mapped_column(String(32), unique=True)
    user_id: Mapped[int] = mapped_column(ForeignKey(User.id), index=True)
    #: One of ``STATES``, or ``CANCELLED``.
    status: Mapped[str] = mapped_column(String(10), default="received")
    placed_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)
    total: Mapped[int]
    points_earned: Mapped[int] = mapped_column(default=0)
    name: Mapped[str] = mapped_column(String(100))
    postal_code: Mapped[str] = mapped_column(String(8))
    address: Mapped[str] = mapped_column(String(200))
    phone: Mapped[str] = mapped_column(String(20))
    delivery_on: Mapped[date | None]
    #: Time of the day, one of ``delivery.SLOTS``.
    delivery_slot: Mapped[str | None] = mapped_column(String(20))
    tracking_number: Mapped[str | None] = mapped_column(String(20))
    #: One of ``PAYMENTS``.
    payment: Mapped[str] = mapped_column(String(10), default="cod")
    paid_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    user: Mapped[User] = relationship()
    lines: Mapped[list[OrderLine]] = relationship(
        back_populates="order", order_by="OrderLine.id", cascade="all, delete-orphan"
    )

    @property
    def status_label(self) -> str:
        """The state as people read it."""
        return str(STATES.get(self.status) or _("キャンセル済み"))

    @property
    def payment_label(self) -> str:
        """How it is paid, as people read it."""
        return str(PAYMENTS[self.payment])


class OrderLine(Base):
    """One product of an order, at the price of that day."""

    __tablename__ = "order_line"

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey(Order.id), index=True)
    product_id: Mapped[int] = mapped_column(ForeignKey(Product.id))
    quantity: Mapped[int]
    price: Mapped[int]

    order: Mapped[Order] = relationship(back_populates="lines")
    product: Mapped[Product] = relationship(lazy="joined")

    @property
    def subtotal(self) -> int:
        """Price of the line in yen."""
        return self.price * self.quantity


class Favourite(Base):
    """A product that a member wants to find again."""

    __tablename__ = "favourite"

    user_id: Mapped[int] = mapped_column(ForeignKey(User.id), primary_key=True)
    product_id: Mapped[int] = mapped_column(ForeignKey(Product.id), primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)
    #: When the member was last told that it is back, or will be in their turn.
    back_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class ProductView(Base):
    """A product that a member looked at, who lets the shop know."""

    __tablename__ = "product_view"

    user_id: Mapped[int] = mapped_column(ForeignKey(User.id), primary_key=True)
    product_id: Mapped[int] = mapped_column(ForeignKey(Product.id), primary_key=True)
    times: Mapped[int] = mapped_column(default=1)
    last_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)


#: What can be booked: a seat at tea, and a class.
MENUS = {"tea": lazy_gettext("茶席「一服」"), "class": lazy_gettext("お茶の淹れ方教室")}


class Booking(Base):
    """A seat that a member booked."""

    __tablename__ = "booking"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey(User.id), index=True)
    #: One of ``MENUS``.
    menu: Mapped[str] = mapped_column(String(10))
    starts_at: Mapped[datetime] = mapped_column(UtcDateTime)
    #: ``booked``, ``cancelled``, ``arrived`` or ``missed``.
    status: Mapped[str] = mapped_column(String(10), default="booked")

    user: Mapped[User] = relationship()

    @property
    def menu_label(self) -> str:
        """What it is, as people read it."""
        return str(MENUS[self.menu])


class Coupon(Base):
    """What the counter takes off, once for every member."""

    __tablename__ = "coupon"

    id: Mapped[int] = mapped_column(primary_key=True)
    #: What the register reads.
    code: Mapped[str] = mapped_column(String(20), unique=True)
    title: Mapped[str] = mapped_column(String(100))
    text: Mapped[str] = mapped_column(String(200))
    ends_on: Mapped[date]
    #: Whose it is: everybody's, or of members with an ``occasion`` of ``coupons.py``.
    occasion: Mapped[str | None] = mapped_column(String(10))


class CouponUse(Base):
    """A coupon that a member has used."""

    __tablename__ = "coupon_use"

    user_id: Mapped[int] = mapped_column(ForeignKey(User.id), primary_key=True)
    coupon_id: Mapped[int] = mapped_column(ForeignKey(Coupon.id), primary_key=True)
    #: Of one that comes again: the year.
    period: Mapped[str] = mapped_column(String(4), primary_key=True, default="")
    at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)


class Mail(Base):
    """A mail of the shop's; the demo shows it instead of sending it."""

    __tablename__ = "mail"

    id: Mapped[int] = mapped_column(primary_key=True)
    to: Mapped[str] = mapped_column(String(254))
    subject: Mapped[str] = mapped_column(String(200))
    text: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)


class Inquiry(Base):
    """What somebody wants to be answered by the staff."""

    __tablename__ = "inquiry"

    id: Mapped[int] = mapped_column(primary_key=True)
    #: The member who asks; nobody's, of somebody whom the shop does not know.
    user_id: Mapped[int | None] = mapped_column(ForeignKey(User.id), index=True)
    #: Who asks, as far as the shop knows.
    name: Mapped[str] = mapped_column(String(100))
    text: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)
    is_answered: Mapped[bool] = mapped_column(default=False, index=True)

    user: Mapped[User | None] = relationship()


class PointEntry(Base):
    """One booking of points; never changed."""

    __tablename__ = "point_entry"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey(User.id), index=True)
    amount: Mapped[int]
    reason: Mapped[str] = mapped_column(String(100))
    #: Names the booking, so that pressing twice books once.
    key: Mapped[str] = mapped_column(String(80), unique=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)

    user: Mapped[User] = relationship()
