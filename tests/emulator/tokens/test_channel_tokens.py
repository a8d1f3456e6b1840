"""Channel access tokens that come of a JWT assertion, and LINE's rate limits."""

from __future__ import annotations

from typing import Any

import pytest
import requests
from joserfc import jwt
from joserfc.jwk import RSAKey
from linebot.v3.messaging.exceptions import ApiException
from linebot.v3.oauth.exceptions import ApiException as OAuthException

from flask_lineconnect.emulator.rate_limits import LIMITS
from flask_lineconnect.testing.plugin import Emulator

from ..conftest import KENTA
from ..conftest import SAKURA
from ..conftest import Line

TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
KEY = RSAKey.generate_key(2048, parameters={"kid": "the-kid"}, private=True)
OTHER_KEY = RSAKey.generate_key(2048, parameters={"kid": "the-kid"}, private=True)
PUSH = "/v2/bot/message/push"


@pytest.fixture(autouse=True)
def _registered(line: Line) -> None:
    public = {name: str(value) for name, value in KEY.as_dict(private=False).items()}
    with line.platform.change() as world:
        world.messaging_channel.assertion_keys["the-kid"] = public


def assertion(line: Line, *, key: RSAKey = KEY, kid: str = "the-kid", **claims: Any) -> str:
    channel_id = line.platform.world.messaging_channel.id
    given = {
        "iss": channel_id,
        "sub": channel_id,
        "aud": "https://api.line.me/",
        "exp": line.platform.clock.timestamp() + 600,
        "token_exp": 86_400,
        **claims,
    }
    return jwt.encode({"alg": "RS256", "typ": "JWT", "kid": kid}, given, key)


def issue(line: Line, token: str) -> Any:
    return line.tokens.issue_channel_token_by_jwt("client_credentials", TYPE, token)


def test_C1_a_token_for_an_assertion(line: Line) -> None:
    issued = issue(line, assertion(line))

    assert (issued.token_type, issued.expires_in) == ("Bearer", 86_400)
    told = line.tokens.verify_channel_token_by_jwt(issued.access_token)
    assert told.client_id == line.platform.world.messaging_channel.id
    assert 86_390 < told.expires_in <= 86_400
    kids = line.tokens.gets_all_valid_channel_access_token_key_ids(TYPE, assertion(line))
    assert kids.kids == [issued.key_id]
    line.token = issued.access_token
    assert line.api.get_message_quota().type == "limited"


def test_C1_a_revoked_token_is_good_for_nothing(line: Line) -> None:
    channel = line.platform.world.messaging_channel
    issued = issue(line, assertion(line))

    line.tokens.revoke_channel_token_by_jwt(channel.id, channel.secret, issued.access_token)

    line.token = issued.access_token
    with pytest.raises(ApiException) as refused:
        line.api.get_message_quota()
    assert refused.value.status == 401
    with pytest.raises(OAuthException) as revoked:
        line.tokens.verify_channel_token_by_jwt(issued.access_token)
    assert "The access token revoked" in str(revoked.value.body)


def test_M31_the_31st_token_is_refused(line: Line) -> None:
    for _ in range(30):
        issue(line, assertion(line))

    with pytest.raises(OAuthException) as refused:
        issue(line, assertion(line))

    assert refused.value.status == 400
    assert "The maximum number of access tokens has already been issued" in refused.value.body


@pytest.mark.parametrize(
    ("claims", "status", "text"),
    [
        ({"iss": "1650000001"}, 400, "iss and clientId of key do not match"),
        ({"exp": 10**10}, 400, "Invalid exp"),
        ({"exp": 1}, 400, "Invalid exp"),
        ({"exp": "soon"}, 400, "Invalid exp"),
        ({"aud": "https://evil.example/"}, 400, "Invalid aud"),
        ({"token_exp": 2_592_001}, 400, "Invalid token_exp"),
        ({"token_exp": True}, 400, "Invalid token_exp"),
        ({"kid": "another"}, 404, "Cannot find channel key that satisfies the conditions"),
        ({"key": OTHER_KEY}, 400, "Invalid client_assertion"),
    ],
)
def test_C1_a_wrong_assertion(line: Line, claims: dict[str, Any], status: int, text: str) -> None:
    with pytest.raises(OAuthException) as refused:
        issue(line, assertion(line, **claims))

    assert refused.value.status == status
    assert text in refused.value.body


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "e30.e30.", "あ.あ.あ"])
def test_C1_what_is_no_assertion(line: Line, token: str) -> None:
    form = {
        "grant_type": "client_credentials",
        "client_assertion_type": TYPE,
        "client_assertion": token,
    }
    for path in ("/oauth2/v2.1/token", "/oauth2/v3/token"):
        answer = line.call("POST", path, data=form)
        assert answer.status_code in {400, 404}
        assert answer.headers["content-type"] == "application/json"


def test_C1_a_stateless_token_for_an_assertion(line: Line) -> None:
    issued = line.tokens.issue_stateless_channel_token_by_jwt_assertion(assertion(line))

    line.token = issued.access_token
    assert issued.expires_in == 900
    assert line.api.get_message_quota().type == "limited"


def test_C1_the_console_issues_one_long_lived_token(line: Line) -> None:
    console = Emulator(line.host)
    first, second = console.long_lived_token(), console.long_lived_token()
    line.platform.clock.advance(400 * 86_400)

    line.token = second
    assert line.api.get_message_quota().type == "limited"
    told = requests.post(f"{line.host}/v2/oauth/verify", data={"access_token": second}, timeout=60)
    assert told.json()["client_id"] == line.platform.world.messaging_channel.id
    line.token = first
    with pytest.raises(ApiException) as ended:
        line.api.get_message_quota()
    assert ended.value.status == 401


def test_M14_a_rate_limit_is_a_bucket(line: Line) -> None:
    """LINE's own limit is 2,000 a second; a thousandth of it is 2."""
    now = line.platform.clock.now()
    line.platform.clock.freeze(now)
    with line.platform.change() as world:
        world.messaging_channel.rate_limit_scale = 0.001

    def profile(user_id: str) -> int:
        return line.call("GET", f"/v2/bot/profile/{user_id}").status_code

    # Which user is asked for does not matter; another endpoint has a bucket of its own.
    assert [profile(SAKURA), profile(KENTA), profile(SAKURA)] == [404, 404, 429]
    refused = line.call("GET", f"/v2/bot/profile/{SAKURA}")
    assert refused.json() == {"message": "The API rate limit has been exceeded. Try again later."}
    assert line.call("GET", "/v2/bot/info").status_code == 200
    line.platform.clock.freeze(now)
    line.platform.clock.advance(0.5)
    assert [profile(SAKURA), profile(SAKURA)] == [404, 429]


def test_M14_some_endpoints_have_narrower_limits(line: Line) -> None:
    line.platform.clock.freeze(line.platform.clock.now())
    answers = [line.call("POST", "/v2/bot/richmenu/batch", json={}) for _ in range(4)]

    assert [answer.status_code for answer in answers] == [400, 400, 400, 429]


def test_M14_limits_can_be_switched_off(line: Line) -> None:
    with line.platform.change() as world:
        world.messaging_channel.rate_limit_scale = None

    answers = [line.call("POST", "/v2/bot/richmenu/batch", json={}) for _ in range(5)]

    assert {answer.status_code for answer in answers} == {400}


@pytest.mark.parametrize(
    ("call", "count"),
    [
        ("POST /v2/bot/message/narrowcast", 60),
        ("POST /v2/bot/message/multicast", 200),
        ("GET /v2/bot/insight/message/event/aggregation", 60),
        ("DELETE /v2/bot/audienceGroup/5", 60),
        ("DELETE /v2/bot/richmenu/richmenu-1", 100),
        ("DELETE /v2/bot/richmenu/alias/a", 100),
        ("POST /v2/bot/chat/loading/start", 100),
    ],
)
def test_M14_each_endpoint_has_its_limit(call: str, count: int) -> None:
    assert next(limit.count for limit in LIMITS if limit.pattern.match(call)) == count


def test_an_attempt_that_is_refused_needs_no_token(line: Line) -> None:
    """A refused token costs nothing of the channel's limit."""
    line.platform.clock.freeze(line.platform.clock.now())
    with line.platform.change() as world:
        world.messaging_channel.rate_limit_scale = 0.0005
    bad = {"Authorization": "Bearer nonsense"}

    assert line.call("GET", "/v2/bot/info", headers=bad).status_code == 401
    assert line.call("GET", "/v2/bot/info").status_code == 200
