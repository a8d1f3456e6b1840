"""What a LIFF page's tokens hold, open, and how they end."""

from __future__ import annotations

from flask_lineconnect.emulator.login import id_tokens

from ..conftest import SAKURA
from ..login.login_browser import CHANNEL
from ..login.login_browser import ENDPOINT
from ..login.login_browser import LIFF_ID
from ..login.login_browser import Browser
from ..login.login_browser import parts_of
from .opened import open_on_phone
from .opened import set_scope


def test_I7_without_openid_there_is_no_id_token(sakura: Browser) -> None:
    set_scope(sakura.line, "profile", "chat_message.write")
    assert "id_token" not in open_on_phone(sakura)[1]
    answer = sakura.exchange_liff(sakura.log_in(liff=True)["code"]).json()
    assert "id_token" not in answer
    assert set(answer["scope"].split()) == {"profile", "chat_message.write"}


def test_I8_without_the_scope_there_is_no_profile(sakura: Browser) -> None:
    set_scope(sakura.line, "openid")
    token = open_on_phone(sakura)[1]["access_token"]
    assert sakura.read("/v2/profile", token).status_code == 403


def test_I9_a_revoked_token_fails_init(sakura: Browser) -> None:
    token = open_on_phone(sakura)[1]["access_token"]
    with sakura.line.platform.change() as world:
        world.login_tokens[token].is_revoked = True
    answer = sakura.get(f"/oauth2/v2.1/verify?access_token={token}")
    assert answer.status_code == 400
    assert answer.json()["error_description"] == "The access token revoked"


def test_I10_tokens_of_a_page_end_after_hours(sakura: Browser) -> None:
    given = open_on_phone(sakura)[1]
    form = {"id_token": given["id_token"], "client_id": CHANNEL}
    assert sakura.post("/oauth2/v2.1/verify", form).json()["sub"] == SAKURA
    sakura.line.platform.clock.advance(3_601)
    answer = sakura.post("/oauth2/v2.1/verify", form)
    assert (answer.status_code, answer.json()["error_description"]) == (400, "IdToken expired.")
    assert sakura.read("/v2/profile", given["access_token"]).status_code == 200
    sakura.line.platform.clock.advance(11 * 3_600)
    assert sakura.read("/v2/profile", given["access_token"]).status_code == 401


def test_I12_a_fault_makes_a_token_of_another_channel(sakura: Browser) -> None:
    sakura.line.platform.faults.add(id_token={"aud": "1650000009"})
    assert parts_of(open_on_phone(sakura)[1]["id_token"])[1]["aud"] == "1650000009"
    assert parts_of(open_on_phone(sakura)[1]["id_token"])[1]["aud"] == CHANNEL


def test_the_context_of_an_ordinary_browser(sakura: Browser) -> None:
    path = f"/liff/v2/apps/{LIFF_ID}/contextToken"
    nobody = parts_of(sakura.get(path).json()["contextToken"])[1]
    assert (nobody["type"], nobody["liffId"]) == ("external", LIFF_ID)
    assert not {"userId", "viewType", "accessTokenHash"} & set(nobody)
    assert (nobody["endpointUrl"], nobody["permanentLinkPattern"]) == (ENDPOINT, "concat")
    token = sakura.exchange_liff(sakura.log_in(liff=True)["code"]).json()["access_token"]
    somebody = parts_of(sakura.read(path, token).json()["contextToken"])[1]
    assert (somebody["type"], somebody["userId"]) == ("external", SAKURA)
    sakura.line.platform.clock.advance(13 * 3_600)
    assert "userId" not in parts_of(sakura.read(path, token).json()["contextToken"])[1]
    assert sakura.get("/liff/v2/apps/1-x/contextToken").json() == {"message": "not found"}
    feature = sakura.get(path.replace("context", "feature")).json()
    assert set(feature) == {"featureToken"}


def test_a_context_token_is_no_id_token(sakura: Browser) -> None:
    line = sakura.line.platform
    app = line.world.liff_apps[LIFF_ID]
    context = id_tokens.context_token(line, app, user=None, access_token=None, in_client=False)
    form = {"id_token": context, "client_id": CHANNEL}
    assert sakura.post("/oauth2/v2.1/verify", form).status_code == 400
