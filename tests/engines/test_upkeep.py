"""Consents that end at LINE, and members who are deleted past the session; on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import delete
from sqlalchemy import select
from sqlalchemy import text
from sqlalchemy import update

from flask_lineconnect import signals
from flask_lineconnect.engines.upkeep import CHECK_EVERY
from flask_lineconnect.engines.upkeep import SWEEP_EVERY
from flask_lineconnect.engines.upkeep import check_consents
from flask_lineconnect.engines.upkeep import look_after
from flask_lineconnect.login.tokens import LoginTokenApi
from flask_lineconnect.models import Account
from flask_lineconnect.models import AuditEntry
from flask_lineconnect.models import ChatLink
from flask_lineconnect.models import OutboxMessage
from flask_lineconnect.models import UnlinkTask
from flask_lineconnect.state import LineState
from flask_lineconnect.testing.plugin import Emulator
from flask_lineconnect.testing.plugin import LineBrowser
from tests.conftest import DATABASES
from tests.conftest import MakeApp
from tests.people import BASE_URL
from tests.people import sign_up
from tests.small_shop import User
from tests.small_shop import db
from tests.small_shop import line as extension

pytestmark = [
    pytest.mark.joined,
    pytest.mark.parametrize("database", DATABASES, indirect=True),
]
#: In seconds.
DAY = 86_400


@pytest.fixture
def member(client: FlaskClient, line: LineState, sakura: LineBrowser) -> User:
    """Return a member who came with LINE."""
    sign_up(client, sakura)
    return line.session.scalars(select(User)).one()


@pytest.fixture
def unlinked(app: Flask) -> Iterator[list[object]]:
    """Collect the members of whom the signal says that their link ended."""
    heard: list[object] = []

    def hear(_app: Flask, member: User | None, **_account: object) -> None:
        heard.append(None if member is None else member.id)

    with signals.account_unlinked.connected_to(hear, app):
        yield heard


def _later(line: LineState, **ago: float) -> None:
    """Let a time pass: for the shop, by its clock; LINE's stays."""
    moment = line.clock() + timedelta(**ago)
    line.clock = lambda: moment


def _account(line: LineState) -> Account | None:
    line.session.rollback()
    return line.session.scalars(select(Account)).one_or_none()


def _count_of(emulator: Emulator, path: str) -> int:
    return sum(call["path"] == path for call in emulator.calls())


def test_L33_a_consent_that_ended_at_line_ends_the_link(
    client: FlaskClient,
    line: LineState,
    member: User,
    sakura: LineBrowser,
    line_emulator: Emulator,
    unlinked: list[object],
) -> None:
    member_id = member.id
    extension.send(member, "お知らせ")
    line.session.commit()
    line_emulator.revoke(sakura.user_id)
    assert check_consents(line) == 0
    _later(line, days=8)

    assert check_consents(line) == 1

    account = _account(line)
    assert account is not None
    assert (account.member_id, account.sealed_tokens) == (None, None)
    assert unlinked == [member_id]
    # Both that the link was made and what the shop sent; nothing says on LINE that it has ended.
    states = line.session.scalars(select(OutboxMessage.state)).all()
    assert states == ["cancelled", "cancelled"]
    last = line.session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc())).first()
    assert last is not None
    assert (last.action, last.actor) == ("consent-ended", "line")
    # The session that LINE gave ended with it.
    assert client.get("/private").status_code == 302
    assert check_consents(line) == 0


def test_a_living_consent_is_asked_for_once_a_week(
    line: LineState, member: User, line_emulator: Emulator
) -> None:
    _later(line, days=8)

    assert [check_consents(line), check_consents(line)] == [1, 0]

    account = _account(line)
    assert account is not None
    assert account.member_id == member.id
    assert _count_of(line_emulator, "/oauth2/v2.1/verify") == 1


def test_an_old_token_is_refreshed_and_kept(
    line: LineState, member: User, line_emulator: Emulator
) -> None:
    account = _account(line)
    assert account is not None
    before = account.sealed_tokens
    line_emulator.advance(40 * DAY)
    _later(line, days=40)

    assert check_consents(line) == 1

    account = _account(line)
    assert account is not None
    assert account.member_id is not None
    assert account.sealed_tokens != before


def test_after_ninety_days_without_a_login_the_tokens_go_and_the_link_stays(
    line: LineState, member: User, line_emulator: Emulator
) -> None:
    line_emulator.advance(91 * DAY)
    _later(line, days=91)

    check_consents(line)

    account = _account(line)
    assert account is not None
    assert (account.member_id, account.sealed_tokens) == (member.id, None)
    assert check_consents(line) == 0


def test_while_line_is_down_nothing_ends_and_it_is_asked_again(
    line: LineState, member: User, sakura: LineBrowser, line_emulator: Emulator
) -> None:
    line_emulator.revoke(sakura.user_id)
    line_emulator.fault(path="/oauth2/v2.1/token", status=503, times=1)
    _later(line, days=8)
    check_consents(line)
    account = _account(line)
    assert account is not None
    assert account.member_id == member.id

    _later(line, minutes=61)

    assert check_consents(line) == 1
    account = _account(line)
    assert account is not None
    assert account.member_id is None


def test_a_wrong_channel_secret_ends_no_link(
    make_app: MakeApp, line: LineState, member: User, sakura: LineBrowser, line_emulator: Emulator
) -> None:
    line_emulator.revoke(sakura.user_id)
    line.part(LoginTokenApi)._config = (
        make_app(
            **{**line_emulator.settings(BASE_URL), "LINECONNECT_LOGIN_CHANNEL_SECRET": "0" * 32}
        )
        .extensions["lineconnect"]
        .config
    )
    _later(line, days=8)

    check_consents(line)

    account = _account(line)
    assert account is not None
    assert account.member_id == member.id


def test_S3_6_a_deleted_member_takes_the_link_along(
    line: LineState, member: User, unlinked: list[object]
) -> None:
    db.session.delete(member)
    db.session.commit()

    assert _account(line) is None
    assert unlinked == [None]
    assert len(line.session.scalars(select(UnlinkTask)).all()) == 1


def test_S3_6_a_deletion_that_is_rolled_back_changes_nothing(
    line: LineState, member: User, unlinked: list[object]
) -> None:
    db.session.delete(member)
    db.session.flush()
    db.session.rollback()

    assert _account(line) is not None
    assert unlinked == []


@pytest.mark.parametrize("has_foreign_keys", [True, False])
def test_S3_6_a_member_deleted_by_sql_is_noticed(
    line: LineState, member: User, database: str, has_foreign_keys: bool
) -> None:
    if database == "sqlite" and not has_foreign_keys:
        line.session.commit()
        line.session.execute(text("PRAGMA foreign_keys = OFF"))
    elif not has_foreign_keys:
        pytest.skip("PostgreSQL always keeps foreign keys")
    line.session.execute(delete(User))
    line.session.commit()
    look_after(line)

    assert _account(line) is None
    assert len(line.session.scalars(select(UnlinkTask)).all()) == 1


def test_what_expired_is_cleared_away(line: LineState, member: User) -> None:
    account = _account(line)
    assert account is not None
    now = line.clock()
    for name, moment in (("old", now - timedelta(hours=2)), ("new", now)):
        line.session.add(ChatLink(token_hash=name, account_id=account.id, expires_at=moment))
    line.session.commit()
    line.next_sweep_at = None

    look_after(line)

    assert line.session.scalars(select(ChatLink.token_hash)).all() == ["new"]
    assert line.next_sweep_at is not None
    assert timedelta(0) < line.next_sweep_at - now <= SWEEP_EVERY + timedelta(minutes=1)


def test_a_link_without_tokens_is_left_alone(line: LineState, member: User) -> None:
    line.session.execute(
        update(Account).values(sealed_tokens=None, consent_checked_at=line.clock() - CHECK_EVERY)
    )
    line.session.commit()
    _later(line, days=1)

    assert check_consents(line) == 0
