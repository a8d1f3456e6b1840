"""Which databases will do is said when the shop starts."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from flask_login import LoginManager
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import create_engine
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.orm import Mapped
from sqlalchemy.orm import mapped_column

from flask_lineconnect import ConfigError
from flask_lineconnect import LineConnect
from flask_lineconnect import LineProfile
from flask_lineconnect import ShopAdapter
from flask_lineconnect.models.databases import check_database
from flask_lineconnect.models.databases import check_version
from tests.small_shop import SETTINGS


def _init(**settings: Any) -> None:
    class Base(DeclarativeBase):
        pass

    db = SQLAlchemy(model_class=Base)

    class Member(Base):
        __tablename__ = "member"
        id: Mapped[int] = mapped_column(primary_key=True)

    class Shop(ShopAdapter[Member]):
        model = Member

        def sign_up(self, profile: LineProfile) -> Member | None:
            return None

    app = Flask("shop")
    app.config.update(SETTINGS, **settings)
    db.init_app(app)
    LoginManager(app)
    LineConnect(app, db=db, shop=Shop())


@pytest.mark.parametrize("uri", ["mysql+pymysql://u:p@127.0.0.1/s", "mariadb+pymysql://h/s"])
def test_another_database_is_refused_with_one_sentence(uri: str) -> None:
    pytest.importorskip("pymysql")
    with pytest.raises(ConfigError, match=r"SQLite 3\.35 or newer and PostgreSQL 13 or newer"):
        _init(SQLALCHEMY_DATABASE_URI=uri)


def test_members_may_be_in_another_database() -> None:
    pytest.importorskip("pymysql")
    _init(
        SQLALCHEMY_DATABASE_URI="sqlite://",
        SQLALCHEMY_BINDS={"legacy": "mysql+pymysql://u:p@127.0.0.1/s"},
    )


def test_a_shop_without_a_default_database_is_refused() -> None:
    with pytest.raises(ConfigError, match="SQLALCHEMY_DATABASE_URI is missing"):
        _init(SQLALCHEMY_BINDS={"members": "sqlite://"})


def test_an_old_sqlite_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = create_engine("sqlite://")
    monkeypatch.setattr(engine.dialect, "dbapi", _OldDriver)
    with pytest.raises(ConfigError, match=r"this is SQLite 3\.34\.1"):
        check_database(engine)


class _OldDriver:
    sqlite_version_info = (3, 34, 1)


def test_an_old_postgresql_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"this is PostgreSQL 12\.9"):
        check_version("PostgreSQL", (12, 9), (13,))
    check_version("PostgreSQL", (13, 0), (13,))
    check_version("PostgreSQL", None, (13,))
