"""LIFF over real HTTP, by the numbers of the fact sheet's list of behaviours."""

from __future__ import annotations

import hashlib
from typing import Any
from urllib.parse import parse_qs
from urllib.parse import quote
from urllib.parse import urlsplit

import pytest
import requests
from joserfc import jwt
from joserfc.jwk import KeySet
from linebot.v3 import liff

from flask_lineconnect.emulator.login import id_tokens

from ..conftest import KENTA
from ..conftest import SAKURA
from ..conftest import Line
from ..conftest import Shop
from ..login.login_browser import CHANNEL
from ..login.login_browser import ENDPOINT
from ..login.login_browser import LIFF_ID
from ..login.login_browser import SECRET
from ..login.login_browser import SITE
from ..login.login_browser import VERIFIER
from ..login.login_browser import Browser
from ..login.login_browser import Parameters
from ..login.login_browser import back
from ..login.login_browser import parts_of
from ..login.login_browser import phone_of
from ..login.login_browser import screen_of


@pytest.fixture
def sakura(line: Line) -> Browser:
    """Return a user's ordinary browser; the LIFF app belongs to a shop."""
    line.platform.set_base_url(SITE)
    return Browser(line)


def _scope(line: Line, *names: str) -> None:
    with line.platform.change() as world:
        world.liff_apps[LIFF_ID].scope = list(names)


def _location(browser: Browser, path: str) -> str:
    answer = browser.get(path)
    assert answer.status_code == 302, answer.text[:300]
    return answer.headers["Location"]


def _open(browser: Browser, rest: str = "") -> tuple[str, dict[str, str]]:
    """Open a LIFF URL on the phone; return the page's address and the credentials."""
    url = quote(f"https://liff.line.me/{LIFF_ID}{rest}", safe="")
    page, _, fragment = _location(browser, f"/phone/{browser.user_id}/open?url={url}").partition(
        "#"
    )
    return page, {name: values[0] for name, values in parse_qs(fragment).items()}


@pytest.mark.parametrize(
    ("rest", "state"),
    [
        ("", None),
        ("/", None),
        ("/book?menu=cut", "%2Fbook%3Fmenu%3Dcut"),
        ("?card=1", "%3Fcard%3D1"),
        ("/a/b/?x=%E8%8C%B6", "%2Fa%2Fb%2F%3Fx%3D%25E8%258C%25B6"),
        ("/a%2Fb", "%2Fa%252Fb"),
        ("/%E8%8C%B6", "%2F%25E8%258C%25B6"),
    ],
)
def test_I1_a_liff_url_leads_to_the_primary_page(
    sakura: Browser, rest: str, state: str | None
) -> None:
    page = ENDPOINT if state is None else f"{ENDPOINT}?liff.state={state}"
    assert _location(sakura, f"/{LIFF_ID}{rest}") == page
    assert _open(sakura, rest)[0] == page


def test_I1_the_endpoints_own_query_stays_first(sakura: Browser) -> None:
    with sakura.line.platform.change() as world:
        world.liff_apps[LIFF_ID].endpoint_url = "https://example.com/2020campaign/?key=value"
    assert _open(sakura, "/path_A/?key1=value1#f")[0] == (
        "https://example.com/2020campaign/?key=value&liff.state=%2Fpath_A%2F%3Fkey1%3Dvalue1%23f"
    )


@pytest.mark.parametrize("liff_id", [f"{CHANNEL}-Unknown0", "nothing"])
def test_there_must_be_such_an_app(sakura: Browser, liff_id: str) -> None:
    assert sakura.get(f"/{liff_id}").status_code == 404
    url = quote(f"https://liff.line.me/{liff_id}", safe="")
    assert sakura.get(f"/phone/{SAKURA}/open?url={url}").status_code == 404


def test_I2_the_app_hands_over_credentials(sakura: Browser) -> None:
    _page, given = _open(sakura)
    expected = "access_token context_token feature_token client_id mst_challenge id_token"
    assert set(given) == set(expected.split())
    assert given["client_id"] == CHANNEL
    assert sakura.read("/v2/profile", given["access_token"]).json()["userId"] == SAKURA
    header, claims = parts_of(given["id_token"])
    assert header["alg"] == "ES256"
    assert (claims["sub"], claims["aud"]) == (SAKURA, CHANNEL)
    assert claims["email"] == "sakura@example.com"
    context = parts_of(given["context_token"])[1]
    assert (context["type"], context["viewType"]) == ("utou", "full")
    assert (context["liffId"], context["endpointUrl"]) == (LIFF_ID, ENDPOINT)
    assert context["userId"] == SAKURA
    digest = hashlib.sha256(given["access_token"].encode()).hexdigest()
    assert context["accessTokenHash"] == digest[:32]


def test_I2_a_link_inside_the_app_comes_with_credentials_too(sakura: Browser) -> None:
    phone = phone_of(sakura.line, KENTA)
    location = _location(phone, f"/{LIFF_ID}/orders")
    fragment = parse_qs(urlsplit(location).fragment)
    assert parts_of(fragment["id_token"][0])[1]["sub"] == KENTA


def test_I2_an_email_address_that_was_kept_back_stays_back(sakura: Browser) -> None:
    sakura.tokens(email=False)
    assert "email" not in parts_of(_open(sakura)[1]["id_token"])[1]
    assert "email" not in sakura.line.platform.world.users[SAKURA].granted


def test_I3_outside_the_app_there_are_no_credentials(sakura: Browser) -> None:
    phone_of(sakura.line)
    sakura.get(f"/phone/{SAKURA}/open?url={SITE}/")
    assert "#" not in _location(sakura, f"/{LIFF_ID}")
    answer = sakura.get(f"/{LIFF_ID}", **{"User-Agent": "Mozilla/5.0 (iPhone) Safari Line/15.12.1"})
    assert "#access_token=" in answer.headers["Location"]


@pytest.mark.parametrize(
    "redirect_uri",
    [
        "https://evil.example/line/liff",
        f"{SITE}/elsewhere",
        f"{SITE}/line/liffx",
        ENDPOINT.replace("127.0.0.1", "localhost"),
        "http://[",
    ],
)
def test_I5_a_login_returns_below_the_endpoint_only(sakura: Browser, redirect_uri: str) -> None:
    answer = sakura.open({"redirect_uri": redirect_uri}, liff=True)
    assert answer.status_code == 400
    assert "Location" not in answer.headers


def test_liff_authorize_wants_a_known_app(sakura: Browser) -> None:
    assert sakura.open({"app_id": f"{CHANNEL}-Unknown0"}, liff=True).status_code == 400


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"code_challenge": None, "code_challenge_method": None}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
    ],
)
def test_I6_errors_come_back_as_the_sdk_wants_them(
    sakura: Browser, changes: Parameters, error: str
) -> None:
    found = back(sakura.open(changes, liff=True))
    assert (found["error"], found["liffOAuth2Error"]) == (error, error)
    assert found["error_description"]


def test_a_cancelled_liff_consent(sakura: Browser) -> None:
    consent = sakura.press(sakura.open(liff=True), user_id=SAKURA)
    found = back(sakura.press(consent, decision="cancel"))
    assert (found["error"], found["liffOAuth2Error"]) == ("access_denied", "access_denied")


def test_I6_the_exchange_of_a_page_needs_no_secret(sakura: Browser) -> None:
    found = sakura.log_in(liff=True)
    assert (found["liffClientId"], found["liffRedirectUri"]) == (CHANNEL, ENDPOINT)
    assert found["state"] == "abcdefghijkl"
    answer = sakura.exchange_liff(found["code"]).json()
    assert (answer["token_type"], answer["expires_in"]) == ("Bearer", 43_200)
    keys = KeySet.import_key_set(sakura.get("/oauth2/v2.1/certs").json())
    token = jwt.decode(answer["id_token"], keys, algorithms=["ES256"])
    assert token.header["kid"] == keys.keys[0].kid
    assert (token.claims["sub"], token.claims["aud"]) == (SAKURA, CHANNEL)
    assert "nonce" not in token.claims


@pytest.mark.parametrize(
    "changes",
    [
        {"code_verifier": VERIFIER[::-1]},
        {"code_verifier": ""},
        {"appId": f"{CHANNEL}-Another0"},
        {"appId": ""},
        {"redirect_uri": f"{ENDPOINT}/other"},
        {"client_id": "1"},
    ],
)
def test_I6_the_exchange_is_bound_to_page_and_app(sakura: Browser, changes: dict[str, str]) -> None:
    code = sakura.log_in(liff=True)["code"]
    answer = sakura.exchange_liff(code, **changes)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")
    assert sakura.exchange_liff(code).json()["error"] == "invalid_grant"


def test_I6_a_login_can_return_to_where_it_began(sakura: Browser) -> None:
    here = f"{ENDPOINT}/orders?from=chat"
    found = sakura.log_in({"redirect_uri": here}, liff=True)
    assert (found["from"], found["liffRedirectUri"]) == ("chat", here)
    answer = sakura.exchange_liff(found["code"], redirect_uri=here)
    assert answer.status_code == 200


def test_the_apps_bot_prompt_counts(sakura: Browser, shop: Shop) -> None:
    assert sakura.log_in(liff=True, friend=True)["friendship_status_changed"] == "true"
    assert shop.events(1)[0]["type"] == "follow"


def test_I7_without_openid_there_is_no_id_token(sakura: Browser) -> None:
    _scope(sakura.line, "profile", "chat_message.write")
    assert "id_token" not in _open(sakura)[1]
    answer = sakura.exchange_liff(sakura.log_in(liff=True)["code"]).json()
    assert "id_token" not in answer
    assert set(answer["scope"].split()) == {"profile", "chat_message.write"}


def test_I8_without_the_scope_there_is_no_profile(sakura: Browser) -> None:
    _scope(sakura.line, "openid")
    token = _open(sakura)[1]["access_token"]
    assert sakura.read("/v2/profile", token).status_code == 403


def test_I9_a_revoked_token_fails_init(sakura: Browser) -> None:
    token = _open(sakura)[1]["access_token"]
    with sakura.line.platform.change() as world:
        world.login_tokens[token].is_revoked = True
    answer = sakura.get(f"/oauth2/v2.1/verify?access_token={token}")
    assert answer.status_code == 400
    assert answer.json()["error_description"] == "The access token revoked"


def test_I10_tokens_of_a_page_end_after_hours(sakura: Browser) -> None:
    given = _open(sakura)[1]
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
    assert parts_of(_open(sakura)[1]["id_token"])[1]["aud"] == "1650000009"
    assert parts_of(_open(sakura)[1]["id_token"])[1]["aud"] == CHANNEL


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


def _share(line: Line, token: str, *messages: Any) -> requests.Response:
    return requests.post(
        f"{line.host}/message/v3/share",
        json={"messages": list(messages)},
        headers={"Authorization": f"Bearer {token}"},
        timeout=10,
    )


TEXT = {"type": "text", "text": "予約しました"}
STICKER = {"type": "sticker", "packageId": "446", "stickerId": "1988"}


def test_I13_only_a_page_of_a_chat_can_write_there(sakura: Browser) -> None:
    _scope(sakura.line, "openid", "profile", "chat_message.write")
    outside = sakura.exchange_liff(sakura.log_in(liff=True)["code"]).json()["access_token"]
    assert _share(sakura.line, outside, TEXT).status_code == 403
    _scope(sakura.line, "openid", "profile")
    assert _share(sakura.line, _open(sakura)[1]["access_token"], TEXT).status_code == 403
    assert _share(sakura.line, "nobody's", TEXT).status_code == 401


def test_I14_a_page_writes_as_its_user(sakura: Browser, shop: Shop) -> None:
    _scope(sakura.line, "profile", "chat_message.write")
    token = _open(sakura)[1]["access_token"]
    assert _share(sakura.line, token, STICKER, TEXT).json() == {}
    entries = sakura.line.platform.world.chats[SAKURA]
    assert [(entry.sender, entry.message["type"]) for entry in entries] == [
        ("user", "sticker"),
        ("user", "text"),
    ]
    events = shop.events(1)
    assert [event["message"]["text"] for event in events] == [TEXT["text"]]
    refused = _share(sakura.line, token, {"type": "text"})
    assert (refused.status_code, "details" in refused.json()) == (400, True)
    assert _share(sakura.line, token).status_code == 400


@pytest.mark.parametrize(
    "path",
    [
        "/oauth2/v2.1/verify?access_token=x",
        "/oauth2/v2.1/token",
        "/oauth2/v2.1/certs",
        "/v2/profile",
        "/friendship/v1/status",
        "/message/v3/share",
        f"/liff/v2/apps/{LIFF_ID}/contextToken",
        f"/liff/v2/apps/{LIFF_ID}/ott",
        "/liff/v2/sub/waitResult",
        "/oauth2/v2.1/liff/shareTargetPicker/result",
        "/xlt/manifest.json",
    ],
)
def test_I16_pages_of_other_origins_may_call(sakura: Browser, path: str) -> None:
    answer = requests.options(
        sakura.line.host + path,
        headers={
            "Origin": SITE,
            "Access-Control-Request-Method": "GET",
            "Access-Control-Request-Headers": "authorization,content-type",
        },
        timeout=10,
    )
    assert answer.status_code == 204
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    allowed = answer.headers["Access-Control-Allow-Headers"].lower().replace(" ", "").split(",")
    assert {"authorization", "content-type"} <= set(allowed)
    # Errors must be readable too.
    assert sakura.get(path).headers["Access-Control-Allow-Origin"] == "*"


def test_our_own_pages_are_closed_to_other_origins(sakura: Browser) -> None:
    for path in ("/_emulator/state", f"/phone/{SAKURA}/state", "/oauth2/v2.1/authorize"):
        assert "Access-Control-Allow-Origin" not in sakura.get(path).headers


def test_the_sdk_is_a_script(sakura: Browser) -> None:
    answer = sakura.get("/liff/edge/2/sdk.js")
    assert answer.headers["Content-Type"].startswith("text/javascript")
    assert "liff" in answer.text


def _token(line: Line, path: str = "/oauth2/v3/token") -> str:
    form = {
        "grant_type": "client_credentials",
        "client_id": CHANNEL,
        "client_secret": SECRET,
    }
    return str(requests.post(line.host + path, data=form, timeout=10).json()["access_token"])


@pytest.fixture
def api(sakura: Browser) -> liff.Liff:
    """Return the official SDK's client of the server API."""
    configuration = liff.Configuration(host=sakura.line.host, access_token=_token(sakura.line))
    return liff.Liff(liff.ApiClient(configuration))


def _view(url: str = "https://shop.example/liff/card") -> liff.LiffView:
    return liff.LiffView(type="tall", url=url)


def test_I17_apps_come_and_go(sakura: Browser, api: liff.Liff) -> None:
    added = api.add_liff_app(liff.AddLiffAppRequest(view=_view(), description="Point card"))
    assert added.liff_id.startswith(f"{CHANNEL}-")
    new = api.get_all_liff_apps().apps[-1]
    assert (new.liff_id, new.description) == (added.liff_id, "Point card")
    assert new.scope == ["profile", "chat_message.write"]
    assert (new.bot_prompt, new.view.module_mode) == ("none", False)
    api.update_liff_app(
        added.liff_id,
        liff.UpdateLiffAppRequest(scope=["openid"], features=liff.LiffFeatures(qrCode=True)),
    )
    changed = api.get_all_liff_apps().apps[-1]
    assert (changed.scope, changed.features.qr_code) == (["openid"], True)
    assert (changed.description, changed.view.type) == ("Point card", "tall")
    assert _location(sakura, f"/{added.liff_id}") == "https://shop.example/liff/card"
    api.delete_liff_app(added.liff_id)
    with pytest.raises(liff.ApiException) as refused:
        api.delete_liff_app(added.liff_id)
    assert refused.value.status == 404
    api.delete_liff_app(LIFF_ID)
    with pytest.raises(liff.ApiException) as refused:
        api.get_all_liff_apps()
    assert refused.value.status == 404


def test_I17_a_channel_has_thirty_apps(sakura: Browser, api: liff.Liff) -> None:
    for _ in range(29):
        api.add_liff_app(liff.AddLiffAppRequest(view=_view()))
    with pytest.raises(liff.ApiException) as refused:
        api.add_liff_app(liff.AddLiffAppRequest(view=_view()))
    assert refused.value.status == 400


RIGHT = {"view": {"type": "full", "url": "https://shop.example/liff"}}


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"view": {"type": "full"}},
        {"view": "full"},
        {"view": {"type": "huge", "url": "https://shop.example/"}},
        {"view": {"type": "full", "url": "http://shop.example/"}},
        {"view": {"type": "full", "url": "https://shop.example/#a"}},
        {"view": {"type": "full", "url": "https://["}},
        {"view": {"type": "full", "url": 5}},
        {"view": {"type": ["full"], "url": "https://shop.example/"}},
        {"view": {**RIGHT["view"], "moduleMode": "yes"}},
        RIGHT | {"description": "My LINE app"},
        RIGHT | {"description": 5},
        RIGHT | {"scope": ["everything"]},
        RIGHT | {"scope": [{}]},
        RIGHT | {"scope": "openid"},
        RIGHT | {"botPrompt": "rude"},
        RIGHT | {"features": {"qrCode": 1}},
        RIGHT | {"permanentLinkPattern": "replace"},
    ],
)
def test_B1_wrong_apps_are_refused(sakura: Browser, body: dict[str, Any]) -> None:
    header = {"Authorization": f"Bearer {_token(sakura.line)}"}
    url = f"{sakura.line.host}/liff/v1/apps"
    answer = requests.post(url, json=body, headers=header, timeout=10)
    assert (answer.status_code, set(answer.json())) == (400, {"message"})
    if body:
        changed = requests.put(f"{url}/{LIFF_ID}", json=body, headers=header, timeout=10)
        is_partial = body == {"view": {"type": "full"}}
        assert changed.status_code == (200 if is_partial else 400)
    # What is kept can be read again.
    world = sakura.line.platform.world
    assert type(world).model_validate_json(world.model_dump_json()) == world


def test_B1_only_the_login_channels_tokens_count(sakura: Browser) -> None:
    url = f"{sakura.line.host}/liff/v1/apps"
    for token, status in (
        (_token(sakura.line), 200),
        (_token(sakura.line, "/v2/oauth/accessToken"), 200),
        (sakura.line.token, 401),
        ("nobody's", 401),
    ):
        header = {"Authorization": f"Bearer {token}"}
        assert requests.get(url, headers=header, timeout=10).status_code == status


def test_screens_of_liff_are_those_of_the_web(sakura: Browser) -> None:
    _scope(sakura.line, "openid", "profile")
    phone = phone_of(sakura.line)
    assert screen_of(phone.open(liff=True)) == "consent"
    assert screen_of(sakura.open(liff=True)) == "login"
