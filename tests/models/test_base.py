"""The member's key takes the shop's own type, and times stay aware."""

from __future__ import annotations

import uuid
from datetime import UTC
from datetime import datetime
from datetime import timedelta
from datetime import timezone
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask_login import LoginManager
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import ForeignKeyConstraint
from sqlalchemy import Integer
from sqlalchemy import String
from sqlalchemy import Uuid
from sqlalchemy import select
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.orm import Mapped
from sqlalchemy.orm import mapped_column

from flask_lineconnect import LineConnect
from flask_lineconnect import LineProfile
from flask_lineconnect import Refused
from flask_lineconnect import ShopAdapter
from flask_lineconnect import UsageError
from flask_lineconnect.linking.accounts import account_of
from flask_lineconnect.linking.accounts import ensure_account
from flask_lineconnect.linking.accounts import link
from flask_lineconnect.models import Account
from flask_lineconnect.models.base import UtcDateTime
from flask_lineconnect.state import LineState
from tests.small_shop import SETTINGS

NOW = datetime(2026, 8, 1, 12, 0, tzinfo=UTC)
COLUMN_TYPES: dict[type[Any], Any] = {int: Integer, uuid.UUID: Uuid, str: String(20)}
KEYS: dict[type[Any], Any] = {int: 5, uuid.UUID: uuid.UUID(int=5), str: "K-0005"}


def _shop(tmp_path: Path, key_type: type[Any]) -> tuple[Flask, Any]:
    class Base(DeclarativeBase):
        pass

    db = SQLAlchemy(model_class=Base)

    class Member(Base):
        __tablename__ = "member"
        id: Mapped[Any] = mapped_column(COLUMN_TYPES[key_type], primary_key=True)

    class Shop(ShopAdapter[Member]):
        model = Member

        def sign_up(self, profile: LineProfile) -> Member | None:
            return None

    app = Flask(__name__)
    uri = f"sqlite:///{tmp_path / key_type.__name__}.db"
    app.config.update(SETTINGS, SQLALCHEMY_DATABASE_URI=uri)
    line = LineConnect(db=db, shop=Shop())
    db.init_app(app)
    LoginManager(app).user_loader(lambda key: None)
    line.init_app(app)
    with app.app_context():
        db.metadata.create_all(db.engine)
        db.session.add(Member(id=KEYS[key_type]))
        db.session.commit()
    return app, Member


def test_int_uuid_and_text_keys_share_a_process(tmp_path: Path) -> None:
    shops = {key_type: _shop(tmp_path, key_type) for key_type in KEYS}
    for key_type, (app, member_model) in shops.items():
        with app.app_context():
            line: LineState = app.extensions["lineconnect"]
            account = ensure_account(line.session, "U" + "a" * 32, now=NOW)
            link(line, account, KEYS[key_type], source=None, now=NOW)
            line.session.commit()
            found = account_of(line.session, KEYS[key_type])
            assert found is not None
            assert found.member_id == KEYS[key_type]
            joined = select(member_model).join(Account, Account.member_id == member_model.id)
            assert line.session.scalars(joined).one().id == KEYS[key_type]
            for engine in line.db.engines.values():
                engine.dispose()


def test_the_copied_column_has_the_plain_type_and_a_foreign_key(tmp_path: Path) -> None:
    app, member_model = _shop(tmp_path, int)
    with app.app_context():
        db = app.extensions["lineconnect"].db
        table = db.metadata.tables["lineconnect_account"]
        assert type(table.c.member_id.type) is type(member_model.__table__.c.id.type)
        constraints = [c for c in table.constraints if isinstance(c, ForeignKeyConstraint)]
        keys = {fk.parent.name: fk.target_fullname for c in constraints for fk in c.elements}
        assert keys == {"member_id": "member.id", "former_member_id": "member.id"}
        db.engine.dispose()


def test_K6_S3_4_the_database_decides_who_is_linked(line: LineState) -> None:
    from tests.small_shop import User

    line.session.add_all([User(id=1, name="A"), User(id=2, name="B")])
    first = ensure_account(line.session, "U" + "a" * 32, now=NOW)
    second = ensure_account(line.session, "U" + "b" * 32, now=NOW)
    line.session.flush()
    link(line, first, 1, source=None, now=NOW)
    with pytest.raises(Refused) as refusal:
        link(line, second, 1, source=None, now=NOW)
    assert refusal.value.step == "member-taken"
    with pytest.raises(Refused) as refusal:
        link(line, first, 2, source=None, now=NOW)
    assert refusal.value.step == "account-taken"
    line.session.commit()
    assert line.session.scalars(select(Account.member_id).order_by(Account.id)).all() == [1, None]


def test_a_time_without_a_zone_is_refused(line: LineState) -> None:
    column = UtcDateTime()
    dialect = line.db.engine.dialect
    with pytest.raises(UsageError):
        column.process_bind_param(datetime(2026, 8, 1), dialect)  # noqa: DTZ001
    tokyo = datetime(2026, 8, 1, 21, 0, tzinfo=timezone(timedelta(hours=9)))
    assert column.process_bind_param(tokyo, dialect) == NOW
    assert column.process_result_value(datetime(2026, 8, 1, 12), dialect) == NOW  # noqa: DTZ001
