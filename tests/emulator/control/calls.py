"""Calls of the control pages."""

from __future__ import annotations

from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

SAKURA = f"U{1:032x}"
NOBODY = f"U{99:032x}"


def post(client: FlaskClient, path: str, /, **body: Any) -> TestResponse:
    return client.post(f"/_emulator{path}", json=body)


def act_as(client: FlaskClient, action: str, /, **body: Any) -> TestResponse:
    return post(client, f"/users/{SAKURA}/{action}", **body)


def messages_in(client: FlaskClient) -> list[dict[str, Any]]:
    entries = client.get(f"/_emulator/users/{SAKURA}/chat").get_json()["messages"]
    return [{"from": entry["from"], **entry["message"]} for entry in entries]
