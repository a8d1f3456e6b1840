"""Linking for shops with every kind of member key, and beside other login providers."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from authlib.integrations.flask_client import OAuth
from flask import Flask
from flask.testing import FlaskClient
from flask_login import LoginManager
from flask_login import UserMixin
from flask_login import login_required
from flask_login import login_user
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import String
from sqlalchemy import select
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.orm import Mapped
from sqlalchemy.orm import mapped_column

from flask_lineconnect import LineConnect
from flask_lineconnect import LineProfile
from flask_lineconnect import ShopAdapter
from flask_lineconnect.cli.group import line as commands
from flask_lineconnect.models import Account
from flask_lineconnect.models import AuditEntry
from flask_lineconnect.testing.plugin import Emulator
from flask_lineconnect.testing.plugin import LineBrowser
from tests.conftest import DATABASES
from tests.conftest import ApartClient
from tests.people import BASE_URL
from tests.people import log_in
from tests.people import press
from tests.people import sign_up
from tests.postgres import create_database
from tests.small_shop import SETTINGS

KEYS = ("int", "uuid", "text")
pytestmark = [
    pytest.mark.parametrize("database", DATABASES),
    pytest.mark.parametrize("key", KEYS),
]


def _new_key(kind: str) -> Any:
    return {"int": None, "uuid": uuid.uuid4(), "text": f"member-{uuid.uuid4()}"}[kind]


def _make_shop(kind: str, settings: dict[str, Any]) -> tuple[Flask, SQLAlchemy, Any]:
    """Return a shop without passwords, whose members have keys of one kind."""

    class Base(DeclarativeBase):
        pass

    db = SQLAlchemy(model_class=Base)
    column: Any = {
        "int": mapped_column(primary_key=True),
        "uuid": mapped_column(primary_key=True),
        "text": mapped_column(String(60), primary_key=True),
    }[kind]
    python_type: Any = {"int": int, "uuid": uuid.UUID, "text": str}[kind]

    class Member(UserMixin, Base):
        __tablename__ = "member"
        __annotations__ = {"id": Mapped[python_type], "name": Mapped[str]}
        id = column
        name = mapped_column(String(100))

    class Shop(ShopAdapter[Any]):
        model = Member
        name = "店"

        def sign_up(self, profile: LineProfile) -> Any:
            member = Member(name=profile.display_name)
            if kind != "int":
                member.id = _new_key(kind)
            return member

    app = Flask("shop")
    app.config.update(settings)
    app.test_client_class = ApartClient
    db.init_app(app)
    login_manager = LoginManager(app)
    login_manager.user_loader(lambda text: db.session.get(Member, python_type(text)))
    # Another provider, through Authlib's own registry and its slot in app.extensions.
    oauth = OAuth(app)
    oauth.register("other", client_id="a", client_secret="b", authorize_url="https://id.example/")

    @app.post("/other-login/<name>")
    def other_login(name: str) -> str:
        login_user(db.session.scalars(select(Member).where(Member.name == name)).one())
        return "in"

    @app.get("/other-start")
    def other_start() -> Any:
        return oauth.other.authorize_redirect("https://shop.example/other-callback")

    @app.get("/private")
    @login_required
    def private() -> str:
        return "private"

    LineConnect(app, db=db, shop=Shop())
    with app.app_context():
        Base.metadata.create_all(db.engine)
        db.metadata.create_all(db.engine)
    return app, db, Member


@pytest.fixture
def shop(
    key: str,
    database: str,
    tmp_path: Path,
    line_emulator: Emulator,
    request: pytest.FixtureRequest,
) -> Iterator[tuple[Flask, SQLAlchemy, Any]]:
    """Return a shop, its database and its member model."""
    line_emulator.set_up(base_url=BASE_URL)
    if database == "sqlite":
        address = f"sqlite:///{tmp_path / 'shop.db'}"
    else:
        address = create_database(request.getfixturevalue("postgres_server"), uuid.uuid4().hex)
    settings = {
        **SETTINGS,
        **line_emulator.settings(BASE_URL),
        "SQLALCHEMY_DATABASE_URI": address,
        "LINECONNECT_ENGINE": "worker",
    }
    made = _make_shop(key, settings)
    yield made
    app, db, _member = made
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


def _account(app: Flask, db: SQLAlchemy) -> Account:
    with app.app_context():
        return db.session.scalars(select(Account)).one()


def test_a_whole_life_of_a_link(
    shop: tuple[Flask, SQLAlchemy, Any], sakura: LineBrowser, line_emulator: Emulator
) -> None:
    app, db, member_model = shop
    client: FlaskClient = app.test_client()
    sign_up(client, sakura)
    assert client.get("/private").status_code == 200
    with app.app_context():
        member = db.session.scalars(select(member_model)).one()
    account = _account(app, db)
    assert account.member_id == member.id
    assert type(account.member_id) is type(member.id)

    assert log_in(app.test_client(), sakura, "/line/login?next=/private").location == "/private"
    press(client, "/line/unlink", without_login="yes")
    assert _account(app, db).member_id is None

    client.post("/other-login/佐藤 さくら")
    assert client.get(sakura.log_in(press(client, "/line/link").location)).location == (
        "/line/link/confirm"
    )
    press(client, "/line/link/confirm")
    assert _account(app, db).member_id == member.id

    answer = app.test_cli_runner().invoke(commands, ["unlink", str(member.id)])
    assert answer.exit_code == 0, answer.output
    with app.app_context():
        entries = db.session.scalars(select(AuditEntry).order_by(AuditEntry.id)).all()
        assert [(entry.action, entry.actor, entry.member_key) for entry in entries] == [
            ("linked", "member", str(member.id)),
            ("unlinked", "member", str(member.id)),
            ("linked", "member", str(member.id)),
            ("unlinked", "shop", str(member.id)),
        ]


def test_another_providers_login_goes_on_beside_line(
    shop: tuple[Flask, SQLAlchemy, Any], sakura: LineBrowser
) -> None:
    app, _db, _member = shop
    client = app.test_client()
    callback = sakura.log_in(client.get("/line/login").location)
    begun = client.get("/other-start").location
    assert begun.startswith("https://id.example/?")
    # Neither takes the other's place in the session.
    assert client.get(callback).location == "/line/sign-up"
    with client.session_transaction() as session:
        assert any(name.startswith("_state_other_") for name in session)
