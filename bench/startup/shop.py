"""A small shop with the usual neighbours, alone or joined to LINE; imported by fresh processes."""

from __future__ import annotations

from flask import Flask
from flask_babel import Babel
from flask_login import LoginManager
from flask_login import UserMixin
from flask_sqlalchemy import SQLAlchemy
from flask_wtf import CSRFProtect
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.orm import Mapped
from sqlalchemy.orm import mapped_column

SETTINGS = {
    "SECRET_KEY": "a secret key for benchmarks",
    "SQLALCHEMY_DATABASE_URI": "sqlite://",
    "TESTING": True,
    "LINECONNECT_BASE_URL": "https://shop.example",
    "LINECONNECT_LOGIN_CHANNEL_ID": "1650000001",
    "LINECONNECT_LOGIN_CHANNEL_SECRET": "0123456789abcdef0123456789abcdef",
    "LINECONNECT_MESSAGING_CHANNEL_ID": "1650000002",
    "LINECONNECT_MESSAGING_CHANNEL_SECRET": "8c570fa6dd201bb328f1c1eac23a96d8",
    "LINECONNECT_LIFF_ID": "1650000001-DemoCard",
}


class Base(DeclarativeBase):
    """Base of the shop's models."""


db = SQLAlchemy(model_class=Base)


class Member(UserMixin, Base):
    """A member."""

    __tablename__ = "member"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]


def alone() -> Flask:
    """Make the shop with Flask-SQLAlchemy, Flask-Login, Flask-WTF and Flask-Babel."""
    app = Flask(__name__)
    app.config.update(SETTINGS)
    db.init_app(app)
    LoginManager(app).user_loader(lambda key: db.session.get(Member, int(key)))
    CSRFProtect(app)
    Babel(app)
    return app


def joined() -> Flask:
    """Make the same shop, joined to LINE."""
    app = alone()
    # What it costs to import is a part of what is measured.
    from flask_lineconnect import LineConnect
    from flask_lineconnect import LineProfile
    from flask_lineconnect import ShopAdapter

    class Shop(ShopAdapter[Member]):
        model = Member
        name = "店"

        def sign_up(self, profile: LineProfile) -> Member | None:
            return Member(name=profile.display_name)

    LineConnect(app, db=db, shop=Shop())
    return app
