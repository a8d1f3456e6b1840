"""Flask-Security: its decorators, its freshness, its own login; shops without anonymous users."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask_security import RoleMixin
from flask_security import Security
from flask_security import SQLAlchemyUserDatastore
from flask_security import UserMixin
from flask_security import auth_required
from flask_security import current_user
from flask_security import hash_password
from flask_security import login_user
from flask_security.models import fsqla_v3 as fsqla
from flask_sqlalchemy import SQLAlchemy
from flask_wtf.csrf import generate_csrf
from sqlalchemy import select

from flask_lineconnect import LineConnect
from flask_lineconnect import LineProfile
from flask_lineconnect import ShopAdapter
from flask_lineconnect.testing.plugin import Emulator
from flask_lineconnect.testing.plugin import LineBrowser
from tests.conftest import ApartClient
from tests.people import IN_APP
from tests.small_shop import SETTINGS
from tests.small_shop import make_hooks

from . import journey
from .browser import Browser
from .conftest import BASE_URL
from .journey import OpenChat
from .journey import Shop

MakeShop = Callable[..., Shop]


@pytest.fixture
def make_shop(line_emulator: Emulator, line_chat: OpenChat, tmp_path: Path) -> Iterator[MakeShop]:
    """Return a function that makes a members' site on Flask-Security."""
    made: list[SQLAlchemy] = []

    def make(**changes: Any) -> Shop:
        line_emulator.set_up(base_url=BASE_URL)
        db = SQLAlchemy()
        app = Flask("shop")
        app.config.update(
            SETTINGS,
            **line_emulator.settings(BASE_URL),
            SQLALCHEMY_DATABASE_URI=f"sqlite:///{tmp_path / 'shop.db'}",
            SECURITY_PASSWORD_SALT="1234567890",
            SECURITY_PASSWORD_HASH="plaintext",
            SECURITY_PASSWORD_SCHEMES=["plaintext"],
            SECURITY_EMAIL_VALIDATOR_ARGS={"check_deliverability": False},
            **changes,
        )
        line = _join(app, db)
        made.append(db)
        app.test_client_class = ApartClient
        return Shop(app=app, line=line, emulator=line_emulator, open_chat=line_chat)

    yield make
    for db in made:
        for engine in getattr(db, "_app_engines", {}).values():
            for one in engine.values():
                one.dispose()


def _join(app: Flask, db: SQLAlchemy) -> LineConnect:
    """Make the models and pages, and join everything."""
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
            email = f"{uuid.uuid4().hex}@mail.example"
            return datastore.create_user(
                email=email, name=profile.display_name, password=hash_password("a long password")
            )

        def member_name(self, member: Any) -> str:
            return str(member.name)

    datastore = SQLAlchemyUserDatastore(db, User, Role)
    line = LineConnect(db=db, shop=Members())
    db.init_app(app)
    Security(app, datastore)
    line.init_app(app)
    app.register_blueprint(make_hooks())

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

    @app.get("/token")
    def token() -> str:
        return f"{generate_csrf()}"

    @app.get("/in-as/<int:key>")
    def in_as(key: int) -> str:
        login_user(db.session.get_one(User, key))
        return "in"

    with app.app_context():
        db.create_all()
    return line


def _person(shop: Shop, name: str = "佐藤 さくら") -> LineBrowser:
    return shop.emulator.browser(shop.emulator.add_user(name, email=f"{len(name)}@mail.example"))


def _name(browser: Browser) -> str | None:
    browser.open("/private")
    return browser.page.text if browser.address.endswith("/private") else None


def _log_in_by_password(shop: Shop, browser: Browser, name: str) -> None:
    with shop.app.app_context():
        state = shop.state
        model = state.shop.model
        email = state.session.scalars(select(model.email).where(model.name == name)).one()
    browser.open("/login")
    if browser.address.endswith("/login"):
        browser.send(action="login", email=email, password="a long password")


@pytest.mark.parametrize("is_none", [False, True])
def test_the_whole_journey(make_shop: MakeShop, is_none: bool) -> None:
    journey.walk(make_shop(SECURITY_ANONYMOUS_USER_DISABLED=is_none))


def test_its_decorator_logs_in_by_itself_inside_line(make_shop: MakeShop) -> None:
    shop = make_shop()
    person = _person(shop)
    journey.register(shop, shop.browser(), person)
    phone = shop.browser(IN_APP)
    to_line = phone.open("/private")
    assert to_line.startswith(shop.emulator.url), to_line
    assert journey.come_back(phone, person, to_line).endswith("/private")
    assert phone.page.text == "佐藤 さくら"
    # Once in a while: nobody goes round in circles.
    other = shop.browser(IN_APP)
    other.open("/private")
    assert other.open("/private").startswith(BASE_URL)


def test_a_login_with_line_is_fresh(make_shop: MakeShop) -> None:
    shop = make_shop()
    browser = shop.browser()
    journey.register(shop, browser, _person(shop))
    assert browser.open("/fresh").endswith("/fresh")
    assert browser.page.text == "fresh"


def test_without_anonymous_users_nobody_is_somebody_not_logged_in(make_shop: MakeShop) -> None:
    shop = make_shop(SECURITY_ANONYMOUS_USER_DISABLED=True)
    browser = shop.browser()
    for path in ("/line/liff", "/line/liff/link", "/line/link", "/line/unlink", "/line/friend"):
        browser.open(path)
        assert browser.page.status_code < 500, path


@pytest.mark.parametrize("first", ["line", "password"])
def test_whoever_logs_in_last_is_who_the_browser_is(make_shop: MakeShop, first: str) -> None:
    shop = make_shop()
    one, other = _person(shop, "一郎"), _person(shop, "二郎さん")
    for person, name in ((one, "一郎"), (other, "二郎さん")):
        theirs = shop.browser()
        journey.come_back(theirs, person, theirs.open("/line/login"))
        theirs.send(display_name=name)
    browser = shop.browser()
    if first == "line":
        journey.come_back(browser, one, browser.open("/line/login"))
        assert _name(browser) == "一郎"
        # Flask-Security shows its form to nobody who is logged in; its API takes it.
        _post_login(shop, browser, "二郎さん")
    else:
        _log_in_by_password(shop, browser, "一郎")
        assert _name(browser) == "一郎"
        journey.come_back(browser, other, browser.open("/line/login"))
        assert browser.address.endswith("/line/switch")
        browser.send(action="")
    assert _name(browser) == "二郎さん"


def _post_login(shop: Shop, browser: Browser, name: str) -> None:
    """Log somebody in over somebody, as a shop's own view does."""
    with shop.app.app_context():
        model = shop.state.shop.model
        key = shop.state.session.scalars(select(model.id).where(model.name == name)).one()
    browser.open(f"/in-as/{key}")
    assert browser.page.text == "in"
