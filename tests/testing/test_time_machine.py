"""Time travel: LINE's clock and the shop's, and what becomes due on the way."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC
from datetime import datetime
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
import requests
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import literal
from sqlalchemy import select

from flask_lineconnect import Fact
from flask_lineconnect import LineBlueprint
from flask_lineconnect import MemberQuery
from flask_lineconnect import UsageError
from flask_lineconnect.line_api.client import LineApi
from flask_lineconnect.models import Account
from flask_lineconnect.state import LineState
from flask_lineconnect.testing.plugin import Emulator
from flask_lineconnect.testing.plugin import LineBrowser
from flask_lineconnect.testing.time_machine import travelling
from tests.people import log_in
from tests.people import sign_up
from tests.small_shop import User
from tests.small_shop import db
from tests.small_shop import line as extension

pytestmark = pytest.mark.joined

START = datetime(2027, 1, 10, 1, 0, tzinfo=UTC)
TOKYO = ZoneInfo("Asia/Tokyo")


def _dates(emulator: Emulator, user_id: str, written: str = "%m-%d %H:%M") -> list[tuple[str, str]]:
    """Return the texts that came, with their times by the clocks of Tokyo."""
    return [
        (
            entry["message"]["text"],
            datetime.fromisoformat(entry["at"]).astimezone(TOKYO).strftime(written),
        )
        for entry in emulator.chat(user_id)
        if entry["from"] == "bot"
    ]


@pytest.fixture
def member(client: FlaskClient, sakura: LineBrowser, line: LineState) -> User:
    """Return a member who has registered with LINE."""
    sign_up(client, sakura)
    return line.session.scalars(select(User)).one()


def test_what_is_sent_on_the_way_stands_there_with_its_date(
    app: Flask,
    member: User,
    sakura: LineBrowser,
    line_emulator: Emulator,
    line_clock: Callable[[Flask], None],
) -> None:
    line_emulator.freeze(START)
    line_clock(app)
    begin = app.extensions["lineconnect"].clock()
    assert begin == START
    for days in (30, 3, 7, 31):
        extension.send(member, f"{days}日目", send_at=begin + timedelta(days=days))
    db.session.commit()

    line_emulator.travel(days=30)

    texts = [entry for entry in _dates(line_emulator, sakura.user_id) if "日目" in entry[0]]
    assert texts == [("3日目", "01-13 10:00"), ("7日目", "01-17 10:00"), ("30日目", "02-09 10:00")]
    assert line_emulator.now() == app.extensions["lineconnect"].clock() == START + timedelta(30)
    line_emulator.travel(to=START + timedelta(days=31))
    assert _dates(line_emulator, sakura.user_id)[-1] == ("31日目", "02-10 10:00")


def test_a_quiet_night_and_a_failure_pass_on_the_way(
    make_app: Callable[..., Flask],
    sakura: LineBrowser,
    line_emulator: Emulator,
    line_clock: Callable[[Flask], None],
) -> None:
    settings = line_emulator.settings("http://127.0.0.1:5999")
    line_emulator.set_up(base_url="http://127.0.0.1:5999")
    app = make_app(**settings, LINECONNECT_QUIET_HOURS="21:00-09:00")
    sign_up(app.test_client(), sakura)
    line_emulator.freeze(START + timedelta(hours=12))
    line_clock(app)
    with app.app_context():
        member = db.session.scalars(select(User)).one()
        extension.send(member, "夜の広告", category="news")
        extension.send(member, "こわれた", category="order")
        db.session.commit()
    line_emulator.fault(path="/v2/bot/message/push", status=500, times=2)

    line_emulator.travel(hours=18)

    texts = dict(_dates(line_emulator, sakura.user_id, "%m-%d %H:%M:%S"))
    assert texts["夜の広告"] == "01-11 09:00:00"
    assert "01-10 22:00:00" < texts["こわれた"] < "01-10 22:30:00"


def _declare(app: Flask) -> None:
    """Let the shop have three scenarios, each of which begins in another way."""
    shop = LineBlueprint("shop", __name__)
    shop.member_event("cart.changed", label="カート", facts={"count": Fact(int, "点数")})
    shop.scenario(
        "welcome",
        label="ようこそ",
        starts_on="cart.changed",
        key="member",
        again="never",
        category="order",
        steps=[
            {"name": "now", "message": "{{ count }}点です"},
            {"name": "third", "wait": "P3D at 09:00", "message": "3日目"},
            {"name": "month", "wait": "P27D at 18:30", "message": "30日目"},
        ],
    )
    shop.scenario(
        "monday",
        label="毎週",
        starts_at="every monday at 10:00",
        segment="everybody",
        again="per key",
        category="order",
        steps=[{"name": "tell", "message": "月曜日"}],
    )
    shop.scenario(
        "entry",
        label="はじめて",
        starts_in="everybody",
        again="never",
        category="order",
        steps=[{"name": "tell", "message": "はじめまして"}],
    )

    @shop.segment("everybody", label="みなさま")
    def everybody(now: datetime) -> MemberQuery:
        return select(User.id).where(literal(now > START + timedelta(days=9, hours=1)))

    app.register_blueprint(shop)


def test_a_scenario_of_thirty_days_is_played_in_a_second(
    app: Flask,
    sakura: LineBrowser,
    line: LineState,
    line_emulator: Emulator,
    line_clock: Callable[[Flask], None],
) -> None:
    _declare(app)
    sign_up(app.test_client(), sakura)
    line_emulator.freeze(START)
    line_clock(app)
    member = line.session.scalars(select(User)).one()
    for name in ("welcome", "monday", "entry"):
        extension.scenarios.publish(name, enrol="nobody")
    extension.emit("cart.changed", member, count=2)
    db.session.commit()
    line_emulator.travel(minutes=1)

    line_emulator.travel(days=31)

    texts = [entry for entry in _dates(line_emulator, sakura.user_id) if "連携" not in entry[0]]
    assert texts == [
        ("2点です", "01-10 10:00"),
        ("3日目", "01-13 09:00"),
        # The segment is looked at once a day at the least.
        ("はじめまして", "01-20 10:00"),
        ("月曜日", "01-25 10:00"),
        ("月曜日", "02-01 10:00"),
        ("月曜日", "02-08 10:00"),
        ("30日目", "02-09 18:30"),
    ]


def test_logins_tokens_and_the_quotas_month_go_by_the_travelled_clock(
    app: Flask,
    client: FlaskClient,
    member: User,
    sakura: LineBrowser,
    line: LineState,
    line_emulator: Emulator,
    line_clock: Callable[[Flask], None],
) -> None:
    line_clock(app)
    extension.send(member, "いま")
    db.session.commit()
    line_emulator.travel(minutes=1)
    line_emulator.travel(days=45)
    # The token of before is long dead, and the login's ID token is of the future.
    extension.send(member, "45日後")
    db.session.commit()
    line_emulator.travel(minutes=1)
    texts = [text for text, _at in _dates(line_emulator, sakura.user_id)]
    assert texts.index("いま") < texts.index("45日後")
    _granted, used = line.part(LineApi).quota()
    assert used == 1
    assert log_in(app.test_client(), sakura).status_code == 302
    line.session.rollback()
    account = line.session.scalars(select(Account)).one()
    assert account.member_id == member.id


def test_the_shops_clock_follows_every_move_and_is_its_own_afterwards(
    app: Flask, line: LineState, line_emulator: Emulator, line_clock: Callable[[Flask], None]
) -> None:
    before = line.clock
    line_clock(app)
    moves: tuple[Callable[[], None], ...] = (
        lambda: line_emulator.advance(3_600),
        lambda: line_emulator.freeze(START),
        lambda: line_emulator.travel(days=400),
        lambda: line_emulator.unfreeze(),
        lambda: line_emulator.travel(hours=1.5),
        lambda: line_emulator.reset(),
    )
    for move in moves:
        move()
        assert abs(line.clock() - line_emulator.now()) < timedelta(seconds=2)
    assert abs(line.clock() - datetime.now(UTC)) < timedelta(seconds=2)
    assert line.clock is not before
    line.clock = before
    with travelling(app, line_emulator):
        assert line.clock is not before
    assert line.clock is before


def test_nobody_travels_back(line_emulator: Emulator) -> None:
    line_emulator.freeze(START)
    with pytest.raises(UsageError, match="forward only"):
        line_emulator.travel(to=START - timedelta(seconds=1))
    with pytest.raises(UsageError, match="forward only"):
        line_emulator.travel(days=-1)
    refused = requests.post(
        f"{line_emulator.url}/_emulator/clock", json={"to": "2026-12-31T00:00:00+00:00"}, timeout=60
    )
    assert refused.status_code == 400
    assert "2027-01-10" in refused.text
    assert line_emulator.now() == START


def test_without_a_shop_lines_clock_moves_alone(line_emulator: Emulator) -> None:
    line_emulator.travel(days=30, hours=1)
    far = line_emulator.now() - datetime.now(UTC)
    assert timedelta(days=30, hours=1) - timedelta(seconds=2) < far
