"""Whose an e-mail address is can't be asked in bulk."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from flask_lineconnect.state import LineState
from flask_lineconnect.testing.plugin import Emulator
from flask_lineconnect.testing.plugin import LineBrowser
from flask_lineconnect.web.rate_limits import MEMBERSHIP_RATE
from tests.login.doors import DOORS
from tests.people import add_member
from tests.people import press
from tests.people import sign_up
from tests.small_shop import SmallShop
from tests.small_shop import User

pytestmark = pytest.mark.joined
TRIES = int(MEMBERSHIP_RATE.split("/")[0])
TOO_OFTEN = "短い時間に何度もお試しになったようです。"
TAKEN = "hanako@mail.example"


def _member_with_address(line: LineState) -> None:
    add_member(line).email = TAKEN
    line.session.commit()


@pytest.mark.parametrize("door", DOORS)
def test_S3_10_a_registration_says_so_often_that_somebody_is_a_member(
    client: FlaskClient,
    line: LineState,
    sakura: LineBrowser,
    line_emulator: Emulator,
    door: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _member_with_address(line)
    DOORS[door](client, sakura, line_emulator)
    form = {"display_name": "佐藤", "email": TAKEN}
    answers = [press(client, "/line/sign-up", **form) for _try in range(TRIES)]
    assert all("すでに会員登録があるようです" in answer.text for answer in answers)
    asked: list[object] = []
    monkeypatch.setattr(SmallShop, "sign_up", lambda _shop, profile: asked.append(profile))
    known = press(client, "/line/sign-up", **form)
    form["email"] = "nobody@mail.example"
    unknown = press(client, "/line/sign-up", **form)
    assert known.status_code == unknown.status_code == 429
    assert TOO_OFTEN in known.text
    assert TOO_OFTEN in unknown.text
    assert 'value="nobody@mail.example"' in unknown.text
    assert asked == []


def test_S3_10_a_new_session_counts_on(
    client: FlaskClient, line: LineState, sakura: LineBrowser
) -> None:
    _member_with_address(line)
    form = {"email": TAKEN}
    for _try in range(TRIES):
        sign_up(client.application.test_client(), sakura, **form)
    assert sign_up(client.application.test_client(), sakura, **form).status_code == 429


def test_S3_10_mistakes_in_the_form_are_not_counted(
    client: FlaskClient, line: LineState, sakura: LineBrowser
) -> None:
    for _try in range(TRIES + 3):
        assert sign_up(client, sakura, email="no address").status_code == 200
    assert sign_up(client, sakura, email="sakura@mail.example").status_code == 302
    line.session.rollback()
    assert len(line.session.scalars(select(User)).all()) == 1


def test_S3_10_a_profile_says_so_often_that_an_address_is_taken(
    client: FlaskClient, line: LineState, sakura: LineBrowser
) -> None:
    _member_with_address(line)
    sign_up(client, sakura)
    path = "/line/liff/membership/profile"
    # Registering was one.
    for _try in range(TRIES - 1):
        answer = press(client, path, name="佐藤", email=TAKEN)
        assert "この内容では登録できません" in answer.text
    assert TOO_OFTEN in press(client, path, name="佐藤", email=TAKEN).text
    assert TOO_OFTEN in press(client, path, name="佐藤", email="free@mail.example").text
