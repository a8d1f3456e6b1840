"""From ``line.send`` to the chat, through the emulator and the official SDK."""

from __future__ import annotations

from datetime import datetime
from datetime import timedelta
from typing import Any
from typing import cast

import pytest
from flask import Flask
from sqlalchemy import func
from sqlalchemy import select

from flask_lineconnect import InvalidMessage
from flask_lineconnect import UsageError
from flask_lineconnect.linking.accounts import ensure_account
from flask_lineconnect.linking.accounts import link
from flask_lineconnect.models import Account
from flask_lineconnect.models import OutboxMessage
from flask_lineconnect.outbox.delivery import deliver_due
from flask_lineconnect.state import LineState
from flask_lineconnect.testing.plugin import Emulator
from tests.conftest import DATABASES
from tests.conftest import MakeApp
from tests.conftest import run_apart
from tests.small_shop import User
from tests.small_shop import db
from tests.small_shop import line as extension

pytestmark = pytest.mark.parametrize("database", DATABASES, indirect=True)

BASE_URL = "http://127.0.0.1:5999"


@pytest.fixture
def app(make_app: MakeApp, line_emulator: Emulator) -> Flask:
    """Return the small shop, joined to the emulator."""
    return make_app(**line_emulator.settings(BASE_URL))


@pytest.fixture
def member(line: LineState, line_emulator: Emulator) -> User:
    """Return a linked member whose LINE user is a friend."""
    user_id = line_emulator.add_user("佐藤 さくら")
    line_emulator.add_friend(user_id)
    member = User(name="佐藤 さくら")
    db.session.add(member)
    db.session.flush()
    account = ensure_account(line.session, user_id, now=line.clock())
    link(line, account, member.id, source=None, now=line.clock())
    line.session.commit()
    return member


def _line_user_id(line: LineState) -> str:
    return line.session.scalars(select(Account.line_user_id)).one()


def _texts(line: LineState, emulator: Emulator) -> list[str]:
    return [message["text"] for message in emulator.received(_line_user_id(line))]


def _state(line: LineState) -> OutboxMessage:
    line.session.rollback()
    return line.session.scalars(select(OutboxMessage)).one()


def test_a_message_arrives_after_the_commit(
    line: LineState, line_emulator: Emulator, member: User
) -> None:
    extension.send(member, ["一つ目", "二つ目"])
    line.session.commit()
    assert deliver_due(line) == 1
    assert _texts(line, line_emulator) == ["一つ目", "二つ目"]
    row = _state(line)
    assert row.state == "accepted"
    assert row.line_request_id


def test_a_persons_messages_arrive_in_the_order_in_which_they_were_sent(
    line: LineState, line_emulator: Emulator, member: User
) -> None:
    for text in ("承りました", "明日です", "お待ちしています"):
        extension.send(member, text)
    line.session.commit()
    line_emulator.fault(path="/v2/bot/message/push", delay_seconds=0.5)
    assert deliver_due(line) == 3
    assert _texts(line, line_emulator) == ["承りました", "明日です", "お待ちしています"]


def test_the_engine_is_woken_by_the_commit_and_not_by_a_savepoint(
    line: LineState, member: User
) -> None:
    woken: list[str] = []

    class Engine:
        def wake(self, work: str) -> None:
            woken.append(work)

    line.engine = Engine()
    extension.send(member, "hello")
    with line.session.begin_nested():
        pass
    assert woken == []
    line.session.commit()
    assert woken == ["delivery"]
    line.session.commit()
    assert woken == ["delivery"]


def test_S8_1_without_the_commit_there_is_no_message(line: LineState, member: User) -> None:
    extension.send(member, "never")
    line.session.rollback()
    assert deliver_due(line) == 0


def test_the_same_key_is_sent_once(line: LineState, line_emulator: Emulator, member: User) -> None:
    first = extension.send(member, "発送しました", key="order-1:shipped")
    again = extension.send(member, "発送しました", key="order-1:shipped")
    assert first is again
    line.session.commit()
    deliver_due(line)
    assert _texts(line, line_emulator) == ["発送しました"]


def test_a_member_without_a_line_account_is_left_out(line: LineState) -> None:
    stranger = User(name="だれか")
    assert extension.send(stranger, "hello") is None


@pytest.mark.parametrize(
    ("key", "complaint"),
    [
        ("a\0b", "NUL"),
        ("\ud83c", "half of a character"),
        ("x" * 256, "longer than 255"),
        (cast(Any, 7), "of the type int"),
    ],
)
def test_a_key_that_a_database_would_refuse_is_refused_by_both(
    line: LineState, member: User, key: str, complaint: str
) -> None:
    with pytest.raises(UsageError, match=complaint):
        extension.send(member, "x", key=key)
    with pytest.raises(UsageError, match=complaint):
        extension.send(member, "x", campaign=key)
    with pytest.raises(UsageError, match=complaint):
        extension.begin_campaign(key, "x")
    assert line.session.scalars(select(OutboxMessage)).all() == []
    extension.send(member, "x", key="予約" * 127)
    line.session.commit()


def test_an_invalid_message_changes_nothing(line: LineState, member: User) -> None:
    with pytest.raises(InvalidMessage):
        extension.send(member, "")
    assert line.session.scalar(select(func.count()).select_from(OutboxMessage)) == 0


@pytest.mark.parametrize("after_acceptance", [True, False])
def test_M19_M20_a_repeated_call_sends_once(
    line: LineState, line_emulator: Emulator, member: User, after_acceptance: bool
) -> None:
    line_emulator.fault(
        path="/v2/bot/message/push", status=500, after_acceptance=after_acceptance, times=1
    )
    extension.send(member, "一度だけ")
    line.session.commit()
    deliver_due(line)
    assert _state(line).state == "sending"
    _make_due(line)
    deliver_due(line)
    assert _texts(line, line_emulator) == ["一度だけ"]
    assert _state(line).state == "accepted"


def _make_due(line: LineState, *, first_tried_at: datetime | None = None) -> None:
    row = _state(line)
    row.next_attempt_at = line.clock()
    row.first_tried_at = first_tried_at or row.first_tried_at
    line.session.commit()


def test_S8_2_after_a_day_nothing_is_repeated(
    line: LineState, line_emulator: Emulator, member: User
) -> None:
    line_emulator.fault(path="/v2/bot/message/push", status=500, after_acceptance=False, times=1)
    extension.send(member, "昨日のこと")
    line.session.commit()
    deliver_due(line)
    _make_due(line, first_tried_at=line.clock() - timedelta(hours=24))
    deliver_due(line)
    assert _state(line).state == "expired"
    assert _texts(line, line_emulator) == []


def test_S8_6_somebody_who_blocked_us_is_not_paid_for(
    line: LineState, line_emulator: Emulator, member: User
) -> None:
    extension.send(member, "hello")
    line.session.scalars(select(Account)).one().is_friend = False
    line.session.commit()
    deliver_due(line)
    assert _state(line).state == "cancelled"


def test_a_line_that_does_not_answer_is_asked_again(
    make_app: MakeApp, line: LineState, member: User
) -> None:
    extension.send(member, "later")
    line.session.commit()
    line.config.__dict__["hosts"] = line.config.hosts.at("http://127.0.0.1:9")
    deliver_due(line)
    row = _state(line)
    assert row.state == "sending"
    assert row.next_attempt_at
    assert row.next_attempt_at > line.clock()
    assert "did not answer" in (row.error or "")


def test_it_is_sent_also_where_an_event_loop_runs_already(
    line: LineState, line_emulator: Emulator, member: User
) -> None:
    extension.send(member, "届く")
    line.session.commit()

    async def inside() -> None:
        deliver_due(line)

    run_apart(inside)
    assert _texts(line, line_emulator) == ["届く"]
