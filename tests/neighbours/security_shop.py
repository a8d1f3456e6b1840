"""A members' site on Flask-Security, and the ways in which its members log in."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qs
from urllib.parse import urlsplit

from flask import Flask
from flask import request
from flask_security import RoleMixin
from flask_security import Security
from flask_security import SQLAlchemyUserDatastore
from flask_security import UserMixin
from flask_security import auth_required
from flask_security import current_user
from flask_security import hash_password
from flask_security import login_user
from flask_security import roles_required
from flask_security.models import fsqla_v3 as fsqla
from flask_sqlalchemy import SQLAlchemy
from flask_wtf.csrf import generate_csrf
from sqlalchemy import select

from flask_lineconnect import LineConnect
from flask_lineconnect import LineProfile
from flask_lineconnect import ShopAdapter
from tests.conftest import ApartClient
from tests.small_shop import SETTINGS
from tests.small_shop import Join
from tests.small_shop import make_hooks

from . import journey
from .browser import Browser
from .journey import Shop

PASSWORD = "a long password"
#: Flask-Security's own settings.
SECURITY = {
    "SECURITY_PASSWORD_SALT": "1234567890",
    "SECURITY_PASSWORD_HASH": "plaintext",
    "SECURITY_PASSWORD_SCHEMES": ["plaintext"],
    "SECURITY_EMAIL_VALIDATOR_ARGS": {"check_deliverability": False},
}


def create_app(
    settings: Mapping[str, Any], *, before: Sequence[Join] = (), after: Sequence[Join] = ()
) -> tuple[Flask, SQLAlchemy, LineConnect]:
    """Make the site; give the app, its database and the extension object.

    :param before: other extensions, joined to the app before Flask-Security is.
    :param after: and those that come after LINE.
    """
    db = SQLAlchemy()
    app = Flask("shop")
    app.config.update(SETTINGS, **SECURITY)
    app.config.update(settings)
    app.test_client_class = ApartClient
    db.init_app(app)
    for join in before:
        join(app)
    line = _join(app, db)
    for join in after:
        join(app)
    with app.app_context():
        db.create_all()
    return app, db, line


def _join(app: Flask, db: SQLAlchemy) -> LineConnect:
    models: Any = fsqla
    models.FsModels.set_db_info(db)

    class Role(db.Model, fsqla.FsRoleMixin, RoleMixin):  # type: ignore[name-defined]
        pass

    class User(db.Model, fsqla.FsUserMixin, UserMixin):  # type: ignore[name-defined]
        name = db.Column(db.String(100))

    class Members(ShopAdapter[Any]):
        model = User
        name = "会員の店"

        def sign_up(self, profile: LineProfile) -> Any:
            return datastore.create_user(
                email=f"{uuid.uuid4().hex}@mail.example",
                name=profile.display_name,
                password=hash_password(PASSWORD),
                roles=[datastore.find_or_create_role("customer")],
            )

        def member_name(self, member: Any) -> str:
            return str(member.name)

    datastore = SQLAlchemyUserDatastore(db, User, Role)
    line = LineConnect(db=db, shop=Members())
    Security(app, datastore)
    line.init_app(app)
    app.register_blueprint(make_hooks())
    _add_pages(app, db, User)
    return line


def _add_pages(app: Flask, db: SQLAlchemy, user_model: Any) -> None:
    @app.get("/")
    def home() -> str:
        return "home"

    @app.get("/private")
    @auth_required()
    def private() -> str:
        return str(current_user.name)

    @app.get("/fresh")
    @auth_required(within=1, grace=0)
    def fresh() -> str:
        return "fresh"

    @app.get("/for-customers")
    @roles_required("customer")
    def for_customers() -> str:
        return "for customers"

    @app.get("/token")
    def token() -> str:
        return f"{generate_csrf()}"

    @app.get("/in-as/<int:key>")
    def in_as(key: int) -> str:
        login_user(db.session.get_one(user_model, key), remember="remember" in request.args)
        return "in"


class Person:
    """Somebody with a LINE account and a membership, and the ways in which they log in."""

    def __init__(self, shop: Shop, name: str):
        self.name, self._shop = name, shop
        self.line = shop.emulator.browser(shop.emulator.add_user(name))

    def register(self) -> Browser:
        """Become a member through LINE; return the browser of it."""
        browser = self._shop.browser()
        journey.come_back(browser, self.line, browser.open("/line/login"))
        browser.send(display_name=self.name)
        return browser

    def unlink(self) -> None:
        """End the link, from elsewhere."""
        with self._shop.app.app_context():
            state = self._shop.state
            self._shop.line.unlink(state.session.get(state.shop.model, self._column("id")))
            state.session.commit()

    def log_in(self, way: str, browser: Browser) -> None:
        """Log in, and go on where LINE asks whether to replace who is there."""
        getattr(self, f"_by_{way}")(browser)
        if urlsplit(browser.address).path.endswith("/switch"):
            browser.send(action="")

    def _by_line(self, browser: Browser) -> None:
        journey.come_back(browser, self.line, browser.open("/line/login"))

    def _by_liff(self, browser: Browser) -> None:
        shop = self._shop
        liff_id = shop.emulator.settings(shop.base_url)["LINECONNECT_LIFF_ID"]
        address = self.line.open_in_app(f"{shop.emulator.url}/{liff_id}")
        id_token = parse_qs(urlsplit(address).fragment)["id_token"][0]
        browser.open("/token")
        answer = browser.fetch(
            "/line/liff/session",
            json={"id_token": id_token},
            headers={"X-CSRFToken": browser.page.text},
        )
        said: Any = answer.json
        browser.open(said["location"])

    def _by_form(self, browser: Browser) -> None:
        """Fill in Flask-Security's own form, which it shows to nobody who is logged in."""
        browser.open("/login")
        if browser.address.endswith("/login"):
            browser.send(action="login", email=self._column("email"), password=PASSWORD)
        else:
            self._by_view(browser)

    def _by_view(self, browser: Browser) -> None:
        """Be logged in by a view of the shop's own, over whoever is there."""
        browser.open(f"/in-as/{self._column('id')}")

    def _by_remember(self, browser: Browser) -> None:
        browser.open(f"/in-as/{self._column('id')}?remember=1")
        browser._client.delete_cookie("session", domain="shop.example")

    def _column(self, name: str) -> Any:
        with self._shop.app.app_context():
            state = self._shop.state
            model = state.shop.model
            wanted = select(getattr(model, name)).where(model.name == self.name)
            return state.session.scalars(wanted).one()


def name_in(browser: Browser) -> str | None:
    """Return whom the members' page knows."""
    browser.open("/private")
    return browser.page.text if urlsplit(browser.address).path == "/private" else None
