"""The log of API calls."""

from __future__ import annotations

import json
from typing import Any

from flask.testing import FlaskClient

from flask_lineconnect.emulator.platform import Platform
from tests.emulator.quiet import client as client
from tests.emulator.quiet import line as line

SAKURA = f"U{1:032x}"
PUSH = "/v2/bot/message/push"


def _calls(client: FlaskClient, since: object = 0) -> list[dict[str, Any]]:
    answer = client.get(f"/_emulator/calls?since={since}").json
    assert answer is not None
    calls: list[dict[str, Any]] = answer["calls"]
    return calls


def test_calls_are_logged_without_secrets(client: FlaskClient) -> None:
    form = {
        "grant_type": "client_credentials",
        "client_id": "1650000002",
        "client_secret": "fedcba9876543210fedcba9876543210",
    }
    granted = client.post("/oauth2/v3/token", data=form)
    assert granted.json is not None
    token = granted.json["access_token"]
    body = {
        "to": SAKURA,
        "messages": [{"type": "text", "text": "こんにちは"}],
        "replyToken": "secret-reply-token",
    }
    headers = {"Authorization": f"Bearer {token}"}
    pushed = client.post(f"{PUSH}?code=secret-code&a=b", json=body, headers=headers)
    first, second = _calls(client)
    assert (first["method"], first["path"]) == ("POST", "/oauth2/v3/token")
    assert "client_id=1650000002" in first["request"]
    assert (second["method"], second["path"], second["status"]) == ("POST", PUSH, 200)
    assert json.loads(second["request"])["messages"][0]["text"] == "こんにちは"
    assert "sentMessages" in second["response"]
    assert second["query"] == "code=***&a=b"
    assert second["request_id"] == pushed.headers["x-line-request-id"]
    everything = json.dumps([first, second])
    assert token not in everything
    assert "fedcba98" not in everything
    assert "secret-" not in everything


def test_only_calls_of_line_are_logged(client: FlaskClient) -> None:
    for path in ("/", "/phone", f"/phone/{SAKURA}/state", "/_emulator/state", "/static/app.css"):
        client.get(path).close()
    assert _calls(client) == []
    client.get("/v2/bot/info")
    client.get("/v2/unknown")
    assert [call["status"] for call in _calls(client)] == [401, 404]


def test_bodies_in_the_log_are_short(client: FlaskClient) -> None:
    client.post(PUSH, json={"messages": "あ" * 20_000})
    client.post(PUSH, data=b"\x89PNG" * 10_000, content_type="image/png")
    client.post(PUSH, data=b'{"access_token": "abc', content_type="application/json")
    client.post(PUSH, data=b'{"to": "\\ud800"}', content_type="application/json")
    client.post(PUSH, data=b"0" * 3_000_000, content_type="application/json")
    long, image, broken, _, _ = (call["request"] for call in _calls(client))
    assert 9_000 < len(long.encode()) <= 10_003
    assert image == "(40,000 bytes of image/png)"
    assert "abc" not in broken


def test_calls_are_counted_on_when_old_ones_are_dropped(
    client: FlaskClient, line: Platform
) -> None:
    for _ in range(3):
        client.get("/v2/bot/info")
    line.calls.popleft()
    assert [call["number"] for call in _calls(client, since=2)] == [3]
    assert [call["number"] for call in _calls(client)] == [2, 3]
    for since in ("x", "-1", "", "1.5"):
        assert client.get(f"/_emulator/calls?since={since}").status_code == 400
    assert _calls(client, since="9" * 5_000) == []
