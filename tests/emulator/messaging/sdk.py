"""What the tests send with the official SDK, and how they read its errors."""

from __future__ import annotations

import json
from typing import Any

import pytest
from linebot.v3.messaging import MulticastRequest
from linebot.v3.messaging import PushMessageRequest
from linebot.v3.messaging import TextMessage
from linebot.v3.messaging.exceptions import ApiException

from ..conftest import Line

PUSH = "/v2/bot/message/push"


def push_request(to: str, *texts: str) -> PushMessageRequest:
    return PushMessageRequest(to=to, messages=[TextMessage(text=text) for text in texts or ("や",)])


def error_of(caught: pytest.ExceptionInfo[ApiException]) -> tuple[int, dict[str, Any]]:
    return caught.value.status, json.loads(caught.value.body)


def multicast(line: Line, to: list[str], key: str | None = None) -> None:
    request = MulticastRequest(to=to, messages=[TextMessage(text="や")])
    line.api.multicast(request, x_line_retry_key=key)


TEXT = {"type": "text", "text": "や"}
