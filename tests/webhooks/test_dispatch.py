"""From the stored event to the reply, over real HTTP: failures, lost workers, late replies."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import insert
from sqlalchemy import select
from sqlalchemy import update

from flask_lineconnect import PASS_ON
from flask_lineconnect import Dialogue
from flask_lineconnect import Event
from flask_lineconnect import LineBlueprint
from flask_lineconnect import Reply
from flask_lineconnect import TextEvent
from flask_lineconnect import begin_dialogue
from flask_lineconnect import require_member
from flask_lineconnect.cli.group import line as commands
from flask_lineconnect.engines.upkeep import clear_inbox
from flask_lineconnect.engines.upkeep import look_after
from flask_lineconnect.models import InboxEvent
from flask_lineconnect.models import OpenDialogue
from flask_lineconnect.models import OutboxMessage
from flask_lineconnect.outbox.delivery import deliver_due
from flask_lineconnect.state import LineState
from flask_lineconnect.testing.chat import LineChat
from flask_lineconnect.testing.plugin import Emulator
from flask_lineconnect.webhooks.claims import LEASE
from flask_lineconnect.webhooks.dispatch import dispatch_due
from flask_lineconnect.webhooks.event_times import KEPT
from flask_lineconnect.webhooks.inbox import replay
from tests.conftest import BUSY_MACHINE
from tests.conftest import DATABASES
from tests.conftest import MakeApp
from tests.people import press
from tests.small_shop import User
from tests.small_shop import db
from tests.webhooks.claiming import claim_one
from tests.webhooks.claiming import write

pytestmark = pytest.mark.parametrize("database", DATABASES, indirect=True)
BASE_URL = "http://127.0.0.1:5999"


class Shop:
    """A shop's hooks, and what they saw."""

    def __init__(self) -> None:  # noqa: C901  # a list of hooks
        self.seen: list[str] = []
        self.fail = 0
        self.hooks = hooks = LineBlueprint("chat", __name__)

        @hooks.on_any
        def look(event: Event) -> Reply:
            self.seen.append(event.name)
            return PASS_ON

        @hooks.on_text("名前は")
        def who(event: TextEvent) -> Reply:
            return f"{event.member.name}さま" if event.member else "はじめまして"

        @hooks.on_text("メモ")
        def note(event: TextEvent) -> Reply:
            db.session.add(User(name="a note", email=f"{event.webhook_event_id}@mail.example"))
            if self.fail:
                self.fail -= 1
                raise RuntimeError("not this time")
            return "書きました"

        @hooks.on_text("予約")
        def book(event: TextEvent) -> Reply:
            begin_dialogue(event, "booking", step="day", people=2)
            return "いつですか？"

        @hooks.on_dialogue("booking", "day")
        def day(event: Event, dialogue: Dialogue) -> Reply:
            if not isinstance(event, TextEvent):
                return PASS_ON
            if event.text == "やめる":
                dialogue.end()
                return "やめました"
            dialogue.go("hour", day=event.text)
            return "何時ですか？"

        @hooks.on_dialogue("booking", "hour")
        def hour(event: Event, dialogue: Dialogue) -> Reply:
            if not isinstance(event, TextEvent):
                return PASS_ON
            dialogue.end()
            kept = dialogue.data
            return f"{kept['day']} {event.text} {kept['people']}名"

        @hooks.on_text("秘密")
        @require_member
        def secret(event: TextEvent, member: User) -> Reply:
            return f"{member.name}さまの秘密"

        @hooks.on_fallback
        def fallback(event: Event) -> Reply:
            return "わかりません"


@pytest.fixture
def shop() -> Shop:
    """Return the hooks."""
    return Shop()


@pytest.fixture
def app(make_app: MakeApp, line_emulator: Emulator, shop: Shop) -> Flask:
    """Return the small shop with these hooks, joined to the emulator."""
    line_emulator.set_up(base_url=BASE_URL)
    settings = line_emulator.settings(BASE_URL)
    app = make_app(**settings, LINECONNECT_LATE_ANSWERS_PER_DAY=2)
    app.register_blueprint(shop.hooks)
    return app


def _texts(messages: list[dict[str, Any]]) -> list[str]:
    return [message["text"] for message in messages]


def _event(line: LineState) -> InboxEvent:
    line.session.rollback()
    latest = select(InboxEvent).order_by(InboxEvent.received_at.desc()).limit(1)
    return line.session.scalars(latest).one()


def test_a_text_goes_the_whole_way_and_the_reply_comes_back(chat: LineChat, shop: Shop) -> None:
    assert _texts(chat.say("名前は")) == ["はじめまして"]
    assert _texts(chat.say("？？？")) == ["わかりません"]
    assert _texts(chat.send({"type": "beacon", "beacon": {"hwid": "d4", "type": "enter"}})) == [
        "わかりません"
    ]
    assert shop.seen == ["message", "message", "beacon"]


def test_W10_an_event_that_line_added_lately_passes(chat: LineChat, shop: Shop) -> None:
    chat.send({"type": "somethingNew", "somethingNew": {"a": [1]}, "extra": None})
    assert shop.seen == ["somethingNew"]


def test_a_hook_that_fails_is_undone_and_tried_again(
    chat: LineChat, line: LineState, shop: Shop
) -> None:
    shop.fail = 1
    assert _texts(chat.say("メモ")) == ["書きました"]
    assert shop.seen == ["message", "message"]
    assert len(line.session.scalars(select(User)).all()) == 1


def test_S7_5_a_hook_that_always_fails_ends_in_the_dead_letters(
    app: Flask, chat: LineChat, line: LineState, line_emulator: Emulator, shop: Shop
) -> None:
    shop.fail = 100
    moments = iter(range(1, 10_000))
    begin = line.clock()
    line.clock = lambda: begin + timedelta(seconds=5 * next(moments))
    assert chat.say("メモ") == []
    row = _event(line)
    assert (row.state, row.attempts) == ("dead", 5)
    assert "not this time" in str(row.error)
    assert line.session.scalars(select(User)).all() == []
    runner = app.test_cli_runner()
    listed = runner.invoke(commands, ["inbox", "list"]).output
    assert row.webhook_event_id in listed
    assert "RuntimeError: not this time" in listed
    shown = runner.invoke(commands, ["inbox", "show", row.webhook_event_id]).output
    assert "メモ" in shown

    shop.fail = 0
    answer = runner.invoke(commands, ["inbox", "replay", row.webhook_event_id])

    assert answer.exit_code == 0, answer.output
    assert f"{row.webhook_event_id}  done" in answer.output
    line.session.rollback()
    assert len(line.session.scalars(select(User)).all()) == 1
    again = runner.invoke(commands, ["inbox", "replay", row.webhook_event_id])
    assert "there is no dead event" in again.output


def test_W4_one_poisonous_event_costs_no_other(
    chat: LineChat,
    line: LineState,
    line_emulator: Emulator,
    shop: Shop,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("flask_lineconnect.testing.chat.PATIENCE", 1.0)
    other = line_emulator.add_user("山田 花子")
    line_emulator.add_friend(other)

    def wait_for_answer() -> None:
        deadline = time.monotonic() + BUSY_MACHINE
        while not _is_answered(line_emulator, other) and time.monotonic() < deadline:
            dispatch_due(line)
            time.sleep(0.02)

    # The greeting must not come late and be taken for the answer.
    wait_for_answer()
    shop.fail = 100
    with pytest.raises(Exception, match="in time"):
        chat.send({"type": "message", "message": {"type": "text", "id": "1", "text": "メモ"}})
    line_emulator.write(other, "あ")
    wait_for_answer()
    *_before, asked, answer = line_emulator.chat(other)
    assert [asked["message"]["text"], answer["message"]["text"]] == ["あ", "わかりません"]


def _is_answered(emulator: Emulator, user_id: str) -> bool:
    return [said["from"] for said in emulator.chat(user_id)][-1:] == ["bot"]


def test_S8_7_a_worker_that_was_overtaken_writes_nothing(
    chat: LineChat, line: LineState, shop: Shop
) -> None:
    chat.say("名前は")
    now = line.clock()
    line.session.execute(
        update(InboxEvent).values(state="queued", attempts=0, next_attempt_at=now, reply=None)
    )
    line.session.commit()
    slow = claim_one(line, now=now)
    assert slow is not None
    # The first one is paused for longer than its lease, and a second takes over.
    line.clock = lambda: now + LEASE
    dispatch_due(line)
    assert _event(line).state == "done"
    assert not write(line, slow, {"state": "answering"})
    assert _event(line).state == "done"


def test_S8_7_a_replay_does_not_let_the_overtaken_worker_write_again(
    app: Flask, chat: LineChat, line: LineState, shop: Shop
) -> None:
    chat.say("名前は")
    now = line.clock()
    line.session.execute(update(InboxEvent).values(state="queued", next_attempt_at=now))
    line.session.commit()
    slow = claim_one(line, now=now)
    assert slow is not None
    line.session.execute(update(InboxEvent).values(state="dead"))
    assert replay(line.session, slow.event_id, now=now)
    line.session.commit()
    assert claim_one(line, now=now) is not None
    assert not write(line, slow, {"state": "answering"})


def test_S7_5_a_server_that_keeps_falling_over_costs_no_innocent_event(
    app: Flask, chat: LineChat, line: LineState
) -> None:
    chat.say("名前は")
    now = line.clock()
    line.session.execute(update(InboxEvent).values(state="queued", attempts=0, next_attempt_at=now))
    line.session.commit()
    for attempt in range(5):
        claimed = claim_one(line, now=now)
        assert claimed is not None
        assert claimed.attempt == attempt + 1
        now += LEASE * 2**attempt
        assert claim_one(line, now=now - timedelta(seconds=1)) is None


def test_events_of_a_person_wait_for_the_one_before(
    app: Flask, chat: LineChat, line: LineState
) -> None:
    chat.say("名前は")
    first = _event(line)
    now = line.clock()
    columns = {"line_user_id": first.line_user_id, "payload": first.payload, "received_at": now}
    line.session.execute(
        insert(InboxEvent),
        [
            {
                **columns,
                "webhook_event_id": f"event {number}",
                "occurred_at": now - timedelta(seconds=60 - number),
                "next_attempt_at": now,
            }
            for number in range(3)
        ],
    )
    line.session.commit()
    claimed = claim_one(line, now=now)
    assert claimed is not None
    assert claimed.event_id == "event 0"
    assert claim_one(line, now=now) is None
    # Its lease ends, and it comes again before those that came after it.
    again = claim_one(line, now=now + LEASE)
    assert again is not None
    assert again.event_id == "event 0"
    assert again.number == claimed.number + 1


def test_a_dialogue_remembers_across_messages(chat: LineChat, line: LineState) -> None:
    assert _texts(chat.say("予約")) == ["いつですか？"]
    assert _texts(chat.say("明日")) == ["何時ですか？"]
    assert _texts(chat.tap("/elsewhere")) == ["わかりません"]
    assert _texts(chat.say("18時")) == ["明日 18時 2名"]
    assert _texts(chat.say("18時")) == ["わかりません"]
    assert line.session.scalars(select(OpenDialogue)).all() == []


def test_a_dialogue_can_be_left_and_begun_anew(chat: LineChat) -> None:
    chat.say("予約")
    chat.say("明日")
    assert _texts(chat.say("18時")) == ["明日 18時 2名"]
    chat.say("予約")
    assert _texts(chat.say("やめる")) == ["やめました"]
    assert _texts(chat.say("明日")) == ["わかりません"]


def test_a_dialogue_ends_after_ten_minutes(chat: LineChat, line: LineState) -> None:
    chat.say("予約")
    line.session.execute(update(OpenDialogue).values(expires_at=line.clock()))
    line.session.commit()
    assert _texts(chat.say("明日")) == ["わかりません"]


def test_a_failed_hook_leaves_the_dialogue_as_it_was(
    chat: LineChat, line: LineState, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    chat.say("予約")
    failed: list[int] = []
    go = Dialogue.go

    def fail_once(dialogue: Dialogue, step: str, **data: Any) -> None:
        go(dialogue, step, **data)
        if not failed:
            failed.append(1)
            raise RuntimeError("after the change")

    monkeypatch.setattr(Dialogue, "go", fail_once)
    assert _texts(chat.say("明日")) == ["何時ですか？"]
    assert line.session.scalars(select(OpenDialogue.data)).one() == {"people": 2, "day": "明日"}


def test_after_linking_the_question_is_answered(
    app: Flask, chat: LineChat, line: LineState, line_emulator: Emulator, user_id: str
) -> None:
    (invitation,) = chat.say("秘密")
    assert invitation["type"] == "template"
    client = app.test_client()
    browser = line_emulator.browser(user_id)
    client.get(browser.log_in(client.get("/line/login?source=chat").location))
    press(client, "/line/sign-up", display_name="佐藤 さくら")

    dispatch_due(line)
    deliver_due(line)

    said = [one["message"].get("text") for one in line_emulator.chat(user_id)]
    assert "佐藤 さくらさまの秘密" in said
    assert _event(line).waits_until is None


def test_S8_3_without_the_shops_consent_no_quota_is_spent(
    app: Flask, chat: LineChat, line: LineState, line_emulator: Emulator, user_id: str
) -> None:
    line.config.__dict__["late_answers_per_day"] = 0
    chat.say("秘密")
    client = app.test_client()
    browser = line_emulator.browser(user_id)
    client.get(browser.log_in(client.get("/line/login").location))
    press(client, "/line/sign-up", display_name="佐藤 さくら")
    dispatch_due(line)
    # What tells of the link is no answer.
    is_answer = OutboxMessage.dedupe_key.startswith("answer:")
    assert line.session.scalars(select(OutboxMessage).where(is_answer)).all() == []
    assert _event(line).state == "done"


def test_a_question_waits_for_an_hour(
    app: Flask, chat: LineChat, line: LineState, line_emulator: Emulator, user_id: str
) -> None:
    chat.say("秘密")
    line.session.execute(update(InboxEvent).values(waits_until=line.clock()))
    line.session.commit()
    client = app.test_client()
    browser = line_emulator.browser(user_id)
    client.get(browser.log_in(client.get("/line/login").location))
    press(client, "/line/sign-up", display_name="佐藤 さくら")
    assert dispatch_due(line) == 0


def test_a_reply_that_line_takes_too_late_is_pushed_within_the_cap(
    chat: LineChat, line: LineState, line_emulator: Emulator, user_id: str
) -> None:
    def write_and_be_answered_late(emulator: Emulator, user_id: str) -> None:
        emulator.write(user_id, "あ")
        # The reply token is dead by then.
        emulator.advance(3_600)

    for _time in range(3):
        chat.do(write_and_be_answered_late)
    assert len(line.session.scalars(select(OutboxMessage)).all()) == 2


def test_S8_3_after_an_unknown_outcome_nothing_is_pushed(
    chat: LineChat, line: LineState, line_emulator: Emulator, user_id: str
) -> None:
    line_emulator.fault(path="/v2/bot/message/reply", status=500, times=1, after_acceptance=True)
    answers = chat.say("名前は")
    assert _texts(answers) == ["はじめまして"]
    assert line.session.scalars(select(OutboxMessage)).all() == []


def test_an_event_in_a_state_of_a_newer_version_is_left_alone_and_reported(
    chat: LineChat, line: LineState, shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    chat.say("名前は")
    seen = len(shop.seen)
    values = {"state": "put off", "finished_at": None, "next_attempt_at": line.clock()}
    line.session.execute(update(InboxEvent).values(**values))
    line.session.commit()
    held = _event(line).webhook_event_id

    assert dispatch_due(line) == 0
    line.next_sweep_at = None
    look_after(line)
    # It keeps nobody's next event waiting.
    chat.say("名前は")

    assert len(shop.seen) == seen + 1
    row = line.session.get_one(InboxEvent, held)
    assert (row.state, row.claims) == ("put off", 1)
    [told] = [one.getMessage() for one in caplog.records if "does not know" in one.msg]
    assert told.startswith("1 rows")
    assert "'put off'" in told


def test_old_events_are_forgotten_in_two_steps(chat: LineChat, line: LineState) -> None:
    chat.say("名前は")
    clear_inbox(line.session, now=line.clock() + timedelta(days=6))
    assert "名前は" in _payload(line)
    clear_inbox(line.session, now=line.clock() + timedelta(days=8))
    line.session.commit()
    assert _payload(line) == ""
    clear_inbox(line.session, now=line.clock() + KEPT + timedelta(hours=1))
    line.session.commit()
    # The last one there is: LINE's newer ones say when its id may go, see test_forgetting.py.
    assert _payload(line) == ""


def _payload(line: LineState) -> str:
    line.session.expire_all()
    return line.session.scalars(select(InboxEvent.payload)).one()
