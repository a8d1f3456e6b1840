"""The membership pages: profile, preferences, language, and what is another's."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from flask_lineconnect import Category
from flask_lineconnect import Coupon
from flask_lineconnect.i18n import LANGUAGE_KEY
from flask_lineconnect.linking import accounts
from flask_lineconnect.models import MemberEvent
from flask_lineconnect.outbox.preferences import declined_by
from flask_lineconnect.state import LineState
from tests.conftest import DATABASES
from tests.people import add_member
from tests.people import link
from tests.people import open_as
from tests.people import token_in
from tests.small_shop import SmallMembership
from tests.small_shop import User
from tests.small_shop import db

from .test_orders import BareShop

on_both = pytest.mark.parametrize("database", DATABASES, indirect=True)
BASE = "/line/liff/membership"
PREFERENCES = f"{BASE}/preferences"
PROFILE = f"{BASE}/profile"


def _send(client: FlaskClient, path: str, **form: str | list[str]) -> TestResponse:
    return client.post(path, data={"csrf_token": token_in(client.get(path)), **form})


def _declined(line: LineState, member: User) -> frozenset[str]:
    line.session.rollback()
    account = accounts.account_of(line.session, member.id)
    assert account
    return declined_by(line.session, account)


def _checked(answer: TestResponse) -> set[str]:
    return set(re.findall(r'name="wanted" value="(\w+)" checked', answer.text))


@on_both
def test_what_is_not_ticked_is_not_wanted(
    phone: FlaskClient, line: LineState, hanako: User
) -> None:
    assert _checked(phone.get(PREFERENCES)) >= {"order", "news", "birthday"}
    answer = _send(phone, PREFERENCES, wanted=["order", "points"])
    assert (answer.status_code, answer.location) == (303, BASE)
    assert 'role="status">保存しました。' in phone.get(BASE).text
    assert _declined(line, hanako) == {"restock", "cart", "news", "birthday"}
    assert _checked(phone.get(PREFERENCES)) == {"order", "points"}
    # Each was told of once, also where more is declined later.
    _send(phone, PREFERENCES, wanted=["order"])
    told = select(MemberEvent).filter_by(name="line.declined", member_id=hanako.id)
    names = sorted(event.facts["category"] for event in line.session.scalars(told))
    assert names == ["birthday", "cart", "news", "points", "restock"]


def test_what_is_not_optional_can_not_be_declined(
    phone: FlaskClient, line: LineState, hanako: User
) -> None:
    assert 'value="account"' not in phone.get(PREFERENCES).text
    _send(phone, PREFERENCES, wanted=["nonsense", "news"])
    assert "account" not in _declined(line, hanako)
    assert _declined(line, hanako) == {"order", "points", "restock", "cart", "birthday"}


def test_the_shops_own_categories_are_listed(
    phone: FlaskClient, line: LineState, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = [Category("shop", "お店から"), Category("ad", "広告", is_marketing=True)]
    monkeypatch.setattr(line.shop, "categories", own)
    assert _checked(phone.get(PREFERENCES)) == {"shop", "ad"}


@on_both
def test_S10_2_one_members_wishes_are_not_anothers(
    app: Flask, phone: FlaskClient, line: LineState, hanako: User
) -> None:
    kenta = add_member(line, "鈴木 健太")
    link(line, kenta, "b")
    _send(open_as(app.test_client(), kenta), PREFERENCES, member_id=str(hanako.id))
    assert _declined(line, kenta)
    assert _declined(line, hanako) == frozenset()


def test_the_profile_is_the_shops_own_form_and_is_kept(phone: FlaskClient, hanako: User) -> None:
    assert 'value="山田 花子"' in phone.get(PROFILE).text
    answer = _send(phone, PROFILE, name="山田 はな", email="new@mail.example", is_locked="1")
    assert answer.location == BASE
    db.session.refresh(hanako)
    assert (hanako.name, hanako.email) == ("山田 はな", "new@mail.example")
    assert hanako.is_locked is False


def test_what_the_form_refuses_is_said_beside_the_field(phone: FlaskClient, hanako: User) -> None:
    answer = _send(phone, PROFILE, name="", email="new@mail.example")
    assert answer.status_code == 200
    assert "お名前を入力してください。" in answer.text
    assert 'aria-invalid="true"' in answer.text
    db.session.refresh(hanako)
    assert hanako.name == "山田 花子"


@on_both
def test_what_the_database_refuses_is_said_above_the_form(
    phone: FlaskClient, line: LineState, hanako: User
) -> None:
    kenta = add_member(line, "鈴木 健太")
    answer = _send(phone, PROFILE, name="山田 はな", email=str(kenta.email))
    assert "この内容では登録できません" in answer.text
    assert str(kenta.email) in answer.text  # What was typed stays typed.
    db.session.rollback()
    db.session.refresh(hanako)
    assert hanako.name == "山田 花子"


def test_a_bare_shop_has_preferences_and_unlinking_and_no_more(
    phone: FlaskClient, line: LineState, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert f'href="{PROFILE}"' in phone.get(BASE).text
    monkeypatch.setattr(line, "shop", BareShop())
    hub = phone.get(BASE).text
    assert re.findall(r'<li><a href="([^"]+)"', hub) == [PREFERENCES, "/line/unlink"]
    for missing in ("profile", "coupons", "coupons/x", "favourites"):
        assert phone.get(f"{BASE}/{missing}").status_code == 404, missing


def _h1(client: FlaskClient, path: str, accepts: str = "ja") -> str:
    answer = client.get(path, headers={"Accept-Language": accepts})
    found = re.search(r"<h1[^>]*>([^<]+)", answer.text)
    assert found
    return found[1]


def _choose(client: FlaskClient, language: str, **form: str) -> TestResponse:
    token = token_in(client.get(BASE))
    data = {"csrf_token": token, "language": language, **form}
    return client.post("/line/liff/language", data=data)


def test_the_chosen_language_goes_before_the_browsers(phone: FlaskClient) -> None:
    assert _h1(phone, PREFERENCES) == "お知らせの設定"
    assert _choose(phone, "en").location == BASE
    assert _h1(phone, PREFERENCES) == "Message preferences"
    assert re.search(r'value="en"[^>]*aria-pressed="true"', phone.get(BASE).text)
    _choose(phone, "ja")
    assert _h1(phone, PREFERENCES, accepts="en") == "お知らせの設定"


@pytest.mark.parametrize("nonsense", ["xx", "../en", "", "e" * 5_000])
def test_a_language_that_is_not_there_is_not_kept(phone: FlaskClient, nonsense: str) -> None:
    _choose(phone, nonsense)
    assert _h1(phone, PREFERENCES) == "お知らせの設定"


def test_S4_4_the_language_leads_back_to_our_own_pages_only(phone: FlaskClient) -> None:
    assert _choose(phone, "en", next="https://evil.example/").location == BASE
    assert _choose(phone, "en", next=PROFILE).location == PROFILE


def test_the_chosen_language_outlives_a_renewed_session(phone: FlaskClient, hanako: User) -> None:
    _choose(phone, "en")
    token = token_in(phone.get(BASE))
    phone.post("/line/liff/link/not-me", data={"csrf_token": token})
    assert phone.get("/private").status_code == 302
    open_as(phone, hanako)
    assert _h1(phone, PREFERENCES) == "Message preferences"


def test_S6_3_a_head_request_changes_nothing(
    phone: FlaskClient, line: LineState, hanako: User
) -> None:
    for path in (PREFERENCES, PROFILE):
        assert phone.head(path).status_code == 200
    assert _declined(line, hanako) == frozenset()


@pytest.mark.parametrize(
    ("amount", "currency", "language", "written"),
    [
        (300, "JPY", "ja", "300円引き"),
        (1_000, "JPY", "en", "¥1,000 off"),
        (30, "TWD", "zh_Hant", "折抵 NT$30"),
        (Decimal("99.5"), "THB", "th", "ลด ฿99.50"),
        (Decimal("3.5"), "USD", "en", "$3.50 off"),
    ],
)
def test_a_coupon_says_what_it_takes_off_as_its_country_writes_it(
    phone: FlaskClient,
    monkeypatch: pytest.MonkeyPatch,
    amount: int | Decimal,
    currency: str,
    language: str,
    written: str,
) -> None:
    coupons = [
        Coupon("tea", "お茶", amount=amount, currency=currency),
        Coupon("bean", "豆大福 1個プレゼント"),
    ]
    monkeypatch.setattr(SmallMembership, "coupons", lambda _desk, _member: coupons)
    with phone.session_transaction() as session:
        session[LANGUAGE_KEY] = language
    assert phone.get(f"{BASE}/coupons").text.count(f'lc-worth">{written}<') == 1
    assert f'lc-worth">{written}<' in phone.get(f"{BASE}/coupons/tea").text
    assert "lc-worth" not in phone.get(f"{BASE}/coupons/bean").text
