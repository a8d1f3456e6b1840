"""Points in the console: bookings are listed, corrected by the owner with a reason, and noted."""

from __future__ import annotations

from datetime import UTC
from datetime import datetime
from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from flask_lineconnect import PointLedger
from flask_lineconnect.models import AuditEntry
from flask_lineconnect.models import PointEntry
from flask_lineconnect.state import LineState
from tests import small_shop
from tests.people import add_member
from tests.people import token_in
from tests.small_shop import User

from .conftest import CONSOLE
from .conftest import Open
from .conftest import StaffedShop
from .conftest import read_csv

POINTS = f"{CONSOLE}/points"


@pytest.fixture
def staffed(staffed: StaffedShop, monkeypatch: pytest.MonkeyPatch) -> StaffedShop:
    """Let the shop have the ledger."""
    monkeypatch.setattr(StaffedShop, "point_ledger", PointLedger())
    return staffed


@pytest.fixture
def member(line: LineState) -> User:
    """Return a member with points."""
    member = add_member(line, "<b>花子")
    small_shop.line.book_points(member, 120, reason="ご注文<i>", key="order-1")
    line.session.commit()
    return member


def _correct(client: FlaskClient, member: User, **form: str) -> TestResponse:
    token = token_in(client.get(f"{CONSOLE}/more"))
    return client.post(f"{CONSOLE}/people/{member.id}/points", data={"csrf_token": token, **form})


def _entries(line: LineState) -> list[PointEntry]:
    line.session.rollback()
    return list(line.session.scalars(select(PointEntry).order_by(PointEntry.id)))


def test_bookings_are_listed(open_console: Open, member: User) -> None:
    page = open_console("viewer").get(POINTS).text
    assert "&lt;b&gt;花子" in page
    assert "ご注文&lt;i&gt;" in page
    assert "+120" in page
    assert f'href="{POINTS}"' in page, "it is in the navigation"


def test_an_owner_corrects_with_a_reason(owner: FlaskClient, line: LineState, member: User) -> None:
    page = owner.get(f"{CONSOLE}/people/{member.id}").text
    assert "ポイントを直す" in page
    assert _correct(owner, member, points="30", reason="付け忘れ", key="a").status_code == 303
    taken = _correct(owner, member, points="50", way="take", reason="返品<b>", key="b")
    assert taken.status_code == 303
    assert [one.points for one in _entries(line)] == [120, 30, -50]
    page = owner.get(f"{CONSOLE}/people/{member.id}").text
    assert ">100<" in page
    assert "返品&lt;b&gt;" in page
    by_hand = owner.get(f"{POINTS}?show=by-hand").text
    assert "付け忘れ" in by_hand
    assert "店主" in by_hand
    assert "ご注文" not in by_hand
    assert "ポイントを直した" in owner.get(f"{CONSOLE}/audit").text
    actions = select(AuditEntry.subject).where(AuditEntry.action == "points-corrected")
    assert line.session.scalars(actions).all() == ["+30", "-50"]


def test_a_second_press_books_nothing(owner: FlaskClient, line: LineState, member: User) -> None:
    for _time in range(2):
        assert _correct(owner, member, points="30", reason="x", key="a").status_code == 303
    assert [one.points for one in _entries(line)] == [120, 30]
    actions = select(AuditEntry.action).where(AuditEntry.action == "points-corrected")
    assert len(line.session.scalars(actions).all()) == 1


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"points": "0", "reason": "x"}, "1以上の数"),
        ({"points": "x", "reason": "x"}, "1以上の数"),
        ({"points": "5", "reason": " "}, "理由を1〜200文字"),
        ({"points": "5", "reason": "x" * 201}, "理由を1〜200文字"),
        ({"points": "121", "way": "take", "reason": "x"}, "1足りません"),
    ],
    ids=str,
)
def test_what_cannot_be_booked_is_said(
    owner: FlaskClient, line: LineState, member: User, form: dict[str, str], words: str
) -> None:
    answer = _correct(owner, member, **form)
    assert answer.status_code == 400
    assert words in answer.text
    assert len(_entries(line)) == 1


def test_others_only_look(open_console: Open, line: LineState, member: User) -> None:
    for role in ("editor", "viewer"):
        client = open_console(role)
        assert "直せるのは店主だけ" in client.get(f"{CONSOLE}/people/{member.id}").text
        assert _correct(client, member, points="30", reason="x").status_code == 403
    assert len(_entries(line)) == 1


def test_what_ends_soon_is_told(owner: FlaskClient, line: LineState, member: User) -> None:
    began = datetime.now(UTC) - timedelta(days=350)
    line.clock = lambda: began
    small_shop.line.book_points(member, 7_000, reason="x")
    line.session.commit()
    line.clock = lambda: began + timedelta(days=350)
    page = owner.get(POINTS).text
    assert "7,120<small>" in page
    assert "7,000<small>" in page
    assert "1人" in page


def test_one_members_bookings_and_the_next_page(
    owner: FlaskClient, line: LineState, member: User
) -> None:
    other = add_member(line, "川本 太郎")
    for number in range(51):
        small_shop.line.book_points(other, 1, reason=f"理由{number}")
    line.session.commit()
    theirs = owner.get(f"{POINTS}?member={member.id}").text
    assert "理由" in theirs
    assert "理由50" not in theirs
    first = owner.get(POINTS).text
    assert "理由50" in first
    assert "理由0<" not in first
    before = _entries(line)[2].id
    assert "理由0<" in owner.get(f"{POINTS}?before={before}").text
    assert owner.get(f"{POINTS}?member=x").status_code == 404


def test_they_are_a_file_and_in_the_persons_own_data(owner: FlaskClient, member: User) -> None:
    header, row = read_csv(owner, f"{CONSOLE}/points.csv")
    assert header[3:5] == ["ポイント", "理由"]
    assert row[3:5] == ["120", "ご注文<i>"]
    token = token_in(owner.get(f"{CONSOLE}/more"))
    data = owner.post(f"{CONSOLE}/people/{member.id}/data.json", data={"csrf_token": token}).json
    assert data
    assert [one["points"] for one in data["points"]] == [120]


def test_a_shop_with_points_of_its_own_has_no_such_page(
    owner: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "まだ記帳がありません" in owner.get(POINTS).text
    monkeypatch.setattr(StaffedShop, "point_ledger", None)
    assert owner.get(POINTS).status_code == 404
    assert f'href="{POINTS}"' not in owner.get(f"{CONSOLE}/more").text
