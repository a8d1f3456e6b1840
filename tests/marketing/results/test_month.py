"""What LINE brought in a month."""

from __future__ import annotations

import csv
from datetime import UTC
from datetime import date
from datetime import datetime
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask

from flask_lineconnect import OrderEvents
from flask_lineconnect.cli.group import line as commands
from flask_lineconnect.marketing.campaigns.sides import held_out_globally
from flask_lineconnect.marketing.handling import handle_due
from flask_lineconnect.marketing.results.counts import count
from flask_lineconnect.marketing.results.month import month_report
from flask_lineconnect.models import Account
from flask_lineconnect.models import Campaign
from flask_lineconnect.state import LineState
from tests.conftest import DATABASES
from tests.conftest import MakeApp
from tests.marketing.results.conftest import NOW
from tests.marketing.results.conftest import Past
from tests.marketing.results.conftest import declare

pytestmark = pytest.mark.parametrize("database", DATABASES, indirect=True)

FIRST, BEGINS = date(2026, 10, 1), datetime(2026, 9, 30, 15, tzinfo=UTC)


@pytest.fixture
def app(make_app: MakeApp, monkeypatch: pytest.MonkeyPatch) -> Flask:
    """Return a shop that holds ten of a hundred members out."""
    app = make_app(LINECONNECT_HOLD_OUT_PERCENT=10)
    declare(app)
    line = app.extensions["lineconnect"]
    line.clock = lambda: NOW
    monkeypatch.setattr(type(line.shop), "order_events", OrderEvents())
    return app


def test_a_month_of_the_shop(app: Flask, line: LineState, past: Past, tmp_path: Path) -> None:
    linked, others = past.members(60), past.members(20)
    for number, member in enumerate(linked):
        line.session.add(
            Account(
                line_user_id=f"U{number:032x}",
                member_id=member,
                linked_at=BEGINS if number else NOW,
                created_at=BEGINS,
            )
        )
    for member in (*linked[:30], *others[:5]):
        past.event("order.placed", member, BEGINS, f"order:{member}", total=1_000)
    # The last moment of the month, and the first of the next one.
    month_end = datetime(2026, 10, 31, 15, tzinfo=UTC)
    past.event("order.placed", linked[1], month_end - timedelta(seconds=1), "order:a", total=50)
    past.event("order.placed", linked[2], month_end, "order:b", total=9_999)
    past.event("order.cancelled", linked[29], NOW, f"order:{linked[29]}")
    campaign = past.campaign()
    count(line.session, "accepted", day=date(2026, 10, 31), campaign_id=campaign, number=40)
    count(line.session, "accepted", day=date(2026, 11, 1), campaign_id=campaign, number=7)
    line.session.commit()
    handle_due(line)
    found = month_report(line, FIRST)
    # Who was linked later is none of the month's linked members.
    assert (found.linked.arm.people, found.linked.arm.buyers, found.linked.orders) == (59, 28, 29)
    assert found.linked.sales == 28_050
    assert (found.unlinked.arm.people, found.unlinked.sales) == (21, 6_000)
    treated = [one for one in linked[1:] if not held_out_globally("2026-Q4", one, 10)]
    assert 0 < len(treated) < 59
    assert found.judgement.treated.people == len(treated)
    assert found.judgement.people == 59
    [(_name, figures)] = found.sources
    assert figures["accepted"] == 40

    path = tmp_path / "month.csv"
    run = app.test_cli_runner().invoke
    answer = run(commands, ["report", "month", "2026-10", "--csv", str(path)])
    assert answer.exit_code == 0, answer.output
    written = path.read_bytes()
    assert written.startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(written.decode("utf-8-sig").splitlines()))
    assert rows[2] == ["連携会員", "59", "28", "474.6", "29", "28050"]
    assert rows[4] == ["連携会員はもともと購入の多い方です。差のすべてがLINEの効果ではありません。"]
    english = run(commands, ["report", "month", "--language", "en"]).output
    assert "Month  2026-10" in english
    assert "Linked members bought more anyway" in english
    assert run(commands, ["report", "month", "2026-13"]).exit_code == 2


def test_a_month_of_nobody(app: Flask, line: LineState) -> None:
    found = month_report(line, FIRST)
    assert (found.linked.arm.people, found.cost, found.cost_per_order) == (0, None, None)
    assert found.judgement.kind == "nobody"
    answer = app.test_cli_runner().invoke(commands, ["report", "month", "2026-12"])
    assert "まだ誰にも送られていない" in answer.output


def test_a_name_is_no_formula(app: Flask, line: LineState, past: Past, tmp_path: Path) -> None:
    campaign = past.campaign()
    line.session.get_one(Campaign, campaign).key = "=HYPERLINK(1)"
    count(line.session, "accepted", day=date(2026, 10, 3), campaign_id=campaign)
    line.session.commit()
    path = tmp_path / "month.csv"
    app.test_cli_runner().invoke(commands, ["report", "month", "2026-10", "--csv", str(path)])
    assert '"\'=HYPERLINK(1)","1"' in path.read_text("utf-8-sig")
