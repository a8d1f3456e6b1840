"""Signals follow the commit, and only a commit."""

from __future__ import annotations

import logging
from asyncio import CancelledError
from collections.abc import Iterator

import pytest
from blinker import NamedSignal
from flask import Flask
from sqlalchemy import select

from flask_lineconnect import signals
from flask_lineconnect.after_commit import after_commit
from flask_lineconnect.after_commit import announce
from flask_lineconnect.line_api.calls import LineCall
from flask_lineconnect.line_api.calls import note_call
from flask_lineconnect.linking import accounts
from flask_lineconnect.models import Account
from flask_lineconnect.state import LineState
from tests.small_shop import User
from tests.small_shop import db
from tests.small_shop import line as extension


@pytest.fixture
def member(line: LineState) -> User:
    """Return a linked member."""
    member = User(name="山田 花子")
    db.session.add(member)
    account = accounts.ensure_account(line.session, "U" + "a" * 32, now=line.clock())
    key = accounts.member_key(line.session, member)
    accounts.link(line, account, key, source=None, now=line.clock())
    db.session.commit()
    return member


@pytest.fixture
def heard(app: Flask) -> Iterator[list[str]]:
    """Collect the names of members whose link ended; a receiver may ask the database."""
    names: list[str] = []

    def hear(_app: Flask, member: User, account: Account) -> None:
        names.append(db.session.scalars(select(User.name).where(User.id == member.id)).one())

    with signals.account_unlinked.connected_to(hear, app):
        yield names


def test_a_signal_waits_for_the_commit(member: User, heard: list[str]) -> None:
    extension.unlink(member)
    assert heard == []
    db.session.commit()
    assert heard == ["山田 花子"]
    db.session.commit()
    assert heard == ["山田 花子"]


def test_what_was_rolled_back_is_never_told(member: User, heard: list[str]) -> None:
    extension.unlink(member)
    db.session.rollback()
    db.session.commit()
    assert heard == []


def test_the_end_of_a_savepoint_is_no_commit(member: User, heard: list[str]) -> None:
    with db.session.begin_nested():
        extension.unlink(member)
    assert heard == []
    db.session.commit()
    assert heard == ["山田 花子"]


def test_a_receiver_that_fails_is_logged_and_undoes_nothing(
    app: Flask, line: LineState, member: User, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_app: Flask, **_arguments: object) -> None:
        raise RuntimeError("the receiver is broken")

    with signals.account_unlinked.connected_to(fail, app), caplog.at_level(logging.ERROR):
        extension.unlink(member)
        db.session.commit()
    assert "the receiver is broken" in caplog.text
    assert line.session.scalars(select(Account.member_id)).all() == [None]


def test_what_a_savepoint_undid_is_never_told(member: User, heard: list[str]) -> None:
    savepoint = db.session.begin_nested()
    extension.unlink(member)
    savepoint.rollback()
    db.session.commit()
    assert heard == []


def test_what_an_outer_savepoint_undid_is_never_told(member: User, heard: list[str]) -> None:
    outer = db.session.begin_nested()
    with db.session.begin_nested():
        extension.unlink(member)
    outer.rollback()
    db.session.commit()
    assert heard == []


def test_what_stands_beside_an_undone_savepoint_is_told(member: User, heard: list[str]) -> None:
    with db.session.begin_nested():
        extension.unlink(member)
    savepoint = db.session.begin_nested()
    savepoint.rollback()
    db.session.commit()
    assert heard == ["山田 花子"]


def test_what_an_error_in_a_savepoint_undid_is_never_told(member: User, heard: list[str]) -> None:
    def fail() -> None:
        with db.session.begin_nested():
            extension.unlink(member)
            raise RuntimeError("undo it")

    with pytest.raises(RuntimeError, match="undo"):
        fail()
    db.session.commit()
    assert heard == []


@pytest.mark.parametrize("end", ["close", "remove", "reset"])
def test_what_a_closed_session_undid_is_never_told(
    member: User, heard: list[str], end: str
) -> None:
    member_id = member.id
    extension.unlink(member)
    getattr(db.session, end)()
    db.session.commit()
    assert heard == []
    # Nor does it come with the next one.
    db.session.add(User(name="もう一人"))
    db.session.commit()
    assert heard == []
    assert db.session.scalars(select(Account.member_id)).all() == [member_id]


def test_what_was_asked_for_before_a_transaction_goes_with_a_closed_session(
    line: LineState,
) -> None:
    done: list[str] = []
    db.session.rollback()
    after_commit(line.session, lambda: done.append("now"))
    db.session.close()
    db.session.commit()
    assert done == []


ALL_SIGNALS = sorted(
    (signal for signal in vars(signals).values() if isinstance(signal, NamedSignal)),
    key=lambda signal: signal.name,
)


@pytest.mark.parametrize("error", [RuntimeError, SystemExit, CancelledError, KeyboardInterrupt])
@pytest.mark.parametrize("signal", ALL_SIGNALS, ids=lambda signal: signal.name)
def test_a_receiver_that_raises_changes_nothing(
    line: LineState,
    signal: NamedSignal,
    error: type[BaseException],
    caplog: pytest.LogCaptureFixture,
) -> None:
    heard: list[object] = []

    def fail(_sender: object, **_arguments: object) -> None:
        # It leaves something half done in the session, too.
        db.session.add(Account())
        raise error("the receiver is broken")

    def hear(_sender: object, **arguments: object) -> None:
        heard.append(arguments)

    async def never(_sender: object, **_arguments: object) -> None:
        raise AssertionError

    with (
        signal.connected_to(fail),
        signal.connected_to(hear),
        signal.connected_to(never),
    ):
        if signal is signals.line_called:
            note_call(LineCall("push", 200, "id", 0.1))
            db.session.rollback()
        else:
            db.session.add(User(name="鈴木"))
            announce(line.session, signal, account=None)
            db.session.commit()
        db.session.add(User(name="田中"))
        db.session.commit()
    assert len(heard) == 1
    assert caplog.text.count("a receiver of the signal") == 2
    names = set(db.session.scalars(select(User.name)))
    assert names == ({"田中"} if signal is signals.line_called else {"鈴木", "田中"})
