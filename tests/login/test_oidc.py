"""ID tokens: one altered field each (security.md 2.4, 2.5; line-platform L26 to L28)."""

from __future__ import annotations

import time
from datetime import UTC
from datetime import datetime
from datetime import timedelta
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey
from joserfc.jwk import OctKey

from flask_lineconnect.errors import Refused
from flask_lineconnect.login.flow import require_fresh
from flask_lineconnect.login.oidc import verify_liff_id_token
from flask_lineconnect.login.oidc import verify_web_id_token

CHANNEL, SECRET, NONCE = "1650000001", "0123456789abcdef0123456789abcdef", "the nonce"
EC_KEY = ECKey.generate_key("P-256")


def _claims(**changes: Any) -> dict[str, Any]:
    now = int(time.time())
    claims = {
        "iss": "https://access.line.me",
        "sub": "U" + "a" * 32,
        "aud": CHANNEL,
        "exp": now + 3600,
        "iat": now,
        "nonce": NONCE,
        "name": "佐藤 さくら",
    }
    claims.update(changes)
    return {name: value for name, value in claims.items() if value is not ...}


def _web_token(key: str = SECRET, algorithm: str = "HS256", **changes: Any) -> str:
    return jwt.encode({"alg": algorithm}, _claims(**changes), OctKey.import_key(key), [algorithm])


def _verify(token: object) -> Any:
    return verify_web_id_token(token, channel_id=CHANNEL, channel_secret=SECRET, nonce=NONCE)


def test_a_right_token_is_accepted() -> None:
    assert _verify(_web_token())["sub"] == "U" + "a" * 32


@pytest.mark.parametrize(
    ("changes", "step"),
    [
        ({"iss": "https://evil.example"}, "iss"),
        ({"iss": ...}, "iss"),
        ({"aud": "1650000009"}, "aud"),
        ({"aud": [CHANNEL, "1650000009"]}, "aud"),
        ({"aud": ...}, "aud"),
        ({"sub": "somebody"}, "sub"),
        ({"sub": ...}, "sub"),
        ({"exp": 1_600_000_000}, "exp"),
        ({"exp": ...}, "exp"),
        ({"exp": "tomorrow"}, "exp"),
        ({"exp": True}, "exp"),
        ({"exp": float("nan")}, "exp"),
        ({"iat": 4_000_000_000}, "iat"),
        ({"iat": -4_000_000_000}, "iat"),
        ({"iat": float("nan")}, "iat"),
        ({"iat": float("inf")}, "iat"),
        ({"iat": ...}, "iat"),
        ({"nonce": "another"}, "nonce"),
        ({"nonce": ...}, "nonce"),
        ({"nonce": 5}, "nonce"),
    ],
)
def test_S2_5_one_wrong_claim_is_refused(changes: dict[str, Any], step: str) -> None:
    with pytest.raises(Refused) as refusal:
        _verify(_web_token(**changes))
    assert refusal.value.step == step


@pytest.mark.parametrize(
    ("issued", "expires", "step"),
    [(-3_700, 60, "iat"), (0, 3_700, "exp"), (30, 20, "exp")],
    ids=["too old", "too long", "backwards"],
)
def test_S2_5_no_token_lives_longer_than_lines_hour(issued: int, expires: int, step: str) -> None:
    now = int(time.time())
    with pytest.raises(Refused) as refusal:
        _verify(_web_token(iat=now + issued, exp=now + expires))
    assert refusal.value.step == step


@pytest.mark.parametrize(
    "token",
    [
        None,
        "",
        "not.a.token",
        _web_token(key="fedcba9876543210fedcba9876543210"),
        _web_token(algorithm="HS512"),
        # {"alg":"none"} without a signature
        "eyJhbGciOiJub25lIn0." + _web_token().split(".")[1] + ".",
        _web_token()[:-4] + "AAAA",
        jwt.encode({"alg": "ES256"}, _claims(), EC_KEY, ["ES256"]),
    ],
)
def test_S2_4_a_web_token_is_HS256_with_the_secret_or_nothing(token: object) -> None:
    with pytest.raises(Refused) as refusal:
        _verify(token)
    assert refusal.value.step in {"id_token", "signature"}


def test_S3_1_what_proves_a_link_is_of_the_last_minutes() -> None:
    now = datetime.now(UTC)
    require_fresh(now - timedelta(minutes=9), now=now)
    with pytest.raises(Refused) as refusal:
        require_fresh(now - timedelta(minutes=11), now=now)
    assert refusal.value.step == "iat"


def test_S2_4_a_liff_token_is_ES256_or_nothing() -> None:
    right = jwt.encode({"alg": "ES256"}, _claims(), EC_KEY, ["ES256"])
    assert verify_liff_id_token(right, EC_KEY, channel_id=CHANNEL)["aud"] == CHANNEL
    for wrong in (_web_token(), jwt.encode({"alg": "ES256"}, _claims(), ECKey.generate_key())):
        with pytest.raises(Refused):
            verify_liff_id_token(wrong, EC_KEY, channel_id=CHANNEL)
