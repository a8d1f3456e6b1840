"""The smallest shop that the extension can serve: members, a login, one private page."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence
from datetime import UTC
from datetime import date
from datetime import datetime
from typing import Any

from flask import Blueprint
from flask import Flask
from flask import request
from flask_login import LoginManager
from flask_login import UserMixin
from flask_login import current_user
from flask_login import login_required
from flask_login import login_user
from flask_login import logout_user
from flask_sqlalchemy import SQLAlchemy
from flask_wtf.csrf import generate_csrf
from sqlalchemy import ForeignKey
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.orm import Mapped
from sqlalchemy.orm import mapped_column
from wtforms import Form
from wtforms import StringField
from wtforms.validators import InputRequired

from flask_lineconnect import DeliveryOffer
from flask_lineconnect import Issuer
from flask_lineconnect import LineBlueprint
from flask_lineconnect import LineConnect
from flask_lineconnect import LineProfile
from flask_lineconnect import MemberDesk
from flask_lineconnect import OrderDesk
from flask_lineconnect import OrderDetail
from flask_lineconnect import OrderLine
from flask_lineconnect import OrderSummary
from flask_lineconnect import Parcel
from flask_lineconnect import Refused
from flask_lineconnect import Reply
from flask_lineconnect import ShopAdapter
from flask_lineconnect import TextEvent
from flask_lineconnect import keep_form
from flask_lineconnect import require_member

SETTINGS: dict[str, Any] = {
    "SECRET_KEY": "a secret key for tests only",
    "TESTING": True,
    "LINECONNECT_BASE_URL": "https://shop.example",
    "LINECONNECT_LOGIN_CHANNEL_ID": "1650000001",
    "LINECONNECT_LOGIN_CHANNEL_SECRET": "0123456789abcdef0123456789abcdef",
    "LINECONNECT_MESSAGING_CHANNEL_ID": "1650000002",
    "LINECONNECT_MESSAGING_CHANNEL_SECRET": "8c570fa6dd201bb328f1c1eac23a96d8",
    "LINECONNECT_LIFF_ID": "1650000001-DemoCard",
    # Work runs when a test says so.
    "LINECONNECT_ENGINE": "worker",
}


class Base(DeclarativeBase):
    """Base of the shop's models."""


db = SQLAlchemy(model_class=Base)


class User(UserMixin, Base):
    """A member."""

    __tablename__ = "user"
    __table_args__ = {"sqlite_autoincrement": True}  # noqa: RUF012  # SQLAlchemy's own form

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    email: Mapped[str | None] = mapped_column(unique=True)
    is_locked: Mapped[bool] = mapped_column(default=False)

    @property
    def is_active(self) -> bool:
        """Flask-Login's question."""
        return not self.is_locked


class Purchase(Base):
    """An order."""

    __tablename__ = "purchase"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey(User.id))
    number: Mapped[str] = mapped_column(unique=True)
    #: Index of ``STEPS``.
    step: Mapped[int] = mapped_column(default=0)
    deliver_on: Mapped[date | None]
    is_wanted_again: Mapped[bool] = mapped_column(default=False)


STEPS = ("受付", "発送", "お届け")
DAYS = (date(2030, 1, 10), date(2030, 1, 11))


class SmallOrders(OrderDesk[User]):
    """The order desk."""

    issuer = Issuer("小さな店", "京都市", registration_number="T1234567890123")

    def page(self, member: User, *, offset: int, limit: int) -> Sequence[OrderSummary]:
        """Return the purchases, the latest first."""
        own = db.session.query(Purchase).filter_by(user_id=member.id)
        found = own.order_by(Purchase.id.desc()).offset(offset).limit(limit)
        return [self._detail(one, member) for one in found]

    def find(self, member: User, number: str) -> OrderDetail | None:
        """Return one of them."""
        found = db.session.query(Purchase).filter_by(user_id=member.id, number=number).first()
        return None if found is None else self._detail(found, member)

    def reorder(self, member: User, number: str) -> str:
        """Note it down; the second one is sold out."""
        if number.endswith("2"):
            raise Refused("売り切れです。")
        own = db.session.query(Purchase).filter_by(user_id=member.id, number=number)
        own.update({"is_wanted_again": True})
        return "/private"

    def change_delivery(self, member: User, number: str, day: date, slot: str | None) -> None:
        """Change the day."""
        assert slot == "朝"
        own = db.session.query(Purchase).filter_by(user_id=member.id, number=number)
        own.update({"deliver_on": day})

    def _detail(self, purchase: Purchase, member: User) -> OrderDetail:
        return OrderDetail(
            number=purchase.number,
            placed_at=datetime(2029, 1, 1, tzinfo=UTC),
            total=1_080,
            status=STEPS[purchase.step],
            lines=[OrderLine("お茶", 2, price=540, tax_percent=8)],
            steps=STEPS,
            step=purchase.step,
            parcels=[Parcel("4000", "飛脚", "https://carrier.example/4000")],
            facts={"お届け先": f"{member.name}\n京都市"},
            delivery=DeliveryOffer(DAYS, ["朝", "夜"]) if purchase.step == 0 else None,
            can_reorder=True,
            paid_on=DAYS[0] if purchase.step == 2 else None,
            addressee=member.name,
        )


class ProfileForm(Form):
    """What a member may change."""

    name = StringField("お名前", [InputRequired("お名前を入力してください。")])
    email = StringField("メール", filters=[lambda text: text or None])


class SmallMembership(MemberDesk[User]):
    """The membership desk."""

    profile_form = ProfileForm


class SmallShop(ShopAdapter[User]):
    """The adapter."""

    model = User
    name = "小さな店"
    orders = SmallOrders()
    membership = SmallMembership()

    def sign_up(self, profile: LineProfile) -> User | None:
        """Register, unless the e-mail address is taken."""
        if profile.email and db.session.query(User).filter_by(email=profile.email).first():
            return None
        member = User(name=profile.display_name, email=profile.email)
        db.session.add(member)
        return member

    def has_other_login(self, member: User) -> bool:
        """Everybody has the login that stands in for one with a password."""
        return True

    def member_name(self, member: User) -> str | None:
        """Return the name."""
        return member.name

    def card_number(self, member: User) -> str:
        """Return a number."""
        return f"{member.id:013d}"


#: Joins an extension to an app.
Join = Callable[[Flask], object]

line = LineConnect(db=db, shop=SmallShop())
pages = Blueprint("pages", __name__)
#: What was written down at ``/note``.
notes: list[str] = []


@pages.get("/")
def home() -> str:
    """Everybody's page."""
    return "home"


@pages.get("/private")
@login_required
def private() -> str:
    """Members' page."""
    return "private"


@pages.get("/name")
@login_required
def name() -> str:
    """Say who is logged in."""
    return f"{current_user.name}"


@pages.post("/password-login/<int:user_id>")
def password_login(user_id: int) -> str:
    """Stand in for a login with a password."""
    login_user(db.session.get_one(User, user_id), remember="remember" in request.args)
    return "in"


@pages.get("/log-in")
def log_in() -> str:
    """The shop's own login page."""
    return f"log in, then {request.args.get('next')}"


@pages.route("/note", methods=["GET", "POST"])
@login_required
@keep_form
def note() -> str:
    """Write something down, or show the form for it."""
    if request.method == "POST":
        notes.append(request.form["text"])
    return f'<input name="csrf_token" value="{generate_csrf()}">'


@pages.get("/token")
def token() -> str:
    """Give out a CSRF token, as any page with a form does."""
    return f"{generate_csrf()}"


@pages.post("/logout")
def logout() -> str:
    """Log out."""
    logout_user()
    return "out"


def make_hooks() -> LineBlueprint:
    """Return the shop's message hooks."""
    hooks = LineBlueprint("hooks", __name__)

    @hooks.on_text("ポイント残高", "残高")
    @require_member
    def balance(event: TextEvent, member: User) -> Reply:
        return f"{member.name}さまの残高は120ポイントです"

    @hooks.on_text("こわれる")
    def broken(event: TextEvent) -> Reply:
        raise RuntimeError("the hook is broken")

    return hooks


def create_app(
    config: Mapping[str, Any], *, before: Sequence[Join] = (), after: Sequence[Join] = ()
) -> Flask:
    """Make the shop with an empty database.

    :param before: other extensions, joined to the app before LINE is.
    :param after: and those that come after it.
    """
    app = Flask(__name__)
    app.config.update(config)
    db.init_app(app)
    login_manager = LoginManager(app)
    login_manager.login_view = "pages.log_in"
    login_manager.user_loader(lambda key: db.session.get(User, int(key)))
    if "OWN_CELERY" in config:
        app.extensions["celery"] = config["OWN_CELERY"]
    for join in before:
        join(app)
    line.init_app(app)
    for join in after:
        join(app)
    app.register_blueprint(pages)
    app.register_blueprint(make_hooks())
    with app.app_context():
        Base.metadata.create_all(db.engine)
        db.metadata.create_all(db.engine)
    return app
