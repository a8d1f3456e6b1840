"""The commands with which a person looks at messages, resends, stops them; and the worker."""

from __future__ import annotations

import contextvars
import json
import os
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
import requests
from flask import Flask
from sqlalchemy import select
from sqlalchemy import update

from flask_lineconnect.cli.group import line as commands
from flask_lineconnect.models import Campaign
from flask_lineconnect.models import OutboxBatch
from flask_lineconnect.models import OutboxMessage
from flask_lineconnect.models import QuotaMonth
from flask_lineconnect.models import SendingPause
from flask_lineconnect.outbox import pauses
from flask_lineconnect.outbox.delivery import deliver_due
from flask_lineconnect.state import LineState
from flask_lineconnect.testing.plugin import Emulator
from flask_lineconnect.testing.plugin import free_port
from tests.conftest import DATABASES
from tests.conftest import MakeApp
from tests.engines.celery_fleet import wait_until
from tests.outbox.conftest import BASE_URL
from tests.outbox.conftest import Join
from tests.outbox.conftest import join as join
from tests.outbox.conftest import sends
from tests.outbox.conftest import texts
from tests.small_shop import SETTINGS
from tests.small_shop import User
from tests.small_shop import line as extension

pytestmark = pytest.mark.parametrize("database", DATABASES, indirect=True)

ROOT = Path(__file__).parents[2]
BUDGET = {
    "LINECONNECT_PLAN": "standard",
    "LINECONNECT_MONTHLY_BUDGET_YEN": 3_000,
    "LINECONNECT_QUOTA_RESERVE": 10,
}


@pytest.fixture
def app(make_app: MakeApp, line_emulator: Emulator) -> Flask:
    """Return the small shop, joined to the emulator."""
    return make_app(**line_emulator.settings(BASE_URL), **BUDGET)


@pytest.fixture
def members(join: Join) -> list[User]:
    """Return three linked members whose LINE users are friends."""
    return join(3)


def _run(app: Flask, *arguments: str, answer: str | None = None) -> tuple[int, str]:
    # As in a process of its own, which has no app context yet.
    invoke = app.test_cli_runner().invoke
    result = contextvars.Context().run(invoke, commands, arguments, input=answer)
    return result.exit_code, result.output


def _message(line: LineState) -> OutboxMessage:
    line.session.rollback()
    return line.session.scalars(select(OutboxMessage)).one()


def _received(members: list[User], emulator: Emulator) -> int:
    return sum(len(texts(emulator, member)) for member in members)


def _fail(line: LineState, state: str, *, is_uncertain: bool) -> OutboxMessage:
    """Let the one message fail, as `claims.py` and `results.py` would."""
    line.session.execute(
        update(OutboxMessage).values(
            state=state,
            is_uncertain=is_uncertain,
            next_attempt_at=None,
            first_tried_at=line.clock() - timedelta(hours=30),
            quota_month="2026-10",
            expires_at=line.clock() - timedelta(hours=1),
            error="it failed",
        )
    )
    line.session.commit()
    return _message(line)


def test_refused_messages_are_sent_again_with_a_new_key(
    app: Flask, line: LineState, line_emulator: Emulator, members: list[User]
) -> None:
    extension.send(members[0], "hello")
    row = _fail(line, "refused", is_uncertain=False)
    before, row_id = row.retry_key, row.id

    listed = _run(app, "outbox", "list")[1].splitlines()[-1]
    assert listed.split()[-5:] == ["refused", "account", "1", "it", "failed"]
    assert _run(app, "outbox", "retry", f"m{row_id}") == (0, "1 queued again.\n")

    row = _message(line)
    assert row.retry_key != before
    assert (row.state, row.first_tried_at, row.quota_month) == ("queued", None, None)
    deliver_due(line)
    assert _message(line).state == "accepted"
    assert _received(members, line_emulator) == 1


@pytest.mark.parametrize(
    ("answer", "options", "is_sent"),
    [
        ("n\n", (), False),
        ("y\n", (), True),
        (None, ("--yes",), True),
    ],
)
def test_S8_2_what_line_may_have_taken_is_asked_about(
    app: Flask,
    line: LineState,
    members: list[User],
    answer: str | None,
    options: tuple[str, ...],
    is_sent: bool,
) -> None:
    extension.send(members[0], "hello")
    row_id = _fail(line, "expired", is_uncertain=True).id

    code, output = _run(app, "outbox", "retry", *options, f"m{row_id}", answer=answer)

    assert (code == 0) == is_sent
    assert ("may have taken" in output) == (answer is not None)
    assert _message(line).state == ("queued" if is_sent else "expired")


@pytest.mark.parametrize(
    ("row_id", "complaint"),
    [
        ("m999", "there is no m999"),
        ("b999", "there is no b999"),
        ("x1", "x1 is no id"),
        ("m1", "m1 is queued; only refused and expired ones"),
    ],
)
def test_a_wrong_id_is_said(
    app: Flask, line: LineState, members: list[User], row_id: str, complaint: str
) -> None:
    extension.send(members[0], "hello")
    line.session.commit()
    for_all = [("retry", row_id)] if row_id == "m1" else [("retry", row_id), ("show", row_id)]
    for command in for_all:
        code, output = _run(app, "outbox", *command)
        assert code != 0
        assert complaint in output


def test_a_refused_batch_is_sent_again_with_its_messages(
    app: Flask, line: LineState, line_emulator: Emulator, members: list[User]
) -> None:
    line_emulator.fault(path="/v2/bot/message/multicast", status=413, times=1)
    for member in members:
        extension.send(member, "hello", category="order", key=f"hello:{member.id}")
    line.session.commit()
    deliver_due(line)
    line.session.rollback()
    (batch,) = line.session.scalars(select(OutboxBatch)).all()
    assert batch.state == "refused"
    message = line.session.scalars(select(OutboxMessage)).first()
    assert message is not None
    assert "name that one" in _run(app, "outbox", "retry", f"m{message.id}")[1]

    assert _run(app, "outbox", "retry", f"b{batch.id}")[0] == 0
    deliver_due(line)

    line.session.rollback()
    states = set(line.session.scalars(select(OutboxMessage.state)))
    assert (batch.state, states) == ("accepted", {"accepted"})
    assert _received(members, line_emulator) == 3
    assert line.session.scalars(select(QuotaMonth.own_used)).one() == 3


def test_a_campaign_goes_on_when_its_batch_is_sent_again(
    app: Flask, line: LineState, line_emulator: Emulator, members: list[User]
) -> None:
    line_emulator.fault(path="/v2/bot/message/multicast", status=413, times=1)
    extension.begin_campaign("spring", "sale")
    line.session.commit()
    deliver_due(line)
    line.session.rollback()
    campaign = line.session.scalars(select(Campaign)).one()
    assert campaign.state == "finished"

    assert _run(app, "outbox", "retry", "b1")[0] == 0
    line.session.rollback()
    assert campaign.state == "running"
    deliver_due(line)
    line.session.rollback()
    assert campaign.state == "finished"
    assert _received(members, line_emulator) == 3


def test_only_what_is_queued_is_cancelled(
    app: Flask, line: LineState, line_emulator: Emulator, members: list[User]
) -> None:
    for number in range(3):
        extension.send(members[0], f"message {number}")
    line.session.execute(update(OutboxMessage).where(OutboxMessage.id == 2).values(state="sending"))
    line.session.commit()

    code, output = _run(app, "outbox", "cancel", "m1", "m2", "m77")

    assert code == 1
    assert "1 cancelled." in output
    assert "not cancelled: m2 (sending), m77 (there is none)" in output
    line.session.rollback()
    assert line.session.scalars(select(OutboxMessage.state).order_by(OutboxMessage.id)).all() == [
        "cancelled",
        "sending",
        "queued",
    ]


def test_messages_are_listed_and_shown(app: Flask, line: LineState, members: list[User]) -> None:
    extension.send(members[0], "一通目", category="order", key="order-1")
    extension.begin_campaign("spring", "sale", category="news")
    line.session.commit()

    listed = _run(app, "outbox", "list")[1]
    assert sorted(text[:2] for text in listed.splitlines()) == ["b1", "id", "m1"]
    assert "一通目" not in listed
    assert "\nb1 " in _run(app, "outbox", "list", "--campaign", "spring")[1]
    assert "\nm1 " in _run(app, "outbox", "list", "--category", "order")[1]
    assert _run(app, "outbox", "list", "--state", "accepted")[1] == "No message is accepted.\n"
    shown = _run(app, "outbox", "show", "m1")[1]
    assert "dedupe_key: order-1" in shown
    assert "一通目" in shown
    assert "campaign: spring" in _run(app, "outbox", "show", "b1")[1]


def test_what_is_due_is_delivered_and_counted(
    app: Flask, line: LineState, line_emulator: Emulator, members: list[User]
) -> None:
    for member in members:
        extension.send(member, f"{member.name}さま")
    extension.send(members[0], "later", send_at=line.clock() + timedelta(days=1))
    line.session.commit()

    assert _run(app, "outbox", "deliver") == (0, "       3  accepted\n")
    assert _received(members, line_emulator) == 3


def test_a_delivery_that_is_paused_says_so(
    app: Flask, line: LineState, members: list[User]
) -> None:
    extension.send(members[0], "hello")
    _pause(line)

    code, output = _run(app, "outbox", "deliver")

    assert code == 1
    assert "paused until" in output
    assert "(unauthorized)" in output
    assert "1 still wait" in output


def test_a_pause_is_ended_by_hand_and_not_told_of_again(
    app: Flask, line: LineState, line_emulator: Emulator, members: list[User]
) -> None:
    extension.send(members[0], "hello")
    _pause(line)
    assert "unauthorized" in _run(app, "resume")[1]
    assert not pauses.pause_for_token(line.session, 401, now=line.clock())
    line.session.rollback()
    assert _run(app, "outbox", "deliver")[0] == 0
    assert _received(members, line_emulator) == 1
    code, output = _run(app, "resume")
    assert code == 1
    assert "not paused" in output


def _pause(line: LineState) -> None:
    pauses.pause(
        line.session,
        "unauthorized",
        "LINE does not take the token",
        now=line.clock(),
        until=line.clock() + timedelta(minutes=5),
    )
    line.session.commit()


def test_the_quota_is_shown(
    app: Flask, line: LineState, line_emulator: Emulator, members: list[User]
) -> None:
    extension.send(members[0], "hello", category="order")
    line.session.commit()
    deliver_due(line)
    extension.send(members[0], "later", category="order", send_at=line.clock() + timedelta(days=1))
    extension.begin_campaign("spring", "sale", send_at=line.clock() + timedelta(days=1))
    _pause(line)

    code, output = _run(app, "quota", "--refresh")

    assert code == 0
    rows = dict(
        text.split(None, 1) for text in output.splitlines() if text[:4] not in ("LINE", "we c")
    )
    month = line.session.scalars(select(QuotaMonth)).one()
    assert month.granted
    assert f"LINE allows  {month.granted:,} (asked " in output
    assert "LINE counts  1\n" in output
    assert "we count     1\n" in output
    assert rows["budget"] == "3,000 yen, enough for 31,000 messages"
    assert rows["cost"] == "0 yen beyond the plan's fee"
    assert rows["used"] == f"1 of {month.granted:,}"
    assert rows["left"] == f"{month.granted - 1:,}, of which advertising {month.granted - 11:,}"
    assert rows["reserve"] == "10, which advertising leaves alone"
    assert rows["waiting"] == "news 3, order 1"
    assert "LINE does not take the token" in rows["paused"]
    assert line.session.scalars(select(SendingPause)).one()


def test_a_line_that_does_not_say_its_quota_is_an_error(
    app: Flask, line: LineState, line_emulator: Emulator
) -> None:
    assert "not asked yet" in _run(app, "quota")[1]
    line_emulator.fault(path="/v2/bot/message/quota", status=500, times=1)
    code, output = _run(app, "quota", "--refresh")
    assert code == 1
    assert "LINE refused" in output


def test_a_campaign_is_listed_and_cancelled(
    app: Flask, line: LineState, members: list[User]
) -> None:
    extension.begin_campaign("spring", "sale", send_at=line.clock() + timedelta(days=1))
    line.session.commit()

    assert _run(app, "campaign", "list")[1].splitlines()[1].split()[2:] == [
        "running",
        "3",
        "0",
        "3",
        "spring",
    ]
    assert _run(app, "campaign", "cancel", "spring") == (
        0,
        "Campaign spring is cancelled for 3; 0 have it, 0 are on their way.\n",
    )
    assert _run(app, "campaign", "cancel", "spring")[1] == "Error: campaign spring is cancelled\n"
    assert _run(app, "campaign", "cancel", "autumn")[1] == "Error: there is no campaign autumn\n"


def test_a_worker_finishes_what_it_began_and_stops(
    app: Flask,
    line: LineState,
    line_emulator: Emulator,
    members: list[User],
    database: str,
) -> None:
    number = signal.SIGTERM if database == "sqlite" else signal.SIGINT
    line_emulator.fault(
        path="/v2/bot/message/push", delay_seconds=0.5, after_acceptance=True, times=9
    )
    settings = {key: value for key, value in app.config.items() if key in {*SETTINGS, *BUDGET}}
    settings |= line_emulator.settings(BASE_URL)
    settings["SQLALCHEMY_DATABASE_URI"] = app.config["SQLALCHEMY_DATABASE_URI"]
    port = free_port()
    command = [sys.executable, "-m", "flask", "--app", "tests.engines.own_process"]
    worker = subprocess.Popen(
        [*command, "line", "worker", "--metrics-port", str(port)],
        cwd=ROOT,
        env={**os.environ, "SHOP_SETTINGS": json.dumps(settings)},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        for place in range(5):
            # One person's go one after the other, all within this worker's short lease.
            extension.send(members[place % 3], f"message {place}")
        line.session.commit()
        wait_until(lambda: bool(sends(line_emulator)))
        assert "lineconnect_up 1.0" in requests.get(f"http://127.0.0.1:{port}", timeout=60).text

        worker.send_signal(number)
        output, _errors = worker.communicate(timeout=60)
    finally:
        worker.kill()

    assert worker.returncode == 0
    assert output.splitlines()[-2:] == ["Stopping: finishing what was begun.", "Stopped."]
    line.session.rollback()
    assert set(line.session.scalars(select(OutboxMessage.state))) == {"accepted"}
    assert _received(members, line_emulator) == 5
