"""What needs no LINE: settings, adapter, database, engines. Each check finds its fault."""

from __future__ import annotations

import logging
import shutil
import sqlite3
from collections.abc import Mapping
from collections.abc import Sequence
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.sessions import SecureCookieSessionInterface
from sqlalchemy import event
from sqlalchemy import select
from sqlalchemy import text

from flask_lineconnect import Emulator
from flask_lineconnect.models import InboxEvent
from flask_lineconnect.models import LivingProcess
from flask_lineconnect.models import OutboxMessage
from flask_lineconnect.models import WebhookForward
from flask_lineconnect.outbox.pauses import pause
from flask_lineconnect.state import LineState
from flask_lineconnect.webhooks.forwarding import Forwarding
from tests.conftest import DATABASES
from tests.conftest import MakeApp
from tests.people import add_member
from tests.people import link
from tests.small_shop import SmallMembership
from tests.small_shop import SmallShop
from tests.small_shop import User
from tests.small_shop import db
from tests.small_shop import line as extension

from .conftest import look

LONG_KEY = "3f1c9a27e5b84d60a1f2c3d4e5f60718293a4b5c6d7e8f90"
NO_PATIENCE = "PRAGMA busy_timeout = 10"
SERVED: Mapping[str, Any] = {"SECRET_KEY": LONG_KEY}


def _found(app: Flask, name: str) -> Any:
    return look(app, name, may_ask=False)[name]


def _say(statement: str) -> None:
    db.session.execute(text(statement))
    db.session.commit()


@pytest.mark.parametrize(
    ("name", "settings", "state", "seen", "mend"),
    [
        ("base-url", {"LINECONNECT_BASE_URL": "http://shop.example"}, "wrong", "but https", "TLS"),
        ("base-url", {"LINECONNECT_BASE_URL": "https://10.0.0.1"}, "wrong", "10.0.0.1", "tunnel"),
        ("base-url", {"LINECONNECT_BASE_URL": "https://localhost"}, "wrong", "reach", "tunnel"),
        ("base-url", {}, "fine", "https://shop.example", ""),
        ("secret-key", {"SECRET_KEY": "dev"}, "wrong", "guessed", "token_hex"),
        ("secret-key", {"SECRET_KEY": "change me in production"}, "doubtful", "example", "token"),
        ("secret-key", {"SECRET_KEY": "x" * 40}, "doubtful", "example", "token_hex"),
        ("secret-key", SERVED, "fine", "long", ""),
        ("time-zone", {"LINECONNECT_TIMEZONE": "UTC"}, "doubtful", "nine hours", "Asia/Tokyo"),
        ("time-zone", {"BABEL_DEFAULT_TIMEZONE": "Asia/Bangkok"}, "doubtful", "Bangkok", "both"),
        ("pages", {"LINECONNECT_DEFAULT_PAGE": "/nowhere"}, "wrong", "DEFAULT_PAGE", "leave"),
        ("pages", {"LINECONNECT_TERMS_URL": "/nowhere"}, "wrong", "TERMS_URL", "leave it out"),
        ("pages", {"LINECONNECT_PRIVACY_URL": "https://x.example"}, "fine", "are there", ""),
        ("host-names", {"TRUSTED_HOSTS": ["other.example"]}, "wrong", "answered 400", "TRUSTED"),
        ("host-names", {"TRUSTED_HOSTS": [".example"]}, "fine", "shop.example", ""),
        ("liff-id", {"LINECONNECT_LIFF_ID": None}, "doubtful", "no point card", "set its id"),
    ],
)
def test_settings(
    make_app: MakeApp, name: str, settings: Any, state: str | None, seen: str, mend: str
) -> None:
    found = look(make_app(**settings), name, may_ask=False).get(name)
    assert (found and found.state) == state
    assert found is None or (seen in found.text and mend in found.mend)


def test_what_others_have_made_of_the_cookie_since(make_app: MakeApp) -> None:
    app = make_app()
    assert _found(app, "session-cookie").state == "fine"
    app.config["SESSION_COOKIE_SAMESITE"] = "Strict"
    found = _found(app, "session-cookie")
    assert found.state == "wrong"
    assert "no login could end" in found.text
    assert 'Set it to "Lax"' in found.mend


def test_a_session_that_ends_before_the_login(make_app: MakeApp) -> None:
    app = make_app(PERMANENT_SESSION_LIFETIME=timedelta(minutes=5))
    assert isinstance(app.session_interface, SecureCookieSessionInterface)
    assert _found(app, "session-cookie").state == "doubtful"


class Misspelt(SmallShop):
    """Methods that nobody will ask for."""

    def may_login(self, member: User) -> bool:
        """Nobody asks."""
        return False

    def tell_members(self, member: User) -> None:
        """Nobody asks."""


class OtherArguments(SmallShop):
    """A method that can't be called as it will be."""

    def may_log_in(self) -> bool:  # type: ignore[override]  # the mistake
        """Nobody can ask."""
        return True


class WrongDesk(SmallMembership):
    """The same at a desk."""

    def coupon(self, member: User) -> Sequence[Any]:
        """Nobody asks."""
        return ()


class ShopWithDesk(SmallShop):
    """Has it."""

    membership = WrongDesk()


class Helpful(SmallShop):
    """Helpers of the shop's own are no mistakes."""

    def find_by_number(self, number: str) -> User | None:
        """Find a member."""
        return db.session.query(User).first()

    def _may_login(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("shop", "seen"),
    [
        (Misspelt(), "Misspelt.may_login is nothing that is asked for: may_log_in is meant"),
        (Misspelt(), "tell_member is meant"),
        (OtherArguments(), "OtherArguments.may_log_in takes other arguments"),
        (ShopWithDesk(), "WrongDesk.coupon is nothing that is asked for: coupons is meant"),
    ],
)
def test_adapter_methods_that_are_misspelt(app: Flask, shop: SmallShop, seen: str) -> None:
    app.extensions["lineconnect"].shop = shop
    found = _found(app, "adapter")
    assert found.state == "wrong"
    assert seen in found.text


class ClassForDesk(SmallShop):
    """Forgot the brackets."""

    membership = SmallMembership  # type: ignore[assignment]  # the mistake


def test_a_desk_that_is_a_class(app: Flask) -> None:
    app.extensions["lineconnect"].shop = ClassForDesk()
    found = _found(app, "adapter")
    assert found.state == "wrong"
    assert "ClassForDesk has MemberDesk as a class" in found.text


@pytest.mark.parametrize("shop", [SmallShop(), Helpful()])
def test_adapters_that_are_right(app: Flask, shop: SmallShop) -> None:
    app.extensions["lineconnect"].shop = shop
    assert _found(app, "adapter").state == "fine"


def test_a_login_page_that_is_no_endpoint(app: Flask) -> None:
    manager: Any = app.login_manager  # type: ignore[attr-defined]  # set by Flask-Login
    manager.login_view = "auth.signin"
    found = _found(app, "login-page")
    assert found.state == "wrong"
    assert "'auth.signin'" in found.text
    manager.login_view = None
    assert _found(app, "login-page").state == "doubtful"
    manager.login_view = "/login"
    assert _found(app, "login-page").state == "fine"


@pytest.mark.parametrize("database", DATABASES, indirect=True)
def test_tables_that_are_missing_older_or_newer(app: Flask, line: LineState, database: str) -> None:
    assert _found(app, "tables").state == "fine"
    _say("ALTER TABLE lineconnect_account ADD COLUMN shoe_size INTEGER")
    assert _found(app, "tables").state == "fine"
    _say("ALTER TABLE lineconnect_card_code ADD COLUMN colour INTEGER NOT NULL DEFAULT 1")
    assert _found(app, "tables").state == "fine"
    if database == "postgresql":
        _say("ALTER TABLE lineconnect_card_code ALTER COLUMN colour DROP DEFAULT")
        found = _found(app, "tables")
        assert found.state == "wrong"
        assert "newer than this version" in found.text
        assert "lineconnect_card_code.colour" in found.text
    _say("ALTER TABLE lineconnect_account DROP COLUMN card_version")
    found = _found(app, "tables")
    assert "the column lineconnect_account.card_version" in found.text
    assert "flask db upgrade" in found.mend
    _say("DROP TABLE lineconnect_card_code")
    found = _found(app, "tables")
    assert found.state == "wrong"
    assert "lineconnect_card_code" in found.text


def test_a_database_that_is_away(
    make_app: MakeApp, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    app = make_app(SQLALCHEMY_DATABASE_URI=f"sqlite:///{folder / 'shop.db'}")
    with app.app_context():
        db.session.remove()
        db.engine.dispose()
    shutil.rmtree(folder)
    found = look(app, "database", "tables", "workers", may_ask=False)
    assert found["database"].state == "wrong"
    assert "SQLALCHEMY_DATABASE_URI" in found["database"].mend
    assert found["tables"].state == "unasked"
    assert found["workers"].state == "unasked"
    assert not [one for one in caplog.records if one.levelno >= logging.ERROR]


def test_a_database_in_memory(make_app: MakeApp) -> None:
    app = make_app(SQLALCHEMY_DATABASE_URI="sqlite://")
    found = _found(app, "database")
    assert found.state == "wrong"
    assert "in memory" in found.text


@pytest.mark.parametrize("statement", ["PRAGMA query_only = ON", "locked"])
def test_an_sqlite_file_that_takes_no_changes(app: Flask, line: LineState, statement: str) -> None:
    path = str(line.db.engine.url.database)
    line.db.engine.dispose()
    with closing(sqlite3.connect(path)) as other:
        if statement == "locked":
            other.execute("BEGIN IMMEDIATE")
            event.listen(line.db.engine, "connect", lambda one, _: one.execute(NO_PATIENCE))
        else:
            event.listen(line.db.engine, "connect", lambda one, _: one.execute(statement))
        found = _found(app, "database")
    assert found.state == "wrong"
    assert "takes no changes" in found.text


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_a_postgresql_that_takes_no_changes(app: Flask, line: LineState, database: str) -> None:
    assert _found(app, "database").state == "fine"
    name = line.session.scalar(text("SELECT current_database()"))
    _say(f'ALTER DATABASE "{name}" SET default_transaction_read_only = on')
    line.db.engine.dispose()
    found = _found(app, "database")
    assert found.state == "wrong"
    assert "primary" in found.mend


def test_more_hooks_than_connections(make_app: MakeApp) -> None:
    found = _found(make_app(LINECONNECT_HOOK_THREADS=50), "database-pool")
    assert found.state == "doubtful"
    assert "pool_size" in found.mend


def test_keys_that_come_again(app: Flask, line: LineState) -> None:
    assert _found(app, "member-keys").state == "fine"
    db.session.remove()
    _say('DROP TABLE "purchase"')
    _say('DROP TABLE "user"')
    _say('CREATE TABLE "user" (id INTEGER PRIMARY KEY, name TEXT)')
    found = _found(app, "member-keys")
    assert found.state == "doubtful"
    assert "sqlite_autoincrement" in found.mend


def _put_event(line: LineState, minutes: int) -> None:
    at = line.clock() - timedelta(minutes=minutes)
    row = InboxEvent(
        webhook_event_id="e1", payload="{}", occurred_at=at, received_at=at, next_attempt_at=at
    )
    line.session.add(row)
    line.session.commit()


@pytest.mark.parametrize(
    ("engine", "mend"), [("worker", "flask line worker"), ("thread", "request")]
)
def test_workers_that_are_not_seen(make_app: MakeApp, engine: str, mend: str) -> None:
    app = make_app(LINECONNECT_ENGINE=engine)
    with app.app_context():
        _put_event(app.extensions["lineconnect"], 1)
        assert _found(app, "workers").state in {"untold", "fine"}
        db.session.query(InboxEvent).delete()
        _put_event(app.extensions["lineconnect"], 7)
        found = _found(app, "workers")
    assert found.state == "wrong"
    assert "for 7 minutes" in found.text
    assert mend in found.mend


@pytest.mark.parametrize("database", DATABASES, indirect=True)
@pytest.mark.parametrize(("held", "state"), [(-1, "wrong"), (10, "untold"), (600, "untold")])
def test_what_waits_for_something_else_is_not_forgotten(
    app: Flask, line: LineState, database: str, held: int, state: str
) -> None:
    """Somebody works on another event, or the person's earlier one is tried again later."""
    person = "U" + "a" * 32
    _put_event(line, 7)
    line.session.get_one(InboxEvent, "e1").line_user_id = person
    until = line.clock() + timedelta(seconds=held)
    before = line.clock() - timedelta(minutes=8)
    row = InboxEvent(
        webhook_event_id="e0",
        line_user_id=person,
        payload="{}",
        occurred_at=before,
        received_at=before,
        next_attempt_at=until,
    )
    line.session.add(row)
    line.session.commit()
    assert _found(app, "workers").state == state


def test_a_long_campaign_is_not_forgotten(app: Flask, line: LineState) -> None:
    for number in (1, 2):
        member = add_member(line, f"x{number}")
        link(line, member, str(number))
        extension.send(member, "x")
    db.session.commit()
    clock = line.clock
    line.clock = lambda: clock() + timedelta(minutes=9)
    assert _found(app, "workers").state == "wrong"
    first = line.session.scalars(select(OutboxMessage)).first()
    assert first is not None
    first.state, first.next_attempt_at = "sending", line.clock() + timedelta(seconds=10)
    line.session.commit()
    assert _found(app, "workers").state == "untold"


def test_messages_that_nobody_sends(app: Flask, line: LineState) -> None:
    hanako = add_member(line)
    link(line, hanako)
    extension.send(hanako, "x")
    db.session.commit()
    clock = line.clock
    assert _found(app, "workers").state == "untold"
    line.clock = lambda: clock() + timedelta(minutes=9)
    assert _found(app, "workers").state == "wrong"


def test_celery_without_workers(make_app: MakeApp) -> None:
    settings = {"LINECONNECT_ENGINE": "celery", "LINECONNECT_CELERY_BROKER": "memory://"}
    app = make_app(**settings)
    found = look(app, "workers", "two-engines", may_ask=False)
    assert found["workers"].state == "wrong"
    assert "none of Celery's workers" in found["workers"].text
    app.extensions["celery"].conf.task_always_eager = True
    eager = _found(app, "two-engines")
    assert eager.state == "wrong"
    assert "task_always_eager" in eager.mend


def test_a_broker_that_is_away(make_app: MakeApp) -> None:
    settings = {
        "LINECONNECT_ENGINE": "celery",
        "LINECONNECT_CELERY_BROKER": "redis://:hunter2@127.0.0.1:9/0",
    }
    found = _found(make_app(**settings), "workers")
    assert found.state == "unasked"
    assert "broker" in found.text
    assert "hunter2" not in found.text + found.mend


def test_two_processes_on_one_file(app: Flask, line: LineState) -> None:
    assert _found(app, "two-engines").state == "fine"
    for number in (1, 2):
        now = line.clock()
        one = LivingProcess(id=str(number), host="web", pid=number, began_at=now, seen_at=now)
        line.session.add(one)
    line.session.commit()
    found = _found(app, "two-engines")
    assert found.state == "doubtful"
    assert "process 1 of web" in found.text
    assert "PostgreSQL" in found.mend


def test_counters_that_are_away(make_app: MakeApp) -> None:
    app = make_app(LINECONNECT_RATE_LIMIT_STORAGE="redis://:hunter2@127.0.0.1:9/0")
    found = _found(app, "shared-counters")
    assert found.state == "wrong"
    assert "hunter2" not in found.text + found.mend


def test_offline_asks_nobody(
    app: Flask, line_emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("socket.socket.connect", _fail)
    found = look(app, may_ask=False)
    assert {one.state for one in found.values()} <= {"fine", "doubtful", "untold"}


def _fail(*_arguments: Any) -> None:
    raise AssertionError("somebody was asked")


def test_a_check_that_fails_hides_no_other(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    app.login_manager = None  # type: ignore[attr-defined]  # an odd shop
    found = look(app, "login-page", "pages", may_ask=False)
    assert found["login-page"].state == "unasked"
    assert "AttributeError" in found["login-page"].text
    assert found["pages"].state == "fine"


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_sequences_that_are_behind(app: Flask, line: LineState, database: str) -> None:
    assert _found(app, "sequences").state == "fine"
    add_member(line)
    assert _found(app, "sequences").state == "fine"
    _say("""INSERT INTO "user" (id, name, is_locked) VALUES (2, 'x', false)""")
    found = _found(app, "sequences")
    assert found.state == "wrong"
    assert "the sequence of user is behind" in found.text
    assert "setval" in found.mend
    _say("""SELECT setval(pg_get_serial_sequence('"user"', 'id'), 2)""")
    assert _found(app, "sequences").state == "fine"


def test_sending_that_is_paused(app: Flask, line: LineState) -> None:
    assert _found(app, "pauses").state == "fine"
    now = line.clock()
    until = now + timedelta(minutes=30)
    pause(line.session, "reserve", "", now=now, until=until, is_for_marketing_only=True)
    line.session.commit()
    assert _found(app, "pauses").state == "doubtful"
    pause(line.session, "unauthorized", "", now=now, until=until)
    line.session.commit()
    found = _found(app, "pauses")
    assert found.state == "wrong"
    assert "LINE refused the channel's token" in found.text
    assert "flask line resume" in found.mend


@pytest.mark.parametrize(("hours", "state"), [(1, "doubtful"), (48, "fine")])
def test_hooks_that_failed(app: Flask, line: LineState, hours: int, state: str) -> None:
    at = line.clock() - timedelta(hours=hours)
    row = InboxEvent(
        webhook_event_id="e1",
        payload="{}",
        state="dead",
        occurred_at=at,
        received_at=at,
        finished_at=at,
    )
    line.session.add(row)
    line.session.commit()
    assert _found(app, "failures").state == state


def test_a_second_tool_that_takes_nothing(make_app: MakeApp) -> None:
    app = make_app(LINECONNECT_FORWARD_WEBHOOKS="https://tool.example/hook?key=planted")
    line: LineState = app.extensions["lineconnect"]
    assert _found(app, "forwarding").state == "fine"
    with app.app_context():
        then = line.clock() - timedelta(minutes=3)
        (target,) = line.part(Forwarding).targets
        waits = {"received_at": then, "next_attempt_at": then}
        db.session.add(WebhookForward(target=target.key, body=b"{}", signature="", **waits))
        db.session.commit()
    found = _found(app, "forwarding")
    assert found.state == "doubtful"
    assert "tool.example (1 webhooks" in found.text
    assert "planted" not in found.text
