"""The control pages: setup, users, clock and faults."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from flask_lineconnect.emulator.app import create_app
from flask_lineconnect.emulator.control.setup import SetupError
from flask_lineconnect.emulator.control.setup import apply_setup
from flask_lineconnect.emulator.control.setup import read_setup
from flask_lineconnect.emulator.control.setup import world_of
from flask_lineconnect.emulator.platform import Platform
from flask_lineconnect.emulator.world import LoginToken
from flask_lineconnect.emulator.world import RichMenu

SAKURA = f"U{1:032x}"
NOBODY = f"U{99:032x}"
SHOP = "http://127.0.0.1:5000"
PUSH = "/v2/bot/message/push"


@pytest.fixture
def line() -> Platform:
    """Return a platform without a shop, so that no webhook leaves it."""
    return Platform()


@pytest.fixture
def client(line: Platform) -> FlaskClient:
    """Return a client of the emulator."""
    return create_app(line).test_client()


def _post(client: FlaskClient, path: str, /, **body: Any) -> TestResponse:
    return client.post(f"/_emulator{path}", json=body)


def _as(client: FlaskClient, action: str, /, **body: Any) -> TestResponse:
    return _post(client, f"/users/{SAKURA}/{action}", **body)


def _messages(client: FlaskClient) -> list[dict[str, Any]]:
    entries = client.get(f"/_emulator/users/{SAKURA}/chat").json["messages"]  # type: ignore[index]
    return [{"from": entry["from"], **entry["message"]} for entry in entries]


def _relation(line: Platform) -> str:
    return line.world.users[SAKURA].relation


def test_health(client: FlaskClient) -> None:
    assert client.get("/_emulator/health").json == {"ok": True}


def test_the_state_names_what_a_shop_must_know(client: FlaskClient) -> None:
    state = client.get("/_emulator/state").json
    assert state is not None
    assert set(state) == {"login_channel", "messaging_channel", "liff_apps", "users"}
    assert state["login_channel"]["id"] == "1650000001"
    assert len(state["login_channel"]["secret"]) == 32
    assert state["messaging_channel"]["id"] == "1650000002"
    assert len(state["messaging_channel"]["secret"]) == 32
    assert state["liff_apps"][0]["liff_id"] == "1650000001-DemoCard"
    assert "endpoint_url" in state["liff_apps"][0]
    assert state["users"][0]["user_id"] == SAKURA


def test_users_are_listed_and_added(client: FlaskClient) -> None:
    added = _post(client, "/users", display_name="山田 花", email="hana@example.com").json
    assert added is not None
    users = client.get("/_emulator/users").json
    assert users is not None
    assert users["users"][-1] == added
    assert added["display_name"] == "山田 花"
    assert added["email"] == "hana@example.com"
    assert added["relation"] == "none"
    assert added["picture_url"].startswith("/static/avatars/user-")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"display_name": " "},
        {"display_name": 5},
        {"display_name": "花", "colour": "red"},
        {"display_name": "花", "user_id": "U1"},
        {"display_name": "花", "user_id": SAKURA},
        {"display_name": "花", "relation": "enemy"},
    ],
)
def test_a_user_of_the_wrong_form_is_refused(client: FlaskClient, body: dict[str, Any]) -> None:
    answer = _post(client, "/users", **body)
    assert answer.status_code == 400
    assert answer.json is not None
    assert answer.json["message"].startswith("user.")


def test_what_users_do(client: FlaskClient, line: Platform) -> None:
    assert _as(client, "friend").json == {"ok": True}
    assert _relation(line) == "friend"
    _as(client, "block")
    assert _relation(line) == "blocked"
    _as(client, "unblock")
    assert _relation(line) == "friend"
    _as(client, "text", text="こんにちは")
    _as(client, "postback", data="buy=1", display_text="買う")
    assert [message["text"] for message in _messages(client)] == ["こんにちは", "買う"]


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
    answer = _as(client, action, **body)
    assert answer.status_code == 400
    assert answer.json is not None
    assert answer.json["message"]
    assert _messages(client) == []


@pytest.mark.parametrize("action", ["friend", "block", "text", "tap", "revoke", "fly"])
def test_unknown_users_and_actions_are_not_found(client: FlaskClient, action: str) -> None:
    answer = _post(client, f"/users/{NOBODY}/{action}", text="a")
    assert answer.status_code == 404
    assert answer.is_json
    assert client.get(f"/_emulator/users/{NOBODY}/chat").status_code == 404
    assert _as(client, "fly").status_code == 404


def _show_menu(line: Platform, *actions: dict[str, Any]) -> None:
    bounds = {"x": 0, "y": 0, "width": 100, "height": 100}
    menu = RichMenu(
        rich_menu_id="richmenu-1",
        definition={
            "size": {"width": 2500, "height": 843},
            "selected": True,
            "name": "menu",
            "chatBarText": "メニュー",
            "areas": [{"bounds": bounds, "action": action} for action in actions],
        },
        image_base64="AAAA",
        image_type="image/png",
    )
    line.world.rich_menus[menu.rich_menu_id] = menu
    line.world.messaging_channel.default_rich_menu_id = menu.rich_menu_id
    line.world.users[SAKURA].relation = "friend"


def test_a_tap_on_the_rich_menu(client: FlaskClient, line: Platform) -> None:
    _show_menu(
        line,
        {"type": "uri", "uri": "https://shop.example/card"},
        {"type": "message", "text": "ポイント残高"},
        {"type": "postback", "data": "a=1", "displayText": "注文"},
        {"type": "postback", "data": "a=2"},
        {"type": "camera", "label": "カメラ"},
    )
    assert _as(client, "tap", area=0).json == {"uri": "https://shop.example/card"}
    for area in (1, 2, 3):
        assert _as(client, "tap", area=area).json == {"ok": True}
    assert [message["text"] for message in _messages(client)] == ["ポイント残高", "注文"]
    wrong: list[object] = [4, 5, -1, True, "0", None]
    for other in wrong:
        assert _as(client, "tap", area=other).status_code == 400


def test_only_friends_see_a_rich_menu(client: FlaskClient, line: Platform) -> None:
    _show_menu(line, {"type": "message", "text": "a"})
    line.world.users[SAKURA].relation = "none"
    assert _as(client, "tap", area=0).status_code == 400


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
    assert _as(client, "revoke").json == {"ok": True}
    assert line.world.users[SAKURA].granted == []
    assert line.world.login_tokens["a"].is_revoked


def test_a_base_url_points_everything_to_one_shop(client: FlaskClient, line: Platform) -> None:
    _as(client, "text", text="残る")
    line.world.messaging_channel.webhook_url = None
    answer = client.put("/_emulator/setup", json={"base_url": f"{SHOP}/"})
    assert answer.json == {"ok": True}
    world = line.world
    assert world.login_channel.callback_urls == [f"{SHOP}/line/callback"]
    assert world.messaging_channel.webhook_url == f"{SHOP}/line/webhook"
    assert world.liff_apps["1650000001-DemoCard"].endpoint_url == f"{SHOP}/line/liff"
    assert len(_messages(client)) == 1
    assert len(world.users) == 4


def test_a_partial_setup_keeps_the_rest(client: FlaskClient, line: Platform) -> None:
    line.world.users[SAKURA].relation = "friend"
    setup = {
        "base_url": SHOP,
        "login_channel": {"name": "別の店"},
        "messaging_channel": {"webhook_url": "https://hooks.example/line"},
        "liff_apps": [{"liff_id": "1650000001-Other"}],
        "users": [
            {"user_id": SAKURA, "email": "new@example.com"},
            {"display_name": "新しい人"},
        ],
    }
    for _ in range(2):
        assert client.put("/_emulator/setup", json=setup).status_code == 200
    world = line.world
    assert world.login_channel.name == "別の店"
    assert world.login_channel.secret == "0123456789abcdef0123456789abcdef"
    assert world.messaging_channel.webhook_url == "https://hooks.example/line"
    assert list(world.liff_apps) == ["1650000001-Other", "1650000001-DemoCard"]
    assert world.liff_apps["1650000001-Other"].endpoint_url == f"{SHOP}/line/liff"
    assert world.users[SAKURA].relation == "friend"
    assert world.users[SAKURA].email == "new@example.com"
    assert [user.display_name for user in world.users.values()].count("新しい人") == 1


@pytest.mark.parametrize(
    "setup",
    [
        {"login_chanel": {}},
        {"login_channel": []},
        {"login_channel": {"colour": "red"}},
        {"login_channel": {"callback_urls": 3}},
        {"messaging_channel": {"quota": "many"}},
        {"liff_apps": [{}]},
        {"liff_apps": {"liff_id": "a"}},
        {"users": ["花"]},
        {"users": [{"user_id": NOBODY}]},
        {"base_url": "shop.example"},
        {"base_url": "http://["},
        {"base_url": 5},
    ],
)
def test_a_setup_of_the_wrong_form_changes_nothing(
    client: FlaskClient, line: Platform, setup: dict[str, Any]
) -> None:
    before = line.world.model_dump_json()
    answer = client.put("/_emulator/setup", json={"login_channel": {"name": "x"}} | setup)
    assert answer.status_code == 400
    assert answer.is_json
    assert line.world.model_dump_json() == before


def test_a_setup_file_is_the_same_json(tmp_path: Path, line: Platform) -> None:
    file = tmp_path / "setup.json"
    file.write_text(json.dumps({"base_url": SHOP, "users": [{"display_name": "花"}]}), "utf-8")
    apply_setup(line, read_setup(file))
    assert line.world.messaging_channel.webhook_url == f"{SHOP}/line/webhook"
    file.write_text("{", "utf-8")
    with pytest.raises(SetupError, match="no JSON"):
        read_setup(file)
    with pytest.raises(SetupError, match="No such file"):
        read_setup(tmp_path / "missing.json")


def test_a_reset_goes_back_to_the_start() -> None:
    line = Platform(make_world=lambda: world_of({"base_url": SHOP}))
    client = create_app(line).test_client()
    client.put("/_emulator/setup", json={"base_url": "http://127.0.0.1:9"})
    # No webhook may leave this test.
    line.world.messaging_channel.webhook_url = None
    _as(client, "text", text="忘れて")
    _post(client, "/users", display_name="忘れて")
    _post(client, "/clock", advance_seconds=10**6)
    assert _post(client, "/reset").json == {"ok": True}
    assert line.world.messaging_channel.webhook_url == f"{SHOP}/line/webhook"
    assert _messages(client) == []
    assert len(line.world.users) == 4
    assert client.get("/_emulator/calls").json == {"calls": []}
    assert client.get("/_emulator/webhooks").json == {"webhooks": [], "statistics": {}}


def test_the_clock_stops_moves_and_runs_again(client: FlaskClient) -> None:
    frozen = _post(client, "/clock", freeze="2026-08-01T09:00:00+09:00").json
    assert frozen == {"now": "2026-08-01T09:00:00+09:00"}
    moved = _post(client, "/clock", advance_seconds=60).json
    assert moved == {"now": "2026-08-01T09:01:00+09:00"}
    freed = _post(client, "/clock", unfreeze=True).json
    assert freed is not None
    assert not freed["now"].startswith("2026-08-01T09:01")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"advance_seconds": "1"},
        {"advance_seconds": True},
        {"advance_seconds": -1},
        {"advance_seconds": 1e300},
        {"advance_seconds": 10**400},
        {"advance_seconds": float("nan")},
        {"freeze": "tomorrow"},
        {"freeze": "2026-08-01T09:00:00"},
        {"freeze": "9999-12-31T00:00:00+00:00"},
        {"freeze": 5},
        {"unfreeze": False},
        {"advance_seconds": 1, "unfreeze": True},
    ],
)
def test_a_clock_of_the_wrong_form_is_refused(client: FlaskClient, body: dict[str, Any]) -> None:
    assert _post(client, "/clock", **body).status_code == 400


def test_a_fault_fails_one_call(client: FlaskClient) -> None:
    assert _post(client, "/faults", path=PUSH, status=503, times=1).status_code == 200
    assert client.post(PUSH, json={}).status_code == 503
    assert client.post(PUSH, json={}).status_code == 401


@pytest.mark.parametrize(
    "fault",
    [
        {},
        {"login": "cancel"},
        {"path": 5},
        {"path": PUSH, "status": 200},
        {"path": PUSH, "status": "x"},
        {"path": PUSH, "times": 0},
        {"path": PUSH, "after_acceptance": None},
        {"auto_login": "maybe"},
        {"id_token": "x"},
        {"id_token": {}, "auto_login": "fail"},
    ],
)
def test_a_fault_of_the_wrong_form_is_refused(client: FlaskClient, fault: dict[str, Any]) -> None:
    assert _post(client, "/faults", **fault).status_code == 400


CHANGES = [
    ("POST", "/_emulator/reset"),
    ("PUT", "/_emulator/setup"),
    ("POST", "/_emulator/users"),
    ("POST", f"/_emulator/users/{SAKURA}/friend"),
    ("POST", "/_emulator/clock"),
    ("POST", "/_emulator/faults"),
]


@pytest.mark.parametrize(("method", "path"), CHANGES)
def test_other_sites_change_nothing(
    client: FlaskClient, line: Platform, method: str, path: str
) -> None:
    before = line.world.model_dump_json()
    for origin in ("https://evil.example", "null", "http://localhost:81"):
        answer = client.open(path, method=method, json={}, headers={"Origin": origin})
        assert answer.status_code == 403
        assert answer.is_json
    for content_type in ("text/plain", "application/x-www-form-urlencoded"):
        answer = client.open(path, method=method, data="{}", content_type=content_type)
        assert answer.status_code == 415
        assert answer.is_json
    assert line.world.model_dump_json() == before


@pytest.mark.parametrize(("method", "path"), CHANGES)
@pytest.mark.parametrize("body", [b"{", b"[]", b"5", b'"\\ud800"', b"\xff", b"[" * 100_000])
def test_what_is_no_json_object_is_refused(
    client: FlaskClient, method: str, path: str, body: bytes
) -> None:
    answer = client.open(path, method=method, data=body, content_type="application/json")
    assert answer.status_code == 400
    assert answer.is_json


def test_our_own_pages_may_change_things(client: FlaskClient) -> None:
    headers = {"Origin": "http://localhost"}
    answer = client.post("/_emulator/users", json={"display_name": "花"}, headers=headers)
    assert answer.status_code == 200
