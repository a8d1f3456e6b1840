"""The exchange of a LIFF ID token: who gets a session, and who does not."""

from __future__ import annotations

import base64
import json
import re
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs
from urllib.parse import urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_login import user_logged_out
from flask_wtf.csrf import generate_csrf
from sqlalchemy import func
from sqlalchemy import select
from werkzeug.test import TestResponse

from flask_lineconnect.engines import upkeep
from flask_lineconnect.linking import accounts as linking
from flask_lineconnect.linking import unlinking
from flask_lineconnect.models import Account
from flask_lineconnect.models import EndedLink
from flask_lineconnect.models import LoginAttempt
from flask_lineconnect.state import LineState
from flask_lineconnect.testing.plugin import Emulator
from flask_lineconnect.vault import hashed
from tests.conftest import MakeApp
from tests.people import add_member
from tests.people import link
from tests.small_shop import User
from tests.small_shop import line as extension

pytestmark = pytest.mark.joined

BASE_URL = "http://127.0.0.1:5999"


@pytest.fixture
def sakura(line_emulator: Emulator) -> str:
    """Return a LINE user id."""
    return line_emulator.add_user("佐藤 さくら", email="sakura@mail.example")


def _id_token(emulator: Emulator, user_id: str) -> str:
    """Open the LIFF app on a phone, and take what LINE hands to the page."""
    address = emulator.browser(user_id).open_in_app(f"{emulator.url}/1650000001-DemoCard")
    return parse_qs(urlsplit(address).fragment)["id_token"][0]


def _csrf_token(client: FlaskClient) -> str:
    token = re.search(r'data-csrf-token="([^"]+)"', client.get("/line/liff").text)
    assert token
    return token[1]


def _exchange(client: FlaskClient, id_token: object, **changes: Any) -> TestResponse:
    headers = {"X-CSRFToken": _csrf_token(client), "Origin": BASE_URL, **changes.pop("headers", {})}
    return client.post(
        "/line/liff/session",
        json={"id_token": id_token, "next": "/line/liff", **changes},
        headers={name: value for name, value in headers.items() if value},
    )


def _link(
    client: FlaskClient, emulator: Emulator, user_id: str, email: str = "s@mail.example"
) -> None:
    assert _exchange(client, _id_token(emulator, user_id)).json == {
        "changed": True,
        "location": "/line/liff/sign-up",
    }
    token = re.search(r'name="csrf_token" value="([^"]+)"', client.get("/line/liff/sign-up").text)
    assert token
    form = {"csrf_token": token[1], "display_name": "佐藤 さくら", "email": email}
    client.post("/line/liff/sign-up", data=form)


def _count(line: LineState) -> tuple[int, int]:
    line.session.rollback()
    accounts = line.session.scalar(select(func.count()).select_from(Account)) or 0
    return accounts, line.session.scalar(select(func.count()).select_from(User)) or 0


def test_somebody_new_registers_inside_liff_and_sees_the_card(
    client: FlaskClient, line: LineState, line_emulator: Emulator, sakura: str
) -> None:
    _link(client, line_emulator, sakura)
    page = client.get("/line/liff").text
    assert "0000 0000 0000 1" in re.sub(r"<[^>]+>", "", page)
    assert _count(line) == (1, 1)


def test_a_linked_customer_gets_a_session_and_then_keeps_it(
    app: Flask, client: FlaskClient, line_emulator: Emulator, sakura: str
) -> None:
    _link(client, line_emulator, sakura)
    phone = app.test_client()
    id_token = _id_token(line_emulator, sakura)
    assert _exchange(phone, id_token).json == {"changed": True, "location": "/line/liff"}
    assert phone.get("/private").status_code == 200
    # The SDK gives the same token for an hour.
    again = phone.post(
        "/line/liff/session",
        json={"id_token": id_token},
        headers={"X-CSRFToken": _csrf_of_card(phone), "Origin": BASE_URL},
    )
    assert again.json == {"changed": False, "location": "/line/liff"}


def _csrf_of_card(client: FlaskClient) -> str:
    return _csrf_token(client)


def test_a_first_visit_gets_the_card_with_the_session(
    app: Flask, client: FlaskClient, line_emulator: Emulator, sakura: str
) -> None:
    _link(client, line_emulator, sakura)
    phone = app.test_client()
    answer = _exchange(phone, _id_token(line_emulator, sakura), draw=True).json
    assert answer is not None
    drawn, opened = answer["page"], phone.get("/line/liff").text
    assert set(re.findall(r'nonce="([^"]+)"', drawn)) == {answer["nonce"]}
    for page in (drawn, opened):
        assert "0000 0000 0000 1" in re.sub(r"<[^>]+>", "", page)
        assert '/line/liff/phone.svg?here=/line/liff"' in page
    # Its forms and scripts belong to the new session.
    token = re.search(r'data-csrf-token="([^"]+)"', drawn)
    assert token
    headers = {"X-CSRFToken": token[1], "Origin": BASE_URL}
    again = phone.post("/line/liff/session", json={"id_token": ""}, headers=headers)
    assert again.json is not None
    assert again.json["step"] == "kid"


@pytest.mark.parametrize(
    ("wanted", "draw"),
    [("/line/liff", False), ("/line/liff", None), ("/line/liff/points", True), ("/", True)],
)
def test_no_other_page_comes_with_the_session(
    app: Flask, client: FlaskClient, line_emulator: Emulator, sakura: str, wanted: str, draw: object
) -> None:
    _link(client, line_emulator, sakura)
    phone = app.test_client()
    answer = _exchange(phone, _id_token(line_emulator, sakura), next=wanted, draw=draw)
    assert answer.json == {"changed": True, "location": wanted}


def test_S5_3_whoever_takes_a_session_over_gets_no_page_of_the_same_request(
    app: Flask, client: FlaskClient, line_emulator: Emulator, sakura: str
) -> None:
    """What the shop has read for the request by then is the person's before."""
    _link(client, line_emulator, sakura)
    kenta = line_emulator.add_user("鈴木 健太")
    _link(app.test_client(), line_emulator, kenta, "k@mail.example")
    answer = _exchange(client, _id_token(line_emulator, kenta), draw=True)
    assert answer.json == {"changed": True, "location": "/line/liff/switch"}


def test_S6_a_token_that_the_shop_asked_for_early_is_not_the_new_sessions(
    app: Flask, client: FlaskClient, line_emulator: Emulator, sakura: str
) -> None:
    _link(client, line_emulator, sakura)
    app.before_request_funcs.setdefault(None, []).append(lambda: generate_csrf() and None)
    phone = app.test_client()
    answer = _exchange(phone, _id_token(line_emulator, sakura), draw=True).json
    assert answer is not None
    token = re.search(r'data-csrf-token="([^"]+)"', answer["page"])
    assert token
    headers = {"X-CSRFToken": token[1], "Origin": BASE_URL}
    again = phone.post("/line/liff/session", json={"id_token": ""}, headers=headers)
    assert again.json is not None
    assert again.json["step"] == "kid"


def test_S5_5_the_card_that_comes_with_a_session_has_a_mark_of_its_own(
    app: Flask, client: FlaskClient, line_emulator: Emulator, sakura: str
) -> None:
    _link(client, line_emulator, sakura)
    client.get("/line/liff")
    before = client.get_cookie("lineconnect_card")
    client.delete_cookie("session")
    kenta = line_emulator.add_user("鈴木 健太")
    _link(app.test_client(), line_emulator, kenta, "k@mail.example")
    answer = _exchange(client, _id_token(line_emulator, kenta), draw=True)
    after = client.get_cookie("lineconnect_card")
    assert before
    assert after
    assert answer.headers["X-LineConnect-Card"] == after.value != before.value


def test_S5_3_another_person_in_line_replaces_the_session(
    app: Flask, client: FlaskClient, line: LineState, line_emulator: Emulator, sakura: str
) -> None:
    _link(client, line_emulator, sakura)
    kenta = line_emulator.add_user("鈴木 健太")
    answer = _exchange(client, _id_token(line_emulator, kenta))
    assert answer.json == {"changed": True, "location": "/line/liff/sign-up"}
    assert client.get("/private").status_code == 302


def test_S5_3_somebody_unlinked_ends_the_members_login_for_good(
    app: Flask, client: FlaskClient, line: LineState, line_emulator: Emulator, sakura: str
) -> None:
    hanako = add_member(line)
    link(line, hanako)
    client.post(f"/password-login/{hanako.id}?remember=1")
    token = _csrf_token(client)
    assert client.get_cookie("remember_token")
    assert client.get_cookie("lineconnect_card")
    told: list[Any] = []

    def note(_app: Flask, user: Any) -> None:
        told.append(user.id)

    user_logged_out.connect(note, app)
    answer = client.post(
        "/line/liff/session",
        json={"id_token": _id_token(line_emulator, sakura), "next": "/line/liff"},
        headers={"X-CSRFToken": token, "Origin": BASE_URL},
    )
    assert answer.json == {"changed": True, "location": "/line/liff/sign-up"}
    assert told == [hanako.id]
    for name in ("remember_token", "lineconnect_card"):
        assert client.get_cookie(name) is None, name
    assert hanako.name not in client.get("/line/liff").text
    assert client.get("/private").status_code == 302
    assert client.get("/line/liff/sign-up").status_code == 200


def test_I11_a_forged_user_id_beside_the_token_is_not_looked_at(
    client: FlaskClient, line: LineState, line_emulator: Emulator, sakura: str
) -> None:
    forged = "U" + "f" * 32
    _exchange(client, _id_token(line_emulator, sakura), user_id=forged, userId=forged)
    line.session.rollback()
    assert line.session.scalars(select(Account.line_user_id)).one() == sakura


def _tampered(id_token: str, **changes: Any) -> str:
    header, payload, signature = id_token.split(".")
    claims = json.loads(base64.urlsafe_b64decode(payload + "=="))
    body = base64.urlsafe_b64encode(json.dumps({**claims, **changes}).encode()).rstrip(b"=")
    return f"{header}.{body.decode()}.{signature}"


def test_I12_bad_tokens_change_nothing(
    client: FlaskClient, line: LineState, line_emulator: Emulator, sakura: str
) -> None:
    right = _id_token(line_emulator, sakura)
    bad: list[object] = [
        None,
        5,
        "",
        "a.b.c",
        right[:-6] + "AAAAAA",
        _tampered(right, sub="U" + "f" * 32),
        _tampered(right, aud="1650000009"),
        "x" * 10_000,
    ]
    for token in bad:
        answer = _exchange(client, token)
        assert answer.status_code in {401, 403}, token
        assert answer.json
        assert set(answer.json) == {"message", "step"}
    assert _count(line) == (0, 0)


@pytest.mark.parametrize("end", ["unlink", "erase"])
def test_a_token_from_before_the_end_of_a_link_brings_nobody_back(
    app: Flask,
    client: FlaskClient,
    line: LineState,
    line_emulator: Emulator,
    sakura: str,
    end: str,
) -> None:
    _link(client, line_emulator, sakura)
    before = _id_token(line_emulator, sakura)
    getattr(extension, end)(line.session.scalars(select(User)).one())
    line.session.commit()
    left = _count(line)

    answer = _exchange(app.test_client(), before)
    assert answer.status_code == 401
    assert answer.json
    assert answer.json["step"] == "ended"
    assert _count(line) == left
    assert line.session.scalars(select(LoginAttempt)).all() == []
    assert sakura not in line.session.scalars(select(EndedLink.line_user_hash)).one()


def test_a_token_from_after_the_end_of_a_link_begins_anew(
    app: Flask, client: FlaskClient, line: LineState, line_emulator: Emulator, sakura: str
) -> None:
    _link(client, line_emulator, sakura)
    account, member = line.session.scalars(select(Account)).one(), line.session.get_one(User, 1)
    now = line.clock()
    unlinking.unlink(line, account, actor="member", now=now - timedelta(seconds=20))
    linking.link(line, account, member.id, source=None, now=now)
    unlinking.erase(line, account, now=now - timedelta(seconds=10))
    line.session.commit()
    person, newest = hashed(sakura), line.session.scalars(select(EndedLink.ended_at)).one()
    assert newest == now - timedelta(seconds=10)
    assert line.session.scalars(select(EndedLink.line_user_hash)).one() == person
    assert _exchange(app.test_client(), _id_token(line_emulator, sakura)).status_code == 200
    upkeep.clear_expired(line.session, now=now + timedelta(hours=2))
    assert line.session.scalars(select(EndedLink)).all() == []


@pytest.mark.parametrize(
    "headers", [{"Origin": "https://evil.example"}, {"Origin": None}, {"X-CSRFToken": None}]
)
def test_S5_2_only_our_own_pages_may_exchange(
    client: FlaskClient,
    line: LineState,
    line_emulator: Emulator,
    sakura: str,
    headers: dict[str, str | None],
) -> None:
    answer = _exchange(client, _id_token(line_emulator, sakura), headers=headers)
    assert answer.status_code == 403
    assert _count(line) == (0, 0)


@pytest.mark.parametrize("page", ["/line/liff", "/line/liff/", "/line/liff/orders"])
def test_I4_the_endpoint_never_redirects(client: FlaskClient, page: str) -> None:
    for query in ("", "?liff.state=%2Forders", "?liff.referrer=x&lineAppVersion=1"):
        answer = client.get(page + query)
        assert answer.status_code == 200
        assert "%2Forders" not in answer.text


def test_S6_4_private_pages_carry_their_headers(client: FlaskClient) -> None:
    headers = client.get("/line/liff").headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "'unsafe" not in policy
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"


def test_S6_4_the_real_line_may_not_frame_us(make_app: MakeApp) -> None:
    answer = make_app().test_client().get("/line/liff")
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
