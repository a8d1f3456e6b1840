"""What a campaign brought, in the console: a verdict, figures with their words, a file."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from flask_lineconnect import LineBlueprint
from flask_lineconnect import MemberQuery
from flask_lineconnect import OrderEvents
from flask_lineconnect.console.interval_charts import Interval
from flask_lineconnect.console.interval_charts import interval_chart
from flask_lineconnect.marketing.segments.audience import members_in
from flask_lineconnect.models import Attribution
from flask_lineconnect.models import Campaign
from flask_lineconnect.models import CampaignMember
from flask_lineconnect.models import LineInsight
from flask_lineconnect.models import MemberEvent
from flask_lineconnect.models import ResultCount
from flask_lineconnect.models import ResultPerson
from flask_lineconnect.models import Touch
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
    segments = LineBlueprint("segments", __name__)

    @segments.segment("first", label="最初の方")
    def first(_now: datetime) -> MemberQuery:
        return select(User.id).where(User.name.in_([f"会員a{place}" for place in range(4)]))

    app.register_blueprint(segments)
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


def _insight(line: LineState, number: int, **values: object) -> None:
    """Write down what LINE said of a campaign."""
    day = line.clock().date()
    said = {"answer": {"overview": {}}, "first_day": day, "last_day": day, **values}
    one = LineInsight(unit="campaign_1", campaign_id=number, fetched_at=line.clock(), **said)
    line.session.add(one)
    line.session.commit()


LINE_PANEL = re.compile(r'aria-labelledby="by-line".*?</section>', re.DOTALL)


def _by_line(owner: FlaskClient, number: int, language: str = "ja") -> str:
    page = owner.get(
        f"{CONSOLE}/campaigns/results/{number}", headers={"Accept-Language": language}
    ).text
    found = LINE_PANEL.search(page)
    return "" if found is None else found[0]


def test_lines_figures_stand_apart(owner: FlaskClient, line: LineState) -> None:
    number = _campaign(line, bought={"": 9})
    _insight(line, number, seen=200, tapped=30, answer={"overview": {"delivered": 290}})
    panel = _by_line(owner, number)
    assert '<h2 id="by-line">LINE調べ</h2>' in panel
    assert '届いた（LINE調べ）</dt><dd class="lc-num">290人<' in panel
    assert "200人<" in panel
    assert "30人・開封した人の15.0%<" in panel
    assert "教えません" not in panel
    page = owner.get(f"{CONSOLE}/campaigns/results/{number}").text
    assert "200人" not in page.replace(panel, ""), "never among ours"


@pytest.mark.parametrize(
    ("values", "ja", "en"),
    [
        ({}, "開封と反応の数はありません", "how many opened or tapped it"),
        ({"seen": 25}, "反応の数はありません", "how many tapped it"),
        ({"tapped": 25}, "開封の数はありません", "how many opened it"),
    ],
)
def test_why_line_says_nothing_is_told(
    owner: FlaskClient, line: LineState, values: dict[str, int], ja: str, en: str
) -> None:
    number = _campaign(line, bought={"": 9})
    _insight(line, number, **values)
    panel = _by_line(owner, number)
    assert ja in panel
    assert "20人に満たない数を教えません" in panel
    assert "—" not in panel
    english = _by_line(owner, number, "en")
    assert en in english
    assert "fewer than 20 people" in english


def test_line_that_was_not_asked_yet_and_too_late(
    owner: FlaskClient, line: LineState, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = _campaign(line, bought={"": 9})
    line.session.get_one(Campaign, number).recipients = 300
    line.session.commit()
    assert _by_line(owner, number) == "", "the shop does not ask LINE"
    monkeypatch.setattr(line, "config", replace(line.config, line_insight=True))
    assert "まだありません" in _by_line(owner, number)
    line.session.get_one(Campaign, number).created_at = line.clock() - timedelta(days=60)
    line.session.commit()
    assert "もうありません" in _by_line(owner, number)


def test_a_segment_has_figures_of_its_own(owner: FlaskClient, line: LineState) -> None:
    number = _campaign(line, bought={"a": 9, "b": 3})
    told = {"campaign_id": number, "variant": "a"}
    for member_id in line.session.scalars(members_in(line, "first")).all():
        touch = Touch(member_id=member_id, category="news", accepted_at=line.clock(), **told)
        day = line.clock().date()
        tapped = ResultPerson(figure="clickers", member_id=member_id, day=day, **told)
        line.session.add_all([touch, tapped])
    line.session.commit()
    page = owner.get(f"{CONSOLE}/campaigns/results/{number}").text
    assert ">最初の方</option>" in page
    assert "4人・100.0%" not in page
    page = owner.get(f"{CONSOLE}/campaigns/results/{number}?segment=first").text
    assert '<option value="first" selected>' in page
    assert "4人・100.0%" in page
    page = owner.get(f"{CONSOLE}/campaigns/results/{number}?segment=%00nobody").text
    assert "4人・100.0%" not in page


@pytest.mark.parametrize(
    ("value", "low", "high"), [(0, 0, 0), (0.2, -0.1, 0.4), (-900, -1000, -800), (3, -4, 900)]
)
def test_an_interval_lies_inside_its_chart(value: float, low: float, high: float) -> None:
    drawn = interval_chart([Interval("<b>", value, low, high)])
    assert "&lt;b&gt;" in drawn
    assert "nan" not in drawn
