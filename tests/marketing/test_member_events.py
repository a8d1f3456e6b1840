"""One INSERT in the shop's own transaction, of what was declared and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC
from datetime import date
from datetime import datetime
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask
from flask_login import AnonymousUserMixin
from sqlalchemy import delete
from sqlalchemy import event as sql_events
from sqlalchemy import select
from sqlalchemy import text

from flask_lineconnect import UsageError
from flask_lineconnect.cli.group import line as commands
from flask_lineconnect.engines.upkeep import sweep
from flask_lineconnect.linking import accounts
from flask_lineconnect.linking import unlinking
from flask_lineconnect.marketing.event_kinds import EventKinds
from flask_lineconnect.models import MemberEvent
from flask_lineconnect.state import LineState
from flask_lineconnect.testing.chat import LineChat
from flask_lineconnect.testing.plugin import Emulator
from tests.conftest import DATABASES
from tests.conftest import MakeApp
from tests.marketing.event_shop import declare
from tests.people import BASE_URL
from tests.people import add_member
from tests.people import link
from tests.small_shop import Purchase
from tests.small_shop import User
from tests.small_shop import db
from tests.small_shop import line as extension

pytestmark = pytest.mark.parametrize("database", DATABASES, indirect=True)

NOW = datetime(2026, 11, 28, 3, 0, tzinfo=UTC)


@pytest.fixture
def app(make_app: MakeApp) -> Flask:
    """Return the small shop, which tells of orders and carts."""
    app = make_app(after=[])
    declare(app)
    return app


@contextmanager
def statements() -> Iterator[list[str]]:
    """Note every statement, and every commit and rollback."""
    noted: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        noted.append(statement)

    def note_commit(_connection: Any) -> None:
        noted.append("COMMIT")

    sql_events.listen(db.engine, "before_cursor_execute", note)
    sql_events.listen(db.engine, "commit", note_commit)
    try:
        yield noted
    finally:
        sql_events.remove(db.engine, "before_cursor_execute", note)
        sql_events.remove(db.engine, "commit", note_commit)


def _events(line: LineState) -> list[MemberEvent]:
    line.session.rollback()
    return list(line.session.scalars(select(MemberEvent).order_by(MemberEvent.id)))


def test_an_event_is_one_insert_and_no_commit(line: LineState) -> None:
    member = add_member(line)
    _ = member.id
    with statements() as noted:
        extension.emit("order.placed", member, subject="K-1", number="K-1", total=1_200)
    assert [one.split("(")[0] for one in noted] == ["INSERT INTO lineconnect_member_event "]


def test_facts_come_back_as_they_were_told(line: LineState) -> None:
    member = add_member(line)
    products = ["煎茶", "どら焼き"]
    facts: dict[str, Any] = {
        "number": "K-1",
        "total": 1_200,
        "products": products,
        "eta": date(2026, 12, 3),
        "paid_at": datetime(2026, 11, 28, 12, 0, tzinfo=UTC),
        "fee": Decimal("93.16"),
        "is_gift": False,
    }
    extension.emit("order.placed", member, at=NOW, **facts)
    # Frozen: what the shop's list becomes later is not what happened.
    products.append("羊羹")
    db.session.commit()
    [event] = _events(line)
    assert event.occurred_at == NOW
    read = line.part(EventKinds).get("order.placed").read(event.facts)
    assert read == {**facts, "products": ("煎茶", "どら焼き")}


def test_an_event_goes_with_the_shops_transaction(line: LineState) -> None:
    member = add_member(line)
    extension.emit("cart.changed", member, count=1)
    db.session.rollback()
    with db.session.begin_nested() as savepoint:
        extension.emit("cart.changed", member, count=2)
        savepoint.rollback()
    extension.emit("cart.changed", member, count=3)
    db.session.commit()
    assert [event.facts for event in _events(line)] == [{"count": 3}]


def test_the_engine_is_woken_after_the_commit_only(line: LineState) -> None:
    woken: list[str] = []

    class Engine:
        def wake(self, work: str) -> None:
            assert [event.name for event in _events(line)], "before the commit"
            woken.append(work)

    line.engine = Engine()
    member = add_member(line)
    extension.emit("cart.changed", member, count=1)
    db.session.rollback()
    assert woken == []
    extension.emit("cart.changed", member, count=1)
    db.session.commit()
    assert woken == ["schedule"]


def test_many_members_are_told_of_in_one_statement(line: LineState) -> None:
    members = [add_member(line, name) for name in "一二三四"]
    ids = [member.id for member in members]
    # The first one keeps it twice; the last one is beyond the limit.
    for number, member_id in enumerate([ids[0], *ids]):
        db.session.add(Purchase(user_id=member_id, number=f"K-{number}"))
    db.session.flush()
    chosen = select(Purchase.user_id).order_by(Purchase.id).limit(4)
    with statements() as noted:
        extension.emit_many("cart.changed", chosen, subject="p", at=NOW, count=2)
    assert [one.split("(")[0] for one in noted] == ["INSERT INTO lineconnect_member_event "]
    db.session.commit()
    told = _events(line)
    assert sorted(str(event.member_id) for event in told) == sorted(map(str, ids[:3]))
    assert {(one.subject, one.facts["count"], one.occurred_at) for one in told} == {("p", 2, NOW)}
    assert all(event.next_attempt_at is not None for event in told)


@pytest.mark.parametrize(
    ("facts", "columns", "said"),
    [
        ({"coutn": 1}, [User.id], "no fact 'coutn'"),
        ({"count": 1}, [User.id, User.name], "one column"),
    ],
)
def test_many_are_told_of_as_declared_or_not_at_all(
    line: LineState, facts: dict[str, Any], columns: list[Any], said: str
) -> None:
    add_member(line)
    with pytest.raises(UsageError, match=said):
        extension.emit_many("cart.changed", select(*columns), **facts)
    assert _events(line) == []


def test_a_row_names_what_an_event_is_about(line: LineState) -> None:
    """A new row and a new member get their keys; two kinds of rows are never the same subject."""
    member = User(name="新しい人")
    extension.emit("cart.changed", member, subject=member, count=1)
    purchase = Purchase(user_id=member.id, number="K-1")
    extension.emit("cart.changed", member, subject=purchase, count=1)
    extension.emit("cart.changed", member, subject=7, count=1)
    db.session.commit()
    found = [event.subject for event in _events(line)]
    assert found == [f"user:{member.id}", f"purchase:{purchase.id}", "7"]
    assert {event.member_id for event in _events(line)} == {member.id}


def test_an_event_of_the_future_happened_now(line: LineState) -> None:
    member, before = add_member(line), line.clock()
    extension.emit("cart.changed", member, at=before + timedelta(days=9), count=1)
    db.session.commit()
    [event] = _events(line)
    assert before <= event.occurred_at <= line.clock()


#: Event, facts, and what is said of them.
REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("order.placd", {}, "no member event 'order.placd' is declared. Did you mean order.placed"),
    ("order.placed", {"number": "1"}, "order.placed was told without its fact total (int)"),
    ("order.placed", {"totel": 1}, "order.placed has no fact 'totel'. Did you mean total"),
    ("order.placed", {"number": 1, "total": 1}, "fact number of order.placed must be a text, not"),
    ("cart.changed", {"count": "1"}, "must be a whole number, not a str"),
    ("line.linked", {"source": "a"}, "is told by the extension itself"),
]


def test_what_was_not_declared_is_refused(line: LineState) -> None:
    member = add_member(line)
    for name, facts, said in REFUSED:
        with pytest.raises(UsageError) as raised:
            extension.emit(name, member, **facts)
        assert said in str(raised.value)
    db.session.commit()
    assert _events(line) == []


def test_only_a_member_does_things(line: LineState) -> None:
    for nobody in (None, 7, "7", Purchase(user_id=1, number="K"), AnonymousUserMixin()):
        with pytest.raises(UsageError, match="the member must be a User"):
            extension.emit("cart.changed", nobody, count=1)


def test_a_time_without_a_zone_and_an_endless_subject_are_refused(line: LineState) -> None:
    member = add_member(line)
    with pytest.raises(UsageError, match=r"cart\.changed: `at` is a time without a zone"):
        extension.emit("cart.changed", member, at=datetime(2026, 1, 1), count=1)  # noqa: DTZ001
    for subject in ("", "x" * 256):
        with pytest.raises(UsageError, match="1 to 255 characters"):
            extension.emit("cart.changed", member, subject=subject, count=1)


def test_a_link_and_its_end_are_events(line: LineState) -> None:
    member = add_member(line)
    account = link(line, member)
    unlinking.unlink(line, account, actor="shop", now=line.clock())
    db.session.commit()
    found = [(event.name, event.member_id, event.facts) for event in _events(line)]
    assert found == [
        ("line.linked", member.id, {}),
        ("line.unlinked", member.id, {"actor": "shop"}),
    ]


def test_friendship_is_an_event_and_becomes_the_members_own(
    make_app: MakeApp,
    line_emulator: Emulator,
    line_chat: Callable[[Flask, str], LineChat],
) -> None:
    """A stranger follows and blocks; who they were is known once they link."""
    line_emulator.set_up(base_url=BASE_URL)
    app = make_app(**line_emulator.settings(BASE_URL))
    with app.app_context():
        line: LineState = app.extensions["lineconnect"]
        user_id = line_emulator.add_user("佐藤 さくら")
        chat = line_chat(app, user_id)
        chat.do(Emulator.add_friend)
        chat.do(Emulator.block)
        chat.do(Emulator.unblock)
        found = [(event.name, event.member_id, event.facts) for event in _events(line)]
        assert found == [
            ("line.followed", None, {"is_unblocked": False}),
            ("line.unfollowed", None, {}),
            ("line.followed", None, {"is_unblocked": True}),
        ]
        member = add_member(line)
        account = accounts.ensure_account(line.session, user_id, now=line.clock())
        accounts.link(line, account, member.id, source="shelf-3", now=line.clock())
        db.session.commit()
        events = _events(line)
        assert {event.member_id for event in events} == {member.id}
        assert (events[-1].name, events[-1].facts) == ("line.linked", {"source": "shelf-3"})


@pytest.mark.parametrize("how", ["session", "sql", "erase", "command"])
@pytest.mark.parametrize("is_linked", [True, False])
def test_events_go_with_the_person(app: Flask, line: LineState, how: str, is_linked: bool) -> None:
    member, other = add_member(line), add_member(line, "別の 人")
    member_id = member.id
    if is_linked:
        link(line, member)
    for one in (member, other):
        extension.emit("cart.changed", one, count=1)
    db.session.commit()
    if how == "session":
        db.session.delete(member)
    elif how == "sql":
        if is_linked:
            pytest.skip("the account is erased by upkeep; its events by the database")
        db.session.execute(delete(User).where(User.id == member_id))
    elif how == "erase":
        extension.erase(member)
    db.session.commit()
    if how == "command":
        app.test_cli_runner().invoke(commands, ["erase", str(member_id)])
    left = [(event.name, event.member_id) for event in _events(line)]
    assert left == [("cart.changed", other.id)]


def test_old_events_go(line: LineState) -> None:
    member, now = add_member(line), line.clock()
    for days in (401, 399, 900):
        extension.emit("cart.changed", member, at=now - timedelta(days=days), count=days)
    extension.emit("order.placed", member, at=now - timedelta(days=401), number="1", total=1)
    db.session.commit()
    sweep(line, seconds=30)
    assert [event.facts for event in _events(line)] == [{"count": 399}]


def test_the_index_finds_what_is_not_handled(line: LineState, database: str) -> None:
    plan = "EXPLAIN QUERY PLAN " if database == "sqlite" else "EXPLAIN "
    if database == "postgresql":
        line.session.execute(text("SET enable_seqscan = off"))
    found = line.session.execute(
        text(
            plan + "SELECT id FROM lineconnect_member_event WHERE next_attempt_at IS NOT NULL "
            "AND next_attempt_at <= '2026-01-01' ORDER BY next_attempt_at, id LIMIT 100"
        )
    )
    assert "member_event_due" in " ".join(map(str, found))
