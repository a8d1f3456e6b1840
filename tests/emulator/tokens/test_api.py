"""Channel access tokens for a secret."""

from __future__ import annotations

import json

import pytest
from linebot.v3.oauth.exceptions import ApiException as TokenException

from ..conftest import Line


def test_M31_the_31st_short_lived_token_revokes_the_oldest(line: Line) -> None:
    channel = line.platform.world.messaging_channel

    def issue() -> str:
        line.platform.clock.advance(1)
        token: str = line.tokens.issue_channel_token(
            "client_credentials", channel.id, channel.secret
        ).access_token
        return token

    tokens = [issue() for _ in range(31)]

    with pytest.raises(TokenException) as caught:
        line.tokens.verify_channel_token(tokens[0])
    assert json.loads(caught.value.body) == {
        "error": "invalid_request",
        "error_description": "access_token invalid",
    }
    for token in tokens[1:]:
        found = line.tokens.verify_channel_token(token)
        assert (found.client_id, found.scope) == (channel.id, "P CM")
        assert 2_591_000 < found.expires_in <= 2_592_000


@pytest.mark.parametrize(
    ("client_id", "secret", "description"),
    [("9", "x", "invalid client_id"), ("1650000002", "x", "invalid client_secret")],
)
def test_C1_wrong_credentials(line: Line, client_id: str, secret: str, description: str) -> None:
    with pytest.raises(TokenException) as caught:
        line.tokens.issue_channel_token("client_credentials", client_id, secret)
    assert (caught.value.status, json.loads(caught.value.body)) == (
        400,
        {"error": "invalid_client", "error_description": description},
    )

    with pytest.raises(TokenException) as caught:
        line.tokens.issue_stateless_channel_token_by_client_secret(client_id, secret)
    assert (caught.value.status, json.loads(caught.value.body)) == (
        400,
        {"error": "invalid_request", "error_description": "Invalid 'client_credentials'."},
    )


def test_C1_a_stateless_token_is_not_revocable_and_not_verifiable(line: Line) -> None:
    line.tokens.revoke_channel_token(line.token)
    assert line.api.get_bot_info().basic_id == "@demoshop"
    with pytest.raises(TokenException):
        line.tokens.verify_channel_token(line.token)


def test_C1_revoking_an_unknown_token_is_no_error(line: Line) -> None:
    assert line.tokens.revoke_channel_token_with_http_info("unknown").status_code == 200
