"""LINE Login at the emulator, by the numbers of the list of behaviours."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from typing import Any
from urllib.parse import parse_qs
from urllib.parse import urlencode
from urllib.parse import urlsplit

import pytest
import requests

from flask_lineconnect import Emulator
from tests.line_browser import LineBrowser

BASE_URL = "http://127.0.0.1:5999"
CALLBACK = f"{BASE_URL}/line/callback"
CHANNEL, SECRET = "1650000001", "0123456789abcdef0123456789abcdef"
VERIFIER = "wJKN8qz5t8SSI9lMFhBB6qwNkQBkuPZoCxzRhwLRUo1"
CHALLENGE = "BSCQwo_m8Wf0fpjmwkIKmPAJ1A7tiuRSNDnXzODS7QI"


@pytest.fixture
def line(line_emulator: Emulator) -> Emulator:
    """Return the emulator with a shop behind it."""
    line_emulator.set_up(base_url=BASE_URL)
    return line_emulator


@pytest.fixture
def sakura(line: Emulator) -> LineBrowser:
    """Return a user's browser."""
    return LineBrowser(line, line.add_user("佐藤 さくら", email="sakura@mail.example"))


def _url(line: Emulator, **changes: str | None) -> str:
    parameters = {
        "response_type": "code",
        "client_id": CHANNEL,
        "redirect_uri": CALLBACK,
        "state": "the-state",
        "scope": "openid profile email",
        "nonce": "the-nonce",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
        **changes,
    }
    given = {name: value for name, value in parameters.items() if value is not None}
    return f"{line.url}/oauth2/v2.1/authorize?{urlencode(given)}"


def _query(path: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(path).query).items()}


def _open(url: str) -> requests.Response:
    return requests.get(url, timeout=10, allow_redirects=False)


def _exchange(line: Emulator, code: str, **changes: str) -> requests.Response:
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": CALLBACK,
        "client_id": CHANNEL,
        "client_secret": SECRET,
        "code_verifier": VERIFIER,
        **changes,
    }
    return requests.post(f"{line.url}/oauth2/v2.1/token", data=form, timeout=10)


def _log_in(sakura: LineBrowser, **changes: str | None) -> dict[str, Any]:
    code = _query(sakura.log_in(_url(sakura.emulator, **changes)))["code"]
    return dict(_exchange(sakura.emulator, code).json())


def _claims(id_token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    header, payload, _signature = id_token.split(".")
    return tuple(json.loads(base64.urlsafe_b64decode(part + "==")) for part in (header, payload))


@pytest.mark.parametrize(
    "changes",
    [
        {"client_id": "1"},
        {"redirect_uri": "https://evil.example/"},
        {"redirect_uri": CALLBACK[:-1]},
    ],
)
def test_L1_L2_strangers_are_not_redirected(line: Emulator, changes: dict[str, str]) -> None:
    answer = _open(_url(line, **changes))
    assert answer.status_code == 400
    assert "Location" not in answer.headers


def test_L3_a_registered_address_may_have_more_parameters(sakura: LineBrowser) -> None:
    more = f"{CALLBACK}?shop=1"
    back = _query(sakura.log_in(_url(sakura.emulator, redirect_uri=more)))
    assert back["shop"] == "1"
    assert _exchange(sakura.emulator, back["code"], redirect_uri=more).ok


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"response_type": "token"}, "UNSUPPORTED_RESPONSE_TYPE"),
        ({"scope": "email"}, "INVALID_SCOPE"),
        ({"scope": "profile email"}, "INVALID_SCOPE"),
        ({"state": None}, "INVALID_REQUEST"),
        ({"code_challenge_method": "plain"}, "INVALID_REQUEST"),
        ({"prompt": "none"}, "LOGIN_REQUIRED"),
    ],
)
def test_L5_to_L10_errors_come_back(
    line: Emulator, changes: dict[str, str | None], error: str
) -> None:
    back = _query(_open(_url(line, **changes)).headers["Location"])
    assert back["error"] == error
    assert back.get("state") == (None if "state" in changes else "the-state")


def test_L9_a_cancelled_consent(sakura: LineBrowser) -> None:
    back = _query(sakura.log_in(_url(sakura.emulator), allow=False))
    assert back["error"] == "ACCESS_DENIED"
    assert back["error_description"] == "The resource owner denied the request."


def test_L4_a_developing_channel_lets_testers_in(sakura: LineBrowser) -> None:
    sakura.emulator.set_up(login_channel={"status": "developing"})
    form = {"user_id": sakura.user_id, "ticket": _ticket(sakura)}
    answer = sakura.http.post(f"{sakura.emulator.url}/oauth2/v2.1/_login", data=form, timeout=10)
    assert answer.status_code == 400
    assert "developing" in answer.text
    sakura.emulator.set_up(login_channel={"testers": [sakura.user_id]})
    assert "code" in _query(sakura.log_in(_url(sakura.emulator)))


def _ticket(sakura: LineBrowser) -> str:
    page = sakura.http.get(_url(sakura.emulator), timeout=10).text
    found = re.search(r'name="ticket" value="([^"]+)"', page)
    assert found
    return found[1]


def test_L36_the_answer_may_be_posted_back(sakura: LineBrowser) -> None:
    sakura.log_in(_url(sakura.emulator))
    answer = sakura.http.get(_url(sakura.emulator, response_mode="form_post"), timeout=10)
    assert f'action="{CALLBACK}"' in answer.text
    fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', answer.text))
    assert fields["state"] == "the-state"
    assert _exchange(sakura.emulator, fields["code"]).ok


def test_L12_L13_consent_is_asked_for_once(sakura: LineBrowser) -> None:
    first = _query(sakura.log_in(_url(sakura.emulator, bot_prompt="aggressive")))
    assert first["friendship_status_changed"] == "true"
    again = sakura.http.get(_url(sakura.emulator, bot_prompt="aggressive"), allow_redirects=False)
    assert again.is_redirect
    assert "friendship_status_changed" not in _query(again.headers["Location"])
    forced = sakura.http.get(_url(sakura.emulator, prompt="consent"), allow_redirects=False)
    assert "/_consent" in forced.text


def test_L14_L15_L26_L27_the_id_token_of_a_web_login(sakura: LineBrowser) -> None:
    token = _log_in(sakura)
    header, claims = _claims(token["id_token"])
    assert header == {"typ": "JWT", "alg": "HS256"}
    assert (claims["iss"], claims["aud"]) == ("https://access.line.me", CHANNEL)
    assert (claims["sub"], claims["nonce"]) == (sakura.user_id, "the-nonce")
    assert claims["email"] == "sakura@mail.example"
    assert claims["picture"].startswith("http://127.0.0.1:")
    assert set(token["scope"].split()) == {"openid", "profile"}
    assert "nonce" not in _claims(_log_in(sakura, nonce=None)["id_token"])[1]


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"code": "unknown"}, "invalid_grant"),
        ({"redirect_uri": f"{CALLBACK}?x=1"}, "invalid_grant"),
        ({"code_verifier": "wrong"}, "invalid_grant"),
        ({"code_verifier": ""}, "invalid_grant"),
        ({"client_secret": "wrong"}, "invalid_client"),
        ({"client_id": "1"}, "invalid_client"),
    ],
)
def test_L19_to_L23_a_failed_exchange_burns_the_code(
    sakura: LineBrowser, changes: dict[str, str], error: str
) -> None:
    code = _query(sakura.log_in(_url(sakura.emulator)))["code"]
    answer = _exchange(sakura.emulator, **{"code": code, **changes})
    assert (answer.status_code, answer.json()["error"]) == (400, error)
    if "code" not in changes:
        assert _exchange(sakura.emulator, code).json()["error"] == "invalid_grant"


def test_L19_a_code_lives_ten_minutes(sakura: LineBrowser) -> None:
    code = _query(sakura.log_in(_url(sakura.emulator)))["code"]
    sakura.emulator.advance(601)
    assert _exchange(sakura.emulator, code).json()["error_description"] == (
        "authorization code expired"
    )


def test_L24_L25_a_refresh_gives_a_new_access_token(sakura: LineBrowser) -> None:
    token = _log_in(sakura)
    form = {
        "grant_type": "refresh_token",
        "refresh_token": token["refresh_token"],
        "client_id": CHANNEL,
        "client_secret": SECRET,
    }
    url = f"{sakura.emulator.url}/oauth2/v2.1/token"
    new = requests.post(url, data=form, timeout=10).json()
    assert new["access_token"] != token["access_token"]
    assert new["refresh_token"] == token["refresh_token"]
    assert "id_token" not in new
    sakura.emulator.advance(91 * 86_400)
    assert requests.post(url, data=form, timeout=10).json()["error"] == "invalid_grant"


def test_L28_verify_names_what_is_wrong(sakura: LineBrowser) -> None:
    id_token = _log_in(sakura)["id_token"]

    def verify(**changes: str) -> dict[str, Any]:
        form = {"id_token": id_token, "client_id": CHANNEL, **changes}
        url = f"{sakura.emulator.url}/oauth2/v2.1/verify"
        return dict(requests.post(url, data=form, timeout=10).json())

    assert verify()["sub"] == sakura.user_id
    assert verify(id_token="x")["error_description"] == "Invalid IdToken."
    assert verify(client_id="1")["error_description"] == "Invalid IdToken Audience."
    assert verify(nonce="x")["error_description"] == "Invalid IdToken Nonce."
    sakura.emulator.advance(3_601)
    assert verify()["error_description"] == "IdToken expired."


def test_L30_to_L33_tokens_end(sakura: LineBrowser) -> None:
    line = sakura.emulator

    def verify(token: str) -> dict[str, Any]:
        url = f"{line.url}/oauth2/v2.1/verify"
        return dict(requests.get(url, params={"access_token": token}, timeout=10).json())

    token = _log_in(sakura)["access_token"]
    assert verify(token)["client_id"] == CHANNEL
    assert verify("garbage")["error_description"] == "The access token not JWS"
    form = {"access_token": token, "client_id": CHANNEL, "client_secret": SECRET}
    assert requests.post(f"{line.url}/oauth2/v2.1/revoke", data=form, timeout=10).text == ""
    assert verify(token)["error_description"] == "The access token revoked"
    header = {"Authorization": f"Bearer {token}"}
    assert requests.get(f"{line.url}/v2/profile", headers=header, timeout=10).status_code == 401


def test_L35_discovery_and_keys(line: Emulator) -> None:
    discovery = requests.get(f"{line.url}/.well-known/openid-configuration", timeout=10).json()
    assert discovery["issuer"] == "https://access.line.me"
    assert discovery["id_token_signing_alg_values_supported"] == ["ES256"]
    key = requests.get(discovery["jwks_uri"], timeout=10).json()["keys"][0]
    assert (key["kty"], key["crv"], key["alg"]) == ("EC", "P-256", "ES256")
    assert "d" not in key


@pytest.mark.parametrize(
    ("relation", "flag"), [("none", False), ("friend", True), ("blocked", False)]
)
def test_P6_friendship_status(sakura: LineBrowser, relation: str, flag: bool) -> None:
    token = _log_in(sakura)["access_token"]
    if relation != "none":
        sakura.emulator.add_friend(sakura.user_id)
    if relation == "blocked":
        sakura.emulator.block(sakura.user_id)
    header = {"Authorization": f"Bearer {token}"}
    url = f"{sakura.emulator.url}/friendship/v1/status"
    assert requests.get(url, headers=header, timeout=10).json() == {"friendFlag": flag}


@pytest.mark.parametrize(("accepted", "flag"), [(True, "true"), (False, "false")])
@pytest.mark.parametrize("bot_prompt", ["normal", "aggressive"])
def test_P2_the_friend_offer(
    sakura: LineBrowser, bot_prompt: str, accepted: bool, flag: str
) -> None:
    url = _url(sakura.emulator, bot_prompt=bot_prompt)
    back = _query(sakura.log_in(url, add_friend=accepted))
    assert back["friendship_status_changed"] == flag


def test_P1_without_a_linked_account_there_is_no_offer(sakura: LineBrowser) -> None:
    sakura.emulator.set_up(login_channel={"is_bot_linked": False})
    back = _query(sakura.log_in(_url(sakura.emulator, bot_prompt="aggressive")))
    assert "friendship_status_changed" not in back


def test_the_verifier_of_lines_own_example() -> None:
    digest = hashlib.sha256(VERIFIER.encode()).digest()
    assert base64.urlsafe_b64encode(digest).rstrip(b"=").decode() == CHALLENGE
