"""LINE Login over real HTTP, by the numbers of the fact sheet's list of behaviours."""

from __future__ import annotations

import re
from typing import Any

import pytest
import requests
from joserfc import jwt
from joserfc.jwk import OctKey

from flask_lineconnect.emulator.login import signing_keys
from flask_lineconnect.emulator.phone import friendship
from flask_lineconnect.emulator.phone.user_actions import unlink_app
from flask_lineconnect.emulator.world import LoginToken

from ..conftest import KENTA
from ..conftest import SAKURA
from ..conftest import Line
from ..conftest import Shop
from .login_browser import CALLBACK
from .login_browser import CHANNEL
from .login_browser import SECRET
from .login_browser import SITE
from .login_browser import VERIFIER
from .login_browser import Browser
from .login_browser import Parameters
from .login_browser import back
from .login_browser import form_of
from .login_browser import parts_of
from .login_browser import phone_of
from .login_browser import screen_of


@pytest.fixture
def sakura(line: Line) -> Browser:
    """Return a user's ordinary browser; the channels belong to a shop."""
    line.platform.set_base_url(SITE)
    return Browser(line)


@pytest.mark.parametrize(
    "changes",
    [
        {"client_id": "1"},
        {"client_id": None},
        {"redirect_uri": None},
        {"redirect_uri": "https://evil.example/"},
        {"redirect_uri": CALLBACK[:-1]},
        {"redirect_uri": f"{CALLBACK}/more"},
        {"redirect_uri": f"{CALLBACK}#there"},
        {"redirect_uri": CALLBACK.replace("5999", "5998")},
        {"redirect_uri": CALLBACK.replace("http:", "https:")},
        {"redirect_uri": "http://["},
        {"redirect_uri": f"{CALLBACK}\r\nSet-Cookie: a=b"},
    ],
)
def test_L1_L2_strangers_are_not_redirected(sakura: Browser, changes: Parameters) -> None:
    answer = sakura.open(changes)
    assert answer.status_code == 400
    assert answer.headers["Content-Type"].startswith("text/html")
    assert "Location" not in answer.headers
    assert answer.headers["x-line-request-id"]


def test_L2_a_registered_query_must_be_there(sakura: Browser) -> None:
    with sakura.line.platform.change() as world:
        world.login_channel.callback_urls = [f"{CALLBACK}?shop=1"]
    assert sakura.open({"redirect_uri": f"{CALLBACK}?shop=2"}).status_code == 400
    assert sakura.open({"redirect_uri": f"{CALLBACK}?more=x&shop=1"}).status_code == 200


def test_L3_a_registered_address_may_have_more_parameters(sakura: Browser) -> None:
    more = f"{CALLBACK}?next=%2Forders"
    found = sakura.log_in({"redirect_uri": more})
    assert (found["next"], found["state"]) == ("/orders", "the-state")
    assert sakura.exchange(found["code"], redirect_uri=more).status_code == 200


def test_L4_a_developing_channel_lets_testers_in_only(sakura: Browser) -> None:
    with sakura.line.platform.change() as world:
        world.login_channel.status = "developing"
    refused = sakura.press(sakura.open(), user_id=SAKURA)
    assert refused.status_code == 400
    assert "developing" in refused.text
    with sakura.line.platform.change() as world:
        world.login_channel.testers = [SAKURA]
    assert "code" in sakura.log_in()


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"response_type": "token"}, "UNSUPPORTED_RESPONSE_TYPE"),
        ({"response_type": None}, "UNSUPPORTED_RESPONSE_TYPE"),
        ({"scope": None}, "INVALID_SCOPE"),
        ({"scope": "email"}, "INVALID_SCOPE"),
        ({"scope": "profile email"}, "INVALID_SCOPE"),
        ({"scope": "openid everything"}, "INVALID_SCOPE"),
        ({"state": None}, "INVALID_REQUEST"),
        ({"code_challenge_method": "plain"}, "INVALID_REQUEST"),
        ({"code_challenge_method": None}, "INVALID_REQUEST"),
        ({"code_challenge": None}, "INVALID_REQUEST"),
        ({"code_challenge": "short"}, "INVALID_REQUEST"),
        ({"prompt": "always"}, "INVALID_REQUEST"),
        ({"bot_prompt": "rude"}, "INVALID_REQUEST"),
        ({"max_age": "-1"}, "INVALID_REQUEST"),
        ({"max_age": "9" * 5_000}, "INVALID_REQUEST"),
        ({"response_mode": "fragment"}, "INVALID_REQUEST"),
        ({"prompt": "none"}, "LOGIN_REQUIRED"),
    ],
)
def test_L5_to_L8_L10_errors_come_back(sakura: Browser, changes: Parameters, error: str) -> None:
    found = back(sakura.open(changes))
    assert found["error"] == error
    assert found.get("state") == (None if "state" in changes else "the-state")
    assert "code" not in found


def test_L9_a_cancelled_consent(sakura: Browser) -> None:
    consent = sakura.press(sakura.open(), user_id=SAKURA)
    answer = sakura.press(consent, decision="cancel")
    assert answer.headers["Location"] == (
        f"{CALLBACK}?error=ACCESS_DENIED"
        "&error_description=The+resource+owner+denied+the+request.&state=the-state"
    )
    assert sakura.line.platform.world.users[SAKURA].granted == []


def test_L10_without_a_screen_consent_cannot_be_asked_for(sakura: Browser) -> None:
    sakura.log_in({"scope": "openid"})
    assert "code" in back(sakura.open({"scope": "openid", "prompt": "none"}))
    assert back(sakura.open({"prompt": "none"}))["error"] == "INTERACTION_REQUIRED"


def test_L11_a_login_can_be_forced(sakura: Browser) -> None:
    sakura.log_in()
    assert screen_of(sakura.open({"prompt": "login"})) == "login"
    phone = phone_of(sakura.line)
    assert screen_of(phone.open({"prompt": "login"})) == "login"
    assert screen_of(phone.open({"disable_auto_login": "true"})) == "login"
    tokens = phone.tokens({"disable_auto_login": "true"})
    assert parts_of(tokens["id_token"])[1]["amr"] == ["lineqr"]


def test_L11_ios_has_a_switch_of_its_own(sakura: Browser) -> None:
    phone = phone_of(sakura.line)
    assert screen_of(phone.open({"disable_ios_auto_login": "true"})) == "consent"
    phone.http.headers["User-Agent"] = "Mozilla/5.0 (iPhone) Safari Line/15.12.1"
    assert screen_of(phone.open({"disable_ios_auto_login": "true"})) == "login"


def test_the_phone_logs_its_user_in(sakura: Browser) -> None:
    phone = phone_of(sakura.line, KENTA)
    assert screen_of(phone.open()) == "consent"
    claims = parts_of(phone.tokens()["id_token"])[1]
    assert (claims["sub"], claims["amr"]) == (KENTA, ["lineautologin"])


def test_the_phone_does_not_know_the_desktops_session(sakura: Browser) -> None:
    sakura.log_in()
    phone = phone_of(sakura.line, KENTA)
    phone.http.cookies.update(sakura.http.cookies)
    phone.get(f"/phone/{KENTA}/open?url={SITE}/")
    assert screen_of(phone.open({"disable_auto_login": "true"})) == "login"


def test_an_ordinary_browser_has_a_session_of_its_own(sakura: Browser) -> None:
    assert screen_of(sakura.open()) == "login"
    assert parts_of(sakura.tokens()["id_token"])[1]["amr"] == ["lineqr"]
    assert parts_of(sakura.tokens()["id_token"])[1]["amr"] == ["linesso"]


def test_max_age_asks_again_and_tells_when(sakura: Browser) -> None:
    assert "auth_time" not in parts_of(sakura.tokens()["id_token"])[1]
    began = sakura.line.platform.clock.timestamp()
    sakura.line.platform.clock.advance(100)
    claims = parts_of(sakura.tokens({"max_age": "1000"})["id_token"])[1]
    assert began - 5 <= claims["auth_time"] <= began
    assert screen_of(sakura.open({"max_age": "50"})) == "login"


def test_L12_the_second_login_asks_nothing(sakura: Browser) -> None:
    first = sakura.log_in({"bot_prompt": "aggressive"}, friend=True)
    assert first["friendship_status_changed"] == "true"
    second = back(sakura.open({"bot_prompt": "aggressive"}))
    assert set(second) == {"code", "state"}


def test_L13_consent_is_asked_for_again_when_it_must_be(sakura: Browser) -> None:
    sakura.log_in({"scope": "openid"})
    assert screen_of(sakura.open({"scope": "openid"})) == "none"
    assert screen_of(sakura.open({"scope": "openid profile"})) == "consent"
    assert screen_of(sakura.open({"scope": "openid", "prompt": "consent"})) == "consent"
    user = sakura.line.platform.world.users[SAKURA]
    unlink_app(sakura.line.platform, user, {})
    assert screen_of(sakura.open({"scope": "openid"})) == "consent"


def test_L14_the_email_address_can_be_kept_back(sakura: Browser) -> None:
    assert parts_of(sakura.tokens()["id_token"])[1]["email"] == "sakura@example.com"
    claims = parts_of(sakura.tokens({"prompt": "consent"}, email=False)["id_token"])[1]
    assert (claims["sub"], claims.get("email")) == (SAKURA, None)
    assert screen_of(sakura.open()) == "consent"


def test_L14_somebody_may_have_none(sakura: Browser) -> None:
    with sakura.line.platform.change() as world:
        world.users[SAKURA].email = None
    assert "email" not in parts_of(sakura.tokens()["id_token"])[1]


def test_L15_the_scope_of_a_token_leaves_the_email_address_out(sakura: Browser) -> None:
    tokens = sakura.tokens()
    assert set(tokens["scope"].split()) == {"openid", "profile"}
    assert (tokens["token_type"], tokens["expires_in"]) == ("Bearer", 2_592_000)


def test_L16_a_failed_auto_login_brings_a_foreign_state(sakura: Browser) -> None:
    phone = phone_of(sakura.line)
    sakura.line.platform.faults.add(auto_login="fail")
    assert screen_of(sakura.open()) == "login"
    found = back(phone.open())
    assert found["state"] != "the-state"
    assert phone.exchange(found["code"]).json()["error"] == "invalid_grant"
    assert "code" in phone.log_in()


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


def test_L26_L27_the_id_token_of_a_web_login(sakura: Browser) -> None:
    id_token = sakura.tokens()["id_token"]
    header, claims = parts_of(id_token)
    assert header == {"typ": "JWT", "alg": "HS256"}
    assert jwt.decode(id_token, OctKey.import_key(SECRET), algorithms=["HS256"]).claims == claims
    assert (claims["iss"], claims["aud"]) == ("https://access.line.me", CHANNEL)
    assert (claims["sub"], claims["nonce"]) == (SAKURA, "the-nonce")
    assert claims["exp"] - claims["iat"] == 3_600
    assert requests.get(claims["picture"], timeout=10).status_code == 200
    assert "nonce" not in parts_of(sakura.tokens({"nonce": None})["id_token"])[1]
    assert "name" not in parts_of(sakura.tokens({"scope": "openid"})["id_token"])[1]
    assert "id_token" not in sakura.tokens({"scope": "profile"})


def _verify(sakura: Browser, id_token: str, **changes: str) -> dict[str, Any]:
    form = {"id_token": id_token, "client_id": CHANNEL, **changes}
    return dict(sakura.post("/oauth2/v2.1/verify", form).json())


def test_L28_verify_names_what_is_wrong(sakura: Browser) -> None:
    id_token = sakura.tokens()["id_token"]
    head, body, _signature = id_token.split(".")
    assert _verify(sakura, id_token, nonce="the-nonce", user_id=SAKURA)["sub"] == SAKURA
    unsigned = "eyJhbGciOiJub25lIn0"
    for broken in ("", "x", f"{head}.{body}.AAAA", f"{unsigned}.{body}."):
        assert _verify(sakura, broken)["error_description"] == "Invalid IdToken."
    for changes, text in (
        ({"client_id": "1"}, "Invalid IdToken Audience."),
        ({"nonce": "x"}, "Invalid IdToken Nonce."),
        ({"user_id": KENTA}, "Invalid IdToken Subject Identifier."),
    ):
        assert _verify(sakura, id_token, **changes)["error_description"] == text
    sakura.line.platform.clock.advance(3_601)
    assert _verify(sakura, id_token) == {
        "error": "invalid_request",
        "error_description": "IdToken expired.",
    }


@pytest.mark.parametrize(
    ("claims", "text"),
    [
        ({"iss": "https://evil.example"}, "Invalid IdToken Issuer."),
        ({"aud": "1650000009"}, "Invalid IdToken Audience."),
        ({"exp": 1}, "IdToken expired."),
        ({"exp": "soon"}, "Invalid IdToken."),
        ({"nonce": ["a"]}, "Invalid IdToken Nonce."),
    ],
)
def test_L28_a_fault_changes_the_next_id_token_only(
    sakura: Browser, claims: dict[str, Any], text: str
) -> None:
    sakura.line.platform.faults.add(id_token=claims)
    wrong = sakura.tokens()["id_token"]
    assert parts_of(wrong)[1].items() >= claims.items()
    assert _verify(sakura, wrong, nonce="the-nonce")["error_description"] == text
    assert _verify(sakura, sakura.tokens()["id_token"])["sub"] == SAKURA


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


def _channel_token(line: Line, path: str, channel_id: str, secret: str) -> str:
    form = {
        "grant_type": "client_credentials",
        "client_id": channel_id,
        "client_secret": secret,
    }
    return str(requests.post(line.host + path, data=form, timeout=10).json()["access_token"])


def test_L32_deauthorize_ends_the_consent(sakura: Browser, shop: Shop) -> None:
    line, user_token = sakura.line, sakura.tokens()["access_token"]
    stateless = _channel_token(line, "/oauth2/v3/token", CHANNEL, SECRET)
    short_lived = _channel_token(line, "/v2/oauth/accessToken", CHANNEL, SECRET)

    def deauthorize(channel_token: str, token: str) -> requests.Response:
        return requests.post(
            f"{line.host}/user/v1/deauthorize",
            json={"userAccessToken": token},
            headers={"Authorization": f"Bearer {channel_token}"},
            timeout=10,
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
        f"{sakura.line.host}/_emulator/users/{SAKURA}/revoke", json={}, timeout=10
    ).raise_for_status()
    assert sakura.read("/v2/profile", token).status_code == 401
    assert screen_of(sakura.open()) == "consent"
    assert parts_of(sakura.tokens()["id_token"])[1]["sub"] == SAKURA
    assert shop.requests == []


def test_A11_discovery_and_keys(sakura: Browser) -> None:
    found = sakura.get("/.well-known/openid-configuration").json()
    assert found["issuer"] == "https://access.line.me"
    assert found["id_token_signing_alg_values_supported"] == ["ES256"]
    assert "token_endpoint_auth_methods_supported" not in found
    key = requests.get(found["jwks_uri"], timeout=10).json()["keys"][0]
    assert (key["kty"], key["crv"], key["alg"], key["use"]) == ("EC", "P-256", "ES256", "sig")
    assert re.fullmatch(r"[0-9a-f]{64}", key["kid"])
    assert "d" not in key


def test_L36_the_answer_may_be_posted_back(sakura: Browser) -> None:
    sakura.log_in()
    page = sakura.open({"response_mode": "form_post"})
    assert f'action="{CALLBACK}"' in page.text
    fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', page.text))
    assert fields["state"] == "the-state"
    assert sakura.exchange(fields["code"]).status_code == 200


@pytest.mark.parametrize("mode", ["jwt", "query.jwt"])
def test_the_answer_may_be_signed(sakura: Browser, mode: str) -> None:
    sakura.log_in()
    found = back(sakura.open({"response_mode": mode}))
    assert set(found) == {"response"}
    signed = jwt.decode(found["response"], OctKey.import_key(SECRET), algorithms=["HS256"])
    assert (signed.claims["aud"], signed.claims["state"]) == (CHANNEL, "the-state")
    assert sakura.exchange(signed.claims["code"]).status_code == 200


@pytest.mark.parametrize("bot_prompt", ["normal", "aggressive"])
def test_P1_without_a_linked_account_there_is_no_offer(sakura: Browser, bot_prompt: str) -> None:
    with sakura.line.platform.change() as world:
        world.login_channel.is_bot_linked = False
    assert set(sakura.log_in({"bot_prompt": bot_prompt}, friend=True)) == {"code", "state"}
    assert sakura.line.platform.world.users[SAKURA].relation == "none"


@pytest.mark.parametrize("accepts", [True, False])
@pytest.mark.parametrize("bot_prompt", ["normal", "aggressive"])
def test_P2_the_friend_offer(sakura: Browser, shop: Shop, bot_prompt: str, accepts: bool) -> None:
    found = sakura.log_in({"bot_prompt": bot_prompt}, friend=accepts)
    assert found["friendship_status_changed"] == str(accepts).lower()
    assert sakura.line.platform.world.users[SAKURA].relation == ("friend" if accepts else "none")
    if accepts:
        event = shop.events(1)[0]
        assert (event["type"], event["follow"]) == ("follow", {"isUnblocked": False})


def test_P3_who_blocked_the_account_may_unblock_it(sakura: Browser, shop: Shop) -> None:
    with sakura.line.platform.change() as world:
        world.users[SAKURA].relation = "blocked"
    found = sakura.log_in({"bot_prompt": "aggressive"}, friend=True)
    assert found["friendship_status_changed"] == "true"
    assert shop.events(1)[0]["follow"] == {"isUnblocked": True}


def test_P4_a_friend_gets_no_offer(sakura: Browser) -> None:
    friendship.add_friend(sakura.line.platform, SAKURA)
    consent = sakura.press(sakura.open({"bot_prompt": "aggressive"}), user_id=SAKURA)
    answer = back(sakura.press(consent, decision="allow"))
    assert answer["friendship_status_changed"] == "false"


@pytest.mark.parametrize(
    ("relation", "flag"), [("none", False), ("friend", True), ("blocked", False)]
)
def test_P6_friendship_status(sakura: Browser, relation: Any, flag: bool) -> None:
    token = sakura.tokens()["access_token"]
    with sakura.line.platform.change() as world:
        world.users[SAKURA].relation = relation
    assert sakura.read("/friendship/v1/status", token).json() == {"friendFlag": flag}


def test_P7_friendship_with_no_linked_account(sakura: Browser) -> None:
    token = sakura.tokens()["access_token"]
    with sakura.line.platform.change() as world:
        world.login_channel.is_bot_linked = False
    answer = sakura.read("/friendship/v1/status", token)
    assert answer.status_code == 400
    assert answer.json() == {"message": "There is no login bot linked to this channel."}


def test_A9_profile_and_userinfo_follow_the_scope(sakura: Browser) -> None:
    token = sakura.tokens()["access_token"]
    profile = sakura.read("/v2/profile", token).json()
    assert (profile["userId"], profile["displayName"]) == (SAKURA, "佐藤 さくら")
    assert set(profile) == {"userId", "displayName", "pictureUrl"}
    userinfo = sakura.read("/oauth2/v2.1/userinfo", token).json()
    assert set(userinfo) == {"sub", "name", "picture"}
    narrow = sakura.tokens({"scope": "openid"})["access_token"]
    assert sakura.read("/oauth2/v2.1/userinfo", narrow).json() == {"sub": SAKURA}
    assert sakura.read("/v2/profile", narrow).status_code == 403
    assert sakura.read("/friendship/v1/status", narrow).status_code == 403
    assert sakura.read("/v2/profile", "nobody's").status_code == 401


def test_a_screen_is_answered_once(sakura: Browser) -> None:
    screen = sakura.open()
    assert screen_of(sakura.press(screen, user_id="nobody")) == "login"
    again = sakura.press(screen, user_id=SAKURA)
    assert again.status_code == 400
    assert form_of(sakura.open())[1] != form_of(screen)[1]


def test_a_reset_ends_attempts(sakura: Browser) -> None:
    screen = sakura.open()
    sakura.line.platform.reset()
    assert sakura.press(screen, user_id=SAKURA).status_code == 400


def test_the_screens_keep_the_language_that_was_asked_for(sakura: Browser) -> None:
    sakura.http.headers["Accept-Language"] = "ja"
    screen = sakura.open({"ui_locales": "fr-FR en-GB"})
    assert '<html lang="en">' in screen.text
    assert '<html lang="en">' in sakura.press(screen, user_id=SAKURA).text
    assert '<html lang="ja">' in sakura.open().text


def test_L28_a_web_code_can_get_an_es256_token_which_verify_takes(sakura: Browser) -> None:
    code = sakura.log_in()["code"]
    id_token = sakura.exchange(code, id_token_key_type="JWK").json()["id_token"]
    assert parts_of(id_token)[0]["kid"] == signing_keys.signing_key(sakura.line.platform).kid
    assert _verify(sakura, id_token)["sub"] == SAKURA
    assert parts_of(id_token)[1]["nonce"] == "the-nonce"


def test_L34_each_provider_knows_a_person_by_another_id(sakura: Browser, shop: Shop) -> None:
    same = sakura.tokens()
    with sakura.line.platform.change() as world:
        world.login_channel.provider = "another-business"
    other = sakura.tokens()
    ids = [parts_of(tokens["id_token"])[1]["sub"] for tokens in (same, other)]
    profile = sakura.read("/v2/profile", other["access_token"]).json()
    body = {"to": ids[1], "messages": [{"type": "text", "text": "や"}]}
    push = sakura.line.call("POST", "/v2/bot/message/push", json=body)

    assert ids[0] == SAKURA
    assert ids[1] != SAKURA
    assert profile["userId"] == ids[1]
    # The trap for shops whose two channels are of two providers.
    assert (push.status_code, push.json()) == (400, {"message": "Failed to send messages"})


def test_L35_a_new_key_signs_and_the_old_one_goes_later(sakura: Browser) -> None:
    line, url = sakura.line, "/oauth2/v2.1/certs"

    def kids() -> list[str]:
        return [key["kid"] for key in sakura.get(url).json()["keys"]]

    (old,) = kids()
    line.call("POST", "/_emulator/keys/rotate", json={"keep_seconds": 60})
    new, still = kids()
    assert (still, new != old) == (old, True)
    code = sakura.log_in({"redirect_uri": None, "client_id": None}, liff=True)["code"]
    id_token = sakura.exchange_liff(code).json()["id_token"]
    assert parts_of(id_token)[0]["kid"] == new
    line.platform.clock.advance(60)
    assert kids() == [new]
