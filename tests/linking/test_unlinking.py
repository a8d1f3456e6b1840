"""Unlinking and erasing against the emulator: what ends, what LINE is told, and when it is down."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from flask_lineconnect import MemberNotice
from flask_lineconnect import ShopAdapter
from flask_lineconnect import signals
from flask_lineconnect.cli.group import line as commands
from flask_lineconnect.linking.unlink_tasks import GIVE_UP_AFTER
from flask_lineconnect.linking.unlink_tasks import tell_line_due
from flask_lineconnect.login.tokens import LoginTokens
from flask_lineconnect.login.tokens import TokenVault
from flask_lineconnect.models import Account
from flask_lineconnect.models import AuditEntry
from flask_lineconnect.models import InboxEvent
from flask_lineconnect.models import OutboxMessage
from flask_lineconnect.models import UnlinkTask
from flask_lineconnect.outbox.delivery import deliver_due
from flask_lineconnect.state import LineState
from flask_lineconnect.testing.plugin import Emulator
from flask_lineconnect.testing.plugin import LineBrowser
from flask_lineconnect.vault import Vault
from tests.conftest import DATABASES
from tests.conftest import MakeApp
from tests.people import log_in
from tests.people import press
from tests.people import sign_up
from tests.small_shop import SmallShop
from tests.small_shop import User
from tests.small_shop import db
from tests.small_shop import line as extension

pytestmark = [
    pytest.mark.joined,
    pytest.mark.parametrize("database", DATABASES, indirect=True),
]
DEAUTHORIZE = "/user/v1/deauthorize"


@pytest.fixture
def member(client: FlaskClient, line: LineState, sakura: LineBrowser) -> User:
    """Return a member who came with LINE."""
    sign_up(client, sakura, email="s@mail.example")
    assert client.get("/private").status_code == 200
    return line.session.scalars(select(User)).one()


def told(emulator: Emulator) -> list[int]:
    """Return how LINE answered when it was told of the end of links."""
    return [call["status"] for call in emulator.calls() if call["path"] == DEAUTHORIZE]


def account(line: LineState) -> Account:
    line.session.rollback()
    return line.session.scalars(select(Account)).one()


def test_the_page_says_what_ends_and_that_line_is_told(client: FlaskClient, member: User) -> None:
    page = client.get("/line/unlink").text

    assert "佐藤 さくら" in page
    assert "通知されます" in page
    assert "ほかにログインする方法がありません" not in page


def test_S3_8_the_last_way_in_is_warned_of(
    app: Flask, client: FlaskClient, member: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = app.extensions["lineconnect"].shop
    monkeypatch.setattr(type(shop), "has_other_login", lambda _shop, _member: False)

    page = client.get("/line/unlink").text
    assert "ほかにログインする方法がありません" in page
    assert "without_login" in page


def test_S3_8_the_last_way_in_does_not_end_with_one_press(
    app: Flask,
    client: FlaskClient,
    line: LineState,
    member: User,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shop = type(app.extensions["lineconnect"].shop)
    monkeypatch.setattr(shop, "has_other_login", ShopAdapter.has_other_login)
    monkeypatch.setattr(shop, "set_password_endpoint", "pages.log_in")

    page = press(client, "/line/unlink")

    assert "/log-in?next=/line/unlink" in page.text
    assert account(line).is_linked
    assert client.get("/private").status_code == 200

    press(client, "/line/unlink", without_login="yes")

    assert not account(line).is_linked


@pytest.mark.parametrize("column", ["password_hash", "password"])
def test_who_has_a_password_has_another_login(member: User, column: str) -> None:
    shop = SmallShop()
    assert not ShopAdapter.has_other_login(shop, member)
    setattr(member, column, "")
    assert not ShopAdapter.has_other_login(shop, member)
    setattr(member, column, "pbkdf2:…")
    assert ShopAdapter.has_other_login(shop, member)


def test_a_member_unlinks_and_line_is_told(
    app: Flask,
    client: FlaskClient,
    line: LineState,
    member: User,
    sakura: LineBrowser,
    line_emulator: Emulator,
) -> None:
    heard: list[int] = []

    def hear(_app: Flask, member: User, **_account: object) -> None:
        heard.append(member.id)

    signals.account_unlinked.connect(hear, app)
    extension.send(member, "また来てね")
    line.session.commit()

    after_id = member.id

    answer = press(client, "/line/unlink")

    assert "連携を解除しました" in answer.text
    after = account(line)
    assert (after.member_id, after.sealed_tokens, after.session_generation) == (None, None, 1)
    assert heard == [after_id]
    states = line.session.scalars(select(OutboxMessage.state)).all()
    assert states == ["cancelled", "cancelled", "queued"]
    assert tell_line_due(line) == 1
    assert told(line_emulator) == [204]
    assert line.session.scalars(select(UnlinkTask)).all() == []
    user = next(one for one in line_emulator.users() if one["user_id"] == sakura.user_id)
    assert user["granted"] == []
    actions = line.session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)).all()
    assert actions == ["linked", "unlinked"]


def test_S3_9_sessions_that_line_gave_end_at_their_next_request(
    app: Flask, client: FlaskClient, line: LineState, member: User, sakura: LineBrowser
) -> None:
    other = app.test_client()
    other.get(sakura.log_in(other.get("/line/login").location))
    assert other.get("/private").status_code == 200

    press(client, "/line/unlink")

    assert client.get("/private").status_code == 302
    assert other.get("/private").status_code == 302


def test_a_session_of_the_shops_own_login_stays(app: Flask, line: LineState, member: User) -> None:
    with_password = app.test_client()
    with_password.post(f"/password-login/{member.id}")

    press(with_password, "/line/unlink")

    assert with_password.get("/private").status_code == 200


def test_S2_9_unlinking_needs_a_token_and_somebody(
    app: Flask, client: FlaskClient, line: LineState, member: User
) -> None:
    assert client.post("/line/unlink").status_code == 400
    assert app.test_client().get("/line/unlink").status_code == 302
    assert account(line).member_id == member.id


def test_after_unlinking_the_same_person_may_link_again(
    app: Flask, client: FlaskClient, line: LineState, member: User, sakura: LineBrowser
) -> None:
    press(client, "/line/unlink")
    tell_line_due(line)

    client.get(sakura.log_in(client.get("/line/login").location))
    answer = press(client, "/line/sign-up", display_name="佐藤", email="new@mail.example")

    assert answer.status_code == 302
    assert account(line).member_id not in {None, member.id}


@pytest.mark.parametrize("fault", [{"status": 500}, {"drop": True}, {"status": 429}])
def test_line_is_told_again_while_it_is_down(
    client: FlaskClient, line: LineState, member: User, line_emulator: Emulator, fault: Any
) -> None:
    line_emulator.fault(path=DEAUTHORIZE, **fault)
    press(client, "/line/unlink")

    assert tell_line_due(line) == 1
    task = line.session.scalars(select(UnlinkTask)).one()
    assert (task.state, task.attempts) == ("queued", 1)
    assert tell_line_due(line) == 0
    now = line.clock()
    line.clock = lambda: now + timedelta(seconds=31)
    assert tell_line_due(line) == 1
    assert line.session.scalars(select(UnlinkTask)).all() == []
    assert told(line_emulator)[-1] == 204


def test_line_is_told_for_fourteen_days(
    client: FlaskClient, line: LineState, member: User, line_emulator: Emulator
) -> None:
    line_emulator.fault(path=DEAUTHORIZE, status=500, times=9)
    press(client, "/line/unlink")
    now = line.clock()
    line.clock = lambda: now + GIVE_UP_AFTER + timedelta(hours=1)

    tell_line_due(line)

    task = line.session.scalars(select(UnlinkTask)).one()
    assert (task.state, task.sealed_tokens) == ("failed", None)


def test_an_old_access_token_is_refreshed_first(
    client: FlaskClient, line: LineState, member: User, line_emulator: Emulator
) -> None:
    line_emulator.advance(31 * 86_400)
    press(client, "/line/unlink")
    now = line.clock()
    line.clock = lambda: now + timedelta(days=31)

    tell_line_due(line)

    assert told(line_emulator) == [204]


def test_a_consent_that_ended_at_line_is_no_error(
    client: FlaskClient, line: LineState, member: User, sakura: LineBrowser, line_emulator: Emulator
) -> None:
    line_emulator.revoke(sakura.user_id)
    press(client, "/line/unlink")

    tell_line_due(line)

    assert told(line_emulator) == [400]
    assert line.session.scalars(select(UnlinkTask)).all() == []


def test_S11_1_tokens_are_encrypted_and_bound_to_their_row(
    app: Flask, line: LineState, member: User
) -> None:
    sealed = account(line).sealed_tokens
    assert sealed is not None
    tokens = line.part(TokenVault).open(account(line).line_user_id, sealed)
    assert tokens is not None
    assert tokens.access_token not in sealed
    assert line.part(TokenVault).open("U" + "0" * 32, sealed) is None
    assert line.part(TokenVault).open(account(line).line_user_id, "nonsense") is None


def test_S11_1_keys_rotate_with_flasks_own(make_app: MakeApp, app: Flask, line: LineState) -> None:
    tokens = LoginTokens("a", "b", 1, 2)
    old = TokenVault(Vault(["the old key"]), "165").seal("U1", tokens)

    assert TokenVault(Vault(["the new key", "the old key"]), "165").open("U1", old) == tokens
    assert TokenVault(Vault(["the new key"]), "165").open("U1", old) is None
    assert TokenVault(Vault(["the old key"]), "another channel").open("U1", old) is None


def test_S11_3_erasure_leaves_nothing_of_the_person(
    client: FlaskClient,
    line: LineState,
    member: User,
    sakura: LineBrowser,
    line_emulator: Emulator,
) -> None:
    extension.send(member, "秘密のお知らせ")
    now = line.clock()
    line.session.add(
        InboxEvent(
            webhook_event_id="01FZ74A0TDDPYRVKNK77XKC001",
            line_user_id=sakura.user_id,
            payload='{"message": "秘密"}',
            state="dead",
            attempts=1,
            occurred_at=now,
            received_at=now,
            next_attempt_at=now,
        )
    )
    line.session.commit()

    extension.erase(member)
    db.session.delete(member)
    line.session.commit()
    tell_line_due(line)

    for table in db.metadata.sorted_tables:
        rows = str(line.session.execute(select(table)).all())
        assert sakura.user_id not in rows
        assert "秘密" not in rows
        assert "佐藤" not in rows
    entries = line.session.scalars(select(AuditEntry).order_by(AuditEntry.id)).all()
    assert [(one.action, one.member_key) for one in entries] == [("linked", None), ("erased", None)]
    assert told(line_emulator) == [204]
    assert client.get("/private").status_code == 302


def test_S3_6_an_accounts_number_never_comes_again(
    client: FlaskClient, line: LineState, member: User, line_emulator: Emulator
) -> None:
    """Otherwise the erased person's session would be the next person's."""
    first = account(line).id
    extension.erase(member)
    line.session.commit()
    another = line_emulator.browser(line_emulator.add_user("鈴木 健太"))
    fresh = client.application.test_client()
    fresh.get(another.log_in(fresh.get("/line/login").location))

    assert account(line).id > first


def test_staff_unlink_with_the_command(
    app: Flask, line: LineState, member: User, line_emulator: Emulator
) -> None:
    runner = app.test_cli_runner()

    done = runner.invoke(commands, ["unlink", str(member.id)])
    again = runner.invoke(commands, ["unlink", str(member.id)])
    wrong = runner.invoke(commands, ["unlink", "x"])

    assert done.exit_code == 0, done.output
    assert (again.exit_code, wrong.exit_code) == (1, 1)
    assert account(line).member_id is None
    assert told(line_emulator) == [204]


def test_staff_unlink_in_code(line: LineState, member: User) -> None:
    assert extension.unlink(member) is True
    assert extension.unlink(member) is False
    line.session.rollback()
    # Not committed, not unlinked.
    assert account(line).member_id == member.id


def test_S3_8_whoever_had_line_alone_comes_back_with_line(
    app: Flask,
    client: FlaskClient,
    line: LineState,
    member: User,
    sakura: LineBrowser,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    member_id = member.id
    monkeypatch.setattr(SmallShop, "has_other_login", ShopAdapter.has_other_login)
    press(client, "/line/unlink", without_login="yes")

    back = app.test_client()
    assert log_in(back, sakura).location == "/line/sign-up"
    page = back.get("/line/sign-up").text
    assert "以前の会員に戻る" in page
    press(back, "/line/sign-up", come_back="yes")

    assert back.get("/name").text == "佐藤 さくら"
    assert account(line).member_id == member_id
    assert line.session.scalars(select(User.id)).all() == [member_id]


def test_S3_8_whoever_got_rid_of_a_line_account_is_not_led_back_by_it(
    app: Flask,
    client: FlaskClient,
    line: LineState,
    member: User,
    sakura: LineBrowser,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(SmallShop, "has_other_login", ShopAdapter.has_other_login)
    # Not in a session that this LINE account gave, whatever the shop says of passwords.
    owner = app.test_client()
    owner.post(f"/password-login/{member.id}")
    press(owner, "/line/unlink", without_login="yes")

    back = app.test_client()
    log_in(back, sakura)
    assert "以前の会員に戻る" not in back.get("/line/sign-up").text
    press(back, "/line/sign-up", come_back="yes", display_name="泥棒")
    assert back.get("/name").text == "泥棒"


@pytest.mark.parametrize("is_by_session", [True, False])
def test_a_member_who_unlinked_before_leaving_is_forgotten_too(
    client: FlaskClient, line: LineState, member: User, is_by_session: bool
) -> None:
    press(client, "/line/unlink")
    line.session.rollback()
    assert account(line).former_member_id == member.id

    if is_by_session:
        line.session.delete(member)
    else:
        assert extension.erase(member)
    line.session.commit()

    assert line.session.scalars(select(Account)).all() == []
    assert line.session.scalars(select(OutboxMessage)).all() == []
    entries = line.session.scalars(select(AuditEntry).order_by(AuditEntry.id)).all()
    assert [(entry.action, entry.member_key) for entry in entries] == [
        ("linked", None),
        ("unlinked", None),
        ("erased", None),
    ]


def test_S3_8_both_sides_are_told_of_a_link_and_of_its_end(
    client: FlaskClient,
    line: LineState,
    sakura: LineBrowser,
    line_emulator: Emulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told_members: list[tuple[int, str]] = []

    def tell_member(_shop: SmallShop, member: User, notice: MemberNotice) -> None:
        assert "佐藤 さくら" in notice.text
        told_members.append((member.id, notice.kind))

    monkeypatch.setattr(SmallShop, "tell_member", tell_member)
    sign_up(client, sakura)
    deliver_due(line)
    press(client, "/line/unlink")
    deliver_due(line)

    member_id = line.session.scalars(select(User.id)).one()
    assert told_members == [(member_id, "linked"), (member_id, "unlinked")]
    sent = line.session.scalars(select(OutboxMessage).order_by(OutboxMessage.id)).all()
    assert [(one.category, one.state) for one in sent] == [("account", "accepted")] * 2
    texts = [one["text"] for one in line_emulator.received(sakura.user_id)]
    assert "このLINEを連携しました" in texts[0]
    assert "このLINEの連携を解除しました" in texts[1]
