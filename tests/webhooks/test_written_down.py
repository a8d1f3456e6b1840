"""What is written to an event, whatever its hook raised, and whoever took it over."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from flask import session
from sqlalchemy import select
from sqlalchemy import text

from flask_lineconnect import LineBlueprint
from flask_lineconnect import Reply
from flask_lineconnect import TextEvent
from flask_lineconnect import signals
from flask_lineconnect.models import InboxEvent
from flask_lineconnect.state import LineState
from flask_lineconnect.testing.plugin import Emulator
from flask_lineconnect.webhooks import claims
from flask_lineconnect.webhooks import outcomes
from flask_lineconnect.webhooks import turns
from flask_lineconnect.webhooks.claims import Outcome
from flask_lineconnect.webhooks.dispatch import dispatch_due
from flask_lineconnect.webhooks.replies import TOO_LATE
from tests.conftest import DATABASES
from tests.conftest import MakeApp
from tests.small_shop import User
from tests.small_shop import db
from tests.webhooks.claiming import claim_one
from tests.webhooks.claiming import write

pytestmark = pytest.mark.parametrize("database", DATABASES, indirect=True)
BASE_URL = "http://127.0.0.1:5998"
#: A statement that a database never finishes, or not for long.
FOR_EVER = {
    "sqlite": """WITH RECURSIVE number(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM number)
        SELECT max(x) FROM number""",
    "postgresql": "SELECT pg_sleep(600)",
}


class Unspeakable(Exception):
    """An error that raises when it is asked what it says."""

    def __init__(self, raised: BaseException):
        super().__init__()
        self._raised = raised

    def __str__(self) -> str:
        """Raise."""
        raise self._raised


class Shop:
    """A shop with two hooks, and what they do."""

    def __init__(self) -> None:
        self.acts: Callable[[], Reply] = lambda: None
        self.hooks = hooks = LineBlueprint("odd", __name__)

        @hooks.on_text("act")
        def act(event: TextEvent) -> Reply:
            return self.acts()

        @hooks.on_text("add")
        def add(event: TextEvent) -> Reply:
            db.session.add(User(name="added", email=None))
            return None


@pytest.fixture
def shop() -> Shop:
    """Return the hooks."""
    return Shop()


@pytest.fixture
def app(make_app: MakeApp, line_emulator: Emulator, shop: Shop) -> Flask:
    """Return the small shop with these hooks, joined to the emulator."""
    line_emulator.set_up(base_url=BASE_URL)
    app = make_app(**line_emulator.settings(BASE_URL))
    app.register_blueprint(shop.hooks)
    return app


def _write(line: LineState, number: int, said: str, **values: str) -> str:
    """Store what a person wrote; return the event's id."""
    now, user_id = line.clock(), f"U{number:032x}"
    payload = {
        "type": "message",
        "timestamp": int(now.timestamp() * 1000),
        "webhookEventId": f"event {number}",
        "source": {"type": "user", "userId": user_id},
        "message": {"type": "text", "id": "1", "text": said},
    }
    times = {"occurred_at": now, "received_at": now, "next_attempt_at": now}
    event = InboxEvent(
        webhook_event_id=f"event {number}",
        line_user_id=user_id,
        payload=json.dumps(payload | values),
        **times,
    )
    line.session.add(event)
    line.session.commit()
    return event.webhook_event_id


def _row(line: LineState, event_id: str) -> InboxEvent:
    line.session.rollback()
    return line.session.get_one(InboxEvent, event_id)


@pytest.mark.parametrize(
    "error",
    [
        ValueError("zero \0 byte"),
        ValueError("half an emoji \ud83d"),
        ValueError("x" * 100_000),
        Unspeakable(RuntimeError()),
        Unspeakable(SystemExit()),
        SystemExit("\0"),
        BaseExceptionGroup("several", [KeyboardInterrupt(), ValueError("\0")]),
    ],
    ids=lambda error: type(error).__name__,
)
def test_an_attempt_is_written_down_whatever_the_error_says(
    line: LineState, shop: Shop, error: BaseException, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Half a character in a log line ends a worker of pytest's.
    monkeypatch.setattr(outcomes.logger, "disabled", True)

    def fail() -> Reply:
        raise error

    shop.acts = fail
    failing, other = _write(line, 1, "act"), _write(line, 2, "add")
    dispatch_due(line)
    row = _row(line, failing)
    assert (row.state, row.attempts) == ("queued", 1)
    assert str(row.error).startswith(type(error).__name__)
    assert len(str(row.error)) <= 2_000
    assert _row(line, other).state == "done"


def test_what_stands_in_the_code_is_written_down_in_characters_that_databases_take(
    line: LineState, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outcomes.logger, "disabled", True)

    def fail() -> Reply:
        raise ValueError("zero \0 byte, half \ud83d of a sign")

    shop.acts = fail
    event_id = _write(line, 1, "act")
    dispatch_due(line)
    assert "ValueError: zero \ufffd byte, half ? of a sign" in str(_row(line, event_id).error)


@pytest.mark.parametrize("error", [SystemExit(1), KeyboardInterrupt(), GeneratorExit()])
def test_whatever_a_signals_receiver_raises_in_a_hook_is_nobodys_attempt(
    app: Flask, line: LineState, shop: Shop, error: BaseException
) -> None:
    def receive(_sender: object, **_arguments: object) -> None:
        raise error

    def act() -> Reply:
        from flask_lineconnect.after_commit import announce

        announce(line.session, signals.account_followed, account=None)
        db.session.add(User(name="kept", email=None))
        return None

    shop.acts = act
    event_id = _write(line, 1, "act")
    with signals.account_followed.connected_to(receive, app):
        dispatch_due(line)
    row = _row(line, event_id)
    assert (row.state, row.attempts, row.error) == ("done", 1, None)
    assert line.session.scalars(select(User.name)).all() == ["kept"]


def test_an_answer_that_came_too_late_is_noted_in_the_inbox(line: LineState, shop: Shop) -> None:
    shop.acts = lambda: "too late"
    event_id = _write(line, 1, "act", replyToken="0" * 32)
    dispatch_due(line)
    row = _row(line, event_id)
    assert (row.state, row.reply_attempts, row.error) == ("done", 1, TOO_LATE)


def test_a_stored_answer_whose_event_can_not_be_read_keeps_nobody_waiting(
    line: LineState, shop: Shop
) -> None:
    event_id, other = _write(line, 1, "act"), _write(line, 2, "add")
    row = _row(line, event_id)
    row.state, row.payload, row.reply = "answering", "", [{"type": "text", "text": "lost"}]
    line.session.commit()
    dispatch_due(line)
    assert _row(line, other).state == "done"
    assert _row(line, event_id).state == "done"


def test_a_hook_that_asks_nothing_of_the_database_makes_no_session(
    line: LineState, shop: Shop
) -> None:
    seen: list[object] = []

    def act() -> Reply:
        seen.append(db.session.registry.has())
        seen.append(dict(session))
        session["visits"] = 1
        return None

    shop.acts = act
    event_ids = [_write(line, number, "act") for number in range(2)]
    db.session.remove()
    dispatch_due(line)
    assert seen == [False, {}, False, {}]
    assert {_row(line, one).state for one in event_ids} == {"done"}


def test_what_a_hook_does_in_a_session_of_its_own_making_is_committed_with_its_reply(
    line: LineState, shop: Shop
) -> None:
    def act() -> Reply:
        db.session.add(User(name="undone", email=None))
        db.session.flush()
        db.session.remove()
        db.session.add(User(name="kept", email=None))
        return None

    shop.acts = act
    event_id = _write(line, 1, "act")
    dispatch_due(line)
    assert _row(line, event_id).state == "done"
    assert line.session.scalars(select(User.name)).all() == ["kept"]


def test_of_many_outcomes_only_those_of_events_taken_over_are_left_out(line: LineState) -> None:
    for number in range(3):
        _write(line, number, "add")
    found = [claim for _number in range(3) if (claim := claim_one(line, now=line.clock()))]
    mine, taken, reply = found
    assert write(line, taken, {"next_attempt_at": line.clock()})
    again = claim_one(line, now=line.clock())
    assert again is not None
    assert again.event_id == taken.event_id
    messages = [{"type": "text", "text": "残高 🍎"}]
    later = {"next_attempt_at": line.clock(), "reply": messages, "state": "answering"}
    outcomes = [
        Outcome(mine, claims.finished("done", now=line.clock())),
        Outcome(taken, claims.finished("dead", now=line.clock())),
        Outcome(reply, later),
    ]
    with turns.writing(line.db.engine, is_durable=False) as connection:
        assert claims.write(connection, outcomes) == {mine.event_id, reply.event_id}
    states = [_row(line, one.event_id).state for one in found]
    assert states == ["done", "queued", "answering"]
    row = _row(line, reply.event_id)
    assert (row.reply, row.next_attempt_at) == (messages, later["next_attempt_at"])
    stored = claim_one(line, now=line.clock())
    assert stored is not None
    assert (stored.state, stored.reply, stored.reply_attempts) == ("answering", messages, 1)


@pytest.mark.parametrize("is_writing", [False, True])
def test_what_hangs_in_the_middle_of_a_statement_is_broken_off_and_ends_no_process(
    line: LineState, shop: Shop, monkeypatch: pytest.MonkeyPatch, is_writing: bool
) -> None:
    monkeypatch.setattr(claims, "LEASE", timedelta(seconds=0.1))
    for_ever = text(FOR_EVER[line.db.engine.dialect.name])
    ended = threading.Event()

    def act() -> Reply:
        if is_writing:
            db.session.add(User(name="undone", email=None))
            db.session.flush()
        try:
            db.session.execute(for_ever).all()
        finally:
            ended.set()
        return None

    shop.acts = act
    event_id = _write(line, 1, "act")
    dispatch_due(line)
    assert ended.wait(60)
    row = _row(line, event_id)
    assert (row.state, row.attempts) == ("dead", 5)
    assert str(row.error).startswith("HookHangs: odd.act")
    other = _write(line, 2, "add")
    shop.acts = lambda: None
    while _row(line, other).state != "done":
        dispatch_due(line)
    assert line.session.scalars(select(User.name)).all() == ["added"]
