"""The screens of LINE Login over real HTTP, by the numbers of the fact sheet's list."""

from __future__ import annotations

import pytest

from flask_lineconnect.emulator.login.tokens import end_consent

from ..conftest import KENTA
from ..conftest import SAKURA
from .login_browser import CALLBACK
from .login_browser import SITE
from .login_browser import Browser
from .login_browser import Parameters
from .login_browser import back
from .login_browser import form_of
from .login_browser import parts_of
from .login_browser import phone_of
from .login_browser import screen_of


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
    end_consent(sakura.line.platform, user)
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
