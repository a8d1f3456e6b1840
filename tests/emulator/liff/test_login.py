"""The login of a LIFF page in an ordinary browser."""

from __future__ import annotations

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from ..conftest import SAKURA
from ..conftest import Shop
from ..login.login_browser import CHANNEL
from ..login.login_browser import ENDPOINT
from ..login.login_browser import SITE
from ..login.login_browser import VERIFIER
from ..login.login_browser import Browser
from ..login.login_browser import Parameters
from ..login.login_browser import back
from ..login.login_browser import phone_of
from ..login.login_browser import screen_of
from .opened import set_scope


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


def test_screens_of_liff_are_those_of_the_web(sakura: Browser) -> None:
    set_scope(sakura.line, "openid", "profile")
    phone = phone_of(sakura.line)
    assert screen_of(phone.open(liff=True)) == "consent"
    assert screen_of(sakura.open(liff=True)) == "login"
