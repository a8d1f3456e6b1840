"""What follows from an event commits with it, once, in each member's order; failures stay alone."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from flask_lineconnect.cli.group import line as commands
from flask_lineconnect.marketing.handling import MAX_ATTEMPTS
from flask_lineconnect.marketing.handling import Consequences
from flask_lineconnect.marketing.handling import handle_due
from flask_lineconnect.models import MemberEvent
from flask_lineconnect.state import LineState
from tests.conftest import DATABASES
from tests.conftest import MakeApp
from tests.marketing.event_shop import declare
from tests.people import add_member
from tests.small_shop import Purchase
from tests.small_shop import User
from tests.small_shop import db
from tests.small_shop import line as extension

pytestmark = pytest.mark.parametrize("database", DATABASES, indirect=True)


@pytest.fixture
def app(make_app: MakeApp) -> Flask:
    """Return the small shop, which tells of orders and carts."""
    app = make_app()
    declare(app)
    return app


def _tell(member: User, *counts: int) -> None:
    for count in counts:
        extension.emit("cart.changed", member, count=count)
    db.session.commit()


def _note(line: LineState) -> list[int]:
    """Note what is handled; each leaves a purchase in the shop, too."""
    handled: list[int] = []

    def note(line: LineState, event: MemberEvent) -> None:
        count = event.facts["count"]
        line.session.add(Purchase(user_id=event.member_id, number=f"{event.id}"))
        line.session.flush()
        if count < 0:
            raise RuntimeError("broken")
        handled.append(count)

    line.part(Consequences).acts.append(note)
    return handled


def _purchases(line: LineState) -> int:
    line.session.rollback()
    return len(line.session.scalars(select(Purchase)).all())


def test_each_event_is_handled_once_in_the_members_order(line: LineState) -> None:
    one, other = add_member(line), add_member(line, "別の 人")
    handled = _note(line)
    _tell(one, 1, 2, 3)
    _tell(other, 10)
    assert handle_due(line) == 4
    assert [count for count in handled if count < 10] == [1, 2, 3]
    # Nobody waits for another's third.
    assert handled.index(10) == 1
    assert handle_due(line) == 0
    assert _purchases(line) == 4


def test_a_failure_undoes_what_it_did_and_holds_back_its_member_alone(line: LineState) -> None:
    one, other = add_member(line), add_member(line, "別の 人")
    handled = _note(line)
    _tell(one, -1, 2)
    _tell(other, 10)
    now = line.clock()
    handle_due(line)
    assert handled == [10]
    assert _purchases(line) == 1
    for attempt in range(1, MAX_ATTEMPTS):
        at = now + timedelta(hours=attempt)
        line.clock = lambda at=at: at  # type: ignore[misc]  # with a default, for the loop
        handle_due(line)
    assert handled == [10, 2]
    assert _purchases(line) == 2
    event = line.session.scalars(select(MemberEvent).order_by(MemberEvent.id)).first()
    assert event is not None
    assert (event.attempts, event.next_attempt_at) == (MAX_ATTEMPTS, None)
    assert "RuntimeError: broken" in (event.error or "")


def test_many_workers_handle_each_event_once(app: Flask, line: LineState) -> None:
    handled = _note(line)
    members = [add_member(line, f"会員 {number}") for number in range(8)]
    for member in members:
        _tell(member, *range(5))
    workers = [threading.Thread(target=handle_due, args=(line,)) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    # A worker that finds all of it taken leaves the rest to the others.
    handle_due(line)
    assert len(handled) == 40
    assert _purchases(line) == 40
    shop_order = line.session.scalars(select(Purchase).order_by(Purchase.id)).all()
    for member in members:
        numbers = [int(one.number) for one in shop_order if one.user_id == member.id]
        assert numbers == sorted(numbers)


def test_an_event_that_is_not_committed_yet_is_not_lost(
    app: Flask, line: LineState, database: str
) -> None:
    """It becomes visible behind a later one that is handled already."""
    if database == "sqlite":
        pytest.skip("SQLite has one writer at a time")
    handled = _note(line)
    member = add_member(line)
    key, told, go = member.id, threading.Event(), threading.Event()

    def tell_slowly() -> None:
        with app.app_context():
            extension.emit("cart.changed", db.session.get_one(User, key), count=1)
            told.set()
            go.wait(30)
            db.session.commit()

    thread = threading.Thread(target=tell_slowly)
    thread.start()
    told.wait(30)
    _tell(add_member(line, "別の 人"), 2)
    handle_due(line)
    assert handled == [2]
    go.set()
    thread.join()
    handle_due(line)
    assert handled == [2, 1]


def test_the_command_lists_events_and_what_can_be_told(app: Flask, line: LineState) -> None:
    def say(*words: str) -> str:
        answer = app.test_cli_runner().invoke(commands, ["events", *words])
        assert answer.exit_code == 0, answer.output
        return answer.output

    assert say() == "No member events are kept that fit.\n"
    assert say("--json") == "[]\n"
    _note(line)
    member = add_member(line)
    _tell(member, 5, -1)
    handle_due(line)
    head, second, first = say().splitlines()
    assert head.split() == ["at", "event", "member", "subject", "state", "facts", "error"]
    assert "handled" in first
    assert '{"count": 5}' in first
    assert second.rstrip().endswith("RuntimeError: broken")
    assert len(say("--failed").splitlines()) == 2
    assert say("--member", "999") == "No member events are kept that fit.\n"
    assert '"cart.changed"' in say("--name", "cart.changed", "--json")
    kinds = say("--kinds")
    assert "line.followed" in kinds
    assert '{"count": "int"}' in kinds


def test_work_is_done_by_the_engines(line: LineState, run_due: Callable[[], int]) -> None:
    handled = _note(line)
    _tell(add_member(line), 1)
    run_due()
    assert handled == [1]


@pytest.fixture
def run_due(line: LineState) -> Callable[[], int]:
    """Return the engines' round of all work."""
    from flask_lineconnect.engines.work import run_due

    return lambda: run_due(line)
