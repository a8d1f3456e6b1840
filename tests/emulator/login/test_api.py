"""A login's code and its tokens, by the numbers of the fact sheet's list of behaviours."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from flask_lineconnect.emulator.world import LoginToken

from ..conftest import SAKURA
from ..conftest import Shop
from .login_browser import CALLBACK
from .login_browser import CHANNEL
from .login_browser import SECRET
from .login_browser import VERIFIER
from .login_browser import Browser
from .login_browser import channel_token
from .login_browser import parts_of
from .login_browser import screen_of


@pytest.mark.parametrize("seconds", [599, 601])
def test_L19_a_code_lives_ten_minutes(sakura: Browser, seconds: int) -> None:
    code = sakura.log_in()["code"]
    sakura.line.platform.clock.advance(seconds)
    answer = sakura.exchange(code)
    assert answer.status_code == (200 if seconds < 600 else 400)
    assert answer.json().get("error_description") in {None, "authorization code expired"}


def test_L19_a_code_is_used_once(sakura: Browser) -> None:
    code = sakura.log_in()["code"]
    assert sakura.exchange(code).status_code == 200
    assert sakura.exchange(code).json() == {
        "error": "invalid_grant",
        "error_description": "invalid authorization code",
    }


@pytest.mark.parametrize(
    ("changes", "error", "description"),
    [
        ({"redirect_uri": f"{CALLBACK}?x=1"}, "invalid_grant", "redirect_uri does not match"),
        ({"code_verifier": VERIFIER[::-1]}, "invalid_grant", "invalid code_verifier"),
        ({"code_verifier": ""}, "invalid_grant", "invalid code_verifier"),
        ({"client_secret": "wrong"}, "invalid_client", "invalid client_secret"),
        ({"client_id": "1"}, "invalid_client", "invalid client_id"),
    ],
)
def test_L20_to_L23_a_failed_exchange_burns_the_code(
    sakura: Browser, changes: dict[str, str], error: str, description: str
) -> None:
    code = sakura.log_in()["code"]
    answer = sakura.exchange(code, **changes)
    assert answer.status_code == 400
    assert answer.json() == {"error": error, "error_description": description}
    assert sakura.exchange(code).json()["error"] == "invalid_grant"


@pytest.mark.parametrize("missing", ["code", "redirect_uri", "client_id", "grant_type"])
def test_an_exchange_needs_its_parameters(sakura: Browser, missing: str) -> None:
    answer = sakura.exchange("x", **{missing: ""})
    assert answer.status_code == 400
    assert answer.json()["error"] in {"invalid_request", "unsupported_grant_type"}


def test_no_secret_is_needed_for_liff_codes_only(sakura: Browser) -> None:
    code = sakura.log_in({"code_challenge": None, "code_challenge_method": None})["code"]
    answer = sakura.exchange(code, client_secret="", id_token_key_type="JWK")
    assert answer.json()["error"] == "invalid_client"
    code = sakura.log_in()["code"]
    assert sakura.exchange_liff(code, redirect_uri=CALLBACK).json()["error"] == "invalid_grant"


def _refresh(sakura: Browser, refresh_token: str, secret: str = SECRET) -> requests.Response:
    form = {
        "grant_type": "refresh_token",
        "refresh_token": refresh_token,
        "client_id": CHANNEL,
        "client_secret": secret,
    }
    return sakura.post("/oauth2/v2.1/token", form)


def test_L24_L25_a_refresh_gives_a_new_access_token(sakura: Browser) -> None:
    tokens = sakura.tokens()
    again = _refresh(sakura, tokens["refresh_token"]).json()
    assert again["access_token"] != tokens["access_token"]
    assert again["refresh_token"] == tokens["refresh_token"]
    assert "id_token" not in again
    assert sakura.read("/v2/profile", again["access_token"]).json()["userId"] == SAKURA
    assert _refresh(sakura, tokens["refresh_token"], "x").json()["error"] == "invalid_client"


def test_L24_a_refresh_token_lives_ninety_days_whatever_happens(sakura: Browser) -> None:
    refresh_token = sakura.tokens()["refresh_token"]
    sakura.line.platform.clock.advance(89 * 86_400)
    assert _refresh(sakura, refresh_token).status_code == 200
    sakura.line.platform.clock.advance(2 * 86_400)
    answer = _refresh(sakura, refresh_token)
    assert answer.status_code == 400
    assert answer.json() == {
        "error": "invalid_grant",
        "error_description": "invalid refresh token",
    }


def test_L24_a_revoked_token_is_not_refreshed(sakura: Browser) -> None:
    tokens = sakura.tokens()
    second = _refresh(sakura, tokens["refresh_token"]).json()
    _revoke(sakura, second["access_token"])
    assert _refresh(sakura, tokens["refresh_token"]).json()["error"] == "invalid_grant"
    assert sakura.read("/v2/profile", tokens["access_token"]).status_code == 401


def test_L29_a_token_of_another_channel_is_good_too(sakura: Browser) -> None:
    now = sakura.line.platform.clock.now()
    with sakura.line.platform.change() as world:
        later = now.replace(year=now.year + 1)
        world.login_tokens["theirs"] = LoginToken(
            access_token="theirs",
            refresh_token="x",
            client_id="1650000009",
            user_id=SAKURA,
            scope=["profile"],
            issued_at=now,
            expires_at=later,
            refresh_expires_at=later,
        )
    answer = sakura.read("/oauth2/v2.1/verify?access_token=theirs", "")
    assert (answer.status_code, answer.json()["client_id"]) == (200, "1650000009")


def _verify_access(sakura: Browser, token: str) -> dict[str, Any]:
    return dict(sakura.get(f"/oauth2/v2.1/verify?access_token={token}").json())


def _revoke(sakura: Browser, token: str) -> requests.Response:
    form = {"access_token": token, "client_id": CHANNEL, "client_secret": SECRET}
    return sakura.post("/oauth2/v2.1/revoke", form)


def test_L30_verify_tells_of_an_access_token(sakura: Browser) -> None:
    token = sakura.tokens()["access_token"]
    found = _verify_access(sakura, token)
    assert (found["client_id"], set(found["scope"].split())) == (CHANNEL, {"openid", "profile"})
    assert 0 < found["expires_in"] <= 2_592_000
    assert _verify_access(sakura, "x")["error_description"] == "The access token not JWS"
    sakura.line.platform.clock.advance(31 * 86_400)
    assert _verify_access(sakura, token) == {
        "error": "invalid_request",
        "error_description": "The access token expired",
    }


def test_L31_a_revoked_token_opens_nothing(sakura: Browser) -> None:
    token = sakura.tokens()["access_token"]
    answer = _revoke(sakura, token)
    assert (answer.status_code, answer.text) == (200, "")
    assert _verify_access(sakura, token)["error_description"] == "The access token revoked"
    for path in ("/v2/profile", "/oauth2/v2.1/userinfo", "/friendship/v1/status"):
        refused = sakura.read(path, token)
        assert refused.status_code == 401
        assert refused.json() == {"message": "The access token revoked"}


def test_L32_deauthorize_ends_the_consent(sakura: Browser, shop: Shop) -> None:
    line, user_token = sakura.line, sakura.tokens()["access_token"]
    stateless = channel_token(line)
    short_lived = channel_token(line, "/v2/oauth/accessToken")

    def deauthorize(channel_token: str, token: str) -> requests.Response:
        return requests.post(
            f"{line.host}/user/v1/deauthorize",
            json={"userAccessToken": token},
            headers={"Authorization": f"Bearer {channel_token}"},
            timeout=60,
        )

    assert deauthorize(line.token, user_token).status_code == 401
    assert deauthorize(short_lived, user_token).status_code == 401
    assert deauthorize(stateless, "x").json() == {"message": "invalid token"}
    assert deauthorize(stateless, user_token).status_code == 204
    assert deauthorize(stateless, user_token).json() == {"message": "invalid token"}
    assert sakura.read("/v2/profile", user_token).status_code == 401
    assert screen_of(sakura.open()) == "consent"
    assert shop.requests == []


def test_L33_a_user_unlinks_and_stays_the_same(sakura: Browser, shop: Shop) -> None:
    token = sakura.tokens()["access_token"]
    requests.post(
        f"{sakura.line.host}/_emulator/users/{SAKURA}/revoke", json={}, timeout=60
    ).raise_for_status()
    assert sakura.read("/v2/profile", token).status_code == 401
    assert screen_of(sakura.open()) == "consent"
    assert parts_of(sakura.tokens()["id_token"])[1]["sub"] == SAKURA
    assert shop.requests == []
