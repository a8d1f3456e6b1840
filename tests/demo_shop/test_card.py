"""The demo shop's card in LINE: what it shows, how the counter takes points, how ranks rise."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event
from sqlalchemy import select

from demo_shop.extensions import db
from demo_shop.members import make_member
from demo_shop.models import PointEntry
from demo_shop.models import User
from demo_shop.points import TooFewPoints
from demo_shop.points import add_at_counter
from demo_shop.points import history
from demo_shop.points import spend
from flask_lineconnect.linking import accounts
from flask_lineconnect.state import LineState
from tests.people import token_in

PASSWORD = "a password for tests"


def _member(name: str) -> User:
    made = make_member(db.session(), email=f"{name}@b.example", name=name, password=PASSWORD)
    assert made is not None
    db.session.commit()
    return made


def _linked(app: Flask, name: str, letter: str) -> User:
    made = _member(name)
    line: LineState = app.extensions["lineconnect"]
    account = accounts.ensure_account(line.session, "U" + letter * 32, now=line.clock())
    accounts.link(line, account, made.id, source=None, now=line.clock())
    key = "first" if name == "hanako" else f"first of {name}"
    add_at_counter(db.session(), made, 12_000, key=key)
    db.session.commit()
    return made


@pytest.fixture
def member(app: Flask) -> User:
    """Return a linked member with 120 points."""
    return _linked(app, "hanako", "a")


def _log_in(client: FlaskClient, name: str) -> FlaskClient:
    form = {"email": f"{name}@b.example", "password": PASSWORD}
    assert client.post("/log-in", data=form).status_code == 302
    return client


@pytest.fixture
def phone(app: Flask, client: FlaskClient, member: User) -> FlaskClient:
    """Return the member's browser."""
    return _log_in(client, "hanako")


@pytest.fixture
def till(app: Flask, phone: FlaskClient) -> FlaskClient:
    """Return the staff's browser."""
    _member("staff").is_staff = True
    db.session.commit()
    return _log_in(app.test_client(), "staff")


def test_the_card_shows_rank_history_and_expiry_for_four_queries(phone: FlaskClient) -> None:
    db.session.rollback()
    asked: list[str] = []
    event.listen(db.engine, "before_cursor_execute", lambda *args: asked.append(args[2]))
    page = phone.get("/line/liff").text
    assert len(asked) <= 4, asked
    for text in ("120", "一般会員", "シルバー会員まで", "あと180ポイント", "ポイントの有効期限"):
        assert text in page, text
    assert "店頭でのお買い物 12,000円" in phone.get("/line/liff/points").text


def _code(phone: FlaskClient) -> str:
    token = re.search(r'data-csrf-token="([^"]+)"', phone.get("/line/liff").text)
    assert token
    page = phone.post("/line/liff/code", data={"csrf_token": token[1]}).text
    return "".join(re.findall(r"<span>([A-Z2-7]+)</span>", page))


def _pay(till: FlaskClient, code: str, points: int, key: str = "one sale") -> str:
    form = {"code": code, "points": str(points), "key": key}
    return till.post("/counter/pay", data=form, follow_redirects=True).text


def _amounts(member: User) -> list[int]:
    db.session.rollback()
    statement = select(PointEntry.amount).where(PointEntry.user_id == member.id)
    return list(db.session.scalars(statement.order_by(PointEntry.id)))


def test_a_code_pays_once(phone: FlaskClient, till: FlaskClient, member: User) -> None:
    code = _code(phone)
    assert "残高は70ポイントです" in _pay(till, code, 50)
    assert "このコードは使えません" in _pay(till, code, 50, key="another sale")
    assert _amounts(member) == [120, -50]
    assert "−50" in phone.get("/line/liff/points").text


def test_the_very_same_press_twice_pays_once_and_says_so(
    phone: FlaskClient, till: FlaskClient, member: User
) -> None:
    form = {"code": _code(phone), "points": "50", "key": "one sale"}
    till.post("/counter/pay", data=form)  # Its answer is never seen: the second press ends it.
    till.get("/counter/pay")
    answer = till.post("/counter/pay", data=form, follow_redirects=True).text
    assert "hanako さまのお支払いは、先ほどの画面で50ポイントを記録済みです" in answer
    assert 'role="alert"' not in answer
    assert _amounts(member) == [120, -50]


def test_an_old_form_pays_for_no_other_customer(
    app: Flask, phone: FlaskClient, till: FlaskClient, member: User
) -> None:
    taro = _linked(app, "taro", "b")
    _pay(till, _code(phone), 50)
    code = _code(_log_in(app.test_client(), "taro"))
    answer = _pay(till, code, 70)
    assert "hanako さまのお支払いは、先ほどの画面で50ポイントを記録済みです" in answer
    assert 'role="alert"' in answer
    assert _amounts(taro) == [120]
    assert "残高は50ポイントです" in _pay(till, code, 70, key="another sale")


def test_too_few_points_use_up_nothing(phone: FlaskClient, till: FlaskClient, member: User) -> None:
    code = _code(phone)
    assert "ポイントが足りません" in _pay(till, code, 121)
    assert _amounts(member) == [120]
    assert "残高は0ポイントです" in _pay(till, code, 120)


def test_S10_6_the_number_of_the_card_pays_nothing(
    phone: FlaskClient, till: FlaskClient, member: User
) -> None:
    assert "このコードは使えません" in _pay(till, member.card_number, 10)
    assert _amounts(member) == [120]


def test_paying_is_for_staff(phone: FlaskClient) -> None:
    assert phone.get("/counter/pay").status_code == 403


def test_points_never_fall_below_zero(member: User) -> None:
    with pytest.raises(TooFewPoints):
        spend(db.session(), member, 121, key="too many")
    db.session.commit()
    assert member.point_balance == 120


def test_a_rank_rises_with_what_was_collected_and_stays(member: User) -> None:
    add_at_counter(db.session(), member, 18_000, key="second")
    assert member.rank == "silver"
    spend(db.session(), member, 300, key="spent")
    add_at_counter(db.session(), member, 70_000, key="third")
    assert member.rank == "gold"


def test_a_history_goes_on_behind_a_key_of_the_same_member_only(member: User) -> None:
    for number in range(3):
        add_at_counter(db.session(), member, 100, key=f"more {number}")
    add_at_counter(db.session(), _member("other"), 100, key="of another")
    db.session.commit()
    assert [entry.key for entry in history(db.session(), member, before="more 1")] == [
        "more 0",
        "first",
    ]
    assert history(db.session(), member, before="of another") == []


#: What a reader of English can't read; the other languages name themselves.
JAPANESE = re.compile("[\u3040-\u30ff\u3400-\u9fff]")
INSIDE_LINE = ("", "/points", "/orders", "/membership/preferences", "/membership/coupons")


def test_who_chose_english_reads_no_japanese_inside_line(
    app: Flask, phone: FlaskClient, member: User
) -> None:
    spend(db.session(), member, 30, key="spent")
    db.session.commit()
    assert phone.post("/language", data={"language": "en"}).status_code == 302
    account = accounts.account_of(db.session(), member.id)
    assert account
    assert account.language == "en"
    for path in INSIDE_LINE:
        page = phone.get(f"/line/liff{path}", headers={"Accept-Language": "ja"}).text
        shown = re.sub(r"<script.*?</script>|<style.*?</style>", "", page, flags=re.DOTALL)
        assert not JAPANESE.search(shown), (path, JAPANESE.search(shown))
        assert "Komorebi-do" in page
    points = phone.get("/line/liff/points").text
    assert "Purchase in the shop, ¥12,000" in points
    assert "−30" in points


def test_a_choice_inside_line_is_the_shops_too(phone: FlaskClient) -> None:
    for language in ("en", "ja"):
        token = token_in(phone.get("/line/liff/membership"))
        phone.post("/line/liff/language", data={"language": language, "csrf_token": token})
        assert f'<html lang="{language}">' in phone.get("/my-page").text
    # The newest choice counts, wherever it was made.
    phone.post("/language", data={"language": "en"})
    assert '<html lang="en">' in phone.get("/line/liff/membership").text
