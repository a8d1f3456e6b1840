"""What a login's access token opens, and what is public."""

from __future__ import annotations

import re
from typing import Any

import pytest
import requests

from ..conftest import SAKURA
from .login_browser import Browser


def test_A11_discovery_and_keys(sakura: Browser) -> None:
    found = sakura.get("/.well-known/openid-configuration").json()
    assert found["issuer"] == "https://access.line.me"
    assert found["id_token_signing_alg_values_supported"] == ["ES256"]
    assert "token_endpoint_auth_methods_supported" not in found
    key = requests.get(found["jwks_uri"], timeout=60).json()["keys"][0]
    assert (key["kty"], key["crv"], key["alg"], key["use"]) == ("EC", "P-256", "ES256", "sig")
    assert re.fullmatch(r"[0-9a-f]{64}", key["kid"])
    assert "d" not in key


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
