"""Many persons at once: what one hook, one person or one refusal of LINE's may cost the others."""

from __future__ import annotations

import asyncio
import json
import logging
import threading
import time
from collections.abc import Callable
from collections.abc import Iterator
from datetime import datetime
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func
from sqlalchemy import insert
from sqlalchemy import select
from sqlalchemy import update

from flask_lineconnect import LineBlueprint
from flask_lineconnect import Reply
from flask_lineconnect import TextEvent
from flask_lineconnect import UsageError
from flask_lineconnect import require_member
from flask_lineconnect.cli.group import line as commands
from flask_lineconnect.engines import embedded
from flask_lineconnect.engines import work
from flask_lineconnect.engines.embedded import ThreadEngine
from flask_lineconnect.engines.work import WORK
from flask_lineconnect.metrics import StoredState
from flask_lineconnect.models import InboxEvent
from flask_lineconnect.models import SendingPause
from flask_lineconnect.state import LineState
from flask_lineconnect.testing.plugin import Emulator
from flask_lineconnect.webhooks import claims
from flask_lineconnect.webhooks import replies
from flask_lineconnect.webhooks import turns
from flask_lineconnect.webhooks.dispatch import dispatch_due
from tests.conftest import DATABASES
from tests.conftest import MakeApp
from tests.emulator.serving import serving
from tests.small_shop import User
from tests.small_shop import db

pytestmark = pytest.mark.parametrize("database", DATABASES, indirect=True)
BASE_URL = "http://127.0.0.1:5999"
#: Seconds.
PATIENCE = 60.0


class Chats:
    """The chats of a few people with a shop."""

    def __init__(self, line: LineState, emulator: Emulator):
        self.line, self.emulator = line, emulator
        self.people = [emulator.add_user(f"人{number}") for number in range(4)]
        for user_id in self.people:
            emulator.add_friend(user_id)
        self.wait_for_events(len(self.people))
        dispatch_due(line)

    def write(self, person: int, text: str) -> None:
        """Let somebody write, and wait until the shop has stored it."""
        known = self.events()
        self.emulator.write(self.people[person], text)
        self.wait_for_events(known + 1)

    def events(self) -> int:
        """Return how many events were stored."""
        self.line.session.rollback()
        return self.line.session.scalar(select(func.count()).select_from(InboxEvent)) or 0

    def wait_for_events(self, count: int) -> None:
        """Wait until so many events are stored."""
        deadline = time.monotonic() + PATIENCE
        while self.events() < count:
            assert time.monotonic() < deadline
            time.sleep(0.02)

    def answers(self, person: int) -> list[str]:
        """Return what somebody was answered."""
        chat = self.emulator.chat(self.people[person])
        return [entry["message"]["text"] for entry in chat if entry["from"] == "bot"]

    def row(self, person: int) -> InboxEvent:
        """Return somebody's latest event."""
        self.line.session.rollback()
        of_person = InboxEvent.line_user_id == self.people[person]
        latest = select(InboxEvent).where(of_person).order_by(InboxEvent.received_at.desc())
        return self.line.session.scalars(latest.limit(1)).one()


class Shop:
    """A shop's hooks, and what makes them fail."""

    def __init__(self) -> None:  # noqa: C901  # a list of hooks
        self.raised: BaseException | None = None
        self.go_on = threading.Event()
        self.hung = 0
        self.all_three = threading.Barrier(3)
        self.said: list[str] = []
        self.hooks = hooks = LineBlueprint("chat", __name__)

        @hooks.on_text("raise")
        def fail(event: TextEvent) -> Reply:
            db.session.add(User(name="undone", email=None))
            if self.raised is not None:
                raise self.raised
            return "did not"

        @hooks.on_text("hang")
        def hang(event: TextEvent) -> Reply:
            self.hung += 1
            self.go_on.wait(PATIENCE)
            return "came back"

        @hooks.on_text("write and hang")
        def write_and_hang(event: TextEvent) -> Reply:
            db.session.add(User(name="hanging", email=None))
            db.session.flush()
            self.go_on.wait(PATIENCE)
            return "came back"

        @hooks.on_text("wait")
        def wait(event: TextEvent) -> Reply:
            self.all_three.wait(PATIENCE)
            return "waited"

        @hooks.on_text("note")
        def note(event: TextEvent) -> Reply:
            db.session.add(User(name=event.webhook_event_id, email=None))
            return "noted"

        @hooks.on_text("commit")
        def commit(event: TextEvent) -> Reply:
            db.session.add(User(name="committed", email=None))
            db.session.commit()
            raise RuntimeError("after its own commit")

        @hooks.on_text("async")
        async def later(event: TextEvent) -> Reply:
            await asyncio.sleep(0.01)
            db.session.add(User(name="async", email=None))
            return "awaited"

        @hooks.on_text("async member")
        @require_member
        async def of_member(event: TextEvent, member: User) -> Reply:
            await asyncio.sleep(0)
            return f"{member.name}さま"

        @hooks.on_text()
        def echo(event: TextEvent) -> Reply:
            self.said.append(event.text)
            return event.text


@pytest.fixture
def shop() -> Iterator[Shop]:
    """Return the hooks; whatever hangs is let go afterwards."""
    shop = Shop()
    yield shop
    shop.go_on.set()


@pytest.fixture
def app(make_app: MakeApp, line_emulator: Emulator, shop: Shop) -> Flask:
    """Return the small shop with these hooks, joined to the emulator."""
    line_emulator.set_up(base_url=BASE_URL)
    app = make_app(**line_emulator.settings(BASE_URL))
    app.register_blueprint(shop.hooks)
    return app


@pytest.fixture
def chats(app: Flask, line: LineState, line_emulator: Emulator) -> Iterator[Chats]:
    """Return the chats, with LINE's webhooks reaching the shop."""
    with serving(app) as url:
        # A database that is slow for once is answered with 503.
        channel = {"webhook_url": f"{url}/line/webhook", "redelivery": True}
        line_emulator.set_up(messaging_channel=channel)
        yield Chats(line, line_emulator)


@pytest.fixture
def short_leases(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let leases end soon."""
    monkeypatch.setattr(claims, "LEASE", timedelta(seconds=0.3))


def _dispatch_until(line: LineState, is_done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not is_done():
        assert time.monotonic() < deadline
        dispatch_due(line)
        time.sleep(0.02)


def test_hooks_of_many_persons_run_at_once_and_those_of_one_in_order(
    chats: Chats, line: LineState, shop: Shop
) -> None:
    for person in range(3):
        chats.write(person, "wait")
    chats.write(0, "second")
    chats.write(0, "third")
    dispatch_due(line)
    assert chats.answers(0) == ["waited", "second", "third"]
    assert chats.answers(1) == chats.answers(2) == ["waited"]


@pytest.mark.parametrize(
    "error", [SystemExit(1), asyncio.CancelledError(), KeyboardInterrupt(), GeneratorExit()]
)
def test_whatever_a_hook_raises_is_one_attempt_and_others_are_answered(
    chats: Chats,
    line: LineState,
    shop: Shop,
    error: BaseException,
    caplog: pytest.LogCaptureFixture,
) -> None:
    shop.raised = error
    chats.write(0, "raise")
    chats.write(1, "hello")
    dispatch_due(line)
    assert chats.answers(1) == ["hello"]
    row = chats.row(0)
    assert (row.state, row.attempts) == ("queued", 1)
    assert type(error).__name__ in str(row.error)
    assert "failed, attempt 1" in caplog.text
    assert line.session.scalars(select(User)).all() == []
    shop.raised = None
    _dispatch_until(line, lambda: chats.answers(0) == ["did not"])


def test_a_hook_that_hangs_stops_nobody_else_and_is_shown(
    app: Flask, chats: Chats, line: LineState, shop: Shop, short_leases: None
) -> None:
    chats.write(0, "hang")
    chats.write(1, "hello")
    dispatch_due(line)
    assert chats.answers(1) == ["hello"]
    listed = app.test_cli_runner().invoke(commands, ["inbox", "list"]).output
    assert chats.row(0).webhook_event_id in listed
    assert "chat.hang" in listed
    families = {family.name: family for family in StoredState(app).collect()}
    (sample,) = families["lineconnect_hooks_hanging"].samples
    assert sample.labels == {"hook": "chat.hang"}
    chats.write(2, "still")
    _dispatch_until(line, lambda: chats.answers(2) == ["still"])


def test_more_hooks_that_hang_than_there_are_threads_stop_nobody_else(
    chats: Chats, line: LineState, shop: Shop, short_leases: None
) -> None:
    from flask_lineconnect.webhooks.dispatch import Answering

    line.part(Answering).threads.size = 2
    for person in range(3):
        chats.write(person, "hang")
    chats.write(3, "hello")
    _dispatch_until(line, lambda: chats.answers(3) == ["hello"])


def test_what_hangs_five_times_is_dead_and_what_came_back_writes_nothing(
    chats: Chats, line: LineState, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(claims, "LEASE", timedelta(seconds=0.1))
    chats.write(0, "hang")
    _dispatch_until(line, lambda: chats.row(0).state == "dead")
    assert (chats.row(0).attempts, shop.hung) == (5, 5)
    shop.go_on.set()
    chats.write(0, "next")
    _dispatch_until(line, lambda: "next" in chats.answers(0))
    assert chats.answers(0) == ["next"]


def test_what_a_hanging_hook_wrote_is_undone_and_its_locks_are_free(
    chats: Chats, line: LineState, shop: Shop, short_leases: None
) -> None:
    chats.write(0, "write and hang")
    dispatch_due(line)
    line.session.rollback()
    assert line.session.scalars(select(User)).all() == []
    chats.write(1, "note")
    _dispatch_until(line, lambda: chats.answers(1) == ["noted"])


class StopAfter:
    """Lets work end after so many things were said."""

    def __init__(self, said: list[str], count: int):
        self._said, self._count = said, count

    def is_set(self) -> bool:
        """Tell whether to begin nothing more."""
        return len(self._said) >= self._count

    def set(self) -> None:
        """Let it end."""
        self._count = 0


def test_one_person_who_writes_thousands_keeps_nobody_waiting(
    chats: Chats, line: LineState, shop: Shop
) -> None:
    chats.write(1, "the other")
    template, now = chats.row(1), line.clock()
    many: list[dict[str, Any]] = [
        {
            "webhook_event_id": f"many {number:04d}",
            "line_user_id": chats.people[0],
            "payload": json.dumps(
                {
                    "type": "message",
                    "timestamp": 1_700_000_000_000,
                    "source": {"type": "user", "userId": chats.people[0]},
                    "message": {"type": "text", "id": "1", "text": "again"},
                }
            ),
            "occurred_at": template.occurred_at - timedelta(hours=1, milliseconds=-number),
            "received_at": now,
            "next_attempt_at": now,
        }
        for number in range(3_000)
    ]
    line.session.execute(insert(InboxEvent), many)
    line.session.commit()

    line.stopping = StopAfter(shop.said, 20)
    dispatch_due(line)
    assert "the other" in shop.said[:10]
    assert chats.answers(1) == ["the other"]


def test_a_reply_is_tried_until_line_is_back_whatever_the_hooks_attempts(
    chats: Chats, line: LineState, line_emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replies, "LONGEST_BACKOFF", timedelta(seconds=0.1))
    monkeypatch.setattr(replies, "FIRST_BACKOFF", timedelta(seconds=0.1))
    fault = line_emulator.fault(path="/v2/bot/message/reply", status=503, times=100_000)
    chats.write(0, "note")
    _dispatch_until(line, lambda: chats.row(0).reply_attempts >= 8)
    assert (chats.row(0).state, chats.row(0).attempts) == ("answering", 1)
    line_emulator.remove_fault(fault)
    _dispatch_until(line, lambda: chats.row(0).state == "done")
    assert chats.answers(0) == ["noted"]
    assert len(line.session.scalars(select(User)).all()) == 1


def test_S8_4_a_refused_token_stops_sending_until_it_is_mended(
    chats: Chats, line: LineState, line_emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replies, "REFUSED_BACKOFF", timedelta(seconds=0.5))
    fault = line_emulator.fault(path="/v2/bot/message/reply", status=401, times=100_000)
    for person in range(3):
        chats.write(person, "hello")
    _dispatch_until(line, lambda: chats.row(0).error is not None)
    line.session.rollback()
    assert line.session.scalars(select(SendingPause.reason)).all() == ["unauthorized"]
    line_emulator.remove_fault(fault)
    _dispatch_until(line, lambda: all(chats.row(one).state == "done" for one in range(3)))
    assert [chats.answers(person) for person in range(3)] == [["hello"]] * 3


def test_S8_3_only_lines_own_refusal_ends_a_reply(
    chats: Chats, line: LineState, line_emulator: Emulator, caplog: pytest.LogCaptureFixture
) -> None:
    line_emulator.fault(path="/v2/bot/message/reply", status=400, times=1)
    chats.write(0, "hello")
    dispatch_due(line)
    assert (chats.row(0).state, chats.row(0).reply_attempts) == ("done", 1)
    assert "LINE refused the reply" in caplog.text


def test_a_reply_is_tried_once_whatever_the_clock_says(chats: Chats, line: LineState) -> None:
    chats.write(0, "hello")
    line.session.execute(update(InboxEvent).values(received_at=line.clock() - timedelta(days=2)))
    line.session.commit()
    dispatch_due(line)
    assert chats.answers(0) == ["hello"]


@pytest.mark.parametrize("wrong", [timedelta(days=2), timedelta(days=400), -timedelta(minutes=6)])
def test_a_clock_that_was_wrong_keeps_nobody_waiting(
    chats: Chats, line: LineState, wrong: timedelta
) -> None:
    right = line.clock

    def clock() -> datetime:
        return right() + wrong

    line.clock = clock
    chats.write(0, "stored meanwhile")
    chats.write(1, "claimed meanwhile")
    with turns.writing(line.db.engine, is_durable=True) as connection:
        claims.claim(connection, now=line.clock(), limit=2)
    line.clock = right
    if wrong < timedelta():
        line.clock = lambda: right() + timedelta(seconds=30)
    chats.write(0, "afterwards")
    dispatch_due(line)
    assert chats.answers(0) == ["stored meanwhile", "afterwards"]
    assert chats.answers(1) == ["claimed meanwhile"]


def test_what_was_there_when_ten_processes_ended_is_dead_and_what_saw_nine_is_answered(
    chats: Chats, line: LineState
) -> None:
    for person, kills in enumerate((5, 9, 10)):
        chats.write(person, "hello")
        chats.row(person).attempts = kills
        line.session.commit()
    _dispatch_until(line, lambda: chats.row(2).state == "dead")
    _dispatch_until(line, lambda: chats.answers(1) == ["hello"])
    assert [chats.answers(person) for person in range(3)] == [["hello"], ["hello"], []]
    assert chats.row(2).attempts == 10


def test_a_hook_that_commits_by_itself_and_fails_is_told_of_once(
    chats: Chats, line: LineState, caplog: pytest.LogCaptureFixture
) -> None:
    begin, moments = line.clock(), iter(range(1, 10_000))
    line.clock = lambda: begin + timedelta(seconds=5 * next(moments))
    chats.write(0, "commit")
    _dispatch_until(line, lambda: chats.row(0).state == "dead")
    told = [one for one in caplog.records if "commits by itself" in one.getMessage()]
    assert len(told) == 1
    assert "chat.commit" in told[0].getMessage()
    assert len(line.session.scalars(select(User)).all()) == 5


def test_an_async_hook_is_awaited(chats: Chats, line: LineState) -> None:
    chats.write(0, "async")
    chats.write(1, "async member")
    dispatch_due(line)
    assert chats.answers(0) == ["awaited"]
    assert line.session.scalars(select(User.name)).all() == ["async"]
    assert chats.row(1).state == "done"


def test_an_async_hook_without_its_package_is_refused(
    make_app: MakeApp, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    from flask_lineconnect.hooks import blueprint

    monkeypatch.setattr(blueprint, "find_spec", lambda _name: None)
    with pytest.raises(UsageError, match=r"pip install 'flask\[async\]'"):
        Shop()


def test_a_thread_that_died_begins_again(
    app: Flask, line: LineState, caplog: pytest.LogCaptureFixture
) -> None:
    engine = ThreadEngine()
    line.engine = engine
    engine.ensure_running(line)
    assert set(engine.health().values()) == {True}
    dead = threading.Thread(target=lambda: None)
    dead.start()
    dead.join()
    living = engine._threads["inbox"]
    engine._threads["inbox"] = dead
    assert engine.health()["inbox"] is False
    engine.ensure_running(line)
    assert set(engine.health().values()) == {True}
    assert "had died" in caplog.text
    engine.stop(line)
    living.join()


@pytest.mark.parametrize("error", [SystemExit, asyncio.CancelledError, KeyboardInterrupt])
def test_the_engines_threads_outlive_whatever_is_raised(
    app: Flask,
    line: LineState,
    monkeypatch: pytest.MonkeyPatch,
    error: type[BaseException],
) -> None:
    raised: list[int] = []

    def fail(_line: LineState) -> int:
        raised.append(1)
        raise error

    logging.getLogger("flask_lineconnect.engines.embedded").setLevel(logging.CRITICAL)
    monkeypatch.setattr(work, "WORK", {**WORK, "inbox": fail})
    monkeypatch.setattr(embedded, "POLL_SECONDS", 0.01)
    engine = ThreadEngine()
    engine.ensure_running(line)
    deadline = time.monotonic() + PATIENCE
    while len(raised) < 3:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert engine.health()["inbox"]
    engine.stop(line)
