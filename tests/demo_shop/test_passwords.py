"""The ways back in: a first password, a forgotten one, and the mails that prove whose they are."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from demo_shop import tries
from demo_shop.extensions import db
from demo_shop.members import make_member
from demo_shop.members import recognise
from demo_shop.models import User
from demo_shop.passwords import set_password
from demo_shop.tries import FOR_EMAIL

EMAIL, FIRST, SECOND = "sakura@shop.example", "the first one", "another one"


@pytest.fixture
def sakura(app: Flask) -> User:
    """Return a member who registered with LINE and has no password."""
    member = make_member(db.session(), email=EMAIL, name="佐藤 さくら")
    assert member is not None
    db.session.commit()
    return member


def _link_in_the_mail(client: FlaskClient) -> str:
    client.post("/forgotten-password", data={"email": "ＳＡＫＵＲＡ＠shop.example"})
    link = re.search(r'href="http://[^/"]+(/set-password/[^"]+)"', client.get("/mails").text)
    assert link
    return link[1]


def _enter(client: FlaskClient, path: str, **form: str) -> str | None:
    return client.post(path, data={"repeated": form["password"], **form}).location


def _is_password(password: str) -> bool:
    db.session.rollback()
    return recognise(db.session(), email=EMAIL, password=password) is not None


def test_a_mail_lets_a_member_of_line_alone_back_in(client: FlaskClient, sakura: User) -> None:
    link = _link_in_the_mail(client)
    assert "パスワードの設定" in client.get(link).text
    assert _enter(client, link, password=FIRST) == "/my-page"
    assert "佐藤 さくら" in client.get("/my-page").text
    assert _is_password(FIRST)


def test_a_link_sets_one_password(app: Flask, client: FlaskClient, sakura: User) -> None:
    link = _link_in_the_mail(client)
    _enter(client, link, password=FIRST)
    stranger = app.test_client()
    assert _enter(stranger, link, password=SECOND) == "/forgotten-password"
    assert stranger.get("/set-password/forged").location == "/forgotten-password"
    assert _is_password(FIRST)


def test_nobody_learns_who_is_a_member(client: FlaskClient, sakura: User) -> None:
    known = client.post("/forgotten-password", data={"email": EMAIL})
    assert "お送りしました" in client.get(known.location).text
    unknown = client.post("/forgotten-password", data={"email": "nobody@shop.example"})
    assert unknown.location == known.location
    assert "お送りしました" in client.get(unknown.location).text
    assert "nobody@shop.example" not in client.get("/mails").text


def test_who_has_a_password_must_know_it(client: FlaskClient, sakura: User) -> None:
    _enter(client, _link_in_the_mail(client), password=FIRST)
    wrong = {"current": "wrong", "password": SECOND, "repeated": SECOND}
    assert "いまのパスワードが違います" in client.post("/set-password", data=wrong).text
    assert _is_password(FIRST)
    back = _enter(client, "/set-password?next=/cart", current=FIRST, password=SECOND)
    assert back == "/cart"
    assert client.get("/my-page").status_code == 200
    assert _is_password(SECOND)


def test_the_extension_knows_the_pages(app: Flask, client: FlaskClient, sakura: User) -> None:
    shop = app.extensions["lineconnect"].shop
    for endpoint in (shop.set_password_endpoint, shop.terms_endpoint):
        assert endpoint in app.view_functions
    assert "会員規約" in client.get("/terms").text
    page = client.get("/register").text
    assert re.search(r'<a href="/terms"[^>]*>会員規約</a>に同意する', page)


def test_a_locked_member_gets_no_link(client: FlaskClient, sakura: User) -> None:
    sakura = db.session.scalars(select(User)).one()
    sakura.is_locked = True
    db.session.commit()
    client.post("/forgotten-password", data={"email": EMAIL})
    assert EMAIL not in client.get("/mails").text


@pytest.mark.parametrize(
    ("asked", "language"),
    [("ja-JP,en", "ja"), ("ja,en-US;q=0.9", "ja"), ("en-GB,ja;q=0.5", "en"), ("fr", "ja")],
)
def test_the_language_is_the_one_asked_for_first(
    client: FlaskClient, asked: str, language: str
) -> None:
    page = client.get("/", headers={"Accept-Language": asked}).text
    assert f'<html lang="{language}">' in page


GUESSES = int(FOR_EMAIL.partition("/")[0])


@pytest.mark.parametrize("email", [EMAIL, "nobody@shop.example"])
def test_S12_passwords_are_tried_so_often_for_known_and_unknown_addresses(
    app: Flask, client: FlaskClient, sakura: User, email: str
) -> None:
    set_password(sakura, FIRST)
    db.session.commit()
    wrong = {"email": email, "password": "a guess"}
    statuses = [client.post("/log-in", data=wrong).status_code for _try in range(GUESSES + 1)]
    assert statuses == [200] * GUESSES + [429]
    # Neither another browser nor the right password is let in.
    for spelled in (email, email.upper()):
        right = {"email": spelled, "password": FIRST}
        answer = app.test_client().post("/log-in", data=right)
        assert answer.status_code == 429
        assert "短い時間に何度もお試しになったようです" in answer.text
    assert client.get("/log-in").status_code == 200


def test_S12_right_passwords_are_not_counted(app: Flask, sakura: User) -> None:
    set_password(sakura, FIRST)
    db.session.commit()
    right = {"email": EMAIL, "password": FIRST}
    logins = [app.test_client().post("/log-in", data=right) for _try in range(GUESSES + 2)]
    assert {answer.status_code for answer in logins} == {302}


def test_S12_an_address_tries_so_many_members(
    client: FlaskClient, sakura: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tries, "FROM_ADDRESS", "3/hour")
    guesses = [{"email": f"m{number}@shop.example", "password": "x"} for number in range(4)]
    statuses = [client.post("/log-in", data=guess).status_code for guess in guesses]
    assert statuses == [200, 200, 200, 429]


def test_S12_whose_an_address_is_is_told_so_often(client: FlaskClient, sakura: User) -> None:
    form = {"name": "花子", "email": EMAIL, "password": FIRST, "repeated": FIRST}
    form["accepts_terms"] = "y"
    statuses = [client.post("/register", data=form).status_code for _try in range(GUESSES + 1)]
    assert statuses == [200] * GUESSES + [429]
    assert client.post("/forgotten-password", data={"email": EMAIL}).status_code == 429


def test_S12_the_current_password_is_tried_so_often(client: FlaskClient, sakura: User) -> None:
    set_password(sakura, FIRST)
    db.session.commit()
    client.post("/log-in", data={"email": EMAIL, "password": FIRST})
    wrong = {"current": "a guess", "password": SECOND, "repeated": SECOND}
    statuses = [client.post("/set-password", data=wrong).status_code for _try in range(GUESSES + 1)]
    assert statuses == [200] * GUESSES + [429]
    assert not _is_password(SECOND)
