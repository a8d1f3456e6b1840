"""Reports in the console: a month to print, buyers, cohorts; each a chart, a table, a file."""

from __future__ import annotations

from datetime import UTC
from datetime import date
from datetime import datetime
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient

from flask_lineconnect import OrderEvents
from flask_lineconnect.marketing.handling import handle_due
from flask_lineconnect.marketing.results.counts import count
from flask_lineconnect.models import Account
from flask_lineconnect.models import Campaign
from flask_lineconnect.state import LineState
from tests.conftest import MakeApp
from tests.marketing.results.conftest import NOW
from tests.marketing.results.conftest import Past
from tests.marketing.results.conftest import declare
from tests.people import token_in

from .conftest import CONSOLE
from .conftest import Open
from .conftest import StaffedShop
from .conftest import read_csv

REPORTS = f"{CONSOLE}/reports"
OCTOBER = datetime(2026, 9, 30, 15, tzinfo=UTC)


@pytest.fixture
def app(staffed: StaffedShop, make_app: MakeApp, monkeypatch: pytest.MonkeyPatch) -> Flask:
    """Return the small shop with its console, which tells of its orders."""
    app = make_app()
    declare(app)
    app.extensions["lineconnect"].clock = lambda: NOW
    monkeypatch.setattr(StaffedShop, "order_events", OrderEvents())
    return app


@pytest.fixture
def month(line: LineState) -> None:
    """Let twelve members be linked, and some buy, in October."""
    past = Past(line)
    members = past.members(12)
    for number, member in enumerate(members):
        account = Account(line_user_id=f"U{number:032x}", created_at=OCTOBER, linked_at=OCTOBER)
        account.member_id = member
        line.session.add(account)
    for member in members[:3]:
        past.event("order.placed", member, OCTOBER + timedelta(days=3), f"o:{member}", total=1_200)
    campaign = past.campaign()
    line.session.get_one(Campaign, campaign).key = "=1+1<b>"
    count(line.session, "accepted", day=date(2026, 10, 3), campaign_id=campaign, number=40)
    line.session.commit()
    handle_due(line)


def test_the_last_month_is_shown_with_its_verdict_chart_and_tables(
    owner: FlaskClient, month: None
) -> None:
    page = owner.get(REPORTS).text
    assert "<h1>2026年10月のレポート</h1>" in page
    assert "比べる相手（送らない人）がいない" in page
    assert "差のすべてがLINEの効果ではありません" in page
    assert 'aria-label="1,000人あたりの購入者。連携会員 250.0人' in page
    assert "3,600円" in page
    assert "=1+1&lt;b&gt;" in page
    assert "data-prints" in page


def test_months_are_chosen_by_links(owner: FlaskClient, month: None) -> None:
    page = owner.get(REPORTS).text
    assert "month=2026-09" in page
    assert "month=2026-11" in page
    this = owner.get(f"{REPORTS}?month=2026-11").text
    assert "まだ途中の月です。あと3日あります。" in this
    assert "month=2026-12" not in this
    for wrong in ("2026-12", "2026-13", "x", "", "1999-01", "0000-01", "99999-01"):
        assert owner.get(f"{REPORTS}?month={wrong}").status_code == 404, wrong


def test_before_anything_happened_a_page_says_what_will_be_there(owner: FlaskClient) -> None:
    assert "あと3日で最初の結果が出ます" in owner.get(f"{REPORTS}?month=2026-11").text
    assert "まだ購入した方がいません" in owner.get(f"{REPORTS}/rfm").text
    assert "この1年に連携した方がいません" in owner.get(f"{REPORTS}/cohorts").text


def test_buyers_by_recency_and_frequency(owner: FlaskClient, month: None) -> None:
    page = owner.get(f"{REPORTS}/rfm").text
    assert "目安としてご覧ください" in page, "three are few"
    assert "<svg" in page
    assert "3,600円" in page


def test_cohorts_show_shares_and_unfinished_months(owner: FlaskClient, month: None) -> None:
    page = owner.get(f"{REPORTS}/cohorts").text
    assert "2026/10" in page
    assert "25%" in page
    assert " open" in page


@pytest.mark.parametrize("role", ["owner", "editor", "viewer"])
def test_every_report_is_a_file(open_console: Open, month: None, role: str) -> None:
    client = open_console(role)
    rows = read_csv(client, f"{REPORTS}/month.csv?month=2026-10")
    assert rows[0] == ["月", "2026-10"]
    assert ["連携会員", "12", "3", "250.0", "3", "3600"] in rows
    assert ["'=1+1<b>", "40", "0", "0", "0", "0"] in rows
    assert read_csv(client, f"{REPORTS}/rfm.csv")[1][2] == "3"
    cohorts = read_csv(client, f"{REPORTS}/cohorts.csv")
    assert cohorts[0][:3] == ["連携した月", "人数", "その月"]
    assert ["2026-10", "12", "3", "0"] in [row[:4] for row in cohorts]
    if role == "owner":
        assert "report:rfm" in client.get(f"{CONSOLE}/audit").text


def test_there_is_no_file_of_what_is_no_report(owner: FlaskClient) -> None:
    token = token_in(owner.get(f"{CONSOLE}/more"))
    for path in ("people.csv", "month.csv?month=2027-01"):
        answer = owner.post(f"{REPORTS}/{path}", data={"csrf_token": token})
        assert answer.status_code == 404


def test_a_report_speaks_the_consoles_language(app: Flask, owner: FlaskClient, month: None) -> None:
    token = token_in(owner.get(f"{CONSOLE}/more"))
    owner.post(f"{CONSOLE}/language", data={"csrf_token": token, "language": "en"})
    page = owner.get(REPORTS).text
    assert "October 2026" in page
    assert "Linked members bought more anyway" in page
