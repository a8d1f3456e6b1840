"""A member's key that is used again: nothing of the one before reaches the next one."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_login import LoginManager
from flask_login import UserMixin
from flask_login import current_user
from flask_login import login_required
from flask_sqlalchemy import SQLAlchemy
from flask_wtf.csrf import generate_csrf
from sqlalchemy import select
from sqlalchemy import text
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.orm import Mapped
from sqlalchemy.orm import mapped_column

from flask_lineconnect import LineConnect
from flask_lineconnect import LineProfile
from flask_lineconnect import ShopAdapter
from flask_lineconnect import UsageError
from flask_lineconnect.linking import accounts
from flask_lineconnect.models import Account
from flask_lineconnect.testing.plugin import Emulator
from flask_lineconnect.testing.plugin import LineBrowser
from tests.conftest import ApartClient
from tests.login.doors import exchange
from tests.login.doors import id_token
from tests.people import BASE_URL
from tests.people import log_in
from tests.people import sign_up
from tests.small_shop import SETTINGS

MakeShop = Callable[..., tuple[Flask, SQLAlchemy]]


@pytest.fixture
def make_shop(tmp_path: Path, line_emulator: Emulator) -> MakeShop:
    """Return a function that makes a shop whose SQLite gives keys again."""
    line_emulator.set_up(base_url=BASE_URL)

    def make(column: str | None, mark: str | None = None) -> tuple[Flask, SQLAlchemy]:
        class Base(DeclarativeBase):
            pass

        db = SQLAlchemy(model_class=Base)
        fields: dict[str, Any] = {
            "__tablename__": "member",
            "__annotations__": {"id": Mapped[int], "name": Mapped[str]},
            "id": mapped_column(primary_key=True),
        }
        if column is not None:
            fields["__annotations__"][column] = Mapped[datetime]
            fields[column] = mapped_column(default=lambda: datetime.now(UTC))
        member_model: Any = type("Member", (UserMixin, Base), fields)

        class Shop(ShopAdapter[Any]):
            model = member_model
            member_mark = mark

            def sign_up(self, profile: LineProfile) -> Any:
                return member_model(name=profile.display_name)

            def member_name(self, member: Any) -> str:
                return str(member.name)

        return _make_app(db, Base, Shop(), line_emulator, tmp_path), db

    return make


def _make_app(
    db: SQLAlchemy, base: Any, shop: ShopAdapter[Any], emulator: Emulator, folder: Path
) -> Flask:
    app = Flask("shop")
    app.config.update(SETTINGS, **emulator.settings(BASE_URL))
    app.config["SQLALCHEMY_DATABASE_URI"] = f"sqlite:///{folder / 'shop.db'}"
    app.test_client_class = ApartClient
    db.init_app(app)
    login_manager = LoginManager(app)
    login_manager.user_loader(lambda key: db.session.get(shop.model, int(key)))

    @app.get("/name")
    @login_required
    def name() -> str:
        return str(current_user.name)

    @app.get("/token")
    def token() -> str:
        return f"{generate_csrf()}"

    LineConnect(app, db=db, shop=shop)
    with app.app_context():
        base.metadata.create_all(db.engine)
        db.metadata.create_all(db.engine)
    return app


def _replace_by_sql(db: SQLAlchemy) -> None:
    """Delete the member past the session and past foreign keys; the next one gets the key."""
    with db.engine.connect() as connection:
        # As the database's own shell does.
        connection.execute(text("PRAGMA foreign_keys = OFF"))
        connection.commit()
        connection.execute(text("DELETE FROM member"))
        connection.commit()
        connection.execute(text("PRAGMA foreign_keys = ON"))


def _insert_by_sql(db: SQLAlchemy, column: str | None) -> None:
    columns = "id, name" + (f", {column}" if column else "")
    values = "1, 'つぎの人'" + (", '2030-01-02 03:04:05.000000'" if column else "")
    with db.engine.begin() as connection:
        connection.execute(text(f"INSERT INTO member ({columns}) VALUES ({values})"))


def _who(client: FlaskClient) -> str | None:
    page = client.get("/name")
    return page.text if page.status_code == 200 else None


@pytest.mark.parametrize(("column", "mark"), [("created_at", None), ("born", "born")])
def test_S3_6_the_next_member_with_the_key_is_somebody_else(
    make_shop: MakeShop,
    sakura: LineBrowser,
    line_emulator: Emulator,
    column: str,
    mark: str | None,
) -> None:
    app, db = make_shop(column, mark)
    old = app.test_client()
    sign_up(old, sakura)
    assert _who(old) == "佐藤 さくら"
    with app.app_context():
        account = db.session.scalars(select(Account)).one()
        assert account.member_mark is not None
        assert account.member_mark.startswith(f"{column}:")
        _replace_by_sql(db)
        _insert_by_sql(db, column)

        line = app.extensions["lineconnect"]
        next_member = db.session.get(line.shop.model, 1)
        account = db.session.scalars(select(Account)).one()
        assert account.member_id == 1
        assert accounts.account_of_member(line, next_member) is None
        assert accounts.member_of_account(line, account) is None

    assert _who(old) is None
    phone = app.test_client()
    answer = exchange(phone, id_token(sakura, line_emulator))
    assert (answer.json or {})["location"] != "/line/liff", answer.json
    browser = app.test_client()
    assert log_in(browser, sakura).location == "/line/sign-up"
    assert _who(browser) is None


def test_S3_6_a_new_member_ends_what_was_left_of_the_one_before(
    make_shop: MakeShop, sakura: LineBrowser
) -> None:
    app, db = make_shop(None)
    old = app.test_client()
    sign_up(old, sakura)
    with app.app_context():
        _replace_by_sql(db)
        line = app.extensions["lineconnect"]
        db.session.add(line.shop.model(name="つぎの人"))
        db.session.commit()
        assert db.session.scalars(select(line.shop.model.id)).all() == [1]
        assert db.session.scalars(select(Account)).all() == []

    assert _who(old) is None
    browser = app.test_client()
    assert log_in(browser, sakura).location == "/line/sign-up"


def test_a_link_from_before_it_was_kept_remembers_its_member_at_the_next_login(
    make_shop: MakeShop, sakura: LineBrowser
) -> None:
    app, db = make_shop("created_at")
    sign_up(app.test_client(), sakura)
    with app.app_context():
        kept = db.session.scalars(select(Account.member_mark)).one()
        db.session.execute(text("UPDATE lineconnect_account SET member_mark = NULL"))
        db.session.commit()

    browser = app.test_client()
    log_in(browser, sakura)

    assert _who(browser) == "佐藤 さくら"
    with app.app_context():
        assert db.session.scalars(select(Account.member_mark)).one() == kept


def test_a_mark_that_is_no_column_is_refused(make_shop: MakeShop) -> None:
    with pytest.raises(UsageError, match="member_mark names 'birth'"):
        make_shop("created_at", "birth")


@pytest.mark.parametrize("is_kept_apart", [True, False])
def test_the_start_says_that_keys_come_again(
    is_kept_apart: bool, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    class Base(DeclarativeBase):
        pass

    db = SQLAlchemy(model_class=Base)

    class Member(UserMixin, Base):
        __tablename__ = "member"
        __table_args__ = {"sqlite_autoincrement": is_kept_apart}  # noqa: RUF012  # SQLAlchemy's form
        id: Mapped[int] = mapped_column(primary_key=True)

    class Shop(ShopAdapter[Member]):
        model = Member

        def sign_up(self, profile: LineProfile) -> Member | None:
            return None

    app = Flask("shop")
    app.config.update(SETTINGS, SQLALCHEMY_DATABASE_URI=f"sqlite:///{tmp_path / 'shop.db'}")
    db.init_app(app)
    LoginManager(app)
    with caplog.at_level(logging.WARNING):
        LineConnect(app, db=db, shop=Shop())
    assert ("gives the key of a deleted member" in caplog.text) is not is_kept_apart
    assert not (tmp_path / "shop.db").exists()
