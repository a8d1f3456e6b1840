"""What the control pages let a user do."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from flask_lineconnect.emulator.platform import Platform
from flask_lineconnect.emulator.world import LoginToken

from ..quiet import show_menu
from .calls import NOBODY
from .calls import SAKURA
from .calls import act_as
from .calls import messages_in
from .calls import post


def relation_in(line: Platform) -> str:
    return line.world.users[SAKURA].relation


def test_what_users_do(client: FlaskClient, line: Platform) -> None:
    assert act_as(client, "friend").json == {"ok": True}
    assert relation_in(line) == "friend"
    act_as(client, "block")
    assert relation_in(line) == "blocked"
    act_as(client, "unblock")
    assert relation_in(line) == "friend"
    act_as(client, "text", text="こんにちは")
    act_as(client, "postback", data="buy=1", display_text="買う")
    assert [message["text"] for message in messages_in(client)] == ["こんにちは", "買う"]


@pytest.mark.parametrize(
    ("action", "body"),
    [
        ("text", {}),
        ("text", {"text": ""}),
        ("text", {"text": 5}),
        ("text", {"text": "あ" * 5001}),
        ("postback", {}),
        ("postback", {"data": "a" * 301}),
        ("postback", {"data": "a", "display_text": 1}),
        ("tap", {"area": 0}),
        ("tap", {}),
    ],
)
def test_an_action_of_the_wrong_form_is_refused(
    client: FlaskClient, action: str, body: dict[str, Any]
) -> None:
    answer = act_as(client, action, **body)
    assert answer.status_code == 400
    assert answer.json is not None
    assert answer.json["message"]
    assert messages_in(client) == []


@pytest.mark.parametrize("action", ["friend", "block", "text", "tap", "revoke", "fly"])
def test_unknown_users_and_actions_are_not_found(client: FlaskClient, action: str) -> None:
    answer = post(client, f"/users/{NOBODY}/{action}", text="a")
    assert answer.status_code == 404
    assert answer.is_json
    assert client.get(f"/_emulator/users/{NOBODY}/chat").status_code == 404
    assert act_as(client, "fly").status_code == 404


def test_a_tap_on_the_rich_menu(client: FlaskClient, line: Platform) -> None:
    line.world.users[SAKURA].relation = "friend"
    show_menu(
        line,
        {"type": "uri", "uri": "https://shop.example/card"},
        {"type": "message", "text": "ポイント残高"},
        {"type": "postback", "data": "a=1", "displayText": "注文"},
        {"type": "postback", "data": "a=2"},
        {"type": "camera", "label": "カメラ"},
    )
    assert act_as(client, "tap", area=0).json == {"uri": "https://shop.example/card"}
    for area in (1, 2, 3):
        assert act_as(client, "tap", area=area).json == {"ok": True}
    assert [message["text"] for message in messages_in(client)] == ["ポイント残高", "注文"]
    wrong: list[object] = [4, 5, -1, True, "0", None]
    for other in wrong:
        assert act_as(client, "tap", area=other).status_code == 400


def test_only_friends_see_a_rich_menu(client: FlaskClient, line: Platform) -> None:
    show_menu(line, {"type": "message", "text": "a"})
    line.world.users[SAKURA].relation = "none"
    assert act_as(client, "tap", area=0).status_code == 400


def test_revoking_ends_consent_and_tokens(client: FlaskClient, line: Platform) -> None:
    now = line.clock.now()
    token = LoginToken(
        access_token="a",
        refresh_token="r",
        client_id="1650000001",
        user_id=SAKURA,
        scope=["openid"],
        issued_at=now,
        expires_at=now,
        refresh_expires_at=now,
    )
    line.world.login_tokens["a"] = token
    line.world.users[SAKURA].granted = ["openid"]
    assert act_as(client, "revoke").json == {"ok": True}
    assert line.world.users[SAKURA].granted == []
    assert line.world.login_tokens["a"].is_revoked
