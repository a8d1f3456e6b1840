"""Who may call: tokens that are missing, wrong, or another channel's."""

from __future__ import annotations

from typing import Any

import pytest
from linebot.v3 import liff
from linebot.v3.messaging.exceptions import ApiException

from ..conftest import Line
from ..messaging.sdk import PUSH
from ..messaging.sdk import error_of


def test_M1_no_token(line: Line) -> None:
    answer = line.call("POST", PUSH, json={}, headers={"Authorization": ""})

    assert answer.status_code == 401
    assert answer.json()["message"].startswith("Authorization header required. Must follow")


@pytest.mark.parametrize("kind", ["bad", "expired", "revoked", "login channel's"])
def test_M1_a_token_that_is_no_good(line: Line, kind: str) -> None:
    world = line.platform.world
    if kind == "bad":
        line.token = "x"
    elif kind == "expired":
        line.platform.clock.advance(901)
    elif kind == "revoked":
        channel = world.messaging_channel
        line.token = line.tokens.issue_channel_token(
            "client_credentials", channel.id, channel.secret
        ).access_token
        assert line.api.get_bot_info().basic_id == "@demoshop"
        line.tokens.revoke_channel_token(line.token)
    else:
        line.token = line.tokens.issue_stateless_channel_token_by_client_secret(
            world.login_channel.id, world.login_channel.secret
        ).access_token

    with pytest.raises(ApiException) as caught:
        line.api.get_bot_info()

    text = "Authentication failed. Confirm that the access token in the authorization header is"
    assert error_of(caught) == (401, {"message": f"{text} valid."})


def test_M1_the_liff_server_api_takes_the_login_channels_token(line: Line) -> None:
    pytest.importorskip("flask_lineconnect.emulator.liff.opening")
    channel = line.platform.world.login_channel
    token = line.tokens.issue_channel_token("client_credentials", channel.id, channel.secret)

    def apps(access_token: str) -> Any:
        configuration = liff.Configuration(host=line.host, access_token=access_token)
        return liff.Liff(liff.ApiClient(configuration)).get_all_liff_apps()

    assert [app.liff_id for app in apps(token.access_token).apps] == ["1650000001-DemoCard"]
    with pytest.raises(liff.exceptions.ApiException) as caught:
        apps(line.token)
    assert caught.value.status == 401
