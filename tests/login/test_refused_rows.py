"""A database that refuses the new member: "already a member" is said of unique values alone."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask_login import LoginManager
from flask_login import UserMixin
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import CheckConstraint
from sqlalchemy import ForeignKey
from sqlalchemy import String
from sqlalchemy import UniqueConstraint
from sqlalchemy import func
from sqlalchemy import select
from sqlalchemy import text
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.orm import Mapped
from sqlalchemy.orm import mapped_column

from flask_lineconnect import LineConnect
from flask_lineconnect import LineProfile
from flask_lineconnect import ShopAdapter
from flask_lineconnect.testing.plugin import Emulator
from flask_lineconnect.testing.plugin import LineBrowser
from tests.conftest import DATABASES
from tests.conftest import ApartClient
from tests.people import BASE_URL
from tests.people import log_in
from tests.people import press
from tests.postgres import create_database
from tests.small_shop import SETTINGS

EMAIL = "sakura@example.com"
ALREADY = "すでに会員登録があるようです"
TRIGGERS = {
    "sqlite": [
        "CREATE TRIGGER watch BEFORE INSERT ON member WHEN NEW.nick = 'boom' "
        "BEGIN SELECT RAISE(ABORT, 'nick is not allowed'); END"
    ],
    "postgresql": [
        "CREATE FUNCTION watch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "IF NEW.nick = 'boom' THEN RAISE EXCEPTION 'not allowed for %', NEW.email; END IF; "
        "RETURN NEW; END $$",
        "CREATE TRIGGER watch BEFORE INSERT ON member FOR EACH ROW EXECUTE FUNCTION watch()",
    ],
}

DEFERRED: dict[str, Any] = {"deferrable": True, "initially": "DEFERRED"}

Make = Callable[..., tuple[Flask, SQLAlchemy, Any]]


@pytest.fixture(params=DATABASES)
def database(request: pytest.FixtureRequest) -> str:
    """Return each of the databases."""
    return str(request.param)


@pytest.fixture
def address(database: str, tmp_path: Path, request: pytest.FixtureRequest) -> str:
    """Return the address of an empty database."""
    if database == "sqlite":
        return f"sqlite:///{tmp_path / 'shop.db'}"
    return create_database(request.getfixturevalue("postgres_server"), uuid.uuid4().hex)


@pytest.fixture
def make(address: str, database: str, line_emulator: Emulator) -> Iterator[Make]:
    """Return a function that makes a shop whose ``sign_up`` fills the member so."""
    line_emulator.set_up(base_url=BASE_URL)
    made: list[tuple[Flask, SQLAlchemy]] = []

    def make(address: str = address, **filled: Any) -> tuple[Flask, SQLAlchemy, Any]:
        app, db, member = _make_shop(address, line_emulator, filled)
        made.append((app, db))
        with app.app_context():
            db.create_all()
            for trigger in TRIGGERS[database]:
                db.session.execute(text(trigger))
            db.session.commit()
        return app, db, member

    yield make
    for app, db in made:
        with app.app_context():
            db.session.remove()
            db.engine.dispose()


def _make_shop(
    address: str, line_emulator: Emulator, filled: dict[str, Any]
) -> tuple[Flask, SQLAlchemy, Any]:
    class Base(DeclarativeBase):
        pass

    db = SQLAlchemy(model_class=Base)

    class Rank(Base):
        __tablename__ = "rank"
        id: Mapped[int] = mapped_column(primary_key=True)

    class Member(UserMixin, Base):
        __tablename__ = "member"
        __table_args__ = (
            CheckConstraint("age >= 0", name="age_is_positive"),
            # PostgreSQL asks it at the commit.
            UniqueConstraint(
                "code", name="one_code", **(DEFERRED if "postgresql" in address else {})
            ),
        )
        id: Mapped[int] = mapped_column(primary_key=True)
        name: Mapped[str]
        email: Mapped[str | None] = mapped_column(unique=True)
        phone: Mapped[str]
        age: Mapped[int] = mapped_column(default=20)
        nick: Mapped[str] = mapped_column(String(5), default="")
        code: Mapped[str | None]
        rank_id: Mapped[int | None] = mapped_column(ForeignKey(Rank.id))

    class Shop(ShopAdapter[Any]):
        model = Member
        name = "店"

        def sign_up(self, profile: LineProfile) -> Any:
            member = Member(**{"name": profile.display_name, "email": profile.email} | filled)
            db.session.add(member)
            return member

    app = Flask("shop")
    settings = line_emulator.settings(BASE_URL)
    app.config.update(SETTINGS, **settings, SQLALCHEMY_DATABASE_URI=address, TESTING=False)
    app.config["DEBUG"] = True
    app.config["PROPAGATE_EXCEPTIONS"] = False
    app.test_client_class = ApartClient
    db.init_app(app)
    LoginManager(app).user_loader(lambda key: db.session.get(Member, int(key)))
    LineConnect(app, db=db, shop=Shop())
    return app, db, Member


def _press(app: Flask, browser: LineBrowser) -> Any:
    client = app.test_client()
    log_in(client, browser)
    return press(client, "/line/sign-up", display_name="佐藤 さくら", email=EMAIL)


@pytest.mark.parametrize(
    ("filled", "named"),
    [
        ({}, "member.phone"),
        ({"phone": "1", "age": -7}, "age_is_positive"),
        ({"phone": "1", "rank_id": 4711}, "rank_id"),
        ({"phone": "1", "nick": "much too long"}, "member.nick"),
        ({"phone": "1", "nick": "boom"}, "trigger"),
    ],
    ids=["not-null", "check", "foreign-key", "too-long", "trigger"],
)
def test_a_fault_of_the_shops_is_an_error_with_its_column(
    make: Make,
    database: str,
    sakura: LineBrowser,
    caplog: pytest.LogCaptureFixture,
    filled: dict[str, Any],
    named: str,
) -> None:
    if "nick" in named and database == "sqlite":
        pytest.skip("SQLite has no limits of length")
    app, db, member = make(**filled)
    answer = _press(app, sakura)
    assert answer.status_code == 500
    assert ALREADY not in answer.text
    assert "問題が起きました" in answer.text
    logged = caplog.text
    assert named in logged
    assert "Traceback" in logged
    assert "in sign_up" in logged or "member_key" in logged
    for value in (EMAIL, "さくら", "4711", "-7", "much too long"):
        assert value not in logged
    with app.app_context():
        assert not db.session.scalar(select(func.count()).select_from(member))


@pytest.mark.parametrize("column", ["email", "code"])
def test_a_unique_value_is_a_member_already(
    make: Make, sakura: LineBrowser, caplog: pytest.LogCaptureFixture, column: str
) -> None:
    app, db, member = make(phone="1", code="c")
    with app.app_context():
        taken = {"email": EMAIL} if column == "email" else {"code": "c"}
        db.session.add(member(name="A", phone="2", **taken))
        db.session.commit()
    with caplog.at_level(logging.INFO):
        answer = _press(app, sakura)
    assert answer.status_code == 200
    assert ALREADY in answer.text
    assert (
        "one_code"
        if column == "code" and "postgresql" in str(app.config["SQLALCHEMY_DATABASE_URI"])
        else column
    ) in caplog.text
    assert EMAIL not in caplog.text


def test_a_sequence_that_is_behind_is_no_member(
    make: Make, sakura: LineBrowser, caplog: pytest.LogCaptureFixture
) -> None:
    """Everybody would be told to be a member already, after an import with keys."""
    app, db, member = make(phone="1", id=1)
    with app.app_context():
        db.session.add(member(id=1, name="A", phone="2"))
        db.session.commit()
    answer = _press(app, sakura)
    assert answer.status_code == 500
    assert "there is such a value already" in caplog.text


def test_psycopg2_says_the_same(
    make: Make, database: str, address: str, sakura: LineBrowser, caplog: pytest.LogCaptureFixture
) -> None:
    if database == "sqlite":
        pytest.skip("a driver of PostgreSQL's")
    pytest.importorskip("psycopg2")
    app, _db, _member = make(address.replace("+psycopg", "+psycopg2"))
    assert _press(app, sakura).status_code == 500
    assert "member.phone" in caplog.text
    assert EMAIL not in caplog.text
