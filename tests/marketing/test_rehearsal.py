"""A rehearsal says what would have come of a scenario, and writes and sends nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from collections.abc import Sequence
from datetime import datetime
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask
from flask import url_for
from sqlalchemy import func
from sqlalchemy import select

from flask_lineconnect import LineBlueprint
from flask_lineconnect import MemberQuery
from flask_lineconnect import Product
from flask_lineconnect import ProductDesk
from flask_lineconnect.cli.group import line as commands
from flask_lineconnect.linking.unlinking import unlink
from flask_lineconnect.marketing.scenarios.declared import Scenarios
from flask_lineconnect.marketing.scenarios.rehearsal import Rehearsal
from flask_lineconnect.marketing.scenarios.rehearsal import rehearse
from flask_lineconnect.marketing.scenarios.rehearsal import words_of
from flask_lineconnect.models import Account
from flask_lineconnect.models import OutboxMessage
from flask_lineconnect.models import ScenarioRun
from flask_lineconnect.models import ScenarioStep
from flask_lineconnect.outbox.preferences import set_preferences
from flask_lineconnect.state import LineState
from flask_lineconnect.testing.plugin import Emulator
from flask_lineconnect.testing.plugin import LineBrowser
from tests.conftest import DATABASES
from tests.conftest import MakeApp
from tests.conftest import run_apart
from tests.marketing.scenario_shop import CART
from tests.marketing.scenario_shop import NOON
from tests.marketing.scenario_shop import Stage
from tests.people import add_member
from tests.people import link
from tests.people import sign_up
from tests.small_shop import User
from tests.small_shop import db
from tests.small_shop import line as extension

#: What a step came to, and why.
Outcome = tuple[str, str, str | None]
STEPS = [
    {
        "name": "remind",
        "wait": "PT1H",
        "message": "{{ name }}様、{{ count }}点です",
        "expires": "PT6H",
    },
    {
        "name": "again",
        "wait": "P1D at 12:00",
        "only": {"event": "order.shipped"},
        "message": "2回目",
    },
    {"name": "last", "wait": "P5D", "message": "最後"},
]


@pytest.fixture
def stage(app: Flask, line: LineState) -> Stage:
    """Return the small shop, whose clock stands at noon."""
    stage = Stage(app)
    shop = LineBlueprint("shop", __name__)

    @shop.segment("named", label="花さん")
    def named(now: Any) -> MemberQuery:
        return select(User.id).where(User.name.startswith("花"))

    app.register_blueprint(shop)
    return stage


def _member(stage: Stage, name: str, digit: str) -> User:
    found = add_member(stage.line, name)
    link(stage.line, found, digit)
    return found


def _ago(member: User, name: str, days: float, subject: str | None = None, **facts: Any) -> None:
    at = NOON - timedelta(days=days)
    extension.emit(name, member, at=at, subject=subject, **facts)


def _rehearse(stage: Stage, name: str = "cart", *, days: float = 30) -> Rehearsal:
    scenario = stage.line.part(Scenarios).get(name)
    return rehearse(stage.line, scenario, since=NOON - timedelta(days=days))


def _of(found: Rehearsal, member: User) -> list[tuple[str, str | None, list[Outcome]]]:
    return [
        (run.key, run.end_reason, [(one.step, one.outcome, one.reason) for one in run.steps])
        for run in found.runs
        if run.member == member.id
    ]


@pytest.mark.parametrize("database", DATABASES, indirect=True)
def test_who_would_have_got_what_and_who_fell_out(stage: Stage) -> None:
    bought, waited, blocked, unlinked = (
        _member(stage, name, digit)
        for name, digit in zip(("花子", "江子", "由子", "圭子"), "abcd", strict=True)
    )
    for member, days in ((bought, 20), (waited, 20), (blocked, 10), (unlinked, 3)):
        _ago(member, "cart.changed", days, version="1", count=2)
    _ago(bought, "order.placed", 19.98)
    _ago(waited, "order.shipped", 19.9)
    # A version that was there already, one that came too late for the last step, and an old one.
    _ago(waited, "cart.changed", 19, version="1", count=3)
    _ago(waited, "cart.changed", 2, version="2", count=5)
    _ago(waited, "cart.changed", 31, version="0", count=1)
    blocked_account = db.session.scalars(
        select(Account).where(Account.member_id == blocked.id)
    ).one()
    blocked_account.is_friend = False
    gone = db.session.scalars(select(Account).where(Account.member_id == unlinked.id)).one()
    db.session.commit()
    unlink(stage.line, gone, actor="shop", now=NOON)
    db.session.commit()
    stage.declare("cart", CART, steps=STEPS)

    found = _rehearse(stage)

    assert _of(found, bought) == [("1", "goal", [])]
    assert _of(found, waited) == [
        (
            "1",
            "finished",
            [("remind", "sent", None), ("again", "sent", None), ("last", "sent", None)],
        ),
        ("2", None, [("remind", "sent", None), ("again", "skipped", "only")]),
    ]
    assert _of(found, blocked) == [
        (
            "1",
            "finished",
            [
                ("remind", "dropped", "not a friend"),
                ("again", "skipped", "only"),
                ("last", "dropped", "not a friend"),
            ],
        )
    ]
    assert _of(found, unlinked) == []
    assert found.not_begun == {"again: per key": 1, "not linked": 1}
    assert (found.members, found.messages) == (4, 4)
    first = found.runs[1].steps[0]
    assert words_of(first) == "江子様、2点です"
    assert first.at == NOON - timedelta(days=20) + timedelta(hours=1)
    assert found.ends() == {"goal": 1, "finished": 2, "on the way": 1}
    for table in (ScenarioRun, ScenarioStep, OutboxMessage):
        is_farewell = select(func.count()).select_from(table)
        if table is OutboxMessage:
            is_farewell = is_farewell.where(OutboxMessage.category != "account")
        assert db.session.scalar(is_farewell) == 0


@pytest.mark.parametrize("database", DATABASES, indirect=True)
def test_a_rehearsal_is_what_the_engine_does(stage: Stage) -> None:
    """The same events, played afterwards and played by the engine as they came."""
    member = _member(stage, "花子", "a")
    stage.publish("cart", CART, steps=STEPS)
    begin = stage.now
    stage.tell("cart.changed", member, version="1", count=2)
    stage.play(hours=2)
    stage.tell("order.shipped", member)
    stage.tell("cart.changed", member, version="2", count=3)
    for _hour in range(27):
        stage.play(hours=1)
    stage.tell("cart.emptied", member)
    stage.tell("cart.changed", member, version="3", count=None)
    for _hour in range(24 * 9):
        stage.play(hours=1)
    really = {run.key: (run.end_reason, [s[:2] for s in _steps(run.id)]) for run in stage.runs()}
    assert really["1"][0] == "exit: cart.emptied"

    scenario = stage.line.part(Scenarios).get("cart")
    found = rehearse(stage.line, scenario, since=begin - timedelta(days=1))
    played = {
        run.key: (
            run.end_reason,
            [(s.step, "queued" if s.outcome == "sent" else s.outcome) for s in run.steps],
        )
        for run in found.runs
    }
    # The engine waits for its last message to be settled.
    assert {key: steps for key, (_why, steps) in played.items()} == {
        key: steps for key, (_why, steps) in really.items()
    }
    assert [played[key][0] for key in "12"] == [really[key][0] for key in "12"]


def _steps(run_id: int) -> list[tuple[str, str, str | None]]:
    rows = db.session.scalars(
        select(ScenarioStep).where(ScenarioStep.run_id == run_id).order_by(ScenarioStep.at)
    )
    return [(row.step, row.outcome, row.reason) for row in rows]


def test_times_and_segments_are_rehearsed_as_if_they_had_come(stage: Stage) -> None:
    one, _two = _member(stage, "花子", "a"), _member(stage, "江子", "b")
    add_member(stage.line, "花代")
    weekly: Mapping[str, Any] = {
        "label": "毎週",
        "starts_at": "every monday at 10:00",
        "segment": "named",
        "again": "per key",
        "category": "order",
        "steps": [{"name": "tell", "message": "月曜日です"}],
    }
    stage.declare("weekly", weekly)
    found = _rehearse(stage, "weekly")
    # Noon on a Monday: of today, and of the four before.
    assert [run.key for run in found.runs] == [
        *("2026-11-02", "2026-11-09", "2026-11-16", "2026-11-23", "2026-11-30"),
    ]
    assert {run.member for run in found.runs} == {one.id}
    entry = {key: value for key, value in weekly.items() if key not in ("starts_at", "segment")}
    stage.declare("entry", {**entry, "starts_in": "named", "again": "never"})
    found = _rehearse(stage, "entry", days=3)
    assert [(run.member, run.began_at, run.end_reason) for run in found.runs] == [
        (one.id, NOON - timedelta(days=3), "finished")
    ]


def test_the_cap_quiet_hours_and_wishes_count(make_app: MakeApp) -> None:
    app = make_app(
        LINECONNECT_QUIET_HOURS="21:00-09:00",
        LINECONNECT_MARKETING_CAP=1,
        LINECONNECT_PLAN="standard",
    )
    with app.app_context():
        stage = Stage(app)
        one, other = _member(stage, "花子", "a"), _member(stage, "江子", "b")
        set_preferences(
            stage.line.session,
            db.session.scalars(select(Account).where(Account.member_id == other.id)).one(),
            {"news": False},
            now=NOON,
        )
        stage.declare(
            "cart",
            CART,
            category="news",
            steps=[{"name": "remind", "wait": "PT12H", "message": "お知らせ"}],
        )
        for days, version in ((10, "1"), (9, "2"), (1, "3")):
            _ago(one, "cart.changed", days, version=version)
        _ago(other, "cart.changed", 10, version="1")
        db.session.commit()
        found = _rehearse(stage)
        assert [step for _key, _why, steps in _of(found, one) for step in steps] == [
            ("remind", "sent", None),
            ("remind", "dropped", "frequency cap"),
            ("remind", "sent", None),
        ]
        [(_key, _why, steps)] = _of(found, other)
        assert steps == [("remind", "dropped", "declined")]
        assert found.cost is not None
        assert (found.cost.recipients, found.cost.yen) == (2, Decimal(0))


def _run(app: Flask, *arguments: str) -> Any:
    return app.test_cli_runner().invoke(commands, ["scenario", "rehearse", *arguments])


async def _run_in_loop(app: Flask, *arguments: str) -> Any:
    return _run(app, *arguments)


def test_the_command_tells_people_and_programs(stage: Stage) -> None:
    member = _member(stage, "花子", "a")
    _ago(member, "cart.changed", 2, version="1", count=2)
    _ago(member, "cart.changed", 1, version="2", count=4)
    _ago(member, "order.placed", 0.99)
    db.session.commit()
    stage.declare("cart", CART, steps=STEPS)
    told = _run(stage.app, "cart", "--limit", "1")
    assert told.exit_code == 0, told.output
    for words in ("Nothing was written or sent", "goal", "花子様、2点です", "LINECONNECT_PLAN"):
        assert words in told.output
    figures = json.loads(_run(stage.app, "cart", "--since", "2d", "--json").output)
    assert (figures["runs"], figures["messages"], figures["ends"]) == (2, 1, {"goal": 2})
    [first, _second] = figures["played"]
    assert first["steps"][0]["messages"] == [{"type": "text", "text": "花子様、2点です"}]
    assert first["steps"][0]["at"] == "2026-11-28T13:00:00+09:00"
    assert json.loads(_run(stage.app, "cart", "--since", "1h", "--json").output)["runs"] == 0


class _Products(ProductDesk[User]):
    """One product, whose page the shop knows by its endpoint."""

    lists = {"new": "新着"}  # noqa: RUF012  # as shops write it

    def listed(self, name: str, members: Mapping[Any, datetime]) -> Mapping[Any, Sequence[Product]]:
        """Return it for everybody."""
        product = Product("tea", "煎茶", url_for("pages.name"), price=1296)
        return {member_id: [product] for member_id in members}


def test_what_the_shop_is_asked_for_knows_its_addresses(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    member = _member(stage, "花子", "a")
    _ago(member, "cart.changed", 2, version="1", count=2)
    db.session.commit()
    monkeypatch.setattr(stage.line.shop, "products", _Products())
    message = {"products": "new", "alt_text": "新着", "button": "見る"}
    stage.declare("cart", CART, steps=[{"name": "new", "message": message}])
    told = _run(stage.app, "cart", "--json")
    assert told.exit_code == 0, told.output
    assert "https://shop.example/name" in told.output


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("crat",), "Did you mean cart"),
        (("cart", "--since", "30"), "30d, 12h or 2w"),
        (("cart", "--since", "0d"), "30d, 12h or 2w"),
        (("broken",), "broken.steps.remind.message"),
        (("cart", "--phone", "1"), "LINECONNECT_EMULATOR_URL"),
        (("cart", "--phone", "x"), "can't be the key"),
    ],
)
def test_what_can_not_be_rehearsed_says_why(
    stage: Stage, arguments: tuple[str, ...], words: str
) -> None:
    stage.declare("cart", CART)
    stage.declare("broken", CART, steps=[{"name": "remind", "message": "{{ conut }}"}])
    answer = _run(stage.app, *arguments)
    assert answer.exit_code == 1
    assert words in answer.output


@pytest.mark.joined
def test_one_phone_gets_it_at_once(
    stage: Stage, sakura: LineBrowser, line_emulator: Emulator
) -> None:
    line_emulator.freeze(stage.now)
    sign_up(stage.app.test_client(), sakura)
    member = db.session.scalars(select(User)).one()
    stage.declare("cart", CART, steps=STEPS)
    nobody_yet = _run(stage.app, "cart", "--phone", str(member.id))
    assert "nobody has told of a cart.changed yet" in nobody_yet.output
    other = add_member(stage.line, "花子")
    _ago(other, "cart.changed", 3, version="1", count=7)
    db.session.commit()
    before = len(line_emulator.received(sakura.user_id))
    arguments = ("cart", "--phone", str(member.id), "--pause", "0")
    # As from a notebook, whose thread has an event loop.
    told = run_apart(lambda: _run_in_loop(stage.app, *arguments))
    assert told.exit_code == 0, told.output
    sent = [one["text"] for one in line_emulator.received(sakura.user_id)[before:]]
    assert sent == ["佐藤 さくら様、7点です", "最後"]
    assert "again  skipped: only" in told.output
    assert "ended: finished" in told.output
    for table in (ScenarioRun, ScenarioStep):
        assert db.session.scalar(select(func.count()).select_from(table)) == 0
    unlinked = _run(stage.app, "cart", "--phone", str(other.id))
    assert "is not linked" in unlinked.output
