"""The ready-made ledger: points are booked once, spent in the order of their end, and lost."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC
from datetime import datetime
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import func
from sqlalchemy import select

from flask_lineconnect import PointBalance
from flask_lineconnect import PointLedger
from flask_lineconnect import Refused
from flask_lineconnect import UsageError
from flask_lineconnect.models import PointEntry
from flask_lineconnect.state import LineState
from tests import small_shop
from tests.conftest import DATABASES
from tests.people import add_member
from tests.people import link
from tests.small_shop import SmallShop
from tests.small_shop import User
from tests.small_shop import db

pytestmark = pytest.mark.parametrize("database", DATABASES, indirect=True)

TODAY = datetime(2026, 11, 27, 3, tzinfo=UTC)


class LedgerShop(SmallShop):
    """The small shop's adapter, with our ledger."""

    point_ledger = PointLedger(valid_days=365)


@pytest.fixture(autouse=True)
def with_ledger(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the next small shop have the ledger."""
    monkeypatch.setattr(small_shop.line, "shop", LedgerShop())


@pytest.fixture
def member(line: LineState) -> User:
    """Return a member without points."""
    return add_member(line)


def _book(line: LineState, member: User, points: int, *, days_ago: int = 0, key: str = "") -> bool:
    line.clock = lambda: TODAY - timedelta(days=days_ago)
    done = small_shop.line.book_points(member, points, reason=f"{points}", key=key or None)
    line.session.commit()
    line.clock = lambda: TODAY
    return done


def _points(member: User) -> PointBalance:
    found = small_shop.line.shop.points(member)
    assert found is not None
    return found


def _history(member: User, before: str | None = None, limit: int = 10) -> list[tuple[int, str]]:
    found = small_shop.line.shop.point_history(member, before=before, limit=limit)
    return [(one.points, one.key) for one in found]


def test_points_are_booked_and_spent(line: LineState, member: User) -> None:
    assert _points(member) == PointBalance(0)
    assert _book(line, member, 100)
    assert _book(line, member, -30)
    balance = _points(member)
    assert (balance.points, balance.expiring_points) == (70, 70)
    assert [points for points, _key in _history(member)] == [-30, 100]


def test_a_key_books_once(line: LineState, member: User) -> None:
    assert _book(line, member, 100, key="order-1")
    assert not _book(line, member, 100, key="order-1")
    assert _book(line, member, -100, key="pay-1")
    assert not _book(line, member, -100, key="pay-1"), "and nothing is missing for it"
    assert _points(member).points == 0
    assert _book(line, add_member(line, "川本 太郎"), 5, key="order-1"), "keys are a member's own"


def test_nobody_spends_what_is_not_there(line: LineState, member: User) -> None:
    _book(line, member, 100)
    with pytest.raises(Refused, match="20足りません"):
        small_shop.line.book_points(member, -120, reason="x")
    line.session.rollback()
    assert _points(member).points == 100


def test_what_ends_first_is_spent_first_and_the_rest_is_lost(line: LineState, member: User) -> None:
    _book(line, member, 100, days_ago=400)
    _book(line, member, 50, days_ago=300)
    _book(line, member, -80, days_ago=200)
    balance = _points(member)
    zone = line.config.zone
    ends = (TODAY - timedelta(days=300)).astimezone(zone).date() + timedelta(days=365)
    assert balance == PointBalance(50, 50, ends)
    with pytest.raises(Refused):
        small_shop.line.book_points(member, -51, reason="x")
    line.session.rollback()
    lines = _history(member)
    assert [points for points, _key in lines] == [-20, -80, 50, 100]
    found = small_shop.line.shop.point_history(member, before=None, limit=1)
    assert found[0].reason == "有効期限が過ぎました"


def test_points_are_good_on_their_last_day(line: LineState, member: User) -> None:
    _book(line, member, 10)
    entry = line.session.scalars(select(PointEntry)).one()
    zone = line.config.zone
    assert entry.expires_on == TODAY.astimezone(zone).date() + timedelta(days=365)
    assert entry.expires_at is not None
    end = entry.expires_at.astimezone(zone)
    assert end.date() == entry.expires_on + timedelta(days=1)
    assert (end.hour, end.minute) == (0, 0)


def test_points_are_gone_by_the_clock_of_the_extension(line: LineState, member: User) -> None:
    _book(line, member, 10)
    line.clock = lambda: TODAY + timedelta(days=366)
    assert _points(member) == PointBalance(0)
    assert [points for points, _key in _history(member)] == [-10, 10]


def test_a_history_is_read_page_by_page(line: LineState, member: User) -> None:
    for number in range(1, 6):
        _book(line, member, number, days_ago=400 + number)
    whole = _history(member)
    assert len(whole) == 10
    read: list[tuple[int, str]] = []
    while page := _history(member, before=read[-1][1] if read else None, limit=3):
        read += page
    assert read == whole
    other = add_member(line, "川本 太郎")
    for strange in (whole[0][1], "x", "99999", "-1", "²"):
        assert _history(other, before=strange) == []


def test_points_without_an_end_are_spent_last(
    line: LineState, member: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(LedgerShop, "point_ledger", PointLedger(valid_days=None))
    _book(line, member, 10)
    assert _points(member) == PointBalance(10)
    monkeypatch.setattr(LedgerShop, "point_ledger", PointLedger(valid_days=1))
    _book(line, member, 5)
    _book(line, member, -5)
    assert _points(member) == PointBalance(10), "those with an end went first"


def test_two_who_spend_at_once_spend_once(app: Flask, line: LineState, member: User) -> None:
    _book(line, member, 100)
    number = member.id
    line.session.rollback()

    def spend(_number: int) -> bool:
        with app.app_context():
            try:
                small_shop.line.book_points(db.session.get(User, number), -60, reason="x")
                db.session.commit()
            except Refused:
                db.session.rollback()
                return False
            finally:
                db.session.remove()
            return True

    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(spend, range(4)))
    assert sum(done) == 1
    assert _points(db.session.get(User, number)).points == 40  # type: ignore[arg-type]


def test_points_go_with_the_member_and_stay_with_an_erasure_of_line(
    line: LineState, member: User
) -> None:
    link(line, member)
    _book(line, member, 100)
    small_shop.line.erase(member)
    line.session.commit()
    assert _points(member).points == 100, "they are of the shop's record"
    line.session.delete(member)
    line.session.commit()
    assert line.session.scalar(select(func.count()).select_from(PointEntry)) == 0


@pytest.mark.parametrize(
    ("points", "reason", "key"),
    [(0, "x", None), (10_000_001, "x", None), (1, " ", None), (1, "x" * 201, None), (1, "x", "")],
)
def test_what_makes_no_sense_is_a_mistake(
    line: LineState, member: User, points: int, reason: str, key: str | None
) -> None:
    with pytest.raises(UsageError):
        small_shop.line.book_points(member, points, reason=reason, key=key)


def test_a_shop_without_it_is_told(
    line: LineState, member: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(LedgerShop, "point_ledger", None)
    with pytest.raises(UsageError, match="point_ledger"):
        small_shop.line.book_points(member, 1, reason="x")
    assert small_shop.line.shop.points(member) is None
    assert small_shop.line.shop.point_history(member, before=None, limit=1) == ()


def test_days_that_no_points_live_are_refused(database: str) -> None:
    with pytest.raises(UsageError, match="valid_days"):
        PointLedger(valid_days=0)
