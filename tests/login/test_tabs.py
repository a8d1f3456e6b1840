"""Several tabs at once, in any order: whichever is finished goes on, and nothing is done twice."""

from __future__ import annotations

import itertools

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func
from sqlalchemy import select

from flask_lineconnect.state import LineState
from flask_lineconnect.testing.plugin import Emulator
from flask_lineconnect.testing.plugin import LineBrowser
from tests.conftest import MakeApp
from tests.people import BASE_URL
from tests.people import press
from tests.people import sign_up
from tests.people import token_in
from tests.small_shop import User


@pytest.fixture
def app(make_app: MakeApp, line_emulator: Emulator) -> Flask:
    """Return the small shop, joined to the emulator."""
    line_emulator.set_up(base_url=BASE_URL)
    return make_app(**line_emulator.settings(BASE_URL))


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_three_tabs_of_a_member_go_on_in_any_order(
    client: FlaskClient, sakura: LineBrowser, order: tuple[int, ...]
) -> None:
    sign_up(client, sakura)
    client.post("/logout")
    urls = [client.get(f"/line/login?next=/private?tab={tab}").location for tab in range(3)]
    for tab in order:
        assert client.get(sakura.log_in(urls[tab])).location == f"/private?tab={tab}"
    assert client.get("/private").text == "private"


def test_two_tabs_of_somebody_new_make_one_member(
    client: FlaskClient, line: LineState, sakura: LineBrowser
) -> None:
    urls = [client.get(f"/line/login?next=/private?tab={tab}").location for tab in range(2)]
    for url in reversed(urls):
        assert client.get(sakura.log_in(url)).location == "/line/sign-up"
    first = client.get("/line/sign-up")
    form = {"csrf_token": token_in(first), "display_name": "佐藤 さくら"}
    assert client.post("/line/sign-up", data=form).status_code == 302
    # The other tab still shows the form.
    for method in ("POST", "GET"):
        late = client.open("/line/sign-up", method=method, data=form)
        assert (late.status_code, late.location) == (303, "/line/liff")
        assert "LINEと連携しています" in client.get("/line/liff").text
    assert line.session.scalar(select(func.count()).select_from(User)) == 1
    assert client.get("/private").text == "private"


def test_a_tab_that_comes_back_after_another_one_registered_goes_on(
    client: FlaskClient, sakura: LineBrowser
) -> None:
    slow = client.get("/line/login?next=/private?tab=slow").location
    fast = client.get("/line/login?next=/private?tab=fast").location
    client.get(sakura.log_in(fast))
    done = press(client, "/line/sign-up", display_name="佐藤 さくら")
    assert done.location == "/private?tab=fast"
    assert client.get(sakura.log_in(slow)).location == "/private?tab=slow"


def test_a_form_that_waited_too_long_says_so_to_somebody_who_is_not_in(
    client: FlaskClient, sakura: LineBrowser
) -> None:
    client.get(sakura.log_in(client.get("/line/login").location))
    page = client.get("/line/sign-up")
    client.delete_cookie("session")
    answer = client.post("/line/sign-up", data={"csrf_token": token_in(page)})
    assert answer.status_code == 400
    assert "時間が経ちすぎました" in answer.text
