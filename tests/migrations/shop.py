"""A shop with Flask-Migrate, of every kind of key, as other people write theirs."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

from flask import Flask
from flask_login import LoginManager
from flask_login import UserMixin
from flask_migrate import Migrate
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import CHAR
from sqlalchemy import BigInteger
from sqlalchemy import Dialect
from sqlalchemy import Integer
from sqlalchemy import MetaData
from sqlalchemy import String
from sqlalchemy import TypeDecorator
from sqlalchemy import Uuid
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.orm import Mapped
from sqlalchemy.orm import mapped_column
from sqlalchemy.types import TypeEngine

from flask_lineconnect import LineConnect
from flask_lineconnect import LineProfile
from flask_lineconnect import ShopAdapter
from tests.conftest import ApartClient
from tests.small_shop import SETTINGS

NAMES = {
    "ix": "idx_%(table_name)s_%(column_0_name)s",
    "uq": "unique_%(table_name)s_%(column_0_name)s",
    "ck": "check_%(table_name)s_%(constraint_name)s",
    "fk": "foreign_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "key_%(table_name)s",
}


class Guid(TypeDecorator[uuid.UUID]):
    """A shop's own type, after the recipe of SQLAlchemy's documentation."""

    impl = CHAR
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Use PostgreSQL's type there, text elsewhere."""
        if dialect.name == "postgresql":
            return dialect.type_descriptor(postgresql.UUID(as_uuid=True))
        return dialect.type_descriptor(CHAR(32))

    def process_bind_param(self, value: uuid.UUID | None, dialect: Dialect) -> Any:
        """Store 32 hexadecimal digits where there is no type for them."""
        return value if value is None or dialect.name == "postgresql" else value.hex

    def process_result_value(self, value: Any, dialect: Dialect) -> uuid.UUID | None:
        """Return a UUID."""
        return value if value is None or isinstance(value, uuid.UUID) else uuid.UUID(value)


KEY_TYPES: dict[str, Any] = {
    "int": Integer(),
    "bigint": BigInteger().with_variant(Integer(), "sqlite"),
    "text": String(20),
    "uuid": Uuid(),
    "guid": Guid(),
}


@dataclass(frozen=True, kw_only=True)
class Kind:
    """How a shop is made.

    :ivar members_uri: the database of the members, where it is another one.
    :ivar folder: of the migrations.
    """

    uri: str
    folder: str
    key: str = "int"
    members_uri: str = ""
    has_names: bool = False
    #: As Flask-Migrate has it.
    is_batch: bool = True
    schema: str | None = None


def new_key(key: str) -> Any:
    """Return the key of a new member; ``None`` where the database makes it."""
    if key in {"int", "bigint"}:
        return None
    return uuid.uuid4() if key in {"uuid", "guid"} else uuid.uuid4().hex[:20]


def create_app(kind: Kind, **settings: Any) -> Flask:
    """Make the shop."""

    class Base(DeclarativeBase):
        metadata = MetaData(naming_convention=NAMES if kind.has_names else None, schema=kind.schema)

    db = SQLAlchemy(model_class=Base)
    parser = {"int": int, "bigint": int, "text": str}.get(kind.key, uuid.UUID)
    bind: dict[str, Any] = {"__bind_key__": "members"} if kind.members_uri else {}

    class Member(UserMixin, db.Model):  # type: ignore[name-defined]
        __tablename__ = "member"
        locals().update(bind)
        id: Mapped[Any] = mapped_column(KEY_TYPES[kind.key], primary_key=True)
        name: Mapped[str] = mapped_column(String(100))
        email: Mapped[str | None] = mapped_column(String(254), unique=True)

    class Shop(ShopAdapter[Any]):
        model = Member
        name = "店"

        def sign_up(self, profile: LineProfile) -> Any:
            member = Member(name=profile.display_name, email=profile.email)
            if (made := new_key(kind.key)) is not None:
                member.id = made
            db.session.add(member)
            return member

    app = Flask("shop")
    app.config.update(SETTINGS, SQLALCHEMY_DATABASE_URI=kind.uri, **settings)
    if kind.members_uri:
        app.config["SQLALCHEMY_BINDS"] = {"members": kind.members_uri}
    db.init_app(app)
    login_manager = LoginManager(app)
    login_manager.user_loader(lambda text: db.session.get(Member, parser(text)))
    app.extensions["extension"] = LineConnect(app, db=db, shop=Shop())
    app.test_client_class = ApartClient
    join_migrate(app, kind)
    return app


def join_migrate(app: Flask, kind: Kind) -> None:
    """Join Flask-Migrate; once more, it forgets what the command before was told."""
    options: dict[str, Any] = {"include_schemas": True} if kind.schema else {}
    Migrate(
        app,
        app.extensions["sqlalchemy"],
        directory=kind.folder,
        render_as_batch=kind.is_batch,
        compare_server_default=True,
        **options,
    )
