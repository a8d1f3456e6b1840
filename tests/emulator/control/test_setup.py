"""Setups: what a shop or a test wants of the world."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from flask_lineconnect.emulator.app import create_app
from flask_lineconnect.emulator.control.setup import SetupError
from flask_lineconnect.emulator.control.setup import apply_setup
from flask_lineconnect.emulator.control.setup import read_setup
from flask_lineconnect.emulator.control.setup import world_of
from flask_lineconnect.emulator.platform import Platform

from .calls import NOBODY
from .calls import SAKURA
from .calls import act_as
from .calls import messages_in
from .calls import post

SHOP = "http://127.0.0.1:5000"


def test_a_base_url_points_everything_to_one_shop(client: FlaskClient, line: Platform) -> None:
    act_as(client, "text", text="残る")
    line.world.messaging_channel.webhook_url = None
    answer = client.put("/_emulator/setup", json={"base_url": f"{SHOP}/"})
    assert answer.json == {"ok": True}
    world = line.world
    assert world.login_channel.callback_urls == [f"{SHOP}/line/callback"]
    assert world.messaging_channel.webhook_url == f"{SHOP}/line/webhook"
    assert world.liff_apps["1650000001-DemoCard"].endpoint_url == f"{SHOP}/line/liff"
    assert len(messages_in(client)) == 1
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
    act_as(client, "text", text="忘れて")
    post(client, "/users", display_name="忘れて")
    post(client, "/clock", advance_seconds=10**6)
    assert post(client, "/reset").json == {"ok": True}
    assert line.world.messaging_channel.webhook_url == f"{SHOP}/line/webhook"
    assert messages_in(client) == []
    assert len(line.world.users) == 4
    assert client.get("/_emulator/calls").json == {"calls": []}
    assert client.get("/_emulator/webhooks").json == {"webhooks": [], "statistics": {}}
