"""Campaigns in the console: listed with how many they reached, paused, resumed and cancelled."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from flask_lineconnect.models import Campaign
from flask_lineconnect.state import LineState
from tests import small_shop
from tests.people import add_member
from tests.people import link
from tests.people import token_in

from .conftest import CONSOLE
from .conftest import Open

CAMPAIGNS = f"{CONSOLE}/campaigns"
KEY = "spring:<b>2026"


@pytest.fixture
def campaign(line: LineState) -> str:
    """Begin a campaign to one member; return its key."""
    link(line, add_member(line, "山田 花子"))
    small_shop.line.begin_campaign(KEY, "春のお茶です。")
    line.session.commit()
    return KEY


def _press(client: FlaskClient, action: str, name: str = KEY) -> TestResponse:
    token = token_in(client.get(f"{CONSOLE}/more"))
    return client.post(f"{CAMPAIGNS}/{action}", data={"csrf_token": token, "name": name})


def _state(line: LineState) -> str | None:
    line.session.rollback()
    return line.session.scalar(select(Campaign.state))


def test_an_empty_list_says_what_comes_here(owner: FlaskClient) -> None:
    assert "まだ配信がありません" in owner.get(CAMPAIGNS).text


def test_a_campaign_is_listed_with_whom_it_reaches(owner: FlaskClient, campaign: str) -> None:
    page = owner.get(CAMPAIGNS).text
    assert "spring:&lt;b&gt;2026" in page
    assert "配信中" in page
    assert page.count("1人") >= 2


def test_an_editor_pauses_and_the_owner_goes_on_and_cancels(
    open_console: Open, campaign: str, line: LineState
) -> None:
    owner, editor = open_console("owner"), open_console("editor")
    assert _press(editor, "pause").status_code == 303
    assert _state(line) == "paused"
    assert _press(editor, "resume").status_code == 403
    assert _press(editor, "cancel").status_code == 403
    assert _press(owner, "resume").status_code == 303
    assert _state(line) == "running"
    assert _press(owner, "cancel").status_code == 303
    assert _state(line) == "cancelled"
    assert _press(owner, "cancel").status_code == 400, "it has ended"
    audit = owner.get(f"{CONSOLE}/audit").text
    for words in ("一時停止した", "再開した", "取り消した"):
        assert f"配信を{words}" in audit


@pytest.mark.parametrize("name", ["", "none", "a\nb"])
def test_what_is_no_campaign_is_refused(owner: FlaskClient, name: str) -> None:
    assert _press(owner, "cancel", name).status_code == 400
