"""Signals follow the commit, and only a commit."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy import select

from flask_lineconnect import signals
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
