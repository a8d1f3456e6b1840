"""Counts: added to in the caller's transaction, whoever else adds at the same time."""

from __future__ import annotations

import threading
from datetime import UTC
from datetime import date
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from sqlalchemy import select

from flask_lineconnect.marketing.results.counts import count
from flask_lineconnect.marketing.results.counts import count_many
from flask_lineconnect.marketing.results.counts import day_of
from flask_lineconnect.models import ResultCount
from flask_lineconnect.models.sqlite import begin_writing
from flask_lineconnect.state import LineState
from tests.conftest import DATABASES

pytestmark = pytest.mark.parametrize("database", DATABASES, indirect=True)

DAY = date(2026, 11, 28)


def numbers(line: LineState) -> dict[tuple[int, str, str], int]:
    rows = line.session.execute(
        select(ResultCount.campaign_id, ResultCount.variant, ResultCount.figure, ResultCount.number)
    )
    return {(campaign, variant, figure): number for campaign, variant, figure, number in rows}


def test_counts_are_added_up_each_on_its_own(line: LineState) -> None:
    count(line.session, "accepted", day=DAY, campaign_id=1, variant="a", number=500)
    count(line.session, "accepted", day=DAY, campaign_id=1, variant="a")
    count(line.session, "accepted", day=DAY, campaign_id=1, variant="b")
    count(line.session, "clicks", day=DAY, campaign_id=1, variant="a")
    count(line.session, "clicks", day=DAY, link_id=7)
    count_many(
        line.session,
        [
            {"figure": "clicks", "day": DAY, "campaign_id": 1, "variant": "a"},
            {"figure": "clicks", "day": DAY, "campaign_id": 1, "variant": "a", "number": 2},
            {"figure": "refused", "day": DAY, "campaign_id": 1, "number": 0},
        ],
    )
    line.session.commit()
    assert numbers(line) == {
        (1, "a", "accepted"): 501,
        (1, "b", "accepted"): 1,
        (1, "a", "clicks"): 4,
        (0, "", "clicks"): 1,
    }


def test_a_count_is_of_the_callers_transaction(line: LineState) -> None:
    count(line.session, "clicks", day=DAY, campaign_id=1)
    line.session.rollback()
    assert numbers(line) == {}


def test_what_is_not_counted_is_refused(line: LineState) -> None:
    with pytest.raises(ValueError, match="'opens' is not counted"):
        count(line.session, "opens", day=DAY)


def test_many_add_at_once(app: Flask, line: LineState) -> None:
    def add() -> None:
        with app.app_context():
            for _ in range(10):
                begin_writing(line.session)
                rows = [{"figure": name, "day": DAY} for name in ("clicks", "accepted")]
                count_many(line.session, rows)
                line.session.commit()

    threads = [threading.Thread(target=add) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert numbers(line) == {(0, "", "clicks"): 40, (0, "", "accepted"): 40}


def test_a_day_is_one_of_the_shops_zone(line: LineState) -> None:
    assert day_of(datetime(2026, 11, 28, 15, 0, tzinfo=UTC), ZoneInfo("Asia/Tokyo")) == date(
        2026, 11, 29
    )
