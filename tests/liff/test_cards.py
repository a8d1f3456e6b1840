"""What a point card shows and does: codes that pay once, news of points, few questions asked."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC
from datetime import date
from datetime import datetime
from datetime import timedelta
from typing import Any
from typing import ClassVar

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from flask_lineconnect import NextRank
from flask_lineconnect import PointBalance
from flask_lineconnect import PointChange
from flask_lineconnect import ShopAdapter
from flask_lineconnect.liff import live
from flask_lineconnect.models import Account
from flask_lineconnect.models import CardCode
from flask_lineconnect.shop.adapter import Barcode
from flask_lineconnect.state import LineState
from tests.conftest import DATABASES
from tests.people import add_member
from tests.people import link
from tests.people import open_as
from tests.small_shop import SmallShop
from tests.small_shop import User
from tests.small_shop import db
from tests.small_shop import line as extension
from tests.statements import noted_statements

CODE = "/line/liff/code"


class PointShop(SmallShop):
    """The small shop with points."""

    card_barcode: ClassVar[Barcode] = "jan13"
    has_card_codes = True
    entries = 45

    def card_number(self, member: User) -> str:
        """Return a JAN without its check digit."""
        return f"{member.id:012d}"

    def points(self, member: User) -> PointBalance:
        """Return a balance of which a part expires."""
        rank = NextRank("ゴールド", "あと300円", progress=0.7)
        return PointBalance(1_240, 200, date(2026, 12, 31), rank="シルバー", next_rank=rank)

    def point_history(self, member: User, *, before: str | None, limit: int) -> list[PointChange]:
        """Return a long history."""
        newest = self.entries if before is None else int(before) - 1
        at = datetime(2026, 11, 1, tzinfo=UTC)
        return [
            PointChange(str(number), at, -5 if number % 2 else 10, f"お買い物 {number}")
            for number in range(newest, max(0, newest - limit), -1)
        ]


class FullWidthShop(PointShop):
    """Another one, whose register prints full-width digits."""

    def card_number(self, member: User) -> str:
        """Return a JAN as the register prints it."""
        return f"{member.id:012d}".translate({48 + digit: 0xFF10 + digit for digit in range(10)})


@pytest.fixture
def app(app: Flask) -> Flask:
    """Return the small shop with points."""
    app.extensions["lineconnect"].shop = PointShop()
    return app


def test_the_card_says_rank_expiry_and_what_is_missing(phone: FlaskClient) -> None:
    page = phone.get("/line/liff").text
    for text in ("1,240", "シルバー", "ゴールドまで", "あと300円", 'value="70"', "2026年12月31日"):
        assert text in page, text
    assert page.count("<svg viewBox") >= 2


def test_full_width_digits_are_a_card_number(phone: FlaskClient, line: LineState) -> None:
    plain = phone.get("/line/liff").text
    line.shop = FullWidthShop()
    full_width = phone.get("/line/liff").text
    drawings = [re.findall(r'd="[^"]+"', page) for page in (plain, full_width)]
    assert drawings[0] == drawings[1]


@pytest.mark.parametrize(("lang", "day"), [("ja", "2026年12月31日"), ("th", "ค.ศ. 2026")])
def test_days_count_one_calendar(phone: FlaskClient, lang: str, day: str) -> None:
    page = phone.get("/line/liff", headers={"Accept-Language": lang}).text
    assert day in page
    assert "2569" not in page


@pytest.fixture
def queries(line: LineState) -> Iterator[list[str]]:
    """Count what is asked of the database."""
    with noted_statements(db.engine) as asked:
        yield asked


def test_the_card_asks_the_database_four_times_at_most_and_line_never(
    phone: FlaskClient, queries: list[str], line: LineState, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_a: object, **_k: object) -> None:
        raise AssertionError("LINE was called")

    monkeypatch.setattr("flask_lineconnect.line_api.http.LineHttp.ask", refuse)
    assert "1,240" in phone.get("/line/liff").text
    selects = [statement for statement in queries if statement.startswith("SELECT")]
    # The small shop's own answers cost nothing; the demo shop's one is counted in its tests.
    assert len(selects) <= 3
    assert len(selects) == len(queries)


def test_the_history_is_paged_to_its_end(phone: FlaskClient) -> None:
    seen, paths = 0, ["/line/liff/points"]
    while paths:
        page = phone.get(paths[0]).text
        seen += page.count("お買い物")
        paths = re.findall(r'<a href="([^"]+)" rel="next"', page)
    assert seen == PointShop.entries


def test_a_shop_without_history_has_no_link_to_it(phone: FlaskClient, line: LineState) -> None:
    assert "/line/liff/points" in phone.get("/line/liff").text
    line.shop = SmallShop()
    page = phone.get("/line/liff").text
    assert "/line/liff/points" not in page
    assert CODE not in page


def _csrf(phone: FlaskClient) -> str:
    return phone.get("/line/liff").text.split('data-csrf-token="')[1].split('"')[0]


def _code(phone: FlaskClient) -> str:
    answer = phone.post(
        CODE, json={}, headers={"X-CSRFToken": _csrf(phone), "Accept": "application/json"}
    )
    assert answer.status_code == 200
    assert answer.json
    assert answer.json["seconds"] == 60
    return " ".join(re.findall("<span>([A-Z2-7]+)</span>", answer.json["html"]))


def test_S10_6_a_code_pays_once_for_the_member_who_showed_it(
    phone: FlaskClient, line: LineState, hanako: User
) -> None:
    code = _code(phone)
    assert len(code.replace(" ", "")) == 26
    stored = line.session.scalars(select(CardCode.code_hash)).one()
    assert code.replace(" ", "") not in stored
    assert extension.redeem_card_code(f" {code.lower()} ") == hanako
    line.session.commit()
    assert extension.redeem_card_code(code) is None


def test_S10_6_a_screenshot_is_worth_nothing_after_a_minute_or_a_newer_code(
    phone: FlaskClient, line: LineState
) -> None:
    first, second = _code(phone), _code(phone)
    assert extension.redeem_card_code(first) is None
    line.clock = lambda: datetime.now(UTC) + timedelta(seconds=61)
    assert extension.redeem_card_code(second) is None


def test_a_code_is_as_before_when_the_payment_is_rolled_back(
    phone: FlaskClient, line: LineState, hanako: User
) -> None:
    code = _code(phone)
    assert extension.redeem_card_code(code) == hanako
    line.session.rollback()
    assert extension.redeem_card_code(code) is not None


@pytest.mark.parametrize("end", ["unlink", "erase", "lock"])
def test_S3_9_a_code_ends_with_the_link(
    phone: FlaskClient, line: LineState, hanako: User, end: str
) -> None:
    code = _code(phone)
    if end == "lock":
        hanako.is_locked = True
    else:
        getattr(extension, end)(hanako)
    line.session.commit()
    assert extension.redeem_card_code(code) is None


def test_S6_3_a_code_needs_the_token_and_the_member(
    client: FlaskClient, phone: FlaskClient, line: LineState
) -> None:
    assert phone.post(CODE, json={}).status_code == 403
    token = _csrf(phone)
    phone.post("/logout")
    answer = phone.post(CODE, json={}, headers={"X-CSRFToken": token})
    assert answer.status_code in {401, 403}
    assert line.session.scalars(select(CardCode)).first() is None


def test_without_javascript_the_code_is_a_page(phone: FlaskClient) -> None:
    page = phone.post(CODE, data={"csrf_token": _csrf(phone)}).text
    assert "lc-code-qr" in page
    assert "lc-tabs" in page


def test_S12_codes_are_limited_for_each_account(phone: FlaskClient) -> None:
    token = _csrf(phone)
    answers = [
        phone.post(CODE, json={}, headers={"X-CSRFToken": token}).status_code for _n in range(61)
    ]
    assert answers[:60] == [200] * 60
    assert answers[60] == 429


class TestRace:
    """On both databases."""

    pytestmark = pytest.mark.parametrize("database", DATABASES, indirect=True)

    def test_two_counters_take_one_code_once(
        self, app: Flask, phone: FlaskClient, hanako: User
    ) -> None:
        code, barrier = _code(phone), threading.Barrier(4)

        def take(_number: int) -> bool:
            with app.app_context():
                barrier.wait()
                member = extension.redeem_card_code(code)
                db.session.commit()
                return member is not None

        with ThreadPoolExecutor(4) as counters:
            assert sum(counters.map(take, range(4))) == 1


def _since(phone: FlaskClient) -> str:
    answer = phone.get("/line/liff/changes", headers={"Accept": "application/json"})
    assert answer.json
    return str(answer.json["version"])


def test_open_cards_hear_of_points_after_the_commit_only(
    phone: FlaskClient, line: LineState, hanako: User
) -> None:
    before = _since(phone)
    extension.points_changed(hanako)
    line.session.rollback()
    assert _since(phone) == before
    extension.points_changed(hanako)
    line.session.commit()
    after = _since(phone)
    assert after != before
    assert f'data-version="{after}"' in phone.get("/line/liff").text


def test_S5_5_anothers_card_is_never_the_same_version(
    app: Flask, phone: FlaskClient, line: LineState
) -> None:
    """However often each has changed: a window that A left open hears that B's is another."""
    other = add_member(line, "鈴木 健太")
    link(line, other, "b")
    assert _since(open_as(app.test_client(), other)) != _since(phone)


def test_a_server_without_threads_has_no_streams(phone: FlaskClient) -> None:
    headers = {"Accept": "text/event-stream"}
    assert phone.get("/line/liff/changes", headers=headers).status_code == 204


def _stream(phone: FlaskClient, since: str = "") -> Any:
    return phone.get(
        f"/line/liff/changes?since={since}",
        headers={"Accept": "text/event-stream"},
        environ_overrides={"wsgi.multithread": True},
    )


def test_streams_are_few_and_one_for_each_account(phone: FlaskClient, line: LineState) -> None:
    with _stream(phone) as stream:
        assert stream.status_code == 200
        assert stream.mimetype == "text/event-stream"
        assert _stream(phone).status_code == 204
    with _stream(phone) as again:
        assert again.status_code == 200
    places = live.Streams(2)
    assert [places.take(number) for number in (1, 1, 2, 3)] == [True, False, True, False]
    places.give_back(1)
    assert places.take(3)


def test_a_stream_says_at_once_what_it_missed(phone: FlaskClient, line: LineState) -> None:
    with _stream(phone, since="0-of-long-ago") as stream:
        assert stream.text.endswith("\n\ndata: changed\n\n")


def test_S12_a_stream_needs_a_member(client: FlaskClient, app: Flask) -> None:
    assert _stream(client).status_code == 401


def test_S3_9_a_stream_ends_where_the_link_ended_before_its_first_look() -> None:
    events = live.watch(lambda: ("7.1", (None, 1)), since="7.1", allowed=("member", 0))
    assert list(events)[1:] == ["event: ended\ndata:\n\n"]


Look = tuple[str, live.Mark] | None


def _watch(*looks: Look, since: str = "7.1") -> list[str]:
    left, now = list(looks), [0.0]

    def read() -> Look:
        return left.pop(0) if len(left) > 1 else left[0]

    def sleep(seconds: float) -> None:
        now[0] += seconds

    return list(live.watch(read, since=since, sleep=sleep, monotonic=lambda: now[0]))


def test_a_stream_ends_with_its_news() -> None:
    same: Look = ("7.1", ("member", 0))
    assert _watch(same, same, ("7.2", ("member", 0)))[-1] == "data: changed\n\n"


@pytest.mark.parametrize(
    "after", [None, ("7.1", (None, 0)), ("7.1", ("member", 1)), ("7.1", ("other", 0))]
)
def test_S3_9_a_stream_ends_with_the_session_that_opened_it(after: Look) -> None:
    events = _watch(("7.1", ("member", 0)), after)
    assert events[-1] == "event: ended\ndata:\n\n"
    assert "changed" not in "".join(events)


def test_a_stream_holds_its_thread_for_half_a_minute_at_most() -> None:
    events = _watch(("7.1", ("member", 0)))
    assert events[0].startswith("retry:")
    assert set(events[1:]) == {":\n\n"}
    assert len(events) <= live.LIFETIME / live.INTERVAL + 2 <= 32


def test_a_stream_holds_no_connection_of_the_pool(
    phone: FlaskClient, app: Flask, line: LineState
) -> None:
    line.session.rollback()
    pool: Any = db.engine.pool
    before = pool.checkedout()
    with _stream(phone, since=str(0)) as stream:
        chunks = iter(stream.response)
        next(chunks)
        assert pool.checkedout() == before


def test_a_barcode_of_another_kind_is_refused_when_it_is_written() -> None:
    with pytest.raises(TypeError, match="card_barcode"):
        type("Odd", (ShopAdapter,), {"model": User, "card_barcode": "code39"})


def test_no_account_means_no_change(line: LineState) -> None:
    extension.points_changed(add_member(line))
    line.session.commit()
    assert line.session.scalars(select(Account)).first() is None
