"""ID tokens, and the keys that sign them."""

from __future__ import annotations

from typing import Any

import pytest
import requests
from joserfc import jwt
from joserfc.jwk import OctKey

from flask_lineconnect.emulator.login import signing_keys

from ..conftest import KENTA
from ..conftest import SAKURA
from ..conftest import Shop
from .login_browser import CHANNEL
from .login_browser import SECRET
from .login_browser import Browser
from .login_browser import parts_of


def test_L26_L27_the_id_token_of_a_web_login(sakura: Browser) -> None:
    id_token = sakura.tokens()["id_token"]
    header, claims = parts_of(id_token)
    assert header == {"typ": "JWT", "alg": "HS256"}
    assert jwt.decode(id_token, OctKey.import_key(SECRET), algorithms=["HS256"]).claims == claims
    assert (claims["iss"], claims["aud"]) == ("https://access.line.me", CHANNEL)
    assert (claims["sub"], claims["nonce"]) == (SAKURA, "the-nonce")
    assert claims["exp"] - claims["iat"] == 3_600
    assert requests.get(claims["picture"], timeout=60).status_code == 200
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
