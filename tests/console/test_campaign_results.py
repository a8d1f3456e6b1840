"""What a campaign brought, in the console: a verdict, figures with their words, a file."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient

from flask_lineconnect import OrderEvents
from flask_lineconnect.console.interval_charts import Interval
from flask_lineconnect.console.interval_charts import interval_chart
from flask_lineconnect.models import Attribution
from flask_lineconnect.models import Campaign
from flask_lineconnect.models import CampaignMember
from flask_lineconnect.models import MemberEvent
from flask_lineconnect.models import ResultCount
from flask_lineconnect.state import LineState
from tests.conftest import MakeApp
from tests.marketing.results.conftest import declare
from tests.small_shop import User

from .conftest import CONSOLE
from .conftest import Open
from .conftest import StaffedShop
from .conftest import read_csv


@pytest.fixture
def app(staffed: StaffedShop, make_app: MakeApp, monkeypatch: pytest.MonkeyPatch) -> Flask:
    """Return the staffed shop, which tells of its orders."""
    app = make_app()
    declare(app)
    monkeypatch.setattr(StaffedShop, "order_events", OrderEvents(), raising=False)
    return app


def _campaign(line: LineState, *, bought: dict[str, int], people: int = 300) -> int:
    """Write down a campaign that is over; of each side so many bought for 1,000 yen."""
    began = line.clock() - timedelta(days=10)
    values = {"created_at": began, "finished_at": began, "state": "finished"}
    campaign = Campaign(key="spring:<b>", category="news", **values)
    line.session.add(campaign)
    line.session.flush()
    for side, buyers in bought.items():
        members = [User(name=f"会員{side}{number}") for number in range(people)]
        line.session.add_all(members)
        line.session.flush()
        line.session.add_all(
            CampaignMember(
                campaign_id=campaign.id,
                member_id=one.id,
                variant="" if side == "-" else side,
                is_held_out=side == "-",
            )
            for one in members
        )
        events = [
            MemberEvent(name="order.placed", member_id=one.id, facts={}, occurred_at=began)
            for one in members[:buyers]
        ]
        line.session.add_all(events)
        line.session.flush()
        line.session.add_all(
            Attribution(
                order_event_id=one.id,
                member_id=one.member_id,
                ordered_at=began + timedelta(hours=1),
                value=1_000,
                kind="none",
            )
            for one in events
        )
        if side != "-":
            figures = {"accepted": people, "clicks": 33, "clickers": 30, "blocks_week": 2}
            figures |= {"orders_direct": buyers, "sales_direct": buyers * 1_000}
            line.session.add_all(
                ResultCount(
                    campaign_id=campaign.id,
                    variant=side,
                    day=began.date(),
                    figure=figure,
                    number=number,
                )
                for figure, number in figures.items()
            )
    line.session.commit()
    return campaign.id


def test_a_clear_effect_is_told_first(owner: FlaskClient, line: LineState) -> None:
    number = _campaign(line, bought={"": 60, "-": 15})
    assert f"/campaigns/results/{number}" in owner.get(f"{CONSOLE}/campaigns").text
    page = owner.get(f"{CONSOLE}/campaigns/results/{number}").text
    assert "spring:&lt;b&gt;" in page
    assert '<div class="lc-say good"><strong>効果がありました</strong>' in page
    assert "1,000人あたり150人多く購入しています" in page
    assert "追加売上は" in page
    assert "届いた人の10.0%・いつもは10.0%" in page
    assert "60人・20.0%" in page
    assert "送らない人" in page
    assert "文面A" not in page, "there was one"
    assert 'aria-label="送った効果: +150人（' in page


def test_two_texts_are_held_against_each_other(owner: FlaskClient, line: LineState) -> None:
    number = _campaign(line, bought={"a": 90, "b": 30})
    page = owner.get(f"{CONSOLE}/campaigns/results/{number}").text
    assert "比べる相手（送らない人）がいない" in page
    assert "「文面A」のほうが「文面B」より" in page
    assert "文面A − 文面B" in page


def test_a_file_has_a_line_for_each_side(open_console: Open, line: LineState) -> None:
    number = _campaign(line, bought={"a": 9, "b": 3, "-": 1})
    owner = open_console("owner")
    path = f"{CONSOLE}/campaigns/results/{number}.csv"
    rows = read_csv(owner, path)
    assert [row[0] for row in rows] == ["くらべる人", "文面A", "文面B", "送らない人"]
    assert rows[1][1:] == ["300", "300", "30", "33", "9", "9000", "9", "9000", "2"]
    assert rows[3][1:] == ["300", "", "", "", "", "", "1", "1000", "0"]
    assert "データを書き出した" in owner.get(f"{CONSOLE}/audit").text
    assert open_console("viewer").post(path, data={"csrf_token": "x"}).status_code in {400, 403}


def test_nobody_and_nothing(owner: FlaskClient, line: LineState) -> None:
    number = _campaign(line, bought={})
    page = owner.get(f"{CONSOLE}/campaigns/results/{number}").text
    assert "まだ誰にも送られていない" in page
    assert "記録がありません" in page
    assert owner.get(f"{CONSOLE}/campaigns/results/999").status_code == 404
    assert owner.get(f"{CONSOLE}/campaigns/results/{10**30}").status_code == 404


@pytest.mark.parametrize(
    ("value", "low", "high"), [(0, 0, 0), (0.2, -0.1, 0.4), (-900, -1000, -800), (3, -4, 900)]
)
def test_an_interval_lies_inside_its_chart(value: float, low: float, high: float) -> None:
    drawn = interval_chart([Interval("<b>", value, low, high)])
    assert "&lt;b&gt;" in drawn
    assert "nan" not in drawn
