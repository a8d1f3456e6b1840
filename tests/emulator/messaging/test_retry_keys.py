"""Retry keys: a request with one is accepted once."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from linebot.v3.messaging.exceptions import ApiException

from ..conftest import SAKURA
from ..conftest import Line
from .sdk import PUSH
from .sdk import TEXT
from .sdk import error_of
from .sdk import multicast
from .sdk import push_request


def fail(line: Line, **fault: Any) -> None:
    line.platform.faults.add(**{"path": PUSH, "status": 500, "times": 1} | fault)


def test_M15_M17_an_accepted_retry_key_is_refused(line: Line) -> None:
    line.befriend(SAKURA)
    key = str(uuid.uuid4())
    first = line.api.push_message_with_http_info(push_request(SAKURA, "一"), x_line_retry_key=key)

    for text in ("一", "二"):
        with pytest.raises(ApiException) as caught:
            line.api.push_message(push_request(SAKURA, text), x_line_retry_key=key.upper())

        status, body = error_of(caught)
        assert (status, body["message"]) == (409, "The retry key is already accepted")
        assert [sent["id"] for sent in body["sentMessages"]] == [
            sent.id for sent in first.data.sent_messages
        ]
        assert caught.value.headers["x-line-accepted-request-id"]
    assert line.chat(SAKURA) == ["一"]


def test_M15_the_accepted_request_is_named(line: Line) -> None:
    pytest.importorskip("flask_lineconnect.emulator.call_log")
    line.befriend(SAKURA)
    key = str(uuid.uuid4())
    first = line.api.push_message_with_http_info(push_request(SAKURA), x_line_retry_key=key)
    with pytest.raises(ApiException) as caught:
        line.api.push_message(push_request(SAKURA), x_line_retry_key=key)

    accepted = caught.value.headers["x-line-accepted-request-id"]
    assert accepted == first.headers["x-line-request-id"]
    assert accepted != caught.value.headers["x-line-request-id"]


def test_M15_a_multicast_repeats_no_ids(line: Line) -> None:
    line.befriend(SAKURA)
    key = str(uuid.uuid4())
    multicast(line, [SAKURA], key)

    with pytest.raises(ApiException) as caught:
        multicast(line, [SAKURA], key)

    assert error_of(caught) == (409, {"message": "The retry key is already accepted"})


def test_C3_a_key_is_consumed_even_if_nobody_was_reached(line: Line) -> None:
    key = str(uuid.uuid4())
    line.api.push_message(push_request(SAKURA), x_line_retry_key=key)

    with pytest.raises(ApiException) as caught:
        line.api.push_message(push_request(SAKURA), x_line_retry_key=key)

    assert caught.value.status == 409


def test_M16_a_retry_key_lives_for_a_day(line: Line) -> None:
    line.befriend(SAKURA)
    key = str(uuid.uuid4())
    line.api.push_message(push_request(SAKURA), x_line_retry_key=key)
    line.advance(86_401)
    line.api.push_message(push_request(SAKURA), x_line_retry_key=key)

    assert len(line.chat(SAKURA)) == 2


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/v2/bot/message/reply"),
        ("POST", "/v2/bot/message/validate/push"),
        ("GET", "/v2/bot/info"),
        ("GET", "/v2/bot/richmenu/list"),
        ("GET", "/v2/bot/channel/webhook/endpoint"),
    ],
)
def test_M18_a_retry_key_elsewhere_is_refused(line: Line, method: str, path: str) -> None:
    key = {"X-Line-Retry-Key": str(uuid.uuid4())}

    assert line.call(method, path, headers=key, json={"messages": [TEXT]}).status_code == 400


def test_C3_a_retry_key_is_a_uuid(line: Line) -> None:
    with pytest.raises(ApiException) as caught:
        line.api.push_message(push_request(SAKURA), x_line_retry_key="order-1001")

    assert caught.value.status == 400


@pytest.mark.parametrize("has_key", [True, False])
def test_M19_an_error_after_acceptance(line: Line, has_key: bool) -> None:
    line.befriend(SAKURA)
    key = str(uuid.uuid4()) if has_key else None
    fail(line, after_acceptance=True)
    with pytest.raises(ApiException) as caught:
        line.api.push_message(push_request(SAKURA), x_line_retry_key=key)
    assert caught.value.status == 500
    assert line.chat(SAKURA) == ["や"]

    if has_key:
        with pytest.raises(ApiException) as caught:
            line.api.push_message(push_request(SAKURA), x_line_retry_key=key)
        assert caught.value.status == 409
        assert line.chat(SAKURA) == ["や"]
    else:
        line.api.push_message(push_request(SAKURA))
        assert line.chat(SAKURA) == ["や", "や"]


@pytest.mark.parametrize("fault", [{}, {"after_acceptance": False}, {"times": 2, "status": 503}])
def test_M20_an_error_before_acceptance(line: Line, fault: dict[str, Any]) -> None:
    line.befriend(SAKURA)
    key = str(uuid.uuid4())
    fail(line, **fault)
    for _ in range(fault.get("times", 1)):
        with pytest.raises(ApiException) as caught:
            line.api.push_message(push_request(SAKURA), x_line_retry_key=key)
        assert caught.value.status == fault.get("status", 500)
        assert line.chat(SAKURA) == []

    line.api.push_message(push_request(SAKURA), x_line_retry_key=key)
    assert line.chat(SAKURA) == ["や"]


def test_M19_a_refused_call_keeps_its_own_answer(line: Line) -> None:
    fail(line, after_acceptance=True)

    with pytest.raises(ApiException) as caught:
        line.api.push_message(push_request("x"))

    assert caught.value.status == 400
    assert len(line.platform.faults.all()) == 1
