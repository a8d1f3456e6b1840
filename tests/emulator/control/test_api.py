"""The control pages: state, users, clock and faults; and who may call them."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from flask_lineconnect.emulator.platform import Platform

from .calls import SAKURA
from .calls import post

PUSH = "/v2/bot/message/push"


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
    added = post(client, "/users", display_name="山田 花", email="hana@example.com").json
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
    answer = post(client, "/users", **body)
    assert answer.status_code == 400
    assert answer.json is not None
    assert answer.json["message"].startswith("user.")


def test_the_clock_stops_moves_and_runs_again(client: FlaskClient) -> None:
    frozen = post(client, "/clock", freeze="2026-08-01T09:00:00+09:00").json
    assert frozen == {"now": "2026-08-01T09:00:00+09:00", "is_stopped": True}
    moved = post(client, "/clock", advance_seconds=60).json
    assert moved == {"now": "2026-08-01T09:01:00+09:00", "is_stopped": True}
    gone = post(client, "/clock", to="2026-08-31T00:00:00+00:00").json
    assert gone == {"now": "2026-08-31T09:00:00+09:00", "is_stopped": True}
    assert client.get("/_emulator/clock").json == gone
    assert post(client, "/clock", to="2026-08-30T00:00:00+00:00").status_code == 400
    freed = post(client, "/clock", unfreeze=True).json
    assert freed is not None
    assert not freed["is_stopped"]
    assert not freed["now"].startswith("2026-08-31")


def test_a_clock_that_runs_goes_to_a_time_and_runs_on(client: FlaskClient) -> None:
    gone = post(client, "/clock", to="2090-08-31T00:00:00+00:00").json
    assert gone is not None
    assert not gone["is_stopped"]
    later = client.get("/_emulator/clock").json
    assert later is not None
    assert gone["now"] < later["now"] < "2090-08-31T00:01"


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
        {"to": "tomorrow"},
        {"to": "2090-08-01T09:00:00"},
        {"to": "9999-12-31T00:00:00+00:00"},
        {"to": None},
        {"unfreeze": False},
        {"advance_seconds": 1, "unfreeze": True},
    ],
)
def test_a_clock_of_the_wrong_form_is_refused(client: FlaskClient, body: dict[str, Any]) -> None:
    assert post(client, "/clock", **body).status_code == 400


def test_a_fault_fails_one_call(client: FlaskClient) -> None:
    assert post(client, "/faults", path=PUSH, status=503, times=1).status_code == 200
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
    assert post(client, "/faults", **fault).status_code == 400


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
