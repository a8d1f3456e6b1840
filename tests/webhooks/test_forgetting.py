"""What of webhook events is forgotten, and when: ids by the events' own times, no clock's."""

from __future__ import annotations

import json
from datetime import UTC
from datetime import datetime
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from flask_lineconnect.engines.upkeep import clear_inbox
from flask_lineconnect.engines.upkeep import sweep
from flask_lineconnect.models import InboxEvent
from flask_lineconnect.state import LineState
from flask_lineconnect.webhooks.inbox import Inbox
from flask_lineconnect.webhooks.signature import sign
from tests.conftest import DATABASES

pytestmark = pytest.mark.parametrize("database", DATABASES, indirect=True)

USER = "U" + "a" * 32
NOW = datetime.now(UTC)


def _receive(client: FlaskClient, app: Flask, event_id: str, at: datetime) -> None:
    """Let a webhook come in, perhaps a captured one."""
    event = {
        "type": "message",
        "mode": "active",
        "timestamp": int(at.timestamp() * 1000),
        "source": {"type": "user", "userId": USER},
        "webhookEventId": event_id,
        "deliveryContext": {"isRedelivery": False},
        "replyToken": "nHuyWiB7yP5Zw52FIkcQobQuGDXCTA",
        "message": {"id": "1", "type": "text", "text": "やあ"},
    }
    body = json.dumps({"destination": "U8e", "events": [event]}).encode()
    signature = sign(body, app.config["LINECONNECT_MESSAGING_CHANNEL_SECRET"])
    answer = client.post("/line/webhook", data=body, headers={"X-Line-Signature": signature})
    assert answer.status_code == 200


def _end(line: LineState, state: str = "done") -> None:
    """Let all events be worked on, at whatever time the clock says."""
    for row in line.session.scalars(select(InboxEvent).where(InboxEvent.finished_at.is_(None))):
        row.state, row.next_attempt_at, row.finished_at = state, None, line.clock()
    line.session.commit()


def _ids(line: LineState) -> set[str]:
    line.session.rollback()
    return set(line.session.scalars(select(InboxEvent.webhook_event_id)))


@pytest.mark.parametrize("state", ["done", "dead"])
@pytest.mark.parametrize("days", [31, 400, 9_000, -400, -9_000])
def test_S7_3_a_clock_that_is_wrong_forgets_no_id(
    app: Flask, client: FlaskClient, line: LineState, days: int, state: str
) -> None:
    _receive(client, app, "old", NOW - timedelta(days=29))
    _receive(client, app, "new", NOW)
    line.clock = lambda: NOW + timedelta(days=days)
    _end(line, state)
    for _time in range(2):
        sweep(line, seconds=30)
    assert _ids(line) == {"old", "new"}
    # The clock is right again, and another process has seen nothing itself.
    line.clock = lambda: NOW
    sweep(line, seconds=30)
    line.part(Inbox).__init__(line.db.engine)  # type: ignore[misc]
    for event_id, at in (("old", NOW - timedelta(days=29)), ("new", NOW)):
        _receive(client, app, event_id, at)
    states = set(line.session.scalars(select(InboxEvent.state)))
    assert "queued" not in states, "a captured event came in again"


def test_S7_3_an_id_is_forgotten_when_newer_events_say_so(
    app: Flask, client: FlaskClient, line: LineState
) -> None:
    for days in (0, 1, 29, 31):
        _receive(client, app, f"day {days}", NOW + timedelta(days=days))
        _end(line)
    line.clock = lambda: NOW + timedelta(days=9)
    sweep(line, seconds=30)
    assert _ids(line) == {"day 1", "day 29", "day 31"}
    # What was forgotten does not come in again, nor what is as old.
    line.part(Inbox).__init__(line.db.engine)  # type: ignore[misc]
    _receive(client, app, "day 0", NOW)
    _receive(client, app, "as old", NOW + timedelta(hours=1))
    assert _ids(line) == {"day 1", "day 29", "day 31"}


def test_S7_3_one_event_from_the_future_forgets_no_other(
    app: Flask, client: FlaskClient, line: LineState
) -> None:
    _receive(client, app, "now", NOW)
    _receive(client, app, "far", NOW + timedelta(days=400))
    _end(line)
    sweep(line, seconds=30)
    assert _ids(line) == {"now", "far"}
    # What it says is not kept until then.
    assert line.session.get_one(InboxEvent, "far").payload == ""
    assert line.session.get_one(InboxEvent, "now").payload != ""


@pytest.mark.parametrize(("state", "days"), [("done", 7), ("dead", 30)])
def test_who_said_what_is_forgotten_in_time_also_in_a_quiet_shop(
    app: Flask, client: FlaskClient, line: LineState, state: str, days: int
) -> None:
    _receive(client, app, "last", NOW)
    _end(line, state)
    row = line.session.get_one(InboxEvent, "last")
    row.error = "a word of theirs"
    line.session.commit()
    clear_inbox(line.session, now=NOW + timedelta(days=days - 1))
    assert "やあ" in json.loads(line.session.get_one(InboxEvent, "last").payload)["message"]["text"]
    line.session.rollback()
    clear_inbox(line.session, now=NOW + timedelta(days=days, minutes=1))
    row = line.session.get_one(InboxEvent, "last")
    assert (row.state, row.payload, row.reply) == ("cleared", "", None)
    assert (row.line_user_id, row.error) == (None, None)
